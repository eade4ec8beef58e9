//! Every question that nodeos was asked over HTTP is answered as nodeos answered it.
//!
//! `SHOWN=50` shows more differences.

use conformance::answers::{blocks, difference, load};
use conformance::served::Served;

/// Differences that are wanted: path, what the body begins with, why.
const WANTED: [(&str, &str, &str); 4] = [
    ("/v1/chain/../info", "", "the server turns it away before it looks for an endpoint"),
    ("/v1/chain/push_transactions", "[]", "this nodeos fails on an empty list with a C++ range error"),
    (
        "/v1/chain/get_table_rows",
        r#"{"json": true, "code": "store", "scope": "alpha", "table": "rows", "index_position": 6, "key_type": "float128", "encode_type": "hex", "upper_bound": "-3""#,
        "the bits of -3 are those of no number, and a bound that is none bounds nothing",
    ),
    (
        "/v1/chain/get_accounts_by_authorizers",
        r#"{"accounts": ["alice", "eosio"]"#,
        "nodeos' index keeps eosio.prods as it was before the chain itself changed it",
    ),
];

fn compare(chain: &str) {
    let shown: usize = std::env::var("SHOWN").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let log = blocks(chain);
    let served = Served::start(&log);
    let answers = load(chain);
    let mut differences = Vec::new();
    for asked in &answers {
        let body = asked.body();
        let begins = |start: &str| body.starts_with(start.as_bytes());
        if WANTED.iter().any(|(path, start, _)| asked.path == *path && begins(start)) {
            continue;
        }
        let (status, answer) = served.ask(&asked.path, body.clone());
        if let Some(text) = difference(asked, status, &answer) {
            let body = String::from_utf8_lossy(&body).chars().take(300).collect::<String>();
            differences.push(format!("{} {body}\n    {}", asked.path, text.chars().take(600).collect::<String>()));
        }
    }
    let first = differences.iter().take(shown).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {} answers differ:\n{first}", differences.len(), answers.len());
}

#[test]
fn about_all_kinds_of_tables_and_transactions() {
    compare("api");
}

#[test]
fn about_a_booted_system() {
    compare("boot");
}

#[test]
fn about_the_traces_of_what_was_sent_later() {
    compare("deferred");
    compare("deferred_all");
}

#[test]
fn about_odd_compressed_transactions() {
    compare("compressed");
}
