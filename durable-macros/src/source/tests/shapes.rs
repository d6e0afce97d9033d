use super::*;

/// What the function `f` of a file mentions, each in short.
fn mentions(text: &str) -> Vec<String> {
    let krate = Crate::new(&[("src/lib.rs", &format!("{text} /*@*/x"))]);
    let scope = krate.scope("src/lib.rs");
    let found = scope.resolve(&["f".to_owned()], Namespace::Value);
    let [Resolved::Function(function)] = &found[..] else {
        panic!("{found:?}");
    };
    function.mentions().iter().map(mention).collect()
}

fn mention(mention: &Mention) -> String {
    let what = match &mention.what {
        What::Path { path, is_called } => {
            format!("{}{}", path.join("::"), if *is_called { "()" } else { "" })
        }
        What::Method { name, arguments } => format!(".{name}({arguments})"),
        What::Macro { path } => format!("{}!", path.join("::")),
        What::Unsafe => "unsafe".to_owned(),
    };
    let marks = [(mention.in_unsafe, " u"), (mention.in_side_effect, " s")];
    let marks: String = marks
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| *mark)
        .collect();
    let allowed: String = mention
        .allowed
        .iter()
        .flat_map(|code| [" ", code])
        .collect();
    format!("{what}{marks}{allowed}")
}

#[test]
fn bodies_tell_what_they_mention() {
    check(
        "
a::b(c) => a::b() c
::std::fs::read(p) => ::std::fs::read() p
a.b().c(1, 2).d => a .b(0) .c(2)
a.iter().map(Instant::now) => a .iter(0) .map(1) Instant::now
x::<u8>::y::<Vec<T>>(1) => x::y()
<Instant as Clock>::now() => Clock::now()
<a::Instant>::now() => a::Instant::now()
<Vec<u8>>::new() => Vec::new()
<[u8]>::len(a) => a
<<A as B>::C as d::E>::f(g) => d::E::f() g
<Token![.]>::default() => -
1 << a::b() => a::b()
a as usize <= b::C => a b::C
let a: Instant = Instant::now(); a => Instant::now()
let a: Box<dyn Iterator<Item = b::C>> = d::e(); a => d::e()
let total = total(); total => total()
S { a: b, c, d: e::f() } => S b c e::f()
a as b::C + d => a d
a as *const u8 => a
a as *const [b::C] => a
a != b => a b
!a::b() => a::b()
#[cfg(a)] b() => b()
fn g() { a::b() } c() => c()
use a::b; b::c() => b::c()
self.a.b(); Self::c(); self => .b(0) Self::c()
for a in 0..b { c(..d) } => b c() d
match a { B::C(d) if e(d) => f(d), G => { h() } } => a e() f() h()
match a { B => c::<D, E>(f), G => h() } => a c() f h()
match a { B => match c { D => e(), } F::G | H::I => {}, } => a c e()
match a { B => if c { d() } else { e() } F::G => 1 } => a c d() e()
match a { B => if c { d } else { e }.f(), G::H => 1 } => a c d e .f(0)
match a { B => 'x: { c() } F::G => 1 } => a c()
match a { B => unsafe { c() } F::G => 1 } => a unsafe c() u
a.b(<C<D, E>>::f, g) => a .b(2) C::f g
a < b && c > d => a b c d
loop { break 'a b() } => b()
|x: Instant| -> Y<A, b::C> { x } => -
|| -> Y<A, b::C> { x() } => x()
#[inline] |x| x.y() => .y(0)
let x; let y = async move { a().await }; x => a()
if a < b && c > d {} => a b c d
a || b::c() || d => a b::c() d
r#type::r#fn() => type::fn()
a.0.b() => a .b(0)
return a::B => a::B
x?.y() => x .y(0)
\"a::b()\"; 'c'; b\"d\"; 1.0; /* g() */ // e::f() => -
",
    );
}

#[test]
fn arguments_are_counted() {
    check(
        "
a.b() => a .b(0)
a.b(1,) => a .b(1)
a.b([1, 2], (3, 4), {5}) => a .b(3)
a.collect::<HashMap<K, V>>() => a .collect(0)
a.b(c::<D, E>(1), 2) => a .b(2) c()
a.b(Vec::<D, E>::new()) => a .b(1) Vec::new()
a.b(c as D<E, F>, 2) => a .b(2) c
a.fold(0, |a, (b, c)| a + b) => a .fold(2)
a.b(|c, d| -> E<F, G> { c }, 2) => a .b(2)
a.b(|c, d| c.e(|f, g| f), 2) => a .b(2) .e(1)
a.b(|| 1, 2) => a .b(2)
",
    );
}

#[test]
fn macros_are_read_as_if_they_took_expressions() {
    check(
        "
vec![a::b(), c] => vec! a::b() c
tokio::select! { r = a::b() => c(r) } => tokio::select! r a::b() c() r
format!(\"{x}\", x = y) => format! x y
a::b!{ c.d() } => a::b! c .d(0)
",
    );
}

#[test]
fn mentions_know_what_they_are_in() {
    check(
        "
unsafe { a() } b() => unsafe a() u b()
unsafe { { a.b() } } => unsafe a u .b(0) u
side_effect(|| { a::b() }).await; c() => side_effect() a::b() s c()
durable::side_effect(move || a()).await => durable::side_effect() a() s
#[nondeterminism(allow(D040, D001), reason = \"D002\")] for x in a() { b() } c() => a() D040 D001 b() D040 D001 c()
#[nondeterminism(allow(D040))] let x = if a() { b() } else { c() }; d() => a() D040 b() D040 c() D040 d()
#[nondeterminism(allow(D040))] if a { b() } else if c { d() } else { e() } g() => a D040 b() D040 c D040 d() D040 e() D040 g()
#[durable::nondeterminism(allow(D040))] a(); b() => a() D040 b()
#[nondeterminism(reason = \"\")] a() => a()
",
    );
}

/// Each line is a body and what it mentions.
fn check(cases: &str) {
    for case in cases.lines().filter(|line| !line.is_empty()) {
        let (body, expected) = case.rsplit_once(" => ").unwrap();
        let expected = if expected == "-" { "" } else { expected };
        assert_eq!(
            mentions(&format!("fn f() {{ {body}\n }}")).join(" "),
            expected,
            "{case}"
        );
    }
}

#[test]
fn functions_tell_about_themselves() {
    let text = "use durable::activity as act; mod m { pub struct S; impl S {
        /// Text.
        #[cfg(x)] #[durable::helper(crate = a)] pub(crate) const async unsafe extern \"C\" fn g<'a>(a: &'a u8) -> X<'a> where A: B {}
        #[act] fn h() {} #[test] fn i() {} } } /*@*/x";
    let krate = Crate::new(&[("src/lib.rs", text)]);
    let scope = krate.scope("src/lib.rs");
    let function = |name: &str| {
        let path = ["m", "S", name].map(str::to_owned);
        match scope.resolve(&path, Namespace::Value).pop() {
            Some(Resolved::Function(function)) => function,
            other => panic!("{other:?}"),
        }
    };
    let g = function("g");
    assert!(g.has_attribute("helper") && !g.has_attribute("activity"));
    assert!(g.is_async() && g.is_unsafe());
    assert_eq!((g.name().as_str(), g.line()), ("m::S::g", 3));
    assert!(g.file().ends_with("src/lib.rs"));
    assert_eq!(g, function("g"));
    assert_ne!(g, function("h"));
    assert!(!function("h").is_async());
    assert!(
        !function("h").has_attribute("activity"),
        "`act` is not known in `m`"
    );
}

#[test]
fn attributes_are_known_by_their_imports() {
    let text = "use durable::{activity as act, deterministic}; #[act] fn a() {} #[deterministic(reason = \"\")] fn b() {} /*@*/x";
    let krate = Crate::new(&[("src/lib.rs", text)]);
    let scope = krate.scope("src/lib.rs");
    let has = |name: &str, attribute: &str| match scope
        .resolve(&[name.to_owned()], Namespace::Value)
        .pop()
    {
        Some(Resolved::Function(function)) => function.has_attribute(attribute),
        other => panic!("{other:?}"),
    };
    assert!(has("a", "activity") && has("b", "deterministic"));
    assert!(!has("a", "deterministic") && !has("b", "activity"));
}

#[test]
fn associated_items_are_told_from_others() {
    for (text, expected) in [
        ("impl A { fn x() {} /*@*/f }", true),
        (
            "struct B;\nunsafe impl<T> X for Y<T> where T: Fn() {\n  /*@*/f }",
            true,
        ),
        ("pub(crate) trait T {\n /*@*/f }", true),
        ("mod m { impl A { const C: u8 = 1; /*@*/f } }", true),
        ("#[cfg(x)]\nimpl A { /*@*/f }", true),
        ("impl A { /*@*/f", true),
        ("impl A { #[activity] async fn /*@*/f() {} }", true),
        ("fn g() { impl A { /*@*/f } }", true),
        ("made! { impl A { /*@*/f } }", true),
        ("macro_rules! m { () => { impl A { /*@*/f } } }", true),
        ("impl Index<{ 1 }> for A where B: C<{ 2 }> { /*@*/f }", true),
        ("impl<F: Fn(u8) -> u8> A<F> { /*@*/f }", true),
        (
            "impl<F> A for F where F: for<'a> Fn(&'a u8) { /*@*/f }",
            true,
        ),
        ("/*@*/f", false),
        ("impl A { fn x() {} } /*@*/f", false),
        ("mod m { /*@*/f }", false),
        ("impl A { fn x() { /*@*/f } }", false),
        ("fn f() -> impl X { /*@*/f }", false),
        ("// impl A {\n /*@*/f", false),
        ("/* impl A { /* */ impl B { */ /*@*/f", false),
        ("const A: &str = \"impl A {\"; /*@*/f", false),
        ("const A: &str = r#\"\" impl A { \"#; /*@*/f", false),
        (
            "const A: char = '{'; const B: &'static str = \"\\\"\"; const C: char = '\\''; /*@*/f",
            false,
        ),
    ] {
        let krate = Crate::new(&[("src/lib.rs", text)]);
        assert_eq!(
            krate.scope("src/lib.rs").is_associated(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn what_a_macro_will_write_is_known_as_such() {
    for (text, expected) in [
        ("macro_rules! m { () => { fn f() { /*@*/f } } }", true),
        ("fn g() { macro_rules! m { () => ( /*@*/f ) } }", true),
        ("made! { fn f() { /*@*/f } }", false),
        ("macro_rules! m { () => {} } /*@*/f", false),
    ] {
        let krate = Crate::new(&[("src/lib.rs", text)]);
        assert_eq!(krate.scope("src/lib.rs").is_template(), expected, "{text}");
    }
}

#[test]
fn columns_are_those_of_rustc() {
    let krate = Crate::new(&[(
        "src/lib.rs",
        "\u{feff}/* \u{1F600} */ fn f() {}\r\n\tfn g() {}\r\n",
    )]);
    let at = |line, column| {
        let scope = Scope::in_file(&krate.path("src/lib.rs"), line, column);
        scope.map(|scope| scope.module.source.tokens.text(scope.at).to_owned())
    };
    assert_eq!(at(1, 12).as_deref(), Some("f"));
    assert_eq!(at(1, 9).as_deref(), Some("fn"));
    assert_eq!(at(2, 5).as_deref(), Some("g"));
    assert_eq!(at(2, 4), None, "between tokens there is nothing");
}
