//! Small questions about syntax that several attributes ask.

use syn::{Attribute, Expr, ExprLit, GenericArgument, Lit, Meta, PathArguments, Type};

/// `AccountRow` as ABIs write it: `account_row`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A name without the mark of raw identifiers.
pub fn plain(name: &syn::Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// The doc comment, its lines joined.
pub fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// Whether an attribute has this name, whatever path it is called by.
pub fn is_attribute(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == name)
}

/// Takes the attribute of this name off the list.
pub fn take_attribute(attributes: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let at = attributes.iter().position(|attribute| is_attribute(attribute, name))?;
    Some(attributes.remove(at))
}

/// `T, U` when the type is `WRAPPER<T, U>` (lifetimes aside).
pub fn arguments_of<'a>(kind: &'a Type, wrapper: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let kinds = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    Some(kinds.collect())
}

/// `T` when the type is `WRAPPER<T>` (lifetimes aside).
pub fn inside<'a>(kind: &'a Type, wrapper: &str) -> Option<&'a Type> {
    arguments_of(kind, wrapper)?.into_iter().next()
}

/// Adds an error to those found before, so that all are told at once.
pub fn also(errors: &mut syn::Result<()>, error: syn::Error) {
    match errors {
        Ok(()) => *errors = Err(error),
        Err(before) => before.combine(error),
    }
}

/// An error at each item whose key an earlier one has.
pub fn no_two<'a, K: Ord>(
    items: impl Iterator<Item = (K, &'a dyn quote::ToTokens)>,
    message: impl Fn(&K) -> String,
) -> syn::Result<()> {
    let (mut seen, mut errors) = (std::collections::BTreeSet::new(), Ok(()));
    for (key, place) in items {
        if seen.contains(&key) {
            also(&mut errors, syn::Error::new_spanned(place, message(&key)));
        }
        seen.insert(key);
    }
    errors
}

/// An error when a type has parameters other than lifetimes: the ABI could not name it.
pub fn no_type_parameters(generics: &syn::Generics) -> syn::Result<()> {
    match generics.params.iter().find(|parameter| !matches!(parameter, syn::GenericParam::Lifetime(_))) {
        Some(parameter) => {
            Err(syn::Error::new_spanned(parameter, "no type parameters here: an ABI has plain types only"))
        }
        None => Ok(()),
    }
}

/// A text in quotation marks, where `example` is what could stand there.
pub fn text(input: syn::parse::ParseStream<'_>, example: &str) -> syn::Result<syn::LitStr> {
    input.parse().map_err(|error| syn::Error::new(error.span(), format!("write it in quotation marks: {example}")))
}

/// The text that is all of an attribute's arguments.
pub fn only_text(attribute: &Attribute, example: &str) -> syn::Result<syn::LitStr> {
    match &attribute.meta {
        Meta::List(list) => list.parse_args_with(|input: syn::parse::ParseStream<'_>| text(input, example)),
        other => Err(syn::Error::new_spanned(other, format!("say which: {example}"))),
    }
}

/// The number of a chain name; an error at `span` when the text is none.
pub fn name_number(text: &syn::LitStr) -> syn::Result<u64> {
    let written = text.value();
    let digit = |at: usize, byte: u8| {
        let digit = match byte {
            b'.' => 0,
            b'1'..=b'5' => u64::from(byte - b'1' + 1),
            b'a'..=b'z' => u64::from(byte - b'a' + 6),
            _ => return None,
        };
        match at {
            0..12 => Some(digit << (59 - 5 * at)),
            12 if digit < 16 => Some(digit),
            _ => None,
        }
    };
    if written.ends_with('.') {
        let message = format!("{written:?} is not a name: without the dot at its end it would be the same");
        return Err(syn::Error::new(text.span(), message));
    }
    let number = written.bytes().enumerate().try_fold(0, |sum, (at, byte)| Some(sum | digit(at, byte)?));
    let wrong = || {
        let rule = "up to 12 of .12345abcdefghijklmnopqrstuvwxyz, and a 13th of .12345abcdefghij";
        syn::Error::new(text.span(), format!("{written:?} is not a name: {rule}"))
    };
    number.ok_or_else(wrong)
}
