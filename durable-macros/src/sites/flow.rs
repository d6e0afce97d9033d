//! How control goes among the rows, for a diagram: what the walk finds of it, and that as tokens.

use proc_macro2::TokenStream;
use quote::quote;

/// A step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// A row, by its index.
    Site(usize),
    /// `if`, `match`: one of the arms.
    Choice {
        title: String,
        arms: Vec<Arm>,
    },
    /// `for`, `while`, `loop`.
    Loop {
        title: String,
        label: String,
        /// Whether it ends by itself.
        is_endless: bool,
        body: Vec<Self>,
    },
    /// `join!`, `try_join!`: all of the arms.
    Join {
        title: String,
        arms: Vec<Arm>,
    },
    /// `select!`: one of the arms comes first.
    Select {
        title: String,
        arms: Vec<Arm>,
    },
    /// A closure or `async` block: it is left by its own `return` and `?` only.
    Group {
        title: String,
        body: Vec<Self>,
    },
    /// `?`
    Try,
    /// `return`
    Return {
        title: String,
    },
    Break {
        label: String,
    },
    Continue {
        label: String,
    },
}

/// One way of several.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arm {
    pub(super) title: String,
    pub(super) body: Vec<Flow>,
    /// The handler of a branch that has won.
    pub(super) then: Vec<Flow>,
}

impl Flow {
    /// Whether a diagram without it shows the same.
    pub(super) fn is_empty(&self) -> bool {
        let nothing = |steps: &[Self]| steps.iter().all(Self::is_empty);
        match self {
            Self::Choice { arms, .. } => arms.iter().all(|arm| nothing(&arm.body)),
            Self::Loop { body, .. } => body.iter().all(|step| {
                step.is_empty() || matches!(step, Self::Break { .. } | Self::Continue { .. })
            }),
            Self::Group { body, .. } => !body.iter().any(Self::has_site),
            _ => false,
        }
    }

    fn has_site(&self) -> bool {
        let any = |steps: &[Self]| steps.iter().any(Self::has_site);
        match self {
            Self::Site(_) => true,
            Self::Choice { arms, .. } | Self::Join { arms, .. } | Self::Select { arms, .. } => {
                arms.iter().any(|arm| any(&arm.body) || any(&arm.then))
            }
            Self::Loop { body, .. } | Self::Group { body, .. } => any(body),
            Self::Try | Self::Return { .. } | Self::Break { .. } | Self::Continue { .. } => false,
        }
    }
}

/// The steps as a static slice.
pub(super) fn tokens(runtime: &TokenStream, steps: &[Flow]) -> TokenStream {
    let steps = steps.iter().map(|step| step.tokens(runtime));
    quote!(&[#(#steps),*])
}

impl Flow {
    fn tokens(&self, runtime: &TokenStream) -> TokenStream {
        let arms = |arms: &[Arm]| {
            let arms = arms.iter().map(|arm| arm.tokens(runtime));
            quote!(&[#(#arms),*])
        };
        let step = match self {
            Self::Site(index) => quote!(Site(#index)),
            Self::Choice { title, arms: all } => {
                let all = arms(all);
                quote!(Choice(#title, #all))
            }
            Self::Join { title, arms: all } => {
                let all = arms(all);
                quote!(Join(#title, #all))
            }
            Self::Select { title, arms: all } => {
                let all = arms(all);
                quote!(Select(#title, #all))
            }
            Self::Loop {
                title,
                label,
                is_endless,
                body,
            } => {
                let body = tokens(runtime, body);
                quote!(Loop { title: #title, label: #label, is_endless: #is_endless, body: #body })
            }
            Self::Group { title, body } => {
                let body = tokens(runtime, body);
                quote!(Group(#title, #body))
            }
            Self::Try => quote!(Try),
            Self::Return { title } => quote!(Return(#title)),
            Self::Break { label } => quote!(Break(#label)),
            Self::Continue { label } => quote!(Continue(#label)),
        };
        quote!(#runtime::Flow::#step)
    }
}

impl Arm {
    fn tokens(&self, runtime: &TokenStream) -> TokenStream {
        let title = &self.title;
        let (body, then) = (tokens(runtime, &self.body), tokens(runtime, &self.then));
        quote!(#runtime::Arm { title: #title, body: #body, then: #then })
    }
}
