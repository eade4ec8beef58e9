//! `#[table]`: a struct as a row, with its keys.

use crate::source::expression;
use crate::words::{name_number, no_two, no_type_parameters, plain, take_attribute, text};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Data, DataStruct, DeriveInput, Fields, Ident, LitStr, Token, Type, parenthesized};

/// The bits of a table's name in which the host keeps the numbers of its indexes.
const INDEX_NUMBERS: u64 = 0xf;
const INDEXES_MAX: usize = 16;

struct Index {
    name: Ident,
    kind: Type,
    key: TokenStream,
}

struct Words {
    name: LitStr,
    primary: Option<TokenStream>,
    singleton: bool,
    indexes: Vec<Index>,
}

impl Parse for Words {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut words =
            Self { name: text(input, "#[table(\"deals\")]")?, primary: None, singleton: false, indexes: Vec::new() };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            if word == "primary" {
                input.parse::<Token![=]>()?;
                words.primary = Some(expression(input)?);
            } else if word == "singleton" {
                words.singleton = true;
            } else if word == "index" {
                let inner;
                parenthesized!(inner in input);
                let whole = |error: syn::Error| {
                    syn::Error::new(error.span(), format!("{error} of index(name: Type = expression)"))
                };
                let name = inner.parse().map_err(whole)?;
                inner.parse::<Token![:]>().map_err(whole)?;
                let kind = inner.parse()?;
                inner.parse::<Token![=]>().map_err(whole)?;
                words.indexes.push(Index { name, kind, key: expression(&inner)? });
            } else {
                return Err(syn::Error::new(
                    word.span(),
                    "known here: primary = ..., index(name: Type = ...), singleton",
                ));
            }
        }
        Ok(words)
    }
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut words: Words = syn::parse2(arguments)?;
    let is_not_struct = || syn::Error::new_spanned(&item, "a row is a struct");
    let mut row: DeriveInput = syn::parse2(item.clone()).map_err(|_| is_not_struct())?;
    let Data::Struct(DataStruct { fields, .. }) = &mut row.data else { return Err(is_not_struct()) };
    if let Some(life) = row.generics.lifetimes().next() {
        let message = "a row owns what it keeps: String, ByteString or Vec<u8> instead of a reference";
        return Err(syn::Error::new_spanned(life, message));
    }
    let table = name_number(&words.name)?;
    if table & INDEX_NUMBERS != 0 {
        let message = "a table's name has at most 12 characters: its indexes are numbered by the 13th";
        return Err(syn::Error::new(words.name.span(), message));
    }
    no_type_parameters(&row.generics)?;
    if !matches!(fields, Fields::Named(_)) {
        return Err(syn::Error::new_spanned(&row.ident, "a row has named fields: the ABI shows them"));
    }
    let primary = primary_key(&mut words, &row.ident, fields)?;
    let primary = match primary {
        Some(key) => quote_spanned!(key.span()=> ::sdk::ordered::PrimaryKey::number(&(#key))),
        None => quote!(#table),
    };
    for field in fields {
        if take_attribute(&mut field.attrs, "secondary").is_some() {
            let (name, kind) = (field.ident.clone(), field.ty.clone());
            let index = name.clone().ok_or_else(|| syn::Error::new_spanned(&kind, "a row has named fields"))?;
            // By reference: what cannot be copied is not a key, and is told so once.
            let key = quote_spanned!(index.span()=> (&::sdk::quiet::Key(&self.#name)).copy_key());
            words.indexes.push(Index { name: index, kind, key });
        }
    }
    let indexes = words.indexes.iter();
    no_two(indexes.map(|index| (plain(&index.name).to_uppercase(), &index.name as &dyn ToTokens)), |name| {
        format!("there is an index {name} already")
    })?;
    if let Some(beyond) = words.indexes.get(INDEXES_MAX) {
        let message = format!("a table has at most {INDEXES_MAX} secondary indexes");
        return Err(syn::Error::new_spanned(&beyond.name, message));
    }
    Ok(written(&row, table, &primary, &words.indexes, &words.name))
}

/// The expression of the primary key, said exactly once; nothing for a singleton.
fn primary_key(words: &mut Words, row: &Ident, fields: &mut Fields) -> syn::Result<Option<TokenStream>> {
    let given = words.primary.take().map(|key| (key.clone(), key));
    let mut keys: Vec<_> = given.into_iter().collect();
    for field in fields {
        if let Some(attribute) = take_attribute(&mut field.attrs, "primary") {
            let (name, kind) = (&field.ident, &field.ty);
            keys.push((attribute.to_token_stream(), quote_spanned!(kind.span()=> self.#name)));
        }
    }
    let several = |place: &TokenStream| {
        let kind = if words.singleton { "a singleton has no key of its own" } else { "a row has one primary key" };
        syn::Error::new_spanned(place, format!("{kind}, and here is another; further keys are #[secondary]"))
    };
    match (&keys[..], words.singleton) {
        ([_, (place, _), ..], _) | ([(place, _)], true) => Err(several(place)),
        ([], false) => {
            let message = "a row needs one key: a field with #[primary], or primary = EXPRESSION, or singleton";
            Err(syn::Error::new_spanned(row, message))
        }
        _ => Ok(keys.pop().map(|(_, key)| key)),
    }
}

fn written(row: &DeriveInput, table: u64, primary: &TokenStream, indexes: &[Index], name: &LitStr) -> TokenStream {
    let kind = &row.ident;
    let kinds: Vec<_> = indexes.iter().map(|index| &index.kind).collect();
    let keys: Vec<_> = indexes.iter().map(|index| &index.key).collect();
    let numbers: Vec<_> = (0u64..).take(indexes.len()).collect();
    let places: Vec<_> = (0..indexes.len()).map(syn::Index::from).collect();
    let constants: Vec<_> =
        indexes.iter().map(|index| format_ident!("{}", plain(&index.name).to_uppercase())).collect();
    let documents: Vec<_> = indexes.iter().map(|index| format!("The index `{}`.", plain(&index.name))).collect();
    let quiet = quote! {
        #[allow(unused_imports, reason = "all keys may be keys")]
        use ::sdk::quiet::{CannotKeepKey as _, KeepKey as _};
    };
    let asked = indexes.iter().map(|index| {
        let kind = &index.kind;
        quote_spanned!(kind.span()=> const _: () = ::sdk::index::is_key::<#kind>();)
    });
    let secondary = (!indexes.is_empty()).then(|| quote! {
        fn store_secondary(&self, scope: u64, payer: ::sdk::name::Name) {
            #quiet
            let id = <Self as ::sdk::table::Row>::primary_key(self);
            let keys = <Self as ::sdk::table::Row>::secondary(self);
            #((&::sdk::quiet::Key(&keys.#places)).store_key(scope, Self::#constants.table(), payer, id);)*
        }
        fn update_secondary(&self, before: &Self::Secondary, code: ::sdk::name::Name, scope: u64, payer: ::sdk::name::Name) {
            #quiet
            let id = <Self as ::sdk::table::Row>::primary_key(self);
            let keys = <Self as ::sdk::table::Row>::secondary(self);
            #((&::sdk::quiet::Key(&keys.#places)).update_key(&before.#places, code, scope, Self::#constants.table(), payer, id);)*
        }
        fn remove_secondary(&self, code: ::sdk::name::Name, scope: u64) {
            #quiet
            let id = <Self as ::sdk::table::Row>::primary_key(self);
            let keys = <Self as ::sdk::table::Row>::secondary(self);
            #((&::sdk::quiet::Key(&keys.#places)).remove_key(code, scope, Self::#constants.table(), id);)*
        }
    });
    let empty = indexes.is_empty();
    let secondary_kind = if empty { quote!(::sdk::table::NoKeys) } else { quote!((#(#kinds,)*)) };
    let secondary_keys = if empty { quote!(::sdk::table::NoKeys) } else { quote!({ #quiet (#(#keys,)*) }) };
    let constants_impl = (!indexes.is_empty()).then(|| {
        quote! {
            impl #kind {
                #(#[doc = #documents]
                pub const #constants: ::sdk::index::IndexOf<Self, #kinds> = ::sdk::index::IndexOf::new(#numbers);)*
            }
        }
    });
    quote! {
        #[derive(::sdk::Record)]
        #row
        #constants_impl
        #(#asked)*
        impl ::sdk::table::Row for #kind {
            const TABLE: ::sdk::name::Name = ::sdk::name::Name(#table);
            type Secondary = #secondary_kind;
            fn primary_key(&self) -> u64 {
                #primary
            }
            fn secondary(&self) -> Self::Secondary {
                #secondary_keys
            }
            #secondary
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #kind {
            #[doc(hidden)]
            pub fn add_to_abi(abi: &mut ::sdk::abi::Abi) {
                abi.add_table::<Self>(#name);
            }
        }
    }
}
