//! One check for each type that is recorded, at that type, so that a missing derive is one error in the signature.

use proc_macro2::TokenStream;
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

/// The checks of `types`.
pub(crate) fn recordable(runtime: &TokenStream, types: &[&Type]) -> TokenStream {
    let checks: TokenStream = types.iter().map(|ty| check(runtime, ty)).collect();
    // One constant for all of them: each costs the compiler an evaluation.
    quote!(const _: () = { #checks };)
}

fn check(runtime: &TokenStream, ty: &Type) -> TokenStream {
    let mut leaves = Vec::new();
    collect_leaves(ty, &mut leaves);
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

fn collect_leaves<'a>(ty: &'a Type, leaves: &mut Vec<&'a Type>) {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| collect_leaves(ty, leaves)),
        Type::Paren(paren) => collect_leaves(&paren.elem, leaves),
        Type::Group(group) => collect_leaves(&group.elem, leaves),
        _ => match held(ty) {
            Some(held) => held.into_iter().for_each(|ty| collect_leaves(ty, leaves)),
            None => leaves.push(ty),
        },
    }
}

/// The types in a container; `None` for any other type.
fn held(ty: &Type) -> Option<Vec<&Type>> {
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
    let is_container = CONTAINERS.iter().any(|(name, count)| {
        last.ident == name && *count == arguments.args.len() && *count == types.len()
    });
    is_container.then_some(types)
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
            collect_leaves(&ty, &mut leaves);
            let leaves: Vec<_> = leaves
                .iter()
                .map(|ty| ty.to_token_stream().to_string())
                .collect();
            assert_eq!(leaves, expected);
        }
    }
}
