//! The page at `/` of a development chain: one file, which asks the same endpoints as everybody else.

use crate::node::Node;
use crate::reply::{Answer, Reply};

const PAGE: &str = include_str!("page.html");

/// `/`.
pub fn get(_: &Node, _: &[u8]) -> Answer {
    Ok(Reply { status: 200, body: PAGE.as_bytes().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a chain holds must not become part of the page's code, and nothing is fetched from elsewhere.
    #[test]
    fn the_page_neither_parses_texts_nor_asks_others() {
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://", "//cdn"]
        {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        assert!(PAGE.contains("default-src 'none'"));
    }
}
