//! What the attributes warn of, on a compiler that lets them report nothing but errors: the use of an item that is
//! deprecated. Its note is the warning, and the code that is warned of is underlined.
//!
//! The words are those of the catalogue in `durable-macros`; a test compares them. Not part of the public API.

/// See `docs/determinism/D042.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D042] this hashes by an algorithm that may change from release to release, so a later build may decide otherwise; \
            use an algorithm that is fixed by name, as `sha2` or `xxhash-rust`, or record the hash with `side_effect`; \
            see docs/determinism/D042.md"
)]
pub struct D042;

/// See `docs/determinism/D062.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D062] this prints again at every replay; use `tracing::debug!` or `println!`, which are left out while the code is \
            replayed; see docs/determinism/D062.md"
)]
pub struct D062;

/// See `docs/determinism/D070.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D070] this loop does not end and awaits nothing, so the turn never ends either; await in it, as \
            `sleep(duration).await`, or leave it with `break`; see docs/determinism/D070.md"
)]
pub struct D070;

/// See `docs/determinism/D080.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D080] this name may come from a crate that orchestrators do not use, and nobody can tell; import by name what is \
            used; see docs/determinism/D080.md"
)]
pub struct D080;

/// See `docs/determinism/D081.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D081] this leads through more of its crate than is read, and what lies beyond was not looked at; set \
            `DURABLE_INDEX_LINES` to more than 20000, under `[env]` in `.cargo/config.toml`; or end the search with \
            `#[deterministic]` on what it calls; see docs/determinism/D081.md"
)]
pub struct D081;

/// See `docs/determinism/D092.md`.
#[derive(Debug)]
#[deprecated(
    note = "[D092] this allowance suppresses nothing, and would hide what is written here later; remove it; see \
            docs/determinism/D092.md"
)]
pub struct D092;
