//! `#[derive(Pack, Unpack)]`: structs field by field, enums as static variants.
//!
//! An enum's cases are numbered from 0 in source order and written as a varuint32; a case holds
//! nothing or one or more fields. `#[codec(skip)]` leaves a field out of the bytes (it is `Default` after
//! reading).

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, parse_macro_input, parse_quote};

/// Derives `codec::Pack`.
#[proc_macro_derive(Pack, attributes(codec))]
pub fn derive_pack(input: TokenStream) -> TokenStream {
    let mut input = parse_macro_input!(input as DeriveInput);
    bound(&mut input, &parse_quote!(::codec::Pack));
    let (name, (generics, types, wheres)) = (&input.ident, input.generics.split_for_impl());
    let body = match &input.data {
        Data::Struct(data) => {
            let writes =
                members(&data.fields).into_iter().map(|member| quote!(::codec::Pack::pack(&self.#member, out);));
            quote!(#(#writes)*)
        }
        Data::Enum(data) => {
            let arms = data.variants.iter().enumerate().map(|(index, variant)| {
                let (case, index) = (&variant.ident, index as u32);
                let (pattern, bindings) = pattern(&variant.fields);
                quote!(Self::#case #pattern => { ::codec::VarUint32(#index).pack(out); #(::codec::Pack::pack(#bindings, out);)* })
            });
            quote!(match self { #(#arms)* })
        }
        Data::Union(_) => return unsupported(),
    };
    quote! {
        impl #generics ::codec::Pack for #name #types #wheres {
            fn pack<S: ::codec::Sink + ?Sized>(&self, out: &mut S) { #body }
        }
    }
    .into()
}

/// Derives `codec::Unpack`.
#[proc_macro_derive(Unpack, attributes(codec))]
pub fn derive_unpack(input: TokenStream) -> TokenStream {
    let mut input = parse_macro_input!(input as DeriveInput);
    bound(&mut input, &parse_quote!(::codec::Unpack));
    let (name, (generics, types, wheres)) = (&input.ident, input.generics.split_for_impl());
    let body = match &input.data {
        Data::Struct(data) => {
            let value = construct(quote!(Self), &data.fields);
            quote!(Ok(#value))
        }
        Data::Enum(data) => {
            let text = name.to_string();
            let arms = data.variants.iter().enumerate().map(|(index, variant)| {
                let (case, index) = (&variant.ident, index as u32);
                let value = construct(quote!(Self::#case), &variant.fields);
                quote!(#index => Ok(#value),)
            });
            quote! {
                match ::codec::VarUint32::unpack(input)?.0 {
                    #(#arms)*
                    index => Err(::codec::DecodeError::UnknownVariant { of: #text, index }),
                }
            }
        }
        Data::Union(_) => return unsupported(),
    };
    quote! {
        impl #generics ::codec::Unpack for #name #types #wheres {
            #[inline]
            fn unpack(input: &mut ::codec::Reader<'_>) -> ::core::result::Result<Self, ::codec::DecodeError> { #body }
        }
    }
    .into()
}

fn unsupported() -> TokenStream {
    quote!(compile_error!("unions have no binary form");).into()
}

fn bound(input: &mut DeriveInput, bound: &syn::TypeParamBound) {
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(bound.clone());
    }
}

fn skipped(field: &syn::Field) -> bool {
    field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("codec") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "skip")
    })
}

/// The fields that are written, as they are reached from `self`.
fn members(fields: &Fields) -> Vec<syn::Member> {
    fields.members().zip(fields).filter(|(_, field)| !skipped(field)).map(|(member, _)| member).collect()
}

/// A pattern that binds the fields of a case, and the bindings.
fn pattern(fields: &Fields) -> (proc_macro2::TokenStream, Vec<syn::Ident>) {
    let bindings: Vec<_> = (0..fields.len()).map(|index| format_ident!("field{index}")).collect();
    let members = fields.members();
    match fields {
        Fields::Unit => (quote!(), bindings),
        _ => (quote!({ #(#members: #bindings),* }), bindings),
    }
}

fn construct(path: proc_macro2::TokenStream, fields: &Fields) -> proc_macro2::TokenStream {
    let reads = fields.members().zip(fields).map(|(member, field)| {
        if skipped(field) {
            quote!(#member: ::core::default::Default::default())
        } else {
            quote!(#member: ::codec::Unpack::unpack(input)?)
        }
    });
    match fields {
        Fields::Unit => path,
        _ => quote!(#path { #(#reads),* }),
    }
}
