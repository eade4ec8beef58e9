//! Every question that nodeos was asked over HTTP is answered as nodeos answered it.
//!
//! `SHOWN=50` shows more differences.

use conformance::answers::{blocks, difference, load};
use conformance::served::Served;
use conformance::wanted;

fn compare(chain: &str) {
    let shown: usize = std::env::var("SHOWN").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let log = blocks(chain);
    let served = Served::start(&log);
    let answers = load(chain);
    let mut differences = Vec::new();
    for asked in &answers {
        let body = asked.body();
        if wanted::reason(asked).is_some() {
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

#[test]
fn about_abis_that_are_not_perfect() {
    compare("odd_abis");
}
