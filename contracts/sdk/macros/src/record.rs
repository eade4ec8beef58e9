//! `#[derive(Record)]`: packing, unpacking and the ABI of one type: a struct, a variant, a numbered enum, a new name.

use crate::words::{no_type_parameters, plain, snake};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr};

/// What `#[abi(...)]` says.
#[derive(Default)]
pub struct AbiWords {
    pub name: Option<String>,
    pub alias: Option<String>,
    pub base: bool,
}

pub fn abi_words(attributes: &[Attribute]) -> syn::Result<AbiWords> {
    let mut words = AbiWords::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("abi")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                words.name = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("alias") {
                words.alias = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("base") {
                words.base = true;
            } else {
                return Err(meta.error("known here: name = \"...\", alias = \"...\", base"));
            }
            Ok(())
        })?;
    }
    Ok(words)
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    no_type_parameters(&input.generics)?;
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => record(&input, &fields.named.iter().collect::<Vec<_>>()),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(newtype(&input, &fields.unnamed[0])),
            _ => Err(syn::Error::new_spanned(&input.ident, "a record has named fields, or is a new name for one type")),
        },
        Data::Enum(data) if data.variants.iter().all(|case| matches!(case.fields, Fields::Unit)) => {
            number(&input, data)
        }
        Data::Enum(_) => variant(&input),
        Data::Union(_) => Err(syn::Error::new_spanned(&input.ident, "a union has no packed form")),
    }
}

/// A struct around one value: packed and described as that value.
fn newtype(input: &DeriveInput, field: &Field) -> TokenStream {
    let (kind, inner, generics, life) = (&input.ident, &field.ty, &input.generics, life(input));
    let (_, type_generics, _) = generics.split_for_impl();
    quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                ::sdk::codec::Pack::pack(&self.0, out);
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                Self(<#inner as ::sdk::codec::Unpack<#life>>::unpack(reader))
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                <#inner as ::sdk::abi::AbiType>::describe(abi)
            }
        }
    }
}

/// An enum without values: packed and described as the number that its `repr` names.
fn number(input: &DeriveInput, data: &syn::DataEnum) -> syn::Result<TokenStream> {
    let (kind, cases) = (&input.ident, data.variants.iter().map(|case| &case.ident).collect::<Vec<_>>());
    let mut number: Option<Ident> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        number = Some(attribute.parse_args()?);
    }
    let number = number.ok_or_else(|| {
        let message = "an enum without values is packed as a number: say which kind, as in #[repr(u8)]";
        syn::Error::new_spanned(kind, message)
    })?;
    Ok(quote! {
        impl ::sdk::codec::Pack for #kind {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                let number = match self {
                    #(Self::#cases => Self::#cases as #number,)*
                };
                ::sdk::codec::Pack::pack(&number, out);
            }
        }
        impl<'__bytes> ::sdk::codec::Unpack<'__bytes> for #kind {
            fn unpack(reader: &mut ::sdk::codec::Reader<'__bytes>) -> Self {
                let number = <#number as ::sdk::codec::Unpack<'__bytes>>::unpack(reader);
                #(if number == Self::#cases as #number {
                    return Self::#cases;
                })*
                ::sdk::codec::unknown_case()
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl ::sdk::abi::AbiType for #kind {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                <#number as ::sdk::abi::AbiType>::describe(abi)
            }
        }
    })
}

/// The life of borrowed fields, or a fresh one.
fn life(input: &DeriveInput) -> TokenStream {
    match input.generics.lifetimes().next() {
        Some(lifetime) => {
            let lifetime = &lifetime.lifetime;
            quote!(#lifetime)
        }
        None => quote!('__bytes),
    }
}

fn record(input: &DeriveInput, fields: &[&Field]) -> syn::Result<TokenStream> {
    let kind = &input.ident;
    let (_, type_generics, _) = input.generics.split_for_impl();
    let life = life(input);
    let generics = &input.generics;
    let names: Vec<_> = fields.iter().map(|field| field.ident.as_ref()).collect();
    let kinds: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let words = abi_words(&input.attrs)?;
    let abi_name = words.name.unwrap_or_else(|| snake(&plain(kind)));
    let mut base = quote!(::sdk::alloc::string::String::new());
    let mut described = Vec::new();
    for field in fields {
        let (ty, words) = (&field.ty, abi_words(&field.attrs)?);
        if words.base {
            if !described.is_empty() {
                return Err(syn::Error::new_spanned(&field.ident, "the base comes first: its fields are packed first"));
            }
            base = quote!(<#ty as ::sdk::abi::AbiType>::describe(abi));
            continue;
        }
        let name = words.name.unwrap_or_else(|| field.ident.as_ref().map(plain).unwrap_or_default());
        described
            .push(quote!((::sdk::alloc::string::String::from(#name), <#ty as ::sdk::abi::AbiType>::describe(abi))));
    }
    Ok(quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                #(::sdk::codec::Pack::pack(&self.#names, out);)*
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                Self { #(#names: <#kinds as ::sdk::codec::Unpack<#life>>::unpack(reader),)* }
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                abi.add_struct(#abi_name, concat!(module_path!(), "::", stringify!(#kind)), |abi| (#base, ::sdk::alloc::vec![#(#described),*]))
            }
        }
    })
}

/// The number of a variant's case is packed in one byte of seven bits.
const VARIANT_CASES_MAX: usize = 128;

fn variant(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else { unreachable!("called for enums only") };
    let kind = &input.ident;
    let (_, type_generics, _) = input.generics.split_for_impl();
    let (generics, life) = (&input.generics, life(input));
    let (mut cases, mut kinds, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (number, case) in data.variants.iter().enumerate() {
        let Fields::Unnamed(fields) = &case.fields else {
            return Err(syn::Error::new_spanned(case, "a variant's case holds exactly one value: Case(Type)"));
        };
        let [only] = fields.unnamed.iter().collect::<Vec<_>>()[..] else {
            return Err(syn::Error::new_spanned(case, "a variant's case holds exactly one value: Case(Type)"));
        };
        cases.push(&case.ident);
        kinds.push(&only.ty);
        if number >= VARIANT_CASES_MAX {
            return Err(syn::Error::new_spanned(case, "a variant has at most 128 cases"));
        }
        numbers.push(number);
    }
    let bytes = numbers.iter().map(|number| *number as u8);
    let words = abi_words(&input.attrs)?;
    let abi_name = words.name.unwrap_or_else(|| format!("variant_{}", snake(&plain(kind))));
    let alias = words.alias.map_or(quote!(name), |alias| quote!(abi.add_alias(#alias, name)));
    let name = format_ident!("name");
    Ok(quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                match self {
                    #(Self::#cases(value) => {
                        out.push(#bytes);
                        ::sdk::codec::Pack::pack(value, out);
                    })*
                }
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                match reader.length() {
                    #(#numbers => Self::#cases(<#kinds as ::sdk::codec::Unpack<#life>>::unpack(reader)),)*
                    _ => ::sdk::codec::unknown_variant(),
                }
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                let source = concat!(module_path!(), "::", stringify!(#kind));
                let #name = abi.add_variant(#abi_name, source, |abi| {
                    ::sdk::alloc::vec![#(<#kinds as ::sdk::abi::AbiType>::describe(abi)),*]
                });
                #alias
            }
        }
    })
}
