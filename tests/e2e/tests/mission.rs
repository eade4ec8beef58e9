//! What `boreas system ...` shows of a chain, beside what the chain then does.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{RunningNode, binary};
use primitives::{Asset, TimePoint};
use serde_json::{Value, json};

/// What is awaited here takes seconds at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// `boreas` with the key of some accounts of a development chain.
struct Tool {
    node: RunningNode,
    folder: tempfile::TempDir,
}

impl Tool {
    fn start(document: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let document = document.map(|path| path.to_str().expect("UTF-8"));
        let arguments = document.map_or_else(Vec::new, |path| vec!["--genesis-document", path]);
        let tool = Self { node: RunningNode::dev(folder.path(), &arguments), folder };
        tool.run("wallet create --to-console");
        for account in ["alice", "bob"] {
            tool.run(&format!("wallet import --private-key {}", tool.node.printed_keys(account).1));
        }
        tool
    }

    /// Status and all that it prints; `+` stands for a space in a word.
    fn try_run(&self, line: &str) -> (bool, String) {
        let words = line.split(' ').map(|word| word.replace('+', " "));
        let mut command = Command::new(binary("boreas"));
        command.args(["--url", &self.node.url]).args(words).stdin(Stdio::null());
        let done = command.env("BOREAS_WALLET_DIR", self.folder.path().join("wallets")).output().expect("boreas runs");
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    }

    fn run(&self, line: &str) -> String {
        let (fine, text) = self.try_run(line);
        assert!(fine, "boreas {line}: {text}");
        text
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{line} --json"))).expect("pure JSON")
    }

    fn balance(&self, account: &str) -> i64 {
        let body = json!({ "code": "eosio.token", "account": account, "symbol": "SYS" });
        amount(&self.node.call("/v1/chain/get_currency_balance", &body)[0])
    }
}

fn amount(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse::<Asset>().ok()).expect("an asset").amount
}

fn time(value: &Value) -> TimePoint {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

/// The built-in document with further parameters.
fn document(folder: &Path, parameters: &[(&str, i64)]) -> std::path::PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../genesis/presets/dev.json");
    let mut document: Value = serde_json::from_slice(&std::fs::read(own).expect("the document")).expect("JSON");
    for (name, value) in parameters {
        document["parameters"][*name] = json!(value);
    }
    let path = folder.join("document.json");
    std::fs::write(&path, document.to_string()).expect("the folder can be written");
    path
}

#[test]
fn the_market_says_what_bytes_cost() {
    let tool = Tool::start(None);
    for bytes in [1000, 123_456] {
        let prices = tool.json(&format!("system market {bytes}"));
        let before = tool.balance("alice");
        tool.run(&format!("system buyram alice alice {bytes} --bytes"));
        let paid = before - tool.balance("alice");
        assert_eq!(amount(&prices["prices"][0]["buy"]), paid, "{bytes} bytes");
        let prices = tool.json(&format!("system market {bytes}"));
        let before = tool.balance("alice");
        tool.run(&format!("system sellram alice {bytes}"));
        let got = tool.balance("alice") - before;
        assert_eq!(amount(&prices["prices"][0]["sell"]), got, "{bytes} bytes");
    }
    assert!(tool.run("system market").contains("KiB for sale"));
    assert!(tool.run("system market 4294967295").contains("4294967295"));
}

#[test]
fn a_refund_is_due_when_it_is_said_to_be() {
    let tool = Tool::start(None);
    assert_eq!(tool.run("system refund show alice"), "alice waits for no refund\n");
    tool.run("system undelegatebw alice alice 1.0000+SYS 2.0000+SYS");
    let shown = tool.json("system refund show alice");
    assert_eq!((amount(&shown["claimable"]), amount(&shown["waiting"])), (0, 30_000), "{shown}");
    let due = time(&shown["refunds"][0]["due"]);
    let (fine, refused) = tool.try_run("system refund alice");
    assert!(!fine && refused.contains("refund is not available yet"), "{refused}");
    let begin = Instant::now();
    loop {
        let shown = tool.json("system refund show alice");
        let is_due = shown["refunds"][0]["is_due"] == json!(true);
        assert_eq!(is_due, time(&shown["now"]) >= due, "{shown}");
        if is_due {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{shown}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(tool.run("system refund show alice").contains("boreas system refund alice"));
    let before = tool.balance("alice");
    tool.run("system refund alice");
    assert_eq!(tool.balance("alice") - before, 30_000);
    assert_eq!(tool.json("system refund show alice")["refunds"], json!([]));
}

#[test]
fn an_auction_closes_when_it_is_said_to() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let parameters = [
        ("name_quiet_sec", 3),
        ("name_activation_sec", 0),
        ("name_close_interval_slots", 4),
        ("schedule_interval_slots", 3),
    ];
    let tool = Tool::start(Some(&document(folder.path(), &parameters)));
    assert!(tool.run("system names").contains("boreas system bidname"));
    tool.run("system bidname bob other 1+SYS");
    tool.run("system bidname alice sho 2+SYS");
    let (begin, mut waited) = (Instant::now(), false);
    loop {
        let shown = tool.json("system names");
        let (now, open) = (time(&shown["now"]), shown["auctions"].as_array().expect("a list").len());
        if shown["next"] != json!("sho") {
            assert_eq!((open, &shown["next"]), (1, &json!("other")), "{shown}");
            break;
        }
        let closes = time(&shown["closes"]);
        // It closes in the block of that time at the latest: it is not open after it.
        assert!(now < closes, "it should be closed: {shown}");
        waited |= !shown["waits_for"].as_array().expect("a list").is_empty();
        assert!(begin.elapsed() < PATIENCE, "{shown}");
        // The rule is kept to the slot: look at the block before, and at the block of that time.
        let slots = (closes.0 - now.0) / 500_000;
        if slots == 1 {
            tool.node_reaches(closes);
            assert_ne!(tool.json("system names")["next"], json!("sho"), "closed at {closes}");
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    assert!(waited, "its reasons were told");
    let bid = tool.run("system bidnameinfo sho");
    assert!(bid.contains("already closed"), "{bid}");
    let key = tool.node.printed_keys("alice").0;
    tool.run(&format!("system newaccount alice sho {key} --stake-net 1+SYS --stake-cpu 1+SYS --buy-ram-kbytes 4"));
}

impl Tool {
    fn node_reaches(&self, time_wanted: TimePoint) {
        let begin = Instant::now();
        while time(&self.node.info().expect("the node answers")["head_block_time"]) < time_wanted {
            assert!(begin.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_vote_is_worth_less_from_second_to_second() {
    let folder = tempfile::tempdir().expect("temporary folder");
    // A vote doubles in ten million seconds, by a step every second.
    let parameters = [("vote_step_sec", 1), ("vote_steps_per_doubling", 10_000_000)];
    let tool = Tool::start(Some(&document(folder.path(), &parameters)));
    let (fine, text) = tool.try_run("system vote show nobody");
    assert!(!fine && text.contains("there is no such key: (0 nobody)"), "{text}");
    let before = tool.json("system vote show alice");
    assert_eq!(before["producers"], json!(["producer1"]), "as the document has it");
    tool.run("system vote prods alice producer1 -f");
    let cast = tool.json("system vote show alice");
    let real = |value: &Value| value.as_f64().expect("a number");
    assert_eq!(cast["producers"], json!(["producer1"]));
    let ratio = real(&cast["weight_at_vote"]) / real(&before["new_vote_weight"]);
    // It was cast a few seconds after what was foretold; one second is a ten-millionth of a doubling.
    assert!((1.0..1.00001).contains(&ratio), "{ratio}");
    let begin = Instant::now();
    let later = loop {
        let shown = tool.json("system vote show alice");
        if real(&shown["new_vote_adds"]) > 0.0 {
            break shown;
        }
        assert!(begin.elapsed() < PATIENCE, "{shown}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(amount(&later["worth_now"]) < amount(&later["staked"]), "{later}");
    assert_eq!(later["half_life_sec"], json!(10_000_000));
    let text = tool.run("system vote show alice");
    assert!(text.contains("to vote anew: boreas system vote prods alice producer1"), "{text}");
    tool.run("system vote prods alice producer1 -f");
    let anew = tool.json("system vote show alice");
    let foretold = real(&later["weight_at_vote"]) + real(&later["new_vote_adds"]);
    let ratio = real(&anew["weight_at_vote"]) / foretold;
    assert!((1.0..1.00001).contains(&ratio), "{ratio}");
}

#[test]
fn the_schedule_tells_who_comes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let tool = Tool::start(Some(&document(folder.path(), &[("schedule_interval_slots", 3)])));
    let shown = tool.json("system schedule");
    let of = |shown: &Value| -> Vec<String> {
        let turns = shown["active"].as_array().expect("a list").iter();
        turns.map(|turn| turn["producer"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(of(&shown), ["producer1"]);
    assert_eq!(shown["active"][0]["late_since"], Value::Null);
    let last = shown["active"][0]["last_block"].as_u64().expect("it produces");
    assert!(last >= shown["head_block_num"].as_u64().expect("a number"));
    assert_eq!(shown["next"]["why_not"], json!("nothing would change"));
    // A second producer, whose key the node does not have, is foretold, elected, and then late.
    tool.run("system regproducer bob EOS6Xpu5horujB8Udvt8geztj61xveQzL2GhrBS4ztWzHbXLWrLRM http://b");
    tool.run("system vote prods alice producer1 bob");
    let shown = tool.json("system schedule");
    let foretold = shown["next"]["producers"] == json!(["bob", "producer1"]) && shown["next"]["why_not"].is_null();
    // On a busy machine the election may be over before it is asked for.
    let over = of(&shown) != ["producer1"] || !shown["pending"].is_null();
    assert!(foretold || over, "{shown}");
    let begin = Instant::now();
    let late = loop {
        let shown = tool.json("system schedule");
        if of(&shown) == ["bob", "producer1"] && !shown["active"][0]["late_since"].is_null() {
            break shown;
        }
        assert!(begin.elapsed() < PATIENCE, "{shown}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(late["active"][0]["last_block"], Value::Null, "bob made no block");
    assert_eq!(late["active"][1]["late_since"], Value::Null, "producer1 is in time");
    let text = tool.run("system schedule");
    assert!(text.contains("LATE: no block in its turn of"), "{text}");
}

#[test]
fn receipts_are_trees_where_that_is_asked_for_and_lines_of_cleos_where_not() {
    let tool = Tool::start(None);
    let key = tool.node.printed_keys("alice").0;
    let line = format!("alice aliceescrow1 {key} --stake-net 1+SYS --stake-cpu 1+SYS --buy-ram-kbytes 4");
    let text = tool.run(&format!("--tree system newaccount {line}"));
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal: {text}");
    let lines: Vec<_> = text.lines().collect();
    let has = |begin: &str, part: &str| lines.iter().any(|line| line.starts_with(begin) && line.contains(part));
    assert!(has("eosio::newaccount  creator=alice name=aliceescrow1", "bytes"), "RAM is told: {text}");
    assert!(has("eosio::buyrambytes  payer=alice receiver=aliceescrow1 bytes=4096  [", " us"), "{text}");
    assert!(has("├─ eosio.token::transfer  from=alice to=eosio.ram", " us"), "{text}");
    assert!(has("│  ├─ alice was told", " us") || has("│  └─ alice was told", " us"), "{text}");
    let flat = tool.run(&format!("system newaccount {}", line.replace("escrow1", "escrow2")));
    assert!(flat.lines().any(|line| line.starts_with("#         eosio <= eosio::newaccount ")), "{flat}");
    // A script of the system util-linux gives it a terminal.
    let in_terminal = |colour: bool, memo: &str| {
        let boreas = binary("boreas").display().to_string();
        let command = format!("{boreas} --url {} transfer alice bob '1.0000 SYS' {memo}", tool.node.url);
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).stdin(Stdio::null());
        script.env("BOREAS_WALLET_DIR", tool.folder.path().join("wallets")).env("TERM", "xterm");
        if !colour {
            script.env("NO_COLOR", "1");
        }
        let done = script.output().expect("script runs");
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let (colourful, plain) = (in_terminal(true, "bright"), in_terminal(false, "hello"));
    assert!(colourful.contains("\u{1b}[1;36meosio.token::transfer\u{1b}[0m  from=alice to=bob"), "{colourful}");
    assert!(plain.contains("eosio.token::transfer  from=alice to=bob quantity=\"1.0000 SYS\" memo=hello"), "{plain}");
    assert!(!plain.contains("\u{1b}["), "{plain}");
}

#[test]
fn errors_say_when_and_how_much_and_by_whom() {
    let tool = Tool::start(None);
    tool.run("system undelegatebw alice alice 1.0000+SYS 2.0000+SYS");
    let (_, text) = tool.try_run("system refund alice");
    let told = text.lines().last().unwrap_or_default();
    assert!(
        told.starts_with("alice's 3.0000 SYS is due 2") && told.ends_with(": boreas system refund alice then"),
        "{text}"
    );
    let (_, text) = tool.try_run("transfer alice bob 2000000+SYS m");
    assert!(
        text.contains(
            "in action eosio.token::transfer\nalice has 1000000.0000 SYS of eosio.token: 1000000.0000 SYS is missing"
        ),
        "{text}"
    );
    let (_, text) = tool.try_run("system buyram alice bob 2000000+SYS");
    assert!(text.contains("in action eosio.token::transfer, sent by eosio::buyram\n"), "{text}");
    let (_, text) = tool.try_run("transfer alice bobb 1+SYS m");
    assert!(text.contains("There is no account bobb on this chain; is bob meant?"), "{text}");
    // The limit is the account's own: so much is missing.
    let key = tool.node.printed_keys("alice").0;
    tool.run(&format!(
        "system newaccount alice poorpoorpoor {key} --stake-net 0.0001+SYS --stake-cpu 1+SYS --buy-ram-kbytes 8"
    ));
    tool.run("transfer alice poorpoorpoor 5+SYS m");
    let (fine, text) = tool.try_run(&format!("transfer poorpoorpoor bob 1+SYS {}", "m".repeat(250)));
    assert!(!fine && text.contains("poorpoorpoor may use ") && text.contains(" bytes of net now and lacks "), "{text}");
    let begin = text.rfind("system delegatebw PAYER").expect("a command");
    let command =
        text[begin..].split(", or wait").next().expect("the command").replace(" SYS", "+SYS").replace('"', "");
    // What is advised is what helps.
    tool.run(&command.replace("PAYER", "alice"));
    tool.run(&format!("transfer poorpoorpoor bob 1+SYS {}", "m".repeat(250)));
}

#[test]
fn settings_name_who_acts() {
    let tool = Tool::start(None);
    let config = tool.folder.path().join("config.toml");
    std::fs::write(&config, "account = 'alice'\n").expect("a file");
    let push = |with: bool| {
        let mut command = Command::new(binary("boreas"));
        command.args([
            "--url",
            &tool.node.url,
            "push",
            "action",
            "eosio.token",
            "open",
            "owner=alice",
            "symbol=4,SYS",
            "ram_payer=alice",
        ]);
        command.env("BOREAS_WALLET_DIR", tool.folder.path().join("wallets"));
        command.env("BOREAS_CONFIG", if with { config.clone() } else { tool.folder.path().join("none") });
        command.stdin(Stdio::null()).output().expect("boreas runs").status.success()
    };
    assert!(!push(false), "nobody acts");
    assert!(push(true), "alice does");
}

/// The names that people would give: each is the command of cleos beside which it stands.
#[test]
fn commands_have_plain_names_too() {
    let tool = Tool::start(None);
    tool.run("system stake alice bob 1+SYS 1+SYS");
    assert!(tool.run("system stakes alice").contains("bob"));
    tool.run("system unstake alice bob 1+SYS 1+SYS");
    tool.run(&format!("system register alice {} http://a", tool.node.printed_keys("alice").0));
    assert!(tool.run("system producers").contains("http://a"));
    tool.run("system vote prods bob alice");
    tool.run("system regproxy bob");
    tool.run("system vote proxy alice bob");
    assert!(tool.run("system vote show alice").contains("through the proxy bob"));
    tool.run("system bid alice sho 1+SYS");
    tool.run("system bid bob sho 2+SYS");
    assert!(tool.run("system auction sho").contains("bob"));
    let (_, text) = tool.try_run("system claim alice");
    assert!(text.contains("Error 3050003") || text.contains("executed"), "{text}");
    tool.run("system unregister alice");
}

#[test]
fn proposals_expire_by_the_time_of_the_chain() {
    let tool = Tool::start(None);
    tool.run("dev time 2036-01-01");
    let transfer = r#"{"from":"alice","to":"bob","quantity":"1.0000+SYS","memo":"by+two"}"#;
    let both = r#"[{"actor":"alice","permission":"active"},{"actor":"bob","permission":"active"}]"#;
    let level = |actor: &str| format!(r#"{{"actor":"{actor}","permission":"active"}}"#);
    tool.run(&format!("multisig propose later {both} [{}] eosio.token transfer {transfer} -p alice", level("alice")));
    for actor in ["alice", "bob"] {
        tool.run(&format!("multisig approve alice later {} -p {actor}", level(actor)));
    }
    let before = tool.balance("bob");
    tool.run("multisig exec alice later bob -p bob");
    assert_eq!(tool.balance("bob"), before + 10_000);
}

#[test]
fn resources_are_rented_for_shares_of_the_market() {
    let tool = Tool::start(None);
    let sent = tool.run("system powerup alice bob 1 0.5% 7 2+SYS -d -u -s");
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    let expected = json!({
        "payer": "alice", "receiver": "bob", "days": 1, "net_frac": "5000000000000", "cpu_frac": 7,
        "max_payment": "2.0000 SYS",
    });
    assert_eq!((&sent["actions"][0]["name"], &sent["actions"][0]["data"]), (&json!("powerup"), &expected));
    for (line, advice) in [
        ("system powerup alice bob 1 1% 1% 2+SYS", "Whoever runs the chain opens the market: eosio::cfgpowerup"),
        ("system undelegatebw alice alice 9999999+SYS 0+SYS", "What is staked: boreas system listbw alice"),
        ("system sellram bob 99999999999", "What RAM there is: boreas get account bob"),
        ("system claimrewards alice", "To register: boreas system regproducer alice KEY"),
        ("system voteproducer prods alice nobody", "Who is: boreas system listproducers"),
    ] {
        let (fine, text) = tool.try_run(line);
        assert!(!fine && text.trim_end().ends_with(advice), "{line}: {text}");
    }
    let (fine, text) = tool.try_run("system powerup alice bob 1 101% 7 2+SYS");
    assert!(!fine && text.starts_with("net: \"101%\" is not a part of a whole, which looks like 0.5%"), "{text}");
}
