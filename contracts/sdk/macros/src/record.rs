//! `#[derive(Record)]`: packing, unpacking and the ABI of one type: a struct, a variant, a numbered enum, a new name.

use crate::words::{no_type_parameters, plain, snake};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Type};

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

/// The function that reads a type; an error of its is told at the type.
fn read(kind: &Type, life: &TokenStream) -> TokenStream {
    quote_spanned!(kind.span()=> <#kind as ::sdk::codec::Unpack<#life>>::unpack)
}

/// A type's name in the ABI, where the traits of `sdk::quiet` are in scope.
pub fn describe(kind: &Type) -> TokenStream {
    quote!((&::sdk::quiet::Kind::<#kind>(::core::marker::PhantomData)).describe_kind(abi))
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    no_type_parameters(&input.generics)?;
    lives_as_long_as_the_bytes(&input.data)?;
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

/// An error for a field that borrows for longer than what it is read from.
fn lives_as_long_as_the_bytes(data: &Data) -> syn::Result<()> {
    let fields: Vec<_> = match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|case| &case.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in fields {
        if let Type::Reference(reference) = &field.ty
            && reference.lifetime.as_ref().is_some_and(|life| life.ident == "static")
        {
            let message =
                "what is read lives as long as the packed bytes: a lifetime of the type's own, or String, Vec<u8>";
            return Err(syn::Error::new_spanned(reference, message));
        }
    }
    Ok(())
}

/// In place of a derive that failed: what uses the type is not wrong too. Nothing for what cannot be a record at all.
pub fn stand_in(item: TokenStream) -> TokenStream {
    let Ok(input) = syn::parse2::<DeriveInput>(item) else { return TokenStream::new() };
    let kind = &input.ident;
    let (generics, type_generics, bounds) = input.generics.split_for_impl();
    let life = life(&input);
    let mut with_life = input.generics.clone();
    if input.generics.lifetimes().next().is_none() {
        with_life.params.insert(0, syn::parse_quote!(#life));
    }
    let (with_life, _, _) = with_life.split_for_impl();
    quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics #bounds {
            fn pack(&self, _: &mut ::sdk::writer::Writer) {}
        }
        impl #with_life ::sdk::codec::Unpack<#life> for #kind #type_generics #bounds {
            fn unpack(_: &mut ::sdk::codec::Reader<#life>) -> Self {
                ::sdk::codec::unknown_case()
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics #bounds {
            fn describe(_: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                ::sdk::alloc::string::String::new()
            }
        }
    }
}

/// A struct around one value: packed and described as that value.
fn newtype(input: &DeriveInput, field: &Field) -> TokenStream {
    let (kind, inner, generics, life) = (&input.ident, &field.ty, &input.generics, life(input));
    let (_, type_generics, _) = generics.split_for_impl();
    let (read, described) = (read(inner, &life), describe(inner));
    quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                use ::sdk::quiet::{CannotPackField as _, PackField as _};
                (&::sdk::quiet::Field(&self.0)).pack_field(out);
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                Self(#read(reader))
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                use ::sdk::quiet::{CannotDescribeKind as _, DescribeKind as _};
                #described
            }
        }
    }
}

/// The numbers that enums can be and ABIs have.
const NUMBERS: [&str; 8] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

/// An enum without values: packed and described as the number that its `repr` names.
fn number(input: &DeriveInput, data: &syn::DataEnum) -> syn::Result<TokenStream> {
    let (kind, cases) = (&input.ident, data.variants.iter().map(|case| &case.ident).collect::<Vec<_>>());
    let mut number: Option<Ident> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        number = Some(attribute.parse_args()?);
    }
    let message = "an enum without values is packed as a number: say which kind, as in #[repr(u8)]";
    let number = number.ok_or_else(|| syn::Error::new_spanned(kind, message))?;
    if !NUMBERS.iter().any(|known| number == known) {
        return Err(syn::Error::new_spanned(&number, message));
    }
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
    let reads: Vec<_> = fields.iter().map(|field| read(&field.ty, &life)).collect();
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
            base = describe(ty);
            continue;
        }
        let name = words.name.unwrap_or_else(|| field.ident.as_ref().map(plain).unwrap_or_default());
        let kind = describe(ty);
        described.push(quote!((::sdk::alloc::string::String::from(#name), #kind)));
    }
    Ok(quote! {
        impl #generics ::sdk::codec::Pack for #kind #type_generics {
            fn pack(&self, out: &mut ::sdk::writer::Writer) {
                #[allow(unused_imports, reason = "a record may have no fields")]
                use ::sdk::quiet::{CannotPackField as _, PackField as _};
                #((&::sdk::quiet::Field(&self.#names)).pack_field(out);)*
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                Self { #(#names: #reads(reader),)* }
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                #[allow(unused_imports, reason = "a record may have no fields")]
                use ::sdk::quiet::{CannotDescribeKind as _, DescribeKind as _};
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
    let (mut cases, mut reads, mut described_kinds, mut numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for (number, case) in data.variants.iter().enumerate() {
        let Fields::Unnamed(fields) = &case.fields else {
            return Err(syn::Error::new_spanned(case, "a variant's case holds exactly one value: Case(Type)"));
        };
        let [only] = fields.unnamed.iter().collect::<Vec<_>>()[..] else {
            return Err(syn::Error::new_spanned(case, "a variant's case holds exactly one value: Case(Type)"));
        };
        let written = only.ty.to_token_stream().to_string();
        let name = abi_words(&case.attrs)?.name;
        if !seen.insert(name.clone().unwrap_or(written)) {
            let message = "an earlier case has this type or name, so that nobody could send this one: give it a name of its \
                           own, #[abi(name = \"...\")]";
            return Err(syn::Error::new_spanned(case, message));
        }
        let described = describe(&only.ty);
        described_kinds.push(match name {
            Some(name) => {
                let source = plain(&case.ident);
                quote! {{
                    let kind = #described;
                    abi.add_case(#name, concat!(module_path!(), "::", stringify!(#kind), "::", #source), kind)
                }}
            }
            None => described,
        });
        cases.push(&case.ident);
        reads.push(read(&only.ty, &life));
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
                use ::sdk::quiet::{CannotPackField as _, PackField as _};
                match self {
                    #(Self::#cases(value) => {
                        out.push(#bytes);
                        (&::sdk::quiet::Field(value)).pack_field(out);
                    })*
                }
            }
        }
        impl<#life> ::sdk::codec::Unpack<#life> for #kind #type_generics {
            fn unpack(reader: &mut ::sdk::codec::Reader<#life>) -> Self {
                match reader.length() {
                    #(#numbers => Self::#cases(#reads(reader)),)*
                    _ => ::sdk::codec::unknown_variant(),
                }
            }
        }
        #[cfg(not(target_arch = "wasm32"))]
        impl #generics ::sdk::abi::AbiType for #kind #type_generics {
            fn describe(abi: &mut ::sdk::abi::Abi) -> ::sdk::alloc::string::String {
                use ::sdk::quiet::{CannotDescribeKind as _, DescribeKind as _};
                let source = concat!(module_path!(), "::", stringify!(#kind));
                let #name = abi.add_variant(#abi_name, source, |abi| {
                    ::sdk::alloc::vec![#(#described_kinds),*]
                });
                #alias
            }
        }
    })
}
