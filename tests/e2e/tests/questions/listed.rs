//! Questions that were answered otherwise once, and their neighbours.

use e2e::DEV_PUBLIC_KEY;
use primitives::{Bytes, Pack, name};
use serde_json::{Value, json};

use crate::bodies::Chain;

/// Programs of the contract `store` (`tests/conformance/record/probe.py`): an inline `note` with no authorization, with its
/// own, with its own and another one.
const INLINE: [&str; 3] = [
    "b05a0100000000000000003f0001000001002100000000000000007569c60000000000a0329d000f0000000000855c3406696e6c696e65020100\
     000000010000000000002100000000000000",
    "b05a0100000000000000004f0001000001003100000000000000007569c60000000000a0329d0100000000007569c600000000a8ed32320f0000\
     000000855c3406696e6c696e65020100000000010000000000003100000000000000",
    "b05a0100000000000000005f0001000001004100000000000000007569c60000000000a0329d0200000000007569c600000000a8ed3232000000\
     0000855c3400000000a8ed32320f0000000000855c3406696e6c696e65020100000000010000000000004100000000000000",
];
/// Programs that print bytes which are not UTF-8, nearly are, or are controls.
const PRINTS: [&str; 3] = [
    "b05a010000000000000000280001000001000a00000068656c6c6f20ffc3a90a023e00000000010000000000000a00000000000000",
    "b05a0100000000000000003f00010000010021000000f09f988020c328e28220eda08020c08020f8888080802080656e64006166746572023e00\
     000000010000000000002100000000000000",
    "b05a010000000000000000260001000001000800000001027f090d5c222f023e00000000010000000000000800000000000000",
];
/// Numbers that fit no integer of 64 bits, or are written as no integer is.
const NUMBERS: [&str; 14] = [
    "18446744073709551616",
    "18446744073709551615",
    "-9223372036854775809",
    "1e3",
    "1E30",
    "1.5",
    "1.0",
    "-0.0",
    "0x10",
    "-1",
    "4294967296",
    "\"18446744073709551616\"",
    "\"1e3\"",
    "\"-1\"",
];
/// Who sends.
const LEVEL: &str = r#"{"actor":"empty","permission":"active"}"#;
const LEVELS: &str = r#"[{"actor":"empty","permission":"active"}]"#;
/// Names that are too long or have other letters.
const NAMES: [&str; 5] = ["aliceandbobandcarol", "Alice", "alice!", "zzzzzzzzzzzzz", "alice.and.bob"];

/// Authorizations that are whole, have gaps, or are something else.
const AUTHORIZATIONS: [&str; 9] = [
    r#"[["empty","active"]]"#,
    r#"[{"permission":"active"}]"#,
    r#"[{"actor":"empty"}]"#,
    "[{}]",
    "[7]",
    r#"[{"actor":7,"permission":"active"}]"#,
    "{}",
    r#""empty@active""#,
    "null",
];
/// Data of an action that are not its arguments.
const DATA: [&str; 9] = ["1.5", "7", "true", "null", "[]", "{}", "\"\"", "\"00\"", "{\"v\":1}"];

/// Fields that say when a transaction expires: not at all, long ago, too late to be allowed, or wrongly.
const EXPIRATIONS: [&str; 9] = [
    "",
    "\"expiration\":null,",
    "\"expiration\":\"1970-01-01T00:00:00\",",
    "\"expiration\":\"2020-01-01T00:00:00\",",
    "\"expiration\":\"2020-01-01T00:00:00.500\",",
    "\"expiration\":\"2100-01-01T00:00:00\",",
    "\"expiration\":\"2106-02-07T06:28:15\",",
    "\"expiration\":\"\",",
    "\"expiration\":0,",
];
/// Levels of an action's data, with which a body has 98 to 102 of them; nodeos reads 100.
const DEEP_DATA: std::ops::RangeInclusive<usize> = 93..=97;
/// Texts that are not hexadecimal.
const NOT_HEX: [&str; 6] = ["é", "00€0", "zz", "0\\t", "0\\n", "0\\\""];
/// Whom `get_accounts_by_authorizers` may be asked about.
const ACCOUNTS: [&str; 12] = [
    "{}",
    "{\"actor\":\"empty\"}",
    "{\"permission\":\"active\"}",
    "{\"actor\":\"empty\",\"x\":1}",
    "{\"actor\":\"empty\",\"permission\":\"active\",\"x\":1}",
    "{\"actor\":\"empty\",\"permission\":\"\"}",
    "{\"actor\":\"empty\",\"permission\":null}",
    "{\"actor\":null,\"permission\":\"active\"}",
    "{\"actor\":[],\"permission\":\"active\"}",
    "[\"empty\",\"active\"]",
    "null",
    "7",
];
/// Endpoints that take a transaction beside other fields, and those that take one alone.
const AMONG_OTHERS: [&str; 3] = ["send_read_only_transaction", "compute_transaction", "send_transaction2"];
const ALONE: [&str; 2] = ["push_transaction", "send_transaction"];

/// Modules and functions that contracts may want to import, and that there are not.
const IMPORTS: [(&[u8], &[u8]); 14] = [
    (b"env", b"no_such"),
    (b"env", b""),
    (b"", b"prints"),
    (b"other", b"prints"),
    (b"env", b"is_account"),
    (b"env", b"checktime"),
    (b"env", b"a $ and a ${fn} and a ${"),
    (b"env", b"cut\0here"),
    (b"env", b"tab\t line\n bell\x07"),
    (b"env", b"latin \xfc"),
    (b"env", "\u{1f600}\u{e000}".as_bytes()),
    (b"env", &[b'x'; 1100]),
    (b"env", &[b'$'; 1100]),
    (&[b'y'; 1100], b"${fn}"),
];

/// All of them: paths and bodies.
pub fn questions(chain: &Chain) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |endpoint: &str, body: String| all.push((format!("/v1/chain/{endpoint}"), body));
    for number in NUMBERS {
        for (name, _) in chain.actions.iter().filter(|(_, kind)| kind.contains("int") || kind.contains("float")) {
            let actions = format!(
                "[{{\"account\":\"empty\",\"name\":\"{name}\",\"authorization\":[{LEVEL}],\"data\":{{\"v\":{number}}}}}]"
            );
            let whole = signed(chain, &actions, &[]);
            add("compute_transaction", format!("{{\"transaction\":{whole}}}"));
        }
        let native = onblock(chain, number);
        for endpoint in ["send_read_only_transaction", "compute_transaction", "send_transaction2"] {
            add(endpoint, format!("{{\"transaction\":{native}}}"));
        }
        for endpoint in ["push_transaction", "send_transaction"] {
            add(endpoint, native.clone());
        }
        add("push_transactions", format!("[{native}]"));
        for field in ["ref_block_num", "ref_block_prefix", "max_net_usage_words", "max_cpu_usage_ms", "delay_sec"] {
            let transaction = signed(chain, "[]", &[(field, number)]);
            add("compute_transaction", format!("{{\"transaction\":{transaction}}}"));
            let bare = header(chain, "[]", &[(field, number)]);
            add("get_required_keys", format!("{{\"transaction\":{bare},\"available_keys\":[\"{DEV_PUBLIC_KEY}\"]}}"));
            add("get_transaction_id", bare);
        }
    }
    for name in NAMES {
        for (account, action, actor, permission) in [
            (name, "note", "alice", "active"),
            ("store", name, "alice", "active"),
            ("store", "note", name, "active"),
            ("store", "note", "alice", name),
        ] {
            let level = json!([{ "actor": actor, "permission": permission }]);
            let actions =
                json!([{ "account": account, "name": action, "authorization": level, "data": "" }]).to_string();
            let bare = header(chain, &actions, &[]);
            add("get_transaction_id", bare.clone());
            add("get_required_keys", format!("{{\"transaction\":{bare},\"available_keys\":[]}}"));
            let whole = signed(chain, &actions, &[]);
            add("compute_transaction", format!("{{\"transaction\":{whole}}}"));
        }
    }
    for program in INLINE.iter().chain(&PRINTS) {
        for authorized in [false, true] {
            let level = if authorized { json!([{ "actor": "store", "permission": "active" }]) } else { json!([]) };
            let actions = json!([{ "account": "store", "name": "run", "authorization": level, "data": program }]);
            let whole = signed(chain, &actions.to_string(), &[]);
            for endpoint in ["send_read_only_transaction", "compute_transaction", "send_transaction2"] {
                add(endpoint, format!("{{\"transaction\":{whole}}}"));
            }
        }
    }
    let levels = AUTHORIZATIONS.iter().map(|levels| ("empty", "taa", *levels, "\"00\""));
    let owners =
        [("empty", "nosuch"), ("empty", "taa"), ("alice", "x"), ("noabi", "x"), ("broken", "x"), ("nosuch", "x")];
    let data = owners.iter().flat_map(|(account, name)| DATA.iter().map(move |data| (*account, *name, LEVELS, *data)));
    for (account, name, levels, data) in levels.chain(data) {
        let actions =
            format!("[{{\"account\":\"{account}\",\"name\":\"{name}\",\"authorization\":{levels},\"data\":{data}}}]");
        let (bare, whole) = (header(chain, &actions, &[]), signed(chain, &actions, &[]));
        for endpoint in ["send_read_only_transaction", "compute_transaction", "send_transaction2"] {
            add(endpoint, format!("{{\"transaction\":{whole}}}"));
        }
        add("push_transaction", whole.clone());
        add("push_transactions", format!("[{whole}]"));
        add("get_required_keys", format!("{{\"transaction\":{bare},\"available_keys\":[]}}"));
        add("get_transaction_id", bare);
    }
    for levels in DEEP_DATA {
        for (open, close) in [("[", "]"), ("{\"v\":[", "]}")] {
            let levels = levels / close.len();
            let data = open.repeat(levels) + &close.repeat(levels);
            let actions =
                format!("[{{\"account\":\"empty\",\"name\":\"nosuch\",\"authorization\":{LEVELS},\"data\":{data}}}]");
            everywhere(&signed(chain, &actions, &[]), &mut add);
            let bare = header(chain, &actions, &[]);
            add("get_required_keys", format!("{{\"transaction\":{bare},\"available_keys\":[]}}"));
            add("get_transaction_id", bare);
        }
    }
    for bound in NOT_HEX {
        for (place, kind) in [(8, "ripemd160"), (8, "sha256"), (4, "sha256"), (4, "i256")] {
            add(
                "get_table_rows",
                format!(
                    "{{\"json\":true,\"code\":\"store\",\"scope\":\"beta\",\"table\":\"rows\",\"index_position\":{place},\
                     \"key_type\":\"{kind}\",\"lower_bound\":\"{bound}\"}}"
                ),
            );
        }
    }
    for account in ACCOUNTS {
        add("get_accounts_by_authorizers", format!("{{\"accounts\":[\"empty\",{account}]}}"));
    }
    for expiration in EXPIRATIONS {
        for actions in [
            "[]".to_owned(),
            format!("[{{\"account\":\"empty\",\"name\":\"nosuch\",\"authorization\":{LEVELS},\"data\":\"\"}}]"),
        ] {
            let (num, prefix) = chain.reference;
            let rest = format!("\"ref_block_num\":{num},\"ref_block_prefix\":{prefix},\"actions\":{actions}");
            let whole =
                format!("{{\"signatures\":[],\"compression\":\"none\",\"transaction\":{{{expiration}{rest}}}}}");
            everywhere(&whole, &mut add);
        }
    }
    for (module, function) in IMPORTS {
        let code = importing(module, function);
        let actions = json!([{
            "account": "eosio", "name": "setcode", "data": hexadecimal(&set_code(&code)),
            "authorization": [{ "actor": "empty", "permission": "active" }],
        }]);
        let whole = signed(chain, &actions.to_string(), &[]);
        add("compute_transaction", format!("{{\"transaction\":{whole}}}"));
    }
    all
}

/// Asks every endpoint that takes a whole transaction.
fn everywhere(whole: &str, add: &mut impl FnMut(&str, String)) {
    for endpoint in AMONG_OTHERS {
        add(endpoint, format!("{{\"transaction\":{whole}}}"));
    }
    for endpoint in ALONE {
        add(endpoint, whole.to_owned());
    }
    add("push_transactions", format!("[{whole}]"));
}

/// The read-only transactions whose inline action names an authorization.
pub fn authorized_inline(chain: &Chain) -> Vec<String> {
    let program = |program: &&str| {
        let actions = json!([{ "account": "store", "name": "run", "authorization": [], "data": program }]);
        format!("{{\"transaction\":{}}}", signed(chain, &actions.to_string(), &[]))
    };
    INLINE[1..].iter().map(program).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A module that imports one function without parameters, and has nothing else.
fn importing(module: &[u8], function: &[u8]) -> Vec<u8> {
    let text = |bytes: &[u8]| Bytes(bytes.to_vec()).to_bytes();
    // One item: names, then a function of the first type.
    let import = [vec![1], text(module), text(function), vec![0, 0]].concat();
    [b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02".to_vec(), text(&import)].concat()
}

/// The arguments of `setcode` for the account without a contract.
fn set_code(code: &[u8]) -> Vec<u8> {
    [name!("empty").to_bytes(), vec![0, 0], Bytes(code.to_vec()).to_bytes()].concat()
}

/// A transaction without signatures, as it is signed.
fn header(chain: &Chain, actions: &str, fields: &[(&str, &str)]) -> String {
    let (num, prefix) = chain.reference;
    let mut text =
        format!("{{\"expiration\":\"{}\",\"ref_block_num\":{num},\"ref_block_prefix\":{prefix}", chain.expiration);
    // Of fields that are there twice the first counts.
    let more: String = fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
    text = if fields.iter().any(|(name, _)| name.starts_with("ref_block")) {
        format!("{{\"expiration\":\"{}\"{more}", chain.expiration)
    } else {
        text + &more
    };
    format!("{text},\"actions\":{actions}}}")
}

fn signed(chain: &Chain, actions: &str, fields: &[(&str, &str)]) -> String {
    let transaction = header(chain, actions, fields);
    format!("{{\"signatures\":[],\"compression\":\"none\",\"transaction\":{transaction}}}")
}

/// A native action that nobody may send, with a number in it.
fn onblock(chain: &Chain, number: &str) -> String {
    let nothing = "00".repeat(32);
    let header = json!({
        "timestamp": 0, "producer": "eosio", "confirmed": 0, "previous": nothing, "transaction_mroot": nothing,
        "action_mroot": nothing, "schedule_version": "NUMBER", "new_producers": Value::Null, "header_extensions": [],
    });
    let actions = json!([{ "account": "eosio", "name": "onblock", "authorization": [], "data": { "header": header } }]);
    signed(chain, &actions.to_string().replace("\"NUMBER\"", number), &[])
}
