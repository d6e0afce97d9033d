//! Functions of the system, in place of its own: each notes who calls it and passes the call on.
//!
//! Unsafe, since there is no other way: a function of the C library is replaced by one of the same name and signature in the program
//! itself, which the linker prefers. The signatures are those of glibc; what is passed on is not looked at. The next function of the
//! name is asked of the dynamic linker once and kept.
#![expect(
    unsafe_code,
    reason = "symbols of the C library are replaced; see above"
)]

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::note;

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// `RTLD_NEXT`: the one behind ours.
const NEXT: usize = usize::MAX;

/// The address of the system's own function of this name.
fn real(kept: &AtomicUsize, name: &CStr) -> usize {
    let known = kept.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: the handle is the one that `dlsym` knows for "the next", the name ends with a zero.
    let found = unsafe { dlsym(std::ptr::without_provenance_mut(NEXT), name.as_ptr()) };
    let found = found.expose_provenance();
    if found == 0 {
        std::process::abort();
    }
    kept.store(found, Ordering::Relaxed);
    found
}

macro_rules! guarded {
    ($($name:ident ($($argument:ident: $Type:ty),*) -> $Out:ty, $note:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $Type),*) -> $Out {
            static REAL: AtomicUsize = AtomicUsize::new(0);
            if crate::is_watching() {
                let (code, what): (&'static str, &'static str) = $note;
                note(code, what);
            }
            let name = concat!(stringify!($name), "\0").as_bytes();
            let name = CStr::from_bytes_with_nul(name).unwrap_or_default();
            let real: *const () = std::ptr::with_exposed_provenance(real(&REAL, name));
            // SAFETY: it is the address of the function that the caller meant, which has this signature.
            let real: unsafe extern "C" fn($($Type),*) -> $Out = unsafe { std::mem::transmute(real) };
            // SAFETY: what the caller promised holds.
            unsafe { real($($argument),*) }
        }
    )*

    /// Makes the linker keep all of them.
    pub(crate) fn link() {
        $(std::hint::black_box($name as unsafe extern "C" fn($($Type),*) -> $Out);)*
    }};
}

/// The number of the wall clock.
const CLOCK_REALTIME: c_int = 0;

guarded! {
    clock_gettime(clock: c_int, time: *mut c_void) -> c_int, match clock {
        CLOCK_REALTIME => ("D001", "the wall clock was read"),
        _ => ("D002", "a monotonic clock was read"),
    };
    nanosleep(time: *const c_void, rest: *mut c_void) -> c_int, ("D003", "the thread slept");
    clock_nanosleep(clock: c_int, flags: c_int, time: *const c_void, rest: *mut c_void) -> c_int,
        ("D003", "the thread slept");
    getrandom(bytes: *mut c_void, count: usize, flags: c_uint) -> isize, ("D010", "lots were drawn");
    pthread_create(thread: *mut c_void, attributes: *const c_void, begin: *const c_void, with: *mut c_void) -> c_int,
        ("D020", "a thread was started");
    // Variadic, with one argument more at the most; it is passed in a register, whether it is there or not.
    open64(path: *const c_char, flags: c_int, mode: c_long) -> c_int, opened(path);
    openat64(directory: c_int, path: *const c_char, flags: c_int, mode: c_long) -> c_int, opened(path);
    openat(directory: c_int, path: *const c_char, flags: c_int, mode: c_long) -> c_int, opened(path);
    socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int, ("D030", "a socket was opened");
    getenv(name: *const c_char) -> *mut c_char, looked_up(name);
}

/// What is said of an open file: nothing, if it is one that a backtrace is told from. That holds a lock which another backtrace, ours,
/// would wait for.
fn opened(path: *const c_char) -> (&'static str, &'static str) {
    const OF_BACKTRACES: [&str; 5] = ["/proc/self/", "/lib/debug/", ".so", ".dwp", ".debug"];
    // SAFETY: whoever opens a file passes a path that ends with a zero.
    let path = unsafe { text(path) };
    let is_program = std::env::current_exe().is_ok_and(|program| program.as_os_str() == &*path);
    if is_program || OF_BACKTRACES.iter().any(|part| path.contains(part)) {
        return ("", "");
    }
    ("D030", "a file was opened")
}

/// What is said of a variable: nothing, if it is one by which backtraces are switched on.
fn looked_up(name: *const c_char) -> (&'static str, &'static str) {
    // SAFETY: whoever looks up a variable passes a name that ends with a zero.
    let name = unsafe { text(name) };
    if name.starts_with("RUST_") {
        return ("", "");
    }
    ("D032", "a variable of the environment was read")
}

/// # Safety
/// It ends with a zero, or is null.
unsafe fn text<'a>(text: *const c_char) -> Cow<'a, str> {
    if text.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: as promised.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// Random bits from the system, as crates for ids and random numbers get theirs.
#[must_use]
pub fn draw() -> u64 {
    let mut bytes = [0_u8; 8];
    // SAFETY: as many bytes as the buffer has.
    let drawn = unsafe { getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if drawn == 8 {
        u64::from_ne_bytes(bytes)
    } else {
        0
    }
}
