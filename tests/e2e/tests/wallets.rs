//! `boreas wallet serve` beside the real keosd, and the real cleos with it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{Keosd, Peer, RunningNode, binary};
use serde_json::{Value, json};

const KEY: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
const PUBLIC: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
const OTHER_KEY: &str = "5KjHUZhw8xHHA41QiiYR9LmbWLQT5RNY4DqM9MvhVfVvyD1kCQn";
const OTHER_PUBLIC: &str = "EOS6Xpu5horujB8Udvt8geztj61xveQzL2GhrBS4ztWzHbXLWrLRM";
const R1_KEY: &str = "PVT_R1_2vxhbWNvpBbgYvFEaeiUpgN92aCsCTfSEVu2iBBGDTskW5oYAR";
const MISSING_PUBLIC: &str = "EOS7CQrusQQfhmYYjBD9GwKkM3xgJGSFLAzXBrPq6f3xmzS9qbyZN";
const DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const CHAIN: &str = "cf057bbfb72640471fd910bcb67639c22df9f92470936cddc1ade0e2f2e7dc4f";
const TRANSACTION: &str = r#"{"expiration":"2020-01-01T00:00:00","ref_block_num":1,"ref_block_prefix":2,"max_net_usage_words":0,"max_cpu_usage_ms":0,"delay_sec":0,"context_free_actions":[],"actions":[{"account":"eosio","name":"nop","authorization":[{"actor":"eosio","permission":"active"}],"data":"00"}],"transaction_extensions":[],"signatures":[],"context_free_data":[]}"#;

/// Bodies that are tried at every endpoint before there is a wallet.
const ODD: [&str; 34] = [
    "",
    " ",
    "{}",
    "{ }",
    "[]",
    "x",
    "tru",
    "{",
    "[",
    "null",
    "\"\"",
    "[1]",
    "5",
    "-5",
    "1.5",
    "1e3",
    "true",
    "\"nope\"",
    "\"../x\"",
    "\"a b\"",
    "nope",
    "{\"a\":1}",
    "{\"name\":\"a\"}",
    "[\"nope\"]",
    "[\"nope\",\"x\"]",
    "[\"nope\",\"x\",\"y\"]",
    "[\"nope\",\"x\",\"y\",\"z\"]",
    "[[1],2]",
    "[{},{}]",
    "[{},{},{}]",
    "[null,null]",
    "[1,2,3]",
    "[\"a\" \"b\"]",
    "\"unfinished",
];

/// Calls in order, as `METHOD BODY`. `PW` is the password of the wallet `one`, `T` a transaction, and so on.
const CALLS: [&str; 93] = [
    "create \"one\"",
    "create \"one\"",
    "create \"two\"",
    "create [\"three\"]",
    "list_wallets ",
    "import_key [\"one\",\"x\"]",
    "import_key [\"one\",\"\"]",
    "import_key [\"one\",\"KEY\"]",
    "import_key [\"one\",\"KEY\"]",
    "import_key [\"one\",\"OTHERKEY\"]",
    "import_key [\"one\",\"R1KEY\"]",
    "import_key [\"one\",\"PUBLIC\"]",
    "import_key [\"one\",5]",
    "import_key [\"two\",\"KEY\"]",
    "import_key [\"none\",\"KEY\"]",
    "import_key {\"name\":\"one\",\"key\":\"KEY\"}",
    "get_public_keys ",
    "get_public_keys {}",
    "list_keys [\"one\",\"PW\"]",
    "list_keys [\"one\",\"x\"]",
    "list_keys [\"one\",\"\"]",
    "list_keys [\"zzz\",\"PW\"]",
    "create_key [\"two\",\"\"]",
    "create_key [\"two\",\"K1\"]",
    "create_key [\"two\",\"r1\"]",
    "create_key [\"two\",\"X\"]",
    "create_key [\"zzz\",\"K1\"]",
    "sign_digest [\"DIGEST\",\"PUBLIC\"]",
    "sign_digest [\"DIGEST\",\"OTHERPUB\"]",
    "sign_digest [\"DIGEST\",\"MISSINGPUB\"]",
    "sign_digest [\"xx\",\"PUBLIC\"]",
    "sign_digest [\"00\",\"PUBLIC\"]",
    "sign_digest [\"\",\"PUBLIC\"]",
    "sign_digest [\"DIGEST00\",\"PUBLIC\"]",
    "sign_digest [5,\"PUBLIC\"]",
    "sign_digest [\"DIGEST\",\"EOS1\"]",
    "sign_digest [\"DIGEST\",\"\"]",
    "sign_digest [\"DIGEST\",\"R1KEY\"]",
    "sign_digest [\"DIGEST\",\"PUB_K1_6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5BoDq63\"]",
    "sign_transaction [T,[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [T,[],\"CHAIN\"]",
    "sign_transaction [T,[\"PUBLIC\",\"OTHERPUB\"],\"CHAIN\"]",
    "sign_transaction [T,[\"OTHERPUB\",\"PUBLIC\",\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [T,[\"EOS5\"],\"CHAIN\"]",
    "sign_transaction [T,[\"PUBLIC\"],\"ab\"]",
    "sign_transaction [T,[\"PUBLIC\"],\"xyz\"]",
    "sign_transaction [{},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"actions\":5},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"actions\":[{\"account\":\"a\",\"name\":\"b\"}]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"actions\":[{\"account\":\"a\",\"name\":\"b\",\"data\":{}}]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"actions\":[{\"account\":\"EOSIO\",\"name\":\"b\",\"data\":\"\"}]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"actions\":[{\"account\":\"a\",\"name\":\"b\",\"data\":\"zz\"}]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"ref_block_num\":\"7\",\"delay_sec\":\"3\"},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"signatures\":[\"SIG_K1_x\"]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [{\"context_free_data\":[\"00ff\"]},[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [T,\"PUBLIC\",\"CHAIN\"]",
    "sign_transaction [5,[\"PUBLIC\"],\"CHAIN\"]",
    "sign_transaction [T,[\"MISSINGPUB\"],\"CHAIN\"]",
    "sign_transaction [T,[\"PUBLIC\"]]",
    "remove_key [\"one\",\"x\",\"PUBLIC\"]",
    "remove_key [\"one\",\"PW\",\"MISSINGPUB\"]",
    "remove_key [\"one\",\"PW\",\"OTHERPUB\"]",
    "remove_key [\"one\",\"PW\",\"x\"]",
    "remove_key [\"zzz\",\"PW\",\"PUBLIC\"]",
    "unlock [\"one\",\"PW\"]",
    "unlock [\"zzz\",\"PW\"]",
    "unlock [\"../zzz\",\"PW\"]",
    "open \"zzz\"",
    "lock \"zzz\"",
    "lock \"one\"",
    "lock \"one\"",
    "lock [\"one\"]",
    "list_wallets {}",
    "get_public_keys ",
    "list_keys [\"one\",\"PW\"]",
    "import_key [\"one\",\"KEY\"]",
    "create_key [\"one\",\"K1\"]",
    "remove_key [\"one\",\"PW\",\"PUBLIC\"]",
    "sign_digest [\"DIGEST\",\"OTHERPUB\"]",
    "unlock [\"one\",\"bad\"]",
    "unlock [\"one\",\"\"]",
    "unlock [\"one\",\"PW\"]",
    "unlock [\"one\",\"bad\"]",
    "open \"one\"",
    "list_wallets ",
    "unlock [\"one\",\"PW\"]",
    "lock_all ",
    "list_wallets ",
    "get_public_keys ",
    "sign_digest [\"DIGEST\",\"PUBLIC\"]",
    "set_timeout 10",
    "set_timeout \"10\"",
    "set_timeout -1",
];

fn filled(body: &str, password: &str) -> String {
    let names = [
        ("PW", password),
        ("R1KEY", R1_KEY),
        ("OTHERKEY", OTHER_KEY),
        ("KEY", KEY),
        ("OTHERPUB", OTHER_PUBLIC),
        ("MISSINGPUB", MISSING_PUBLIC),
        ("PUBLIC", PUBLIC),
        ("DIGEST", DIGEST),
        ("CHAIN", CHAIN),
    ];
    let body = names.into_iter().fold(body.to_owned(), |body, (name, value)| body.replace(name, value));
    body.replace("[T,", &format!("[{TRANSACTION},"))
}

/// An answer without what each of the two makes up for itself: passwords, keys, paths, times.
fn comparable(keosd: &Keosd, call: &str, (status, body): (u16, String)) -> (u16, Value) {
    let folder = keosd.folder().display().to_string();
    let body =
        body.replace(&format!("{folder}/./"), "DIR/").replace(&folder, "DIR").replace(".boreas-wallet", ".wallet");
    let mut body: Value = serde_json::from_str(&body).unwrap_or_else(|_| json!({ "no JSON": body }));
    let made_up = status == 201 && (call.starts_with("create ") || call.starts_with("create_key "));
    if made_up {
        let text = body.as_str().expect("a text");
        let keep = if text.starts_with("PW") { 3 } else { text.find(|c: char| c.is_ascii_digit()).unwrap_or(3) };
        body = json!(text[..keep]);
    }
    if let (true, Some(keys)) = (call.starts_with("get_public_keys "), body.as_array_mut()) {
        let known = [PUBLIC, OTHER_PUBLIC];
        keys.iter_mut().filter(|key| !known.iter().any(|known| key == known)).for_each(|key| *key = json!("made up"));
        keys.sort_by_key(ToString::to_string);
    }
    // keosd shows the text that is not a valid private key, though it may be one but for a letter.
    if status == 500 && call.starts_with("import_key ") && [4, 10].map(Value::from).contains(&body["error"]["code"]) {
        body["error"]["details"] = json!([]);
    }
    let details = body.pointer_mut("/error/details").and_then(Value::as_array_mut);
    for detail in details.into_iter().flatten() {
        let message = detail["message"].as_str().unwrap_or_default().to_owned();
        if let Some((start, _)) = message.split_once(", now ") {
            detail["message"] = json!(start);
        }
        // Where in their libraries readers of keys and JSON fail is no matter.
        let place = detail["file"].as_str().unwrap_or_default();
        if !place.starts_with("wallet") && !place.contains("http") {
            detail["file"] = json!("");
            (detail["line_number"], detail["method"]) = (json!(0), json!(""));
        }
    }
    (status, body)
}

/// What differs on purpose: keosd answers with the name of a C++ type, or of a name that no file should have.
const WANTED: [&str; 1] = ["create 1.5"];

#[test]
fn every_endpoint_answers_as_keosd_does() {
    let Some(peer) = Peer::find() else { return };
    let (theirs, ours) = (Keosd::start(&peer), Keosd::ours(&[]));
    let mut differences = Vec::new();
    let mut compare = |call: &str, passwords: [&str; 2]| {
        let (method, body) = call.split_once(' ').expect("METHOD BODY");
        let path = format!("/v1/wallet/{method}");
        let answers = [(&theirs, passwords[0]), (&ours, passwords[1])]
            .map(|(keosd, password)| keosd.ask("POST", &path, "", &filled(body, password)));
        let [expected, found] = [(&theirs, &answers[0]), (&ours, &answers[1])]
            .map(|(keosd, answer)| comparable(keosd, call, answer.clone()));
        if expected != found && !WANTED.contains(&call) {
            differences.push(format!("{call}\nkeosd:  {} {}\nboreas: {} {}", expected.0, expected.1, found.0, found.1));
        }
        answers.map(|(_, body)| serde_json::from_str::<String>(&body).unwrap_or_default())
    };
    const ALL: [&str; 14] = [
        "list_wallets",
        "get_public_keys",
        "lock_all",
        "create",
        "open",
        "lock",
        "unlock",
        "import_key",
        "remove_key",
        "create_key",
        "list_keys",
        "set_timeout",
        "sign_digest",
        "sign_transaction",
    ];
    for method in ALL {
        for body in ODD {
            compare(&format!("{method} {body}"), ["", ""]);
        }
    }
    compare("set_timeout 9999", ["", ""]);
    let passwords = compare(CALLS[0], ["", ""]);
    for call in &CALLS[1..] {
        compare(call, [&passwords[0], &passwords[1]]);
    }
    for (method, path, headers) in [
        ("GET", "/v1/wallet/list_wallets", ""),
        ("PUT", "/v1/wallet/list_wallets", ""),
        ("OPTIONS", "/v1/wallet/list_wallets", ""),
        ("POST", "/v1/wallet/list_wallets/", ""),
        ("POST", "/v1/wallet/list_wallets?x=1", ""),
        ("POST", "/v1/wallet/nope", ""),
        ("POST", "/", ""),
        ("POST", "/v1/node/get_supported_apis", ""),
        ("POST", "/v1/wallet/list_wallets", "Host: 127.0.0.1\r\n"),
    ] {
        let [expected, found] =
            [&theirs, &ours].map(|keosd| comparable(keosd, path, keosd.ask(method, path, headers, "")));
        if expected != found {
            differences.push(format!("{method} {path} {headers}\nkeosd:  {expected:?}\nboreas: {found:?}"));
        }
    }
    // A name of another machine: keosd says nothing more than that.
    let statuses = [&theirs, &ours].map(|keosd| keosd.ask("POST", "/v1/wallet/create", "Host: evil.test\r\n", "x").0);
    assert_eq!(statuses, [400, 400]);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n\n"));
}

#[test]
fn pages_may_not_call_and_large_bodies_are_refused() {
    let ours = Keosd::ours(&["--max-body-size", "100"]);
    let (status, body) = ours.ask("POST", "/v1/wallet/create", "Origin: http://evil.test\r\n", "\"x\"");
    assert!(status == 403 && body.contains("--access-control-allow-origin"), "{status} {body}");
    let (status, body) = ours.ask("POST", "/v1/wallet/create", "", &"x".repeat(101));
    assert!(status == 413 && body.contains("--max-body-size"), "{status} {body}");
    assert_eq!(ours.ask("POST", "/v1/wallet/list_wallets", "", "").1, "[]", "nothing was made");
}

/// Whoever guesses passwords, many at once, neither fills the memory nor holds up those who have none to tell.
#[test]
fn wrong_passwords_take_their_turn() {
    const GUESSES: usize = 60;
    /// Two passwords take 38 MB, whatever else the program takes.
    const MEMORY_MAX_KB: u64 = 150_000;
    let ours = Keosd::ours(&[]);
    let password: String =
        serde_json::from_str(&ours.ask("POST", "/v1/wallet/create", "", "\"mine\"").1).expect("a word");
    ours.ask("POST", "/v1/wallet/lock_all", "", "");
    let statuses = std::thread::scope(|scope| {
        let guess = |number: usize| {
            let body = format!("[\"mine\",\"PW{number}\"]");
            ours.ask("POST", "/v1/wallet/unlock", "", &body)
        };
        let guesses: Vec<_> = (0..GUESSES).map(|number| scope.spawn(move || guess(number))).collect();
        while guesses.iter().any(|guess| !guess.is_finished()) {
            let began = Instant::now();
            assert_eq!(ours.ask("POST", "/v1/wallet/list_wallets", "", "").1, "[\"mine\"]");
            assert!(began.elapsed() < Duration::from_secs(1), "an honest call takes {:?}", began.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
        guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect::<Vec<_>>()
    });
    for (status, body) in &statuses {
        let known = (*status == 500 && body.contains("Invalid password"))
            || (*status == 503 && body.contains("passwords wait to be checked"));
        assert!(known, "{status} {body}");
    }
    assert!(statuses.iter().any(|(status, _)| *status == 500));
    let most = ours.most_memory_kb();
    assert!(most < MEMORY_MAX_KB, "{most} kB");
    let body = format!("[\"mine\",\"{password}\"]");
    assert_eq!(ours.ask("POST", "/v1/wallet/unlock", "", &body), (200, "{}".to_owned()));
}

#[test]
fn wallets_lock_themselves_and_the_server_stops() {
    let mut ours = Keosd::ours(&[]);
    let api = client::Node::new(&format!("unix://{}", ours.socket.display()), Vec::new());
    let call = |method: &str, body: &Value| api.call(&format!("/v1/wallet/{method}"), body).expect("it answers");
    call("create", &json!("mine"));
    assert_eq!(call("list_wallets", &Value::Null), json!(["mine *"]));
    call("set_timeout", &json!(1));
    // Asking is using.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(call("list_wallets", &Value::Null), json!(["mine"]));
    // A second server finds the socket in use.
    let second = Command::new(binary("boreas"))
        .args(["wallet", "serve", "--data-dir"])
        .arg(ours.folder())
        .stdin(Stdio::null())
        .output()
        .expect("boreas runs");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("keosd.sock is in use"), "{said}");
    let files: Vec<_> = std::fs::read_dir(ours.folder()).expect("a folder").flatten().collect();
    for file in files {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{} is private", file.path().display());
    }
    assert_eq!(api.call("/v1/keosd/stop", &Value::Null).expect("it answers"), json!({}));
    assert!(ours.wait_for_end());
    assert!(!ours.socket.exists());
}

/// Runs a program on a chain and a keosd; gives what it printed. `+` stands for a space in a word.
fn run(mut command: Command, node: &RunningNode, wallet: &str, line: &str) -> String {
    let words = line.split(' ').map(|word| word.replace('+', " "));
    command.args(["-u", &node.url, "--wallet-url", wallet]).args(words).stdin(Stdio::null());
    let done = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{line}: {text}");
    text
}

#[test]
fn the_real_cleos_signs_with_ours_and_boreas_with_the_real_keosd() {
    let Some(peer) = Peer::find() else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let (public, private) = node.printed_keys("alice");
    let (theirs, ours) = (Keosd::start(&peer), Keosd::ours(&[]));
    let socket = format!("unix://{}", ours.socket.display());
    let cleos = || {
        let mut command = peer.program("cleos");
        command.arg("--no-auto-keosd");
        command
    };
    let boreas = || Command::new(binary("boreas"));
    let deadline = Instant::now() + Duration::from_secs(60);
    for (round, (program, wallet)) in [
        (&cleos as &dyn Fn() -> Command, ours.url.as_str()),
        (&cleos, &socket),
        (&boreas, &theirs.url),
        (&boreas, &socket),
    ]
    .into_iter()
    .enumerate()
    {
        let say = |line: &str| run(program(), &node, wallet, line);
        let name = format!("w{round}");
        let told = say(&format!("wallet create -n {name} --to-console"));
        let password = told.split('"').nth(1).expect("a password in quotes").to_owned();
        assert!(say(&format!("wallet import -n {name} --private-key {private}")).contains(&public));
        let made = say(&format!("wallet create_key -n {name}"));
        let made = made.split('"').nth(1).expect("a key in quotes").to_owned();
        assert!(say("wallet keys").contains(&made));
        assert!(say(&format!("wallet private_keys -n {name} --password {password}")).contains(&private));
        say(&format!("wallet remove_key -n {name} --password {password} {made}"));
        say(&format!("wallet lock -n {name}"));
        assert!(!say("wallet list").contains(&format!("{name} *")));
        say(&format!("wallet open -n {name}"));
        say(&format!("wallet unlock -n {name} --password {password}"));
        assert!(say("wallet list").contains(&format!("{name} *")));
        assert!(say(&format!("transfer alice bob 1.0000+SYS from{round}")).contains("executed"));
        say(&format!("wallet lock -n {name}"));
        assert!(Instant::now() < deadline);
    }
    run(cleos(), &node, &ours.url, "wallet stop");
}
