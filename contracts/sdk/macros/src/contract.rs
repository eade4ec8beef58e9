//! `#[contract]`: the entry point, the typed calls and the ABI of a module or an impl.

use crate::interface::{ActionWords, Outcome, arguments, call};
use crate::record::{abi_words, describe};
use crate::source::{Block, Item, Kind, Signature};
use crate::words::{also, is_attribute, name_number, no_two, only_text, plain, snake, take_attribute};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, Ident, LitStr, Path, Token, Type, parenthesized};

/// The compiler advises to add a crate called std.
const NO_STANDARD_LIBRARY: &str = "a contract has no standard library, only core and alloc: sdk::prelude \
    brings String, Vec, Box and BTreeMap (in place of HashMap)";

/// What stands in `#[contract(...)]`.
#[derive(Default)]
struct Words {
    tables: Vec<Path>,
    clauses: Vec<(LitStr, LitStr)>,
}

impl Parse for Words {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut words = Self::default();
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            let inner;
            parenthesized!(inner in input);
            if word == "tables" {
                words.tables.extend(Punctuated::<Path, Token![,]>::parse_terminated(&inner)?);
            } else if word == "clause" {
                let id = inner.parse()?;
                inner.parse::<Token![,]>()?;
                words.clauses.push((id, inner.parse()?));
            } else {
                return Err(syn::Error::new(word.span(), "known here: tables(A, B), clause(\"id\", \"text\")"));
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(words)
    }
}

/// A handler of notifications.
struct Handler {
    /// None for any contract.
    code: Option<u64>,
    action: u64,
    function: Ident,
    arguments: Vec<(Ident, Type)>,
    outcome: Outcome,
}

/// Everything found in the contract.
#[derive(Default)]
struct Parts {
    actions: Vec<ActionWords>,
    handlers: Vec<Handler>,
    tables: Vec<(LitStr, Ident)>,
    /// The names that the structs of the module have in the ABI.
    records: Vec<(String, Ident)>,
}

impl Parts {
    /// Takes what every function is, all of their errors told at once.
    fn take_all<'a>(
        &mut self,
        functions: impl Iterator<Item = (&'a mut Vec<Attribute>, &'a Signature)>,
    ) -> syn::Result<()> {
        let mut errors = Ok(());
        for (attributes, signature) in functions {
            if let Err(error) = self.take(attributes, signature) {
                also(&mut errors, error);
            }
        }
        errors?;
        no_two(self.tables.iter().map(|(name, _)| (name.value(), name as &dyn ToTokens)), |name| {
            format!("there is a table {name:?} already")
        })?;
        no_two(self.actions.iter().map(|action| (action.name.value(), &action.name as &dyn ToTokens)), |name| {
            format!("there is an action {name} already")
        })?;
        let records = self.records.iter().map(|(name, place)| (name.clone(), place as &dyn ToTokens));
        let actions = self.actions.iter().map(|action| (action.name.value(), &action.name as &dyn ToTokens));
        no_two(records.chain(actions), |name| {
            format!(
                "two types are called {name:?} in the ABI, and this is the second; give one another name: \
                 #[abi(name = \"...\")] on a struct, #[action(\"...\")] on an action"
            )
        })?;
        let handlers = self.handlers.iter();
        no_two(handlers.map(|handler| ((handler.code, handler.action), &handler.function as &dyn ToTokens)), |_| {
            "this notification has a handler already".to_owned()
        })
    }

    /// Takes the table and the ABI's name of a struct.
    fn take_type(&mut self, item: &Item) -> syn::Result<()> {
        let Item::Type(kind, _) = item else { return Ok(()) };
        let (attributes, name) = (&kind.attrs, &kind.ident);
        let plain_name = match &kind.data {
            Data::Struct(row) if matches!(row.fields, syn::Fields::Named(_)) => snake(&plain(name)),
            Data::Enum(variant) if variant.variants.iter().any(|case| !case.fields.is_empty()) => {
                format!("variant_{}", snake(&plain(name)))
            }
            _ => return Ok(()),
        };
        let table = attributes.iter().find(|attribute| is_attribute(attribute, "table"));
        if let Some(table) = table
            && let Some(Ok(table)) = first_word(table)
        {
            self.tables.push((table, name.clone()));
        }
        if table.is_some() || attributes.iter().any(derives_record) {
            self.records.push((abi_words(attributes)?.name.unwrap_or(plain_name), name.clone()));
        }
        Ok(())
    }

    fn take(&mut self, attributes: &mut Vec<Attribute>, signature: &Signature) -> syn::Result<()> {
        if let Some(action) = ActionWords::take(attributes, signature)? {
            self.actions.push(action);
        }
        if let Some(attribute) = take_attribute(attributes, "on_notify") {
            let text = only_text(&attribute, "#[on_notify(\"eosio.token::transfer\")]")?;
            let written = text.value();
            let wrong =
                || syn::Error::new(text.span(), "write \"contract::action\", or \"*::action\" for any contract");
            let (code, action) = written.split_once("::").ok_or_else(wrong)?;
            let number = |part: &str| name_number(&LitStr::new(part, text.span()));
            self.handlers.push(Handler {
                code: if code == "*" { None } else { Some(number(code)?) },
                action: number(action)?,
                function: signature.name.clone(),
                arguments: arguments(signature)?,
                outcome: Outcome { result: None, ..Outcome::of(signature) },
            });
        }
        Ok(())
    }
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let words: Words = syn::parse2(arguments)?;
    let wanted = "a contract is a module (mod name { ... }) or an impl";
    let mut block = Block::read(item, wanted, "a contract's functions stand in braces")?;
    let mut parts = Parts::default();
    for item in &block.items {
        if let Some(library) = item.standard_library() {
            return Err(syn::Error::new(library.span(), NO_STANDARD_LIBRARY));
        }
        parts.take_type(item)?;
    }
    parts.take_all(block.functions())?;
    if let Kind::Module(_) = block.kind {
        block.functions().try_for_each(|(_, signature)| own_name(signature))?;
    }
    Ok(match &block.kind {
        Kind::Module(name) => {
            let module = block.with(&written(&words, &parts, &quote!(self)));
            quote! {
                #module
                #[cfg(not(target_arch = "wasm32"))]
                pub use #name::abi;
            }
        }
        Kind::Impl(contract) => {
            let (block, added) = (block.with(&TokenStream::new()), written(&words, &parts, &quote!(#contract)));
            quote!(#block #added)
        }
    })
}

/// An error for a function that has a name of what is written beside it.
fn own_name(signature: &Signature) -> syn::Result<()> {
    let name = &signature.name;
    match ["apply", "abi"].iter().any(|written| name == written) {
        true => {
            let message = format!(
                "a contract has a function {name} already, which #[contract] writes: call this one otherwise; an action keeps \
                 its name on the chain with #[action({:?})]",
                name.to_string()
            );
            Err(syn::Error::new_spanned(name, message))
        }
        false => Ok(()),
    }
}

/// Entry point, calls and ABI; functions are found under `place`.
fn written(words: &Words, parts: &Parts, place: &TokenStream) -> TokenStream {
    let calls = parts.actions.iter().map(call);
    let (apply, abi) = (apply(parts, place), abi(words, parts));
    quote! {
        /// Typed calls of this contract's actions.
        pub mod calls {
            #[allow(unused_imports, reason = "the types of the arguments come from the contract")]
            use super::*;
            #(#calls)*
        }
        #apply
        #abi
    }
}

/// The name in `#[table("name", ...)]`.
fn first_word(attribute: &Attribute) -> Option<syn::Result<LitStr>> {
    let first = attribute.meta.require_list().ok()?.tokens.clone().into_iter().next()?;
    Some(syn::parse2(first.into()))
}

fn derives_record(attribute: &Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("derive") {
        // A list that cannot be read is for the compiler to complain about.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|last| last.ident == "Record");
            Ok(())
        });
    }
    found
}

/// Reads the arguments and calls the function.
fn run(place: &TokenStream, function: &Ident, arguments: &[(Ident, Type)], outcome: &Outcome) -> TokenStream {
    let names: Vec<_> = (0..arguments.len()).map(|at| quote::format_ident!("argument{at}")).collect();
    // The function says of what types they are: a type that is written here as well and unknown would be so twice.
    let reads = names.iter().zip(arguments).map(|(name, (_, kind))| {
        let place = kind.span().resolved_at(Span::call_site());
        quote_spanned!(place=> let #name = ::sdk::codec::Unpack::unpack(&mut reader);)
    });
    let reader = (!arguments.is_empty()).then(|| {
        quote! {
            let mut reader = ::sdk::codec::Reader::new(::sdk::dispatch::action_data());
        }
    });
    let call = quote!(#place::#function(#(#names),*));
    let call = match outcome.fallible {
        true => {
            let error = outcome.error.as_ref().map(|kind| quote_spanned!(kind.span()=> ::<#kind>));
            quote! {
                match #call {
                    Ok(value) => value,
                    Err(error) => ::sdk::dispatch::refused #error (receiver, action, error),
                }
            }
        }
        false => call,
    };
    let call = match &outcome.result {
        Some(kind) => {
            let place = kind.span().resolved_at(Span::call_site());
            let set = quote_spanned!(place=> ::sdk::chain::set_action_return_value(&result));
            quote!(let result = #call; #set)
        }
        None => call,
    };
    quote! {{
        #reader
        #(#reads)*
        #call;
    }}
}

fn apply(parts: &Parts, place: &TokenStream) -> TokenStream {
    let actions = parts.actions.iter().map(|action| {
        let (number, run) = (action.number, run(place, &action.function, &action.arguments, &action.outcome));
        quote!(#number => #run)
    });
    let (exact, any): (Vec<_>, Vec<_>) = parts.handlers.iter().partition(|handler| handler.code.is_some());
    let handlers = exact.into_iter().chain(any).map(|handler| {
        let (action, run) = (handler.action, run(place, &handler.function, &handler.arguments, &handler.outcome));
        let code = handler.code.map_or(quote!(_), |code| quote!(#code));
        quote!((#code, #action) => #run)
    });
    quote! {
        /// Where the chain enters the contract.
        #[cfg_attr(all(target_arch = "wasm32", not(feature = "library")), unsafe(no_mangle))]
        pub extern "C" fn apply(receiver: u64, code: u64, action: u64) {
            if code == receiver {
                match action {
                    #(#actions)*
                    _ => ::sdk::dispatch::unknown_action(::sdk::name::Name(receiver)),
                }
            } else {
                match (code, action) {
                    #(#handlers)*
                    _ => ::sdk::dispatch::unknown_notification(::sdk::name::Name(code), ::sdk::name::Name(action)),
                }
            }
        }
    }
}

fn abi(words: &Words, parts: &Parts) -> TokenStream {
    let actions = parts.actions.iter().map(|action| {
        let ActionWords { name, arguments, outcome, documentation, .. } = action;
        let names = arguments.iter().map(|(name, _)| crate::words::plain(name));
        let kinds = arguments.iter().map(|(_, kind)| describe(kind));
        let result = outcome.result.as_ref().map(|kind| {
            let kind = describe(kind);
            quote! {
                let kind = #kind;
                abi.add_result(#name, kind);
            }
        });
        quote! {
            abi.add_struct(#name, concat!("the arguments of the action ", #name), |abi| {
                let fields = ::sdk::alloc::vec![#((#names.into(), #kinds)),*];
                let _ = &abi;
                (::sdk::alloc::string::String::new(), fields)
            });
            abi.add_action(#name, #documentation);
            #result
        }
    });
    let local = parts.tables.iter().map(|(_, row)| row);
    let listed = &words.tables;
    let clauses = words.clauses.iter().map(|(id, body)| quote!(abi.add_clause(#id, #body);));
    quote! {
        /// The contract's ABI, from the source it was compiled from.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn abi() -> ::sdk::abi::Abi {
            #[allow(unused_imports, reason = "a contract may have no types to describe")]
            use ::sdk::quiet::{CannotDescribeKind as _, DescribeKind as _};
            let mut gathered = ::sdk::abi::Abi::default();
            let abi = &mut gathered;
            #(#actions)*
            #(#local::add_to_abi(abi);)*
            #(#listed::add_to_abi(abi);)*
            #(#clauses)*
            gathered
        }
    }
}
