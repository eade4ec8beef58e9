//! Modules and impls, read as far as the attributes need it: the items in them, of functions the signature.
//!
//! What is not asked about stays as it is written: the compiler reads it anyway, and explains its mistakes better. Reading
//! all of Rust would take syn's feature `full`, which alone is a fifth of the time that a project takes to build.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, DeriveInput, Generics, Ident, Lifetime, LitStr, ReturnType, Token, Type, Visibility, parenthesized,
};

/// A module or an impl.
pub struct Block {
    /// All before the braces.
    pub head: TokenStream,
    pub kind: Kind,
    /// Attributes inside the braces, which are about the block itself.
    inner: Vec<Attribute>,
    pub items: Vec<Item>,
}

/// What a block is.
pub enum Kind {
    Module(Ident),
    /// Of this type.
    Impl(Box<Type>),
}

/// What stands in a block.
pub enum Item {
    Function(Box<Function>),
    /// A struct or an enum, as it is read and as it is written.
    Type(Box<DeriveInput>, TokenStream),
    Other(TokenStream),
}

/// A function.
pub struct Function {
    pub attributes: Vec<Attribute>,
    pub signature: Signature,
    /// All after the attributes.
    written: TokenStream,
}

/// All of a function but its body.
pub struct Signature {
    pub name: Ident,
    pub generics: Generics,
    pub arguments: Vec<Argument>,
    pub output: Option<Type>,
    pub asynchronous: Option<Token![async]>,
    pub is_unsafe: Option<Token![unsafe]>,
}

/// An argument of a function.
pub enum Argument {
    Named(Ident, Box<Type>),
    /// A pattern that is more than a name.
    Pattern(TokenStream),
    This(TokenStream),
}

impl Block {
    /// Reads the item that an attribute stands on; `wanted` says what it could have been.
    pub fn read(item: TokenStream, wanted: &str, lacks_braces: &str) -> syn::Result<Self> {
        let mut head: Vec<_> = item.clone().into_iter().collect();
        // What a macro was given as a whole item arrives as one.
        while let [TokenTree::Group(whole)] = &head[..]
            && whole.delimiter() == Delimiter::None
        {
            head = whole.stream().into_iter().collect();
        }
        let body = match head.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
            _ => None,
        };
        let head = TokenStream::from_iter(head);
        let kind = block_kind.parse2(head.clone()).map_err(|_| syn::Error::new_spanned(&item, wanted))?;
        let body = body.ok_or_else(|| syn::Error::new_spanned(&item, lacks_braces))?;
        let (inner, items) = (|input: ParseStream| {
            let inner = input.call(Attribute::parse_inner)?;
            let mut items = Vec::new();
            while !input.is_empty() {
                items.push(input.parse()?);
            }
            Ok((inner, items))
        })
        .parse2(body)?;
        Ok(Self { head, kind, inner, items })
    }

    /// The block as it is now, with `added` at its end.
    pub fn with(&self, added: &TokenStream) -> TokenStream {
        let Self { head, inner, items, .. } = self;
        quote!(#head { #(#inner)* #(#items)* #added })
    }

    /// The attributes and the signature of each function.
    pub fn functions(&mut self) -> impl Iterator<Item = (&mut Vec<Attribute>, &Signature)> {
        self.items.iter_mut().filter_map(|item| match item {
            Item::Function(function) => Some((&mut function.attributes, &function.signature)),
            _ => None,
        })
    }
}

/// Reads all before a block's braces.
fn block_kind(input: ParseStream) -> syn::Result<Kind> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    if input.parse::<Option<Token![mod]>>()?.is_some() {
        let name = input.parse()?;
        // Without braces it ends like this.
        input.parse::<Option<Token![;]>>()?;
        return Ok(Kind::Module(name));
    }
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![impl]>()?;
    input.parse::<Generics>()?;
    let first: Type = input.parse()?;
    let kind = if input.parse::<Option<Token![for]>>()?.is_some() { input.parse()? } else { first };
    input.parse::<Option<syn::WhereClause>>()?;
    Ok(Kind::Impl(Box::new(kind)))
}

impl Item {
    /// The word `std` of a `use std::...` that stands in every build.
    pub fn standard_library(&self) -> Option<Ident> {
        let Self::Other(written) = self else { return None };
        let library = |input: ParseStream| {
            input.parse::<Visibility>()?;
            input.parse::<Token![use]>()?;
            input.parse::<Option<Token![::]>>()?;
            let library = input.parse::<Ident>()?;
            input.parse::<TokenStream>()?;
            Ok(library)
        };
        library.parse2(written.clone()).ok().filter(|library| library == "std")
    }
}

impl Parse for Item {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let written = one_item(input)?;
        if starts_as_function.parse2(written.clone()).is_ok() {
            let signature = Signature::parse_before_body.parse2(written.clone())?;
            return Ok(Self::Function(Box::new(Function { attributes, signature, written })));
        }
        let whole = quote!(#(#attributes)* #written);
        Ok(match syn::parse2(whole.clone()) {
            Ok(kind) => Self::Type(Box::new(kind), whole),
            Err(_) => Self::Other(whole),
        })
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(function) => {
                let Function { attributes, written, .. } = &**function;
                tokens.extend(quote!(#(#attributes)* #written));
            }
            Self::Type(_, written) | Self::Other(written) => tokens.extend(written.clone()),
        }
    }
}

/// Takes the tokens of one item: to its braces, or to a semicolon where braces could belong to a value.
fn one_item(input: ParseStream) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    ahead.parse::<Visibility>()?;
    let ends_with_semicolon = ahead.peek(Token![use])
        || ahead.peek(Token![static])
        || ahead.peek(Token![type])
        || (ahead.peek(Token![const]) && starts_as_function(&ahead).is_err());
    let mut item = TokenStream::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let is_last = match &token {
            TokenTree::Punct(mark) => mark.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !ends_with_semicolon,
            _ => false,
        };
        item.extend([token]);
        if is_last {
            break;
        }
    }
    Ok(item)
}

/// Goes over what may stand before `fn`, and that word; all of the rest is left.
fn qualifiers(input: ParseStream) -> syn::Result<(Option<Token![async]>, Option<Token![unsafe]>)> {
    input.parse::<Visibility>()?;
    input.parse::<Option<Token![const]>>()?;
    let asynchronous = input.parse()?;
    let is_unsafe = input.parse()?;
    if input.parse::<Option<Token![extern]>>()?.is_some() {
        input.parse::<Option<LitStr>>()?;
    }
    input.parse::<Token![fn]>()?;
    Ok((asynchronous, is_unsafe))
}

fn starts_as_function(input: ParseStream) -> syn::Result<()> {
    qualifiers(input)?;
    input.parse::<TokenStream>().map(drop)
}

impl Signature {
    /// Reads the signature of a function that is there as a whole.
    fn parse_before_body(input: ParseStream) -> syn::Result<Self> {
        let (asynchronous, is_unsafe) = qualifiers(input)?;
        let name = input.parse()?;
        let generics = input.parse()?;
        let inside;
        parenthesized!(inside in input);
        let arguments = inside.parse_terminated(Argument::parse, Token![,])?.into_iter().collect();
        let output = match input.parse()? {
            ReturnType::Default => None,
            ReturnType::Type(_, kind) => Some(*kind),
        };
        input.parse::<TokenStream>()?;
        Ok(Self { name, generics, arguments, output, asynchronous, is_unsafe })
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        input.call(Attribute::parse_outer)?;
        let ahead = input.fork();
        if is_this(&ahead)? {
            let this = rest_of_argument(input)?;
            return Ok(Self::This(this));
        }
        let pattern = before_colon(input)?;
        input.parse::<Token![:]>()?;
        let kind = input.parse()?;
        let name = |input: ParseStream| {
            input.parse::<Option<Token![ref]>>()?;
            input.parse::<Option<Token![mut]>>()?;
            // `_` is no name; a keyword is none either, unless it is written raw.
            input.parse::<Ident>()
        };
        Ok(match name.parse2(pattern.clone()) {
            Ok(name) => Self::Named(name, kind),
            Err(_) => Self::Pattern(pattern),
        })
    }
}

/// Whether this is `self`, in any of its forms.
fn is_this(input: ParseStream) -> syn::Result<bool> {
    if input.parse::<Option<Token![&]>>()?.is_some() {
        input.parse::<Option<Lifetime>>()?;
    }
    input.parse::<Option<Token![mut]>>()?;
    Ok(input.peek(Token![self]) && !input.peek2(Token![::]))
}

fn rest_of_argument(input: ParseStream) -> syn::Result<TokenStream> {
    let mut rest = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        rest.extend([input.parse::<TokenTree>()?]);
    }
    Ok(rest)
}

/// All before the colon that is not half of `::`.
fn before_colon(input: ParseStream) -> syn::Result<TokenStream> {
    let mut before = TokenStream::new();
    loop {
        match input.parse::<Option<Token![::]>>()? {
            Some(path) => path.to_tokens(&mut before),
            None if input.is_empty() || input.peek(Token![:]) => return Ok(before),
            None => before.extend([input.parse::<TokenTree>()?]),
        }
    }
}

/// An expression among the words of an attribute: all up to the next word, `, word (`, `, word =` or `, word` at the end.
pub fn expression(input: ParseStream) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        if input.peek(Token![,]) {
            let ahead = input.fork();
            ahead.parse::<Token![,]>()?;
            let is_word = ahead.call(Ident::parse_any).is_ok()
                && (ahead.is_empty()
                    || ahead.peek(syn::token::Paren)
                    || ahead.peek(Token![=])
                    || ahead.peek(Token![,]));
            if is_word || ahead.is_empty() {
                break;
            }
        }
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    if tokens.is_empty() { Err(input.error("expected an expression")) } else { Ok(tokens) }
}
