//! Typed calls: one function per action that packs its arguments into a `Call`.

use crate::source::{Argument, Block, Item, Signature};
use crate::words::{
    arguments_of, documentation, inside, name_number, no_type_parameters, only_text, plain, take_attribute,
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, LitStr, Type};

/// An action as its function declares it.
pub struct ActionWords {
    /// The name on the chain.
    pub name: LitStr,
    pub number: u64,
    pub function: Ident,
    pub arguments: Vec<(Ident, Type)>,
    pub outcome: Outcome,
    pub documentation: String,
}

impl ActionWords {
    /// Reads `#[action]` off a function; nothing when it has none.
    pub fn take(attributes: &mut Vec<syn::Attribute>, signature: &Signature) -> syn::Result<Option<Self>> {
        let Some(attribute) = take_attribute(attributes, "action") else { return Ok(None) };
        let (name, number) = action_name(&attribute, signature)?;
        no_type_parameters(&signature.generics)?;
        if let Some(asynchronous) = &signature.asynchronous {
            return Err(syn::Error::new_spanned(asynchronous, "an action cannot wait: it runs to its end or fails"));
        }
        if let Some(is_unsafe) = &signature.is_unsafe {
            return Err(syn::Error::new_spanned(is_unsafe, "an action is safe: anybody may send anything to it"));
        }
        Ok(Some(Self {
            number,
            name,
            function: signature.name.clone(),
            arguments: arguments(signature)?,
            outcome: Outcome::of(signature),
            documentation: documentation(attributes),
        }))
    }
}

/// What a function gives back.
#[derive(Default)]
pub struct Outcome {
    /// Whether it may be an error instead: `Result<T, E>`.
    pub fallible: bool,
    /// The error's type, where it is written.
    pub error: Option<Type>,
    /// What the caller is told; nothing for `()`.
    pub result: Option<Type>,
}

impl Outcome {
    pub fn of(signature: &Signature) -> Self {
        let Some(kind) = &signature.output else { return Self::default() };
        let (fallible, kind, error) = match arguments_of(kind, "Result").as_deref() {
            Some([value, error]) => (true, *value, Some((*error).clone())),
            Some([value]) => (true, *value, None),
            _ => (false, kind, None),
        };
        Self { fallible, error, result: (!is_unit(kind)).then(|| kind.clone()) }
    }
}

/// The action's name and its number: what the attribute says, or the function's own name where that is one.
fn action_name(attribute: &syn::Attribute, signature: &Signature) -> syn::Result<(LitStr, u64)> {
    if let syn::Meta::List(_) = &attribute.meta {
        let name = only_text(attribute, "#[action(\"name\")]")?;
        let number = name_number(&name)?;
        return Ok((name, number));
    }
    let written = plain(&signature.name);
    let name = LitStr::new(&written, signature.name.span());
    let number = name_number(&name).map_err(|error| {
        let letters: String = written.chars().filter(char::is_ascii_alphabetic).take(12).collect();
        let hint = format!("{error}; name the action, as in #[action({:?})]", letters.to_lowercase());
        syn::Error::new(name.span(), hint)
    })?;
    Ok((name, number))
}

fn is_unit(kind: &Type) -> bool {
    matches!(kind, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The names and types of a function's arguments.
pub fn arguments(signature: &Signature) -> syn::Result<Vec<(Ident, Type)>> {
    let argument = |argument: &Argument| match argument {
        Argument::Named(_, kind) if matches!(**kind, Type::ImplTrait(_)) => {
            Err(syn::Error::new_spanned(kind, "an argument has one type, which the ABI can name"))
        }
        Argument::Named(name, kind) => {
            let text = plain(name);
            let stripped = text.strip_prefix('_').filter(|rest| !rest.is_empty()).unwrap_or(&text);
            Ok((Ident::new_raw_if_needed(stripped, name.span()), (**kind).clone()))
        }
        Argument::Pattern(other) => {
            Err(syn::Error::new_spanned(other, "an argument needs a plain name: the ABI shows it"))
        }
        Argument::This(this) => Err(syn::Error::new_spanned(this, "a contract has no self: its state is its tables")),
    };
    signature.arguments.iter().map(argument).collect()
}

/// Identifiers that may be keywords.
trait RawIfNeeded {
    fn new_raw_if_needed(text: &str, span: Span) -> Ident;
}

impl RawIfNeeded for Ident {
    fn new_raw_if_needed(text: &str, span: Span) -> Ident {
        syn::parse_str::<Ident>(text).map_or_else(|_| Ident::new_raw(text, span), |_| Ident::new(text, span))
    }
}

/// The function that makes a typed call of this action.
pub fn call(action: &ActionWords) -> TokenStream {
    let ActionWords { name, number, function, arguments, documentation, .. } = action;
    let names: Vec<_> = arguments.iter().map(|(name, _)| name).collect();
    let kinds: Vec<_> = arguments
        .iter()
        .map(|(_, kind)| match inside(kind, "Ignore") {
            Some(ignored) => quote!(&#ignored),
            None => quote!(#kind),
        })
        .collect();
    let documentation =
        if documentation.is_empty() { format!("Calls `{}`.", name.value()) } else { documentation.clone() };
    quote! {
        #[doc = #documentation]
        #[allow(clippy::too_many_arguments, reason = "the action has as many")]
        pub fn #function(__contract: ::sdk::name::Name #(, #names: #kinds)*) -> ::sdk::action::Call {
            #[allow(unused_mut, reason = "an action may have no arguments")]
            let mut data = ::sdk::writer::Writer::new();
            #[allow(unused_imports, reason = "an action may have no arguments")]
            use ::sdk::quiet::{CannotPackField as _, PackField as _};
            #((&::sdk::quiet::Field(&#names)).pack_field(&mut data);)*
            ::sdk::action::Call::new(__contract, ::sdk::name::Name(#number), data)
        }
    }
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let wanted = "an interface is a module: mod name { ... }";
    let mut module = Block::read(item, wanted, "an interface's functions stand in braces")?;
    let mut calls = Vec::new();
    let mut others = Vec::new();
    for item in module.items.drain(..) {
        match item {
            Item::Function(mut function) => {
                let action = ActionWords::take(&mut function.attributes, &function.signature)?;
                let missing =
                    || syn::Error::new_spanned(&function.signature.name, "an interface has only #[action] functions");
                calls.push(call(&action.ok_or_else(missing)?));
            }
            other => others.push(other),
        }
    }
    module.items = others;
    Ok(module.with(&quote!(#(#calls)*)))
}
