//! Request bodies by chance, for every endpoint that takes a transaction, bounds of tables, or names of things.

use e2e::Dice;

use crate::texts::{items_text, object, of_type, string, value};

/// What the texts need to know of the chain.
pub struct Chain {
    /// When transactions expire.
    pub expiration: String,
    /// Number and prefix of a block that both nodes have.
    pub reference: (u64, u64),
    /// Actions of the contract that has one for each type, and the type.
    pub actions: Vec<(String, String)>,
}

type Fields = Vec<(String, String)>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A path and its body.
pub fn question(dice: &mut Dice, chain: &Chain) -> (String, String) {
    let (path, body) = match dice.below(20) {
        0..=10 => of_transaction(dice, chain),
        11..=15 => of_table(dice),
        _ => of_thing(dice),
    };
    let body = if dice.once_in(100) { broken(dice, &body) } else { body };
    (format!("/v1/chain/{path}"), body)
}

/// A body that was cut, or that goes on.
fn broken(dice: &mut Dice, body: &str) -> String {
    let mut end = dice.below(body.len() + 1);
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    match dice.below(3) {
        0 => body[..end].to_owned(),
        1 => format!("{}{}{}", &body[..end], dice.of(&["}", "]", ",", "\"", "{", ":", "\\"]), &body[end..]),
        _ => format!("{body}{}", value(dice, 2)),
    }
}

fn of_transaction(dice: &mut Dice, chain: &Chain) -> (&'static str, String) {
    match dice.below(9) {
        0 => {
            let keys = match dice.below(4) {
                0 => value(dice, 1),
                _ => items_text(dice, vec![quoted(e2e::DEV_PUBLIC_KEY)]),
            };
            let transaction = transaction(dice, chain, Data::Readable);
            (
                "get_required_keys",
                object(dice, vec![("transaction".to_owned(), transaction), ("available_keys".to_owned(), keys)]),
            )
        }
        1 => ("get_transaction_id", transaction(dice, chain, Data::Hexadecimal)),
        2 => ("push_transaction", envelope(dice, chain)),
        3 => ("send_transaction", envelope(dice, chain)),
        4 => {
            let items = (0..=dice.below(2)).map(|_| envelope(dice, chain)).collect();
            ("push_transactions", items_text(dice, items))
        }
        5 => {
            let mut all = vec![("transaction".to_owned(), envelope(dice, chain))];
            for name in ["return_failure_trace", "retry_trx", "retry_trx_num_blocks"] {
                if dice.once_in(4) {
                    let given = if dice.once_in(2) {
                        dice.of(&["true", "false", "1", "null"]).to_owned()
                    } else {
                        value(dice, 2)
                    };
                    all.push((name.to_owned(), given));
                }
            }
            ("send_transaction2", object(dice, all))
        }
        place => {
            let path = if place == 6 { "send_read_only_transaction" } else { "compute_transaction" };
            let envelope = envelope(dice, chain);
            (path, object(dice, vec![("transaction".to_owned(), envelope)]))
        }
    }
}

/// How data of actions are written.
#[derive(Clone, Copy, PartialEq)]
enum Data {
    Readable,
    Hexadecimal,
}

/// A transaction with its signatures, as the endpoints take one.
fn envelope(dice: &mut Dice, chain: &Chain) -> String {
    let signatures = if dice.once_in(15) { value(dice, 1) } else { "[]".to_owned() };
    let compression = match dice.below(15) {
        0 => value(dice, 2),
        1..=2 => "\"zlib\"".to_owned(),
        3 => "0".to_owned(),
        _ => "\"none\"".to_owned(),
    };
    let mut all = vec![("signatures".to_owned(), signatures), ("compression".to_owned(), compression)];
    if dice.once_in(10) {
        let data = if dice.once_in(2) { "[\"00ff\"]".to_owned() } else { value(dice, 1) };
        all.push(("context_free_data".to_owned(), data));
    }
    if dice.once_in(15) {
        all.push(("packed_context_free_data".to_owned(), string(dice)));
    }
    if dice.once_in(20) {
        all.push(("packed_trx".to_owned(), if dice.once_in(2) { "\"\"".to_owned() } else { value(dice, 2) }));
    }
    all.push(("transaction".to_owned(), transaction(dice, chain, Data::Readable)));
    object(dice, all)
}

fn transaction(dice: &mut Dice, chain: &Chain, data: Data) -> String {
    let (num, prefix) = chain.reference;
    let mut all = fields(&[
        ("expiration", &quoted(&chain.expiration)),
        ("ref_block_num", &num.to_string()),
        ("ref_block_prefix", &prefix.to_string()),
    ]);
    for name in ["max_net_usage_words", "max_cpu_usage_ms", "delay_sec"] {
        if dice.once_in(2) {
            all.push((name.to_owned(), "0".to_owned()));
        }
    }
    if dice.once_in(5) {
        let place = dice.below(all.len());
        all[place].1 = value(dice, 2);
    }
    if dice.once_in(4) {
        let extensions = if dice.once_in(2) { "[]".to_owned() } else { value(dice, 1) };
        all.push((dice.of(&["transaction_extensions", "context_free_actions"]).to_owned(), extensions));
    }
    let count = if dice.once_in(12) { dice.below(4) } else { 1 };
    let actions = (0..count).map(|_| action(dice, chain, data)).collect();
    let actions = if dice.once_in(40) { value(dice, 1) } else { items_text(dice, actions) };
    all.push(("actions".to_owned(), actions));
    object(dice, all)
}

fn action(dice: &mut Dice, chain: &Chain, data: Data) -> String {
    let level = fields(&[("actor", "\"empty\""), ("permission", "\"active\"")]);
    let level = object(dice, level);
    let levels = if dice.once_in(20) { value(dice, 1) } else { items_text(dice, vec![level]) };
    let (account, name, arguments) = arguments(dice, chain);
    let arguments = match data {
        Data::Readable => arguments,
        Data::Hexadecimal if dice.once_in(6) => arguments,
        Data::Hexadecimal => dice.of(&["\"\"", "\"00\"", "\"0102FF\"", "\"012\"", "\"zz\""]).to_owned(),
    };
    let mut all = fields(&[("account", &quoted(&account)), ("name", &quoted(&name)), ("authorization", &levels)]);
    all.push(("data".to_owned(), arguments));
    if dice.once_in(20) {
        all.push(("hex_data".to_owned(), dice.of(&["\"\"", "\"0102\"", "\"zz\"", "7"]).to_owned()));
    }
    object(dice, all)
}

/// Contract, action and arguments.
fn arguments(dice: &mut Dice, chain: &Chain) -> (String, String, String) {
    let own = |account: &str, name: &str, text: String| (account.to_owned(), name.to_owned(), text);
    match dice.below(14) {
        0 => {
            let all = ["\"alice\"", "\"bob\"", "\"1.0000 SYS\"", "\"m\""].map(str::to_owned).to_vec();
            own("eosio.token", "transfer", items_text(dice, all))
        }
        1 => {
            let header = fields(&[
                ("timestamp", "0"),
                ("producer", "\"eosio\""),
                ("confirmed", "0"),
                ("previous", &quoted(&"00".repeat(32))),
                ("transaction_mroot", &quoted(&"00".repeat(32))),
                ("action_mroot", &quoted(&"00".repeat(32))),
                ("schedule_version", &crate::texts::number(dice)),
                ("new_producers", "null"),
                ("header_extensions", "[]"),
            ]);
            let header = object(dice, header);
            own("eosio", "onblock", object(dice, vec![("header".to_owned(), header)]))
        }
        2 => {
            let authority = fields(&[("threshold", "1"), ("keys", "[]"), ("accounts", "[]"), ("waits", "[]")]);
            let authority = if dice.once_in(3) { value(dice, 1) } else { object(dice, authority) };
            let names = [("account", "\"empty\""), ("permission", "\"p\""), ("parent", "\"active\"")];
            let mut all = fields(&names);
            all.push(("auth".to_owned(), authority));
            own("eosio", "updateauth", object(dice, all))
        }
        3 => own(dice.of(&["noabi", "broken", "nosuch", "alice", "store"]), "note", value(dice, 1)),
        4 => own("empty", "nosuch", value(dice, 1)),
        _ => {
            let (name, kind) = chain.actions[dice.below(chain.actions.len())].clone();
            let v = of_type(dice, &kind, 0);
            let text = match dice.below(5) {
                0 => items_text(dice, vec![v]),
                _ => object(dice, vec![("v".to_owned(), v)]),
            };
            ("empty".to_owned(), name, text)
        }
    }
}

/// Kinds of keys, and the places of indexes that have them.
const KEYS: [(&str, &str); 10] = [
    ("i64", "1"),
    ("i64", "2"),
    ("i128", "3"),
    ("i256", "4"),
    ("float64", "5"),
    ("float128", "6"),
    ("name", "7"),
    ("ripemd160", "8"),
    ("sha256", "8"),
    ("sha256", "4"),
];

fn bound(dice: &mut Dice, kind: &str) -> String {
    let texts: &[&str] = match kind {
        "i64" => &[
            "0",
            "5",
            "100",
            "-1",
            "bob",
            "alice",
            "4,SYS",
            "SYS",
            "18446744073709551615",
            "18446744073709551616",
            "+5",
        ],
        "name" => &["alice", "bob", "", "zzzzzzzzzzzzj", "BAD", "5"],
        "i128" => &["0", "3", "0x3", "0x", "-1", "+3", "010", "08", "0X1F", "1267650600228229401496703205376"],
        "i256" => &["0", "258", "0x102", "0x0102", "-1", "0777", "0xg", "115792089237316195423570985008687907853"],
        "float64" | "float128" => {
            &["0", "-3", "7", "7.0", "1e300", "-1e400", "inf", "-inf", "nan", "0x1p3", " 7", "7 ", "1e", ".5", "5."]
        }
        "ripemd160" => {
            &["0909090909090909090909090909090909090909", "00", "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "09", "zz"]
        }
        _ => &["0000000000000000000000000000000000000000000000000000000000000102", "ff", "0102", "zz", "00"],
    };
    match dice.below(6) {
        0 => value(dice, 2),
        1 => string(dice),
        2 => crate::texts::number(dice),
        _ => quoted(dice.of(texts)),
    }
}

fn of_table(dice: &mut Dice) -> (&'static str, String) {
    let (mut kind, place) = dice.of(&KEYS);
    let mut all = Vec::new();
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    if dice.once_in(5) {
        add("code", quoted(dice.of(&["store", "eosio.token", "eosio"])));
        for (name, times) in [("table", 3), ("limit", 2), ("reverse", 3), ("lower_bound", 2), ("upper_bound", 2)] {
            if dice.once_in(times) {
                let text = match name {
                    "limit" => dice.of(&["0", "1", "2", "5", "\"3\""]).to_owned(),
                    "reverse" => dice.of(&["true", "false", "1"]).to_owned(),
                    "table" => quoted(dice.of(&["rows", "hook", "accounts", "nosuch"])),
                    _ => bound(dice, "i64"),
                };
                add(name, text);
            }
        }
        return ("get_table_by_scope", object(dice, all));
    }
    if dice.once_in(12) {
        kind = dice.of(&["i64", "i128", "float64", "name", "nosuch", "I64"]);
    }
    let scope = if dice.once_in(12) { bound(dice, "i64") } else { dice.of(&["\"alpha\"", "\"beta\"", "1"]).to_owned() };
    add("json", dice.of(&["true", "true", "true", "false", "1", "\"true\""]).to_owned());
    add("code", quoted("store"));
    add("scope", scope);
    add("table", quoted("rows"));
    if place != "1" || dice.once_in(2) {
        add("index_position", if dice.once_in(2) { quoted(place) } else { place.to_owned() });
        add("key_type", quoted(kind));
    }
    for (name, times) in [
        ("lower_bound", 2),
        ("upper_bound", 2),
        ("limit", 3),
        ("reverse", 3),
        ("show_payer", 4),
        ("encode_type", 3),
        ("time_limit_ms", 9),
    ] {
        if dice.once_in(times) {
            let text = match name {
                "lower_bound" | "upper_bound" => bound(dice, kind),
                "limit" => dice.of(&["0", "1", "2", "100", "-1", "\"2\"", "1.5"]).to_owned(),
                "encode_type" => quoted(dice.of(&["dec", "hex", "x", ""])),
                "time_limit_ms" => dice.of(&["10000", "\"10000\"", "null"]).to_owned(),
                _ => dice.of(&["true", "false", "\"true\"", "0", "2"]).to_owned(),
            };
            add(name, text);
        }
    }
    ("get_table_rows", object(dice, all))
}

/// The fields of the endpoints that ask about one thing, each with values that are right.
const THINGS: [(&str, &[(&str, &[&str])]); 14] = [
    (
        "get_account",
        &[("account_name", &["\"alice\"", "\"store\"", "\"eosio\""]), ("expected_core_symbol", &["\"4,SYS\"", "null"])],
    ),
    ("get_abi", &[("account_name", &["\"store\"", "\"empty\"", "\"eosio\"", "\"broken\""])]),
    ("get_raw_abi", &[("account_name", &["\"store\""]), ("abi_hash", &["\"00\"", "null"])]),
    ("get_code_hash", &[("account_name", &["\"store\"", "\"noabi\"", "\"alice\""])]),
    ("get_raw_code_and_abi", &[("account_name", &["\"empty\"", "\"alice\""])]),
    (
        "get_currency_balance",
        &[("code", &["\"eosio.token\""]), ("account", &["\"alice\""]), ("symbol", &["\"SYS\"", "null"])],
    ),
    ("get_currency_stats", &[("code", &["\"eosio.token\""]), ("symbol", &["\"SYS\"", "\"ABC\""])]),
    ("get_block", &[("block_num_or_id", &["3", "\"4\"", "10"])]),
    ("get_block_info", &[("block_num", &["3", "\"4\"", "10"])]),
    ("get_block_header", &[("block_num_or_id", &["3", "\"4\""]), ("include_extensions", &["true", "false"])]),
    ("get_raw_block", &[("block_num_or_id", &["3", "\"4\""])]),
    (
        "get_activated_protocol_features",
        &[
            ("lower_bound", &["0", "2"]),
            ("upper_bound", &["5"]),
            ("limit", &["3"]),
            ("search_by_block_num", &["true"]),
            ("reverse", &["true"]),
        ],
    ),
    (
        "get_accounts_by_authorizers",
        &[
            ("accounts", &["[\"alice\"]", "[{\"actor\":\"alice\",\"permission\":\"many\"}]", "[]"]),
            ("keys", &["[]", "[\"EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV\"]"]),
        ],
    ),
    (
        "get_scheduled_transactions",
        &[("json", &["true", "false"]), ("limit", &["1", "0"]), ("lower_bound", &["\"\"", "\"2020-09-13T12:26:40\""])],
    ),
];

fn of_thing(dice: &mut Dice) -> (&'static str, String) {
    let (path, known) = dice.of(&THINGS);
    let mut all = Vec::new();
    for (name, right) in known {
        let text = match dice.below(6) {
            0 => continue,
            1 => value(dice, 1),
            2 => string(dice),
            3 => crate::texts::number(dice),
            _ => dice.of(right).to_owned(),
        };
        all.push(((*name).to_owned(), text));
    }
    (path, object(dice, all))
}
