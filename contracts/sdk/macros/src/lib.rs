//! The attributes of the contract SDK. What they write is thin: the work is done by functions of the `sdk` crate.
//!
//! - `#[contract]` on a module or an impl: entry point, typed calls, ABI.
//! - `#[action]`, `#[on_notify("code::action")]` on its functions.
//! - `#[table("name", ...)]` on a struct: a row; `#[derive(Record)]`: a struct or variant that can be packed.
//! - `name!("alice")`, `symbol!("4,SYS")`: constants of the chain's own kinds.
//! - `#[interface]` on a module of empty functions: typed calls of somebody else's contract.

mod contract;
mod interface;
mod literal;
mod record;
mod source;
mod table;
mod words;

use proc_macro::TokenStream;

fn written(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a module or an impl a contract. `tables(A, B)` lists rows defined elsewhere, `clause("id", "text")` adds a
/// ricardian clause.
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, item: TokenStream) -> TokenStream {
    written(contract::expand(arguments.into(), item.into()))
}

/// Typed calls of a contract whose source is elsewhere: a module of functions with `#[action]` and empty bodies.
#[proc_macro_attribute]
pub fn interface(_: TokenStream, item: TokenStream) -> TokenStream {
    written(interface::expand(item.into()))
}

/// Makes a struct a row of a table: `#[table("accounts", primary = self.balance.symbol.code())]`.
///
/// The primary key is `primary = EXPRESSION`, or the field marked `#[primary]`, or `singleton`. Secondary indexes are
/// `index(by_votes: f64 = EXPRESSION)`, in order, or fields marked `#[secondary]`.
#[proc_macro_attribute]
pub fn table(arguments: TokenStream, item: TokenStream) -> TokenStream {
    if arguments.is_empty() {
        let message = "say which table: #[table(\"deals\")]";
        return written(Err(syn::Error::new(proc_macro2::Span::call_site(), message)));
    }
    written(table::expand(arguments.into(), item.into()))
}

/// Packing, unpacking and ABI of a struct with named fields, or of an enum whose cases hold one value each.
#[proc_macro_derive(Record, attributes(abi))]
pub fn record(item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expanded = record::expand(item.clone()).unwrap_or_else(|error| {
        let (error, stand_in) = (error.to_compile_error(), record::stand_in(item));
        quote::quote!(#error #stand_in)
    });
    expanded.into()
}

/// Marks an action inside a contract; `#[action("name")]` when the function is called differently.
#[proc_macro_attribute]
pub fn action(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("action", item)
}

/// Marks the handler of a notification inside a contract: `#[on_notify("eosio.token::transfer")]`, `*` for any contract.
#[proc_macro_attribute]
pub fn on_notify(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("on_notify", item)
}

/// A name as a constant: `name!("eosio.token")`. What is not a name does not compile.
#[proc_macro]
pub fn name(item: TokenStream) -> TokenStream {
    written(literal::name(item.into()))
}

/// A symbol as a constant: `symbol!("4,SYS")`. What is not a symbol does not compile.
#[proc_macro]
pub fn symbol(item: TokenStream) -> TokenStream {
    written(literal::symbol(item.into()))
}

fn misplaced(attribute: &str, item: TokenStream) -> TokenStream {
    let message = format!("#[{attribute}] stands only on functions of a module or impl with #[contract]");
    let error = syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error();
    let item = proc_macro2::TokenStream::from(item);
    quote::quote!(#error #item).into()
}
