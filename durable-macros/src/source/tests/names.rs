use super::*;

#[test]
fn imports_are_followed() {
    check(
        Namespace::Value,
        "
use std::time::Instant; => Instant::now => std::time::Instant::now
use std::time::Instant as I; => I::now => std::time::Instant::now
use std::{time::{self, Instant as I}, fs}; => I::now => std::time::Instant::now
use std::{time::{self, Instant as I}, fs}; => time::Instant::now => std::time::Instant::now
use std::{time::{self, Instant as I}, fs}; => fs::read => std::fs::read
use std::time::{self as t}; => t::Instant::now => std::time::Instant::now
use core::time::Duration; => Duration::from_secs => std::time::Duration::from_secs
use ::tokio::time::sleep; => sleep => tokio::time::sleep
use {tokio::spawn, ::tokio::time::sleep}; => sleep => tokio::time::sleep
use std::time; use time::Instant; => Instant::now => std::time::Instant::now
use std::fmt::Write as _; => _ => -
use r#dyn::r#loop as r#type; => type => dyn::loop
extern crate tokio as t; => t::spawn => tokio::spawn
extern crate self as me; fn g() {} => me::g => fn g
use tokio; => tokio::spawn => tokio::spawn
use a::b; use b::c; use c::d; use d::e; => e::f => a::b::c::d::e::f
 => ::tokio::spawn => tokio::spawn
 => tokio::spawn => tokio::spawn
 => tokio => -
 => Instant::now => -
 => u8::MAX => -
 => Some => std::option::Option::Some
 => Vec::new => std::vec::Vec::new
 => drop => std::mem::drop
use anyhow::anyhow; => anyhow::Ok => anyhow::Ok | anyhow::anyhow::Ok
use a::x; use b::x; => x => a::x | b::x
",
    );
}

#[test]
fn chains_of_imports_end() {
    check(
        Namespace::Value,
        "
use a::b; use b::a; => a::c => a::b::a::c
use self::a as b; use self::b as a; => self::a::c => -
mod m { pub use super::*; } use m::*; => a => -
mod m { pub use super::*; } use m::*; use tokio::spawn; => m::m::spawn => tokio::spawn
use x::*; use x::y::*; => z => *x::y::z | *x::z
struct Foo; impl Foo::Foo { } => Foo::Foo::f => type Foo
",
    );
    let links = (0..12).map(|link| format!("use self::a{} as a{link};", link + 1));
    let links = links.collect::<Vec<_>>().join(" ");
    for (path, expected) in [("a6", "tokio::spawn"), ("a4", "unseen")] {
        let case = format!("{links} use tokio::spawn as a12; => {path} => {expected}");
        check(Namespace::Value, &case);
    }
}

#[test]
fn globs_bring_what_they_may() {
    check(
        Namespace::Value,
        "
use std::time::*; => Instant::now => *std::time::Instant::now
use tokio::*; => spawn => *tokio::spawn
use tokio::*; => time::sleep => *tokio::time::sleep | time::sleep
use tokio::*; fn spawn() {} => spawn => fn spawn
use p::*; use std::time::Instant; => Instant::now => std::time::Instant::now
use p::*; => std::fs::read => std::fs::read
mod m { pub fn g() {} } use m::*; => g => fn m::g
mod m { pub fn g() {} } use tokio::*; use m::*; => g => fn m::g
mod m { fn g() {} } use m::*; => g => -
mod m { pub use tokio::*; } use m::*; => spawn => *tokio::spawn
mod m { use tokio::*; } use m::*; => spawn => -
use tokio::spawn; mod m { use super::*; /*@*/f } => spawn => tokio::spawn
use tokio::*; mod m { use super::*; /*@*/f } => spawn => *tokio::spawn
enum K { Instant } use K::*; use std::time::*; => Instant => type K
mod m { pub mod n { pub fn g() {} } } use m::*; use n::*; => g => fn m::n::g
",
    );
}

#[test]
fn aliases_and_reexports_are_followed() {
    check(
        Namespace::Value,
        "
type Clock = std::time::Instant; => Clock::now => std::time::Instant::now
use std::time::Instant; type A = Instant; type B = A; => B::now => std::time::Instant::now
type M<K, V> = std::collections::HashMap<K, V>; => M::new => std::collections::HashMap::new
type M<T> = T; => M::new => type M
type M = (u8, std::time::Instant); => M::now => type M
type M = fn() -> std::time::Instant; => M::now => type M
mod ids { pub use uuid::Uuid as Id; } => ids::Id::new_v4 => uuid::Uuid::new_v4
mod ids { pub use uuid::Uuid as Id; } use ids::Id as I; => I::new_v4 => uuid::Uuid::new_v4
mod a { pub use tokio::time as t; } => a::t::sleep => tokio::time::sleep
mod a { pub mod b { pub fn g() {} } } pub use a::b as c; => c::g => fn a::b::g
mod a { pub mod b { pub fn g() {} } pub use b::*; } => a::g => fn a::b::g
mod a { pub mod b { pub fn g() {} } pub use self::b::g as h; } => crate::a::h => fn a::b::g
",
    );
}

#[test]
fn own_items_hide_what_they_share_a_name_with() {
    check(
        Namespace::Value,
        "
struct Instant; => Instant::now => type Instant
struct Instant; impl Instant { fn now() {} } => Instant::now => fn Instant::now
use std::time::*; struct Instant(u8); => Instant::now => type Instant
mod tokio { pub fn spawn() {} } => tokio::spawn => fn tokio::spawn
mod tokio { pub fn spawn() {} } => ::tokio::spawn => tokio::spawn
mod tokio { made!(); } => tokio::spawn => unseen
use foo::bar; fn bar() {} => bar => fn bar
use foo::bar; fn bar() {} => bar::baz => foo::bar::baz
enum Option { A } => Option::A => type Option
fn drop() {} => drop => fn drop
trait Clock { fn now(); } => Clock::now => trait Clock
union U { a: u8 } => U::now => type U
const C: u8 = 1; => C => const u8 C
use m::spawn; mod m { made!(); } use tokio::*; => spawn => unseen
use crate::made::time; => time::now => unseen
fn f<I: Clock>(spawn: fn()) {} use tokio::spawn; => spawn => tokio::spawn
",
    );
}

#[test]
fn statics_tell_their_type() {
    check(
        Namespace::Value,
        "
static A: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(vec![])); => A => static LazyLock<Mutex<Vec<u8>>> A
pub static mut B: [u8; 2] = [1; 2]; => crate::B => static mut [u8; 2] B
static A: Box<dyn Fn() -> X<Item = u8>> = b; => A => static Box<dyn Fn() -> X<Item = u8>> A
extern \"C\" { static C: u8; fn d(); } => C => static u8 C
extern \"C\" { static C: u8; fn d(); } => d => fn d
",
    );
}

#[test]
fn cfg_leaves_the_choice_open() {
    check(
        Namespace::Value,
        "
#[cfg(a)] use std::time::I; #[cfg(not(a))] use web_time::I; => I::now => std::time::I::now | web_time::I::now
#[cfg(a)] fn g() {} #[cfg(not(a))] use h::g; => g => fn g | h::g
#[cfg(a)] fn g() {} fn g() {} => g => fn g | fn g
#[cfg(test)] use a::X; #[cfg(not(test))] use b::X; => X => b::X
#[cfg(all(unix, test))] use a::X; use b::X; => X => b::X
#[cfg(all(unix, all(test)))] use a::X; use b::X; => X => b::X
#[cfg(any(unix, test))] use a::X; use b::X; => X => a::X | b::X
#[cfg(feature = \"test\")] use a::X; use b::X; => X => a::X | b::X
#[cfg(test)] use a::X; use b::X; #[cfg(test)] mod tests { use super::*; /*@*/f } => X => a::X | b::X
#[cfg(test)] use a::X; use b::X; mod m { #[cfg(test)] mod n { use super::super::*; /*@*/f } } => X => a::X | b::X
#[cfg(test)] use a::X; use b::X; #[test] fn t() { /*@*/f } => X => a::X | b::X
#[cfg(test)] use a::X; use b::X; #[tokio::test] async fn t() { /*@*/f } => X => a::X | b::X
#[cfg(test)] use a::*; use b::*; => X => *b::X
",
    );
}

#[test]
fn blocks_have_names_of_their_own() {
    check(
        Namespace::Value,
        "
fn f() { use std::time::Instant; /*@*/g } => Instant::now => std::time::Instant::now
fn f() { { use std::time::Instant; } /*@*/g } => Instant::now => -
fn f() { if x { let y = 1; use std::time::Instant; /*@*/g } } => Instant::now => std::time::Instant::now
fn f() { fn spawn() {} /*@*/g } use tokio::spawn; => spawn => fn spawn
fn f() { fn spawn() {} } use tokio::spawn; => spawn => tokio::spawn
fn f() { enum K { A } use K::*; /*@*/g } => A => type K
fn f() { mod m { pub fn h() {} } /*@*/g } => m::h => fn m::h
fn f() { struct S; impl S { fn n() {} } /*@*/g } => S::n => fn S::n
fn f() { const C: u8 = 1; static S: u8 = 2; /*@*/g } => S => static u8 S
use std::fs; fn f() { mod m { use super::fs; fn g() { /*@*/g } } } => fs::read => std::fs::read
use std::fs; fn f() { fn g() { /*@*/g } } => fs::read => std::fs::read
static A: u8 = { use tokio::spawn; /*@*/g }; => spawn => tokio::spawn
impl A { fn f() { use tokio::spawn; /*@*/g } } => spawn => tokio::spawn
impl A { fn spawn() {} fn f() { /*@*/g } } use tokio::spawn; => spawn => tokio::spawn
",
    );
}

#[test]
fn local_names_hide_items() {
    for line in "
true  let spawn = 1; /*@*/g
true  let spawn: u8 = 1; /*@*/g
true  let (a, Some(mut spawn)) = b; /*@*/g
true  let S { spawn, .. } = b; /*@*/g
true  let Some(spawn) = b else { return }; /*@*/g
true  if let Some(spawn) = b { /*@*/g }
true  if let Some(spawn) = b && /*@*/g { }
true  if a && let Some(spawn) = b { /*@*/g }
true  while let Some(spawn) = b { /*@*/g }
true  for spawn in b { /*@*/g }
true  match b { Some(spawn) => /*@*/g, None => 1 }
true  match b { Some(spawn) if /*@*/g => 1, None => 1 }
true  match b { #[cfg(a)] Some(spawn) => { /*@*/g } None => 1 }
true  |spawn| /*@*/g
true  || |spawn| /*@*/g
true  x(|a, &(b, spawn): &(u8, u8)| /*@*/g, 1)
false /*@*/g; let spawn = 1;
false let spawn = /*@*/spawn(1);
false { let spawn = 1; } /*@*/g
false let S { spawn: a } = b; /*@*/g
false let a: spawn = b; /*@*/g
false let a = b == spawn; /*@*/g
false if let Some(spawn) = b { } else { /*@*/g }
false if let Some(spawn) = b { } /*@*/g
false for spawn in /*@*/b { }
false match b { Some(spawn) => 1, None => /*@*/g }
false match b { Some(spawn) => { 1 } None => /*@*/g }
false match b { a::spawn => /*@*/g }
false x(move |spawn| 1, /*@*/g)
false let y = a | spawn | b; /*@*/g
false let y = a || spawn || b; /*@*/g
false fn h(spawn: u8) {} /*@*/g
false let spawn = 1; fn h() { /*@*/g }
"
    .lines()
    .skip(1)
    {
        let expected = if line.starts_with("true") {
            "-"
        } else {
            "tokio::spawn"
        };
        let text = format!(
            "use tokio::spawn; fn f() {{ {} }} => spawn => {expected}",
            &line[6..]
        );
        check(Namespace::Value, &text);
    }
}

#[test]
fn parameters_hide_items() {
    check(
        Namespace::Value,
        "
use tokio::spawn; fn f(spawn: fn()) { /*@*/g } => spawn => -
use tokio::spawn; fn f((a, spawn): (u8, u8), b: u8) { /*@*/g } => spawn => -
use std::time::Instant as T; fn f<'a, T: Clock>() { /*@*/g } => T::now => -
use std::time::Instant as T; fn f<A, const T: usize>() { /*@*/g } => T => -
use std::time::Instant as T; impl<T> A<T> { fn f() { /*@*/g } } => T::now => -
use std::time::Instant as T; trait A<B = X<u8, T>, T = u8> { fn f() { /*@*/g } } => T::now => -
use std::time::Instant as T; fn f<A: B<T>>() where T: X { /*@*/g } => T::now => std::time::Instant::now
use std::time::Instant as T; fn f<A = T>(a: T) { /*@*/g } => T::now => std::time::Instant::now
",
    );
}

#[test]
fn macros_are_looked_up_among_macros() {
    check(
        Namespace::Macro,
        "
 => println => std::println
 => tokio::select => tokio::select
use tokio::select; => select => tokio::select
use tokio::select as pick; => pick => tokio::select
macro_rules! println { () => {} } => println => macro println
fn println() {} => println => std::println
macro_rules! m { () => {} } mod a { mod b { /*@*/f } } => m => macro m
#[macro_use] mod a { macro_rules! m { () => {} } } mod b { /*@*/f } => m => macro m
mod a { macro_rules! m { () => {} } } mod b { /*@*/f } => m => -
fn f() { macro_rules! m { () => {} } /*@*/g } => m => macro m
 => join => -
",
    );
}

#[test]
fn types_are_looked_up_among_types() {
    check(
        Namespace::Type,
        "
fn a() {} mod a {} => a => mod a
use std::sync::Mutex; => Mutex => std::sync::Mutex
struct A; => A => type A
 => String => std::string::String
",
    );
}

#[test]
fn self_is_the_type_of_the_impl() {
    check(
        Namespace::Value,
        "
struct A; impl A { fn g() {} fn f() { /*@*/g } } => Self::g => fn A::g
struct A; impl A { fn g() {} } impl T for A { fn f() { /*@*/g } } => Self::g => fn A::g
use std::time::Instant; impl T for Instant { fn f() { /*@*/g } } => Self::now => std::time::Instant::now
struct A; impl<'a, T: X<u8>> A<'a, T> where T: Y { fn g() {} fn f() { if x { /*@*/g } } } => Self::g => fn A::g
trait A { fn f() { /*@*/g } } => Self::g => unseen
impl T for (A, B) { fn f() { /*@*/g } } => Self::g => unseen
struct A; impl A { fn g() {} } mod m { impl super::A { fn h() {} } } => A::h => fn m::A::h
mod m { pub struct A; } use m::A as B; impl m::A { fn h() {} } => B::h => fn A::h
mod m { pub struct A; } struct A; impl m::A { fn h() {} } => A::h => type A
struct A; #[cfg(a)] impl A { fn g() {} } #[cfg(b)] impl A { fn g() {} } => A::g => fn A::g | fn A::g
",
    );
}
