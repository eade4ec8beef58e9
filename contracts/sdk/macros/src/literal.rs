//! `name!` and `symbol!`: texts that are read while the contract is compiled.

use crate::words::name_number;
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// Letters of a symbol's code.
const SYMBOL_LETTERS_MAX: usize = 7;
/// Decimals of a symbol.
const PRECISION_MAX: u8 = 18;

pub fn name(item: TokenStream) -> syn::Result<TokenStream> {
    let number = name_number(&literal(item, "name!(\"alice\")")?)?;
    Ok(quote!(::sdk::name::Name(#number)))
}

pub fn symbol(item: TokenStream) -> syn::Result<TokenStream> {
    let text = literal(item, "symbol!(\"4,SYS\")")?;
    let written = text.value();
    let number = written.split_once(',').and_then(|(precision, code)| {
        let precision = precision.parse::<u8>().ok().filter(|precision| *precision <= PRECISION_MAX)?;
        let is_code =
            (1..=SYMBOL_LETTERS_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code
            .then(|| code.bytes().rev().fold(0, |sum, letter| sum << 8 | u64::from(letter)) << 8 | u64::from(precision))
    });
    let number = number.ok_or_else(|| {
        let rule = "decimals (0 to 18), a comma, and 1 to 7 capital letters, as in \"4,SYS\"";
        syn::Error::new(text.span(), format!("{written:?} is not a symbol: {rule}"))
    })?;
    Ok(quote!(::sdk::asset::Symbol(#number)))
}

/// A constant has to be known while the contract is compiled.
fn literal(item: TokenStream, example: &str) -> syn::Result<LitStr> {
    let place = item.clone();
    syn::parse2(item).map_err(|_| syn::Error::new_spanned(place, format!("write it in quotation marks: {example}")))
}
