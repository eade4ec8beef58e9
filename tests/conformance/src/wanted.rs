//! The differences from nodeos' answers that are wanted, each with its reason. What differs and is not listed here is a
//! mistake.

use crate::answers::Asked;

/// A kind of question that is answered otherwise on purpose.
struct Wanted {
    path: &'static str,
    /// What the body has in it.
    body: fn(&[u8]) -> bool,
    reason: &'static str,
}

fn begins(body: &[u8], start: &str) -> bool {
    body.starts_with(start.as_bytes())
}

/// The end of an authorization `@active`, and an inline action that the contract `store` sends with it.
const AUTHORIZED_INLINE: &str = "00000000a8ed32320f0000000000855c3406696e6c696e65";

const WANTED: [Wanted; 8] = [
    Wanted {
        path: "/v1/chain/../info",
        body: |_| true,
        reason: "the server turns it away before it looks for an endpoint",
    },
    Wanted {
        path: "/v1/chain/push_transactions",
        body: |body| body == b"[]",
        reason: "this nodeos fails on an empty list with a C++ range error",
    },
    Wanted {
        path: "/v1/chain/get_table_rows",
        body: |body| {
            begins(
                body,
                r#"{"json": true, "code": "store", "scope": "alpha", "table": "rows", "index_position": 6, "key_type": "float128", "encode_type": "hex", "upper_bound": "-3""#,
            )
        },
        reason: "the bits of -3 are those of no number, and a bound that is none bounds nothing",
    },
    Wanted {
        path: "/v1/chain/get_accounts_by_authorizers",
        body: |body| begins(body, r#"{"accounts": ["alice", "eosio"]"#),
        reason: "nodeos' index keeps eosio.prods as it was before the chain itself changed it",
    },
    Wanted {
        path: "/v1/chain/send_read_only_transaction",
        body: |body| String::from_utf8_lossy(body).contains(AUTHORIZED_INLINE),
        reason: "nodeos fails on an inline action that names an authorization, as it wants to count for the account",
    },
    Wanted {
        path: "",
        body: |body| std::str::from_utf8(body).is_err(),
        reason: "a string that is not UTF-8 is refused; nodeos keeps its bytes, which no JSON value here can hold",
    },
    Wanted {
        path: "",
        body: has_json_escape,
        reason: "\\b, \\f and \\uXXXX mean what JSON says; nodeos keeps the letters, and U+00FC becomes u00fc",
    },
    Wanted {
        path: "",
        body: |body| has_token(body, b"-0"),
        reason: "-0 is the unsigned 0 here and the signed 0 in nodeos, which only 128-bit integers and type names tell",
    },
];

/// Whether a body has an escape that nodeos does not know.
fn has_json_escape(body: &[u8]) -> bool {
    let known = |escape: &[u8]| match escape {
        [b'\\', b'b' | b'f', ..] => true,
        [b'\\', b'u', digits @ ..] => digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit),
        _ => false,
    };
    (0..body.len()).any(|at| known(&body[at..]))
}

/// Whether a body has a number, not a part of one.
fn has_token(body: &[u8], token: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b".-+\"".contains(byte));
    (0..body.len()).any(|at| {
        body[at..].starts_with(token)
            && ends(at.checked_sub(1).and_then(|before| body.get(before)))
            && ends(body.get(at + token.len()))
    })
}

/// Why an answer may differ; `None` when it may not.
pub fn reason(asked: &Asked) -> Option<&'static str> {
    let body = asked.body();
    let is = |wanted: &&Wanted| (wanted.path.is_empty() || wanted.path == asked.path) && (wanted.body)(&body);
    WANTED.iter().find(is).map(|wanted| wanted.reason)
}
