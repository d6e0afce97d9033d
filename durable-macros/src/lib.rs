//! The attributes of durable-runtime.
