//! Taking our attributes out of code that is not rewritten: rustc does not know them.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::TokenStreamExt as _;
use syn::visit_mut::{self, VisitMut};

use super::{ATTRIBUTE, attributes_mut, take};

/// Takes them off the statements and arms that it visits.
pub(crate) struct Strip;

impl VisitMut for Strip {
    fn visit_stmt_mut(&mut self, statement: &mut syn::Stmt) {
        if let Some(attrs) = attributes_mut(statement) {
            take(attrs);
        }
        visit_mut::visit_stmt_mut(self, statement);
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        take(&mut arm.attrs);
        visit_mut::visit_arm_mut(self, arm);
    }
}

/// Takes them out of tokens that do not parse.
pub(crate) fn strip(tokens: TokenStream) -> TokenStream {
    let mut stripped = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        let is_hash = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_hash && tokens.next_if(is_ours).is_some() {
            continue;
        }
        stripped.append(match tree {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), strip(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            tree => tree,
        });
    }
    stripped
}

/// What stands in the brackets of one.
fn is_ours(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else {
        return false;
    };
    let mut words = group.stream().into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    });
    words.any(|word| word == ATTRIBUTE)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_ours_are_taken_out_of_tokens() {
        let tokens = quote! {
            #[nondeterminism(allow(D001), reason = "x")] let a = b;
            #[allow(unused)] { #[durable_runtime::nondeterminism(allow(D001))] f(# ) } x.
        };
        let expected = quote!(let a = b; #[allow(unused)] { f(# ) } x.);
        assert_eq!(strip(tokens).to_string(), expected.to_string());
    }

    #[test]
    fn statements_and_arms_are_stripped_also_in_nested_functions() {
        let mut function: syn::ItemFn = syn::parse_quote! {
            fn f() {
                fn g() {
                    #[nondeterminism(allow(D001), reason = "x")]
                    let a = match b {
                        #[nondeterminism(allow(D001), reason = "x")]
                        1 => 2,
                        #[cfg(x)]
                        _ => 3,
                    };
                }
            }
        };
        Strip.visit_item_fn_mut(&mut function);
        let expected = quote! {
            fn f() { fn g() { let a = match b { 1 => 2, #[cfg(x)] _ => 3, }; } }
        };
        assert_eq!(quote!(#function).to_string(), expected.to_string());
    }
}
