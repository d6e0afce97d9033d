use super::super::files::Source;
use super::super::samples;
use super::*;

mod model;

fn outline(text: &str) -> Source {
    Source::new(text.to_owned())
}

/// The entries of the file's own space, in short.
fn entries(text: &str) -> Vec<String> {
    let source = outline(text);
    let space = source.outline.space(0);
    let entries = space.entries.iter().map(|entry| {
        let what = match &entry.what {
            What::Import(path) => format!("use {}", path.join("::")),
            What::Alias(Some(path)) => format!("type {}", path.join("::")),
            What::Alias(None) => "type ?".to_owned(),
            What::Inline(_) => "mod {}".to_owned(),
            What::File { paths, is_certain } => format!("mod {paths:?} {is_certain}"),
            What::Function(_) => "fn".to_owned(),
            What::Static { ty, .. } => format!("static {}", source.tokens.text_of(ty.clone())),
            What::Const { ty } => format!("const {}", source.tokens.text_of(ty.clone())),
            What::Struct => "struct".to_owned(),
            What::Enum { variants } => format!("enum {variants:?}"),
            What::Trait => "trait".to_owned(),
            What::Macro => "macro".to_owned(),
        };
        format!("{}: {what}", entry.name)
    });
    let globs = space
        .globs
        .iter()
        .map(|glob| format!("use {}::*", glob.path.join("::")));
    entries.chain(globs).collect()
}

/// Each line is a file and its entries, by name.
fn check(cases: &str) {
    for case in cases.lines().filter(|line| !line.is_empty()) {
        let (text, expected) = case.rsplit_once(" => ").unwrap();
        assert_eq!(entries(text).join(", "), expected, "{case}");
    }
}

#[test]
fn names_of_elsewhere_are_read() {
    check(
        "
use a::{b, c::{self, d as e, *}, f as _}; => b: use a::b, c: use a::c, e: use a::c::d, use a::c::*
use ::a; use *; use {a::*, ::b::*}; => a: use ::a, use ::*, use a::*, use ::b::*
pub use self::a; pub(in super::b) use super::c as d; => a: use self::a, d: use super::c
use a::{{b, c}, {d::{e}}}; => b: use a::b, c: use a::c, e: use a::d::e
use a::; use b => b: use b
extern crate a; extern crate r#b as c; extern crate d as _; => a: use ::a, c: use ::b
mod a; mod b {} pub(crate) unsafe mod c; => a: mod [] false, b: mod {}, c: mod [] false
#[path = \"x.rs\"] mod a; #[cfg_attr(b, path = r\"y.rs\")] mod c; => a: mod [\"x.rs\"] true, c: mod [\"y.rs\"] false
type A = b::C<d::E>; type B<T> = T; type C = &'static u8; => A: type b::C, B: type ?, C: type ?
type A where X: Y = b::C; type D<T: Fn() -> E> = Vec<T>; => A: type b::C, D: type Vec
",
    );
}

#[test]
fn items_are_read_one_by_one() {
    check(
        "
fn a() {} const fn b() {} safe fn c(); => a: fn, b: fn, c: fn
async unsafe extern \"C\" fn a<T: X<{ 1 }>>() -> Y<T> where T: Z {} fn b() {} => a: fn, b: fn
fn a() -> impl Fn() -> X<{ 1 }> + 'static {} fn b() {} => a: fn, b: fn
static A: u8 = 1; static mut B: [u8; 2] = [1, 2]; => A: static u8, B: static [u8; 2]
const C: X<Y = Z> = { fn x() {} 1 }; const _: () = {}; => C: const X<Y = Z>, _: const ()
struct A; struct B(pub (crate) u8, u8); struct C<T> where T: X { a: u8 } => A: struct, B: struct, C: struct
struct A(u8) where u8: X; union D { a: u8 } => A: struct, D: struct
enum A { B, #[x] C(u8), D { e: u8 }, E = 1 + 2, } enum F {} => A: enum [\"B\", \"C\", \"D\", \"E\"], F: enum []
trait A: B<C> {} unsafe auto trait D {} pub trait E = F + G; fn h() {} => A: trait, D: trait, E: trait, h: fn
macro_rules! a { () => { fn no() {} } } macro_rules! b [ ]; => a: macro, b: macro
pub macro c($x:expr) { } macro d { } fn e() {} => c: macro, d: macro, e: fn
made! { fn no() {} } made!(fn no()); a::made!{} fn yes() {} => yes: fn
extern \"C\" { fn a(); pub static B: u8; type C; } extern { fn d(); } => B: static u8, C: type ?, a: fn, d: fn
pub default unsafe impl A for B {} impl<T> !C for D<T> {} fn a() {} => a: fn
",
    );
}

#[test]
fn what_is_no_rust_is_passed_over() {
    check(
        "
fn a( fn b() {} => a: fn
fn a() { fn no() {} => a: fn
} fn a() {} ) fn b() {} => a: fn, b: fn
let union = 1; fn a() {} auto = 2; fn b() {} => a: fn, b: fn
struct; fn a() {} enum {} fn b() {} => a: fn, b: fn
impl A; fn a() {} mod; fn b() {} => a: fn, b: fn
",
    );
}

#[test]
fn impls_know_their_type() {
    let text = "impl A {} impl<T> b::C<T> {} impl X for A {} impl<F> X for F where F: for<'a> Fn() {} impl (A, B) {} impl<T: Fn() -> u8> D for E<T> {} impl<T> G<T> where T: for<'a> X<'a> {}";
    let source = outline(text);
    let inherent: Vec<String> = source
        .outline
        .space(0)
        .impls
        .iter()
        .map(|block| block.of.join("::"))
        .collect();
    assert_eq!(inherent, ["A", "b::C", "G"]);
    let owners: Vec<String> = source
        .outline
        .spaces()
        .filter_map(|space| match &space.owner {
            Owner::Impl(of) => Some(of.as_ref().map_or("?".to_owned(), |of| of.join("::"))),
            _ => None,
        })
        .collect();
    assert_eq!(owners, ["A", "b::C", "A", "F", "?", "E", "G"]);
}

#[test]
fn deep_nesting_takes_no_stack() {
    for unit in [
        "mod a {",
        "fn a() {",
        "impl A {",
        "use a::{",
        "{ use a; {",
        "#[cfg(all(",
        "made! {",
    ] {
        let text = unit.repeat(50_000);
        let source = outline(&text);
        assert!(source.outline.spaces().count() > 0);
    }
}

#[test]
fn any_text_has_an_outline() {
    let mut random = samples::Random::new(11);
    for round in 0..20_000 {
        check_any(&random.text(round % 80));
    }
}

#[test]
fn every_file_at_hand_has_an_outline() {
    for (path, text) in samples::all() {
        let source = Source::new(text);
        for (index, function) in source.outline.functions().iter().enumerate() {
            let is_known = source.outline.by_body.values().any(|known| *known == index);
            assert_eq!(function.body.is_some(), is_known, "{}", path.display());
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_has_an_outline() {
    let mut random = samples::Random::new(13);
    for (_, text) in samples::all().step_by(40) {
        let mut end = random.below(text.len() + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        check_any(&text[..end]);
    }
}

/// Asks everything that can be asked.
fn check_any(text: &str) {
    let source = outline(text);
    let (tokens, outline) = (&source.tokens, &source.outline);
    for at in 0..tokens.len() + 2 {
        let spaces = outline.spaces_around(tokens, at);
        assert_eq!(spaces.last(), Some(&0), "{text:?}");
        outline.is_template(tokens, at);
        if let Some(function) = outline.function_around(tokens, at) {
            source.bindings(function).hide(&["a".to_owned()], at);
        }
    }
    for (index, function) in outline.functions().iter().enumerate() {
        assert!(tokens.ident(function.name).is_some(), "{text:?}");
        for found in super::super::mentions::of(&source, index) {
            assert!(found.at < tokens.len());
        }
    }
}
