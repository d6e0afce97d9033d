//! One check for each type that is recorded, at that type, so that a missing derive is one error in the signature; and one
//! for each argument that is written in an order by chance.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, Type};

use crate::model::{located, place_of};

/// Containers that are recordable if what they hold is, with the number of types they hold.
const CONTAINERS: &[(&str, usize)] = &[
    ("Result", 2),
    ("Option", 1),
    ("Vec", 1),
    ("VecDeque", 1),
    ("Box", 1),
    ("HashMap", 2),
    ("HashSet", 1),
    ("BTreeMap", 2),
    ("BTreeSet", 1),
];

/// Those that hash, and have an order by chance themselves.
const HASHED: &[&str] = &["HashMap", "HashSet"];

/// Types that are as they are, unless they are of the user's own; those would only have no check of their order.
const PLAIN: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "String", "u8",
    "u16", "u32", "u64", "u128", "usize",
];

/// The checks of the order in which arguments of these `types` are written by the `codec`.
pub(crate) fn ordered(runtime: &TokenStream, codec: &Ident, types: &[&Type]) -> TokenStream {
    let mut leaves = Vec::new();
    for ty in types {
        collect_leaves(ty, &is_ordered_container, &mut leaves);
    }
    leaves.retain(|ty| !is_plain(ty));
    if leaves.is_empty() {
        return TokenStream::new();
    }
    let checks = leaves.iter().map(|leaf| {
        let span = named_at(leaf);
        let runtime = located(runtime, span);
        quote_spanned!(place_of(span)=> #runtime::Argument::<#leaf, #runtime::#codec>::new().checked();)
    });
    quote! {
        const _: fn() = || {
            use #runtime::AnyArgument as _;
            #(#checks)*
        };
    }
}

/// Its name, without what leads to it.
fn named_at(ty: &Type) -> Span {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.span()),
        _ => None,
    }
    .unwrap_or_else(|| ty.span())
}

fn is_ordered_container(name: &Ident, count: usize) -> bool {
    is_container(name, count) && !HASHED.iter().any(|hashed| name == hashed)
}

fn is_plain(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)))
}

/// The checks of `types`.
pub(crate) fn recordable(runtime: &TokenStream, types: &[&Type]) -> TokenStream {
    let checks: TokenStream = types.iter().map(|ty| check(runtime, ty)).collect();
    // One constant for all of them: each costs the compiler an evaluation.
    quote!(const _: () = { #checks };)
}

fn check(runtime: &TokenStream, ty: &Type) -> TokenStream {
    let mut leaves = Vec::new();
    collect_leaves(ty, &is_container, &mut leaves);
    let checks = leaves.iter().map(|leaf| {
        let runtime = located(runtime, leaf.span());
        quote_spanned!(place_of(leaf.span())=> #runtime::assert_recordable::<#leaf>();)
    });
    let is_leaf = matches!(leaves.as_slice(), [leaf] if std::ptr::eq(*leaf, ty));
    // A type of the user's own may be called `Vec`: where all leaves pass, the whole must, too.
    let whole = (!is_leaf).then(|| {
        let runtime = located(runtime, ty.span());
        quote_spanned! {place_of(ty.span())=>
            {
                use #runtime::NotRecordable as _;
                #runtime::assert_whole(
                    &[#(#runtime::InputProbe::<#leaves>::IS_RECORDABLE),*],
                    #runtime::InputProbe::<#ty>::IS_RECORDABLE,
                );
            }
        }
    });
    quote!(#(#checks)* #whole)
}

/// Whether a type of that name with so many generic arguments is looked into.
type Opens = dyn Fn(&Ident, usize) -> bool;

fn is_container(name: &Ident, count: usize) -> bool {
    CONTAINERS
        .iter()
        .any(|(container, held)| name == container && *held == count)
}

fn collect_leaves<'a>(ty: &'a Type, opens: &Opens, leaves: &mut Vec<&'a Type>) {
    match ty {
        Type::Tuple(tuple) => {
            let elements = tuple.elems.iter();
            elements.for_each(|ty| collect_leaves(ty, opens, leaves));
        }
        Type::Paren(paren) => collect_leaves(&paren.elem, opens, leaves),
        Type::Group(group) => collect_leaves(&group.elem, opens, leaves),
        _ => match held(ty, opens) {
            Some(held) => held
                .into_iter()
                .for_each(|ty| collect_leaves(ty, opens, leaves)),
            None => leaves.push(ty),
        },
    }
}

/// The types in a container; `None` for any other type.
fn held<'a>(ty: &'a Type, opens: &Opens) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let types: Vec<&Type> = arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect();
    let is_opened = types.len() == arguments.args.len() && opens(&last.ident, types.len());
    is_opened.then_some(types)
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    #[test]
    fn a_type_is_checked_where_it_may_be_wrong() {
        for (ty, expected) in [
            (
                "Result<Vec<A>, (B, Option<c::D>)>",
                vec!["A", "B", "c :: D"],
            ),
            ("io::Result<A>", vec!["io :: Result < A >"]),
            ("HashMap<A, B, S>", vec!["HashMap < A , B , S >"]),
            ("Own<A>", vec!["Own < A >"]),
            ("[A; 3]", vec!["[A ; 3]"]),
            ("()", vec![]),
        ] {
            let ty: Type = syn::parse_str(ty).unwrap();
            let mut leaves = Vec::new();
            collect_leaves(&ty, &is_container, &mut leaves);
            let leaves: Vec<_> = leaves
                .iter()
                .map(|ty| ty.to_token_stream().to_string())
                .collect();
            assert_eq!(leaves, expected);
        }
    }
}
