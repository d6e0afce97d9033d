//! Their orchestrators and activities are linked into this program; each `main` runs as a process only.
#![expect(dead_code, reason = "only what is registered by its name is wanted")]

#[path = "../../examples/children.rs"]
mod children;
#[path = "../../examples/eternal.rs"]
mod eternal;
#[path = "../../examples/fan_out_fan_in.rs"]
mod fan_out_fan_in;
#[path = "../../examples/human_interaction.rs"]
mod human_interaction;
#[path = "../../examples/monitor.rs"]
mod monitor;
#[path = "../../examples/saga.rs"]
mod saga;
