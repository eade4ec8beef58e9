//! What `boreas` says to people who mistype. Each message is here as it is printed; `URL` stands for the node's address.

use std::process::{Command, Stdio};

use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, RunningNode, binary, free_port};

const ADVICE: &str = "A private key was given as an argument, where other users of this machine can see it and the shell \
                      keeps it. \"boreas wallet import\" asks for it instead.";

/// Arguments; the status; and what is printed, or with `...` before it, a part of that.
type Row = (&'static str, i32, &'static str);

/// Without a wallet, nor need of one.
const BEFORE: &[Row] = &[
    ("wallet keys", 1, "There is no wallet yet; make one with: boreas wallet create --to-console"),
    (
        "wallet create --file /nonexistent/pw",
        1,
        "/nonexistent/pw cannot be written: No such file or directory (os error 2)",
    ),
    (
        "wallet create --file /dev/full",
        1,
        "/dev/full cannot be written; no wallet was made: No space left on device (os error 28)",
    ),
    (
        "wallet create --file HUGE",
        1,
        "...HUGE is there already, and the key or password in it would be lost: name another file",
    ),
    (
        "create key --file HUGE",
        1,
        "...HUGE is there already, and the key or password in it would be lost: name another file",
    ),
    ("wallet list", 0, "Wallets:\n[]"),
    ("dev time yesterday", 1, "yesterday is not a valid time, which looks like 2030-01-01, 2030-01-01T12:00:00 or +3d"),
    ("dev time 90s", 1, "...; is +90s meant?"),
    (
        "wallet serve --data-dir / --unix-socket-path= --http-server-address ADDRESS",
        1,
        "ADDRESS is in use by another program: another keosd?",
    ),
    ("contract nwe", 106, "...tip: a similar subcommand exists: 'new'"),
    (
        "wallet import KEY",
        1,
        "the private key has no place there: \"boreas wallet import\" asks for it, or --private-key KEY takes it\nADVICE",
    ),
    (
        "wallet import --private-key KEYx",
        1,
        "Invalid private key: a character is wrong or missing; one begins with 5, or PVT_",
    ),
    (
        "wallet import --private-key PUBLIC",
        1,
        "Invalid private key: this is a public key; a private key begins with 5, or PVT_",
    ),
    ("wallet stop", 1, "there is no keosd to stop: wallets are files; \"boreas wallet lock_all\" locks them"),
    (
        "create account alice carol1 KEY",
        1,
        "the owner has to be a public key, which begins with EOS or PUB_, not a private key: its public key is PUBLIC\nADVICE",
    ),
    ("create account alice carol1 PUBLICx", 1, "Invalid public key: PUBLICx: a character is wrong or missing"),
    ("get account KEY", 1, "the name of an account is expected, not a private key\nADVICE"),
    ("KEY", 106, "...unrecognized subcommand '<private key>'"),
    ("transfer alice bob 1.0000 --nope", 109, "...unexpected argument '--nope' found"),
    (
        "get account Alice",
        1,
        "\"Alice\" is not a valid name, which has up to 12 characters of a-z, 1-5 and dot (a 13th of a-j, 1-5 and dot), no dot \
         at the end; is alice meant?",
    ),
    (
        "transfer alice bob -1",
        1,
        "\"-1\" is not a valid asset, which looks like \"1.0000 SYS\": Asset's amount and symbol should be separated with space",
    ),
    ("get table eosio.token alice accounts -l -1", 104, "...invalid value '-1' for '--limit <LIMIT>'"),
    (
        "set contract alice /nonexistent",
        1,
        "/nonexistent is not a folder; one with .wasm and .abi is wanted: boreas set contract alice FOLDER",
    ),
    (
        "set contract alice /etc/passwd",
        1,
        "/etc/passwd is a file; the folder that it is in is wanted: boreas set contract alice /etc passwd passwd.abi",
    ),
    ("set contract alice /etc", 1, "/etc/etc.wasm is not there; /etc has no .wasm at all: is the contract built?"),
    ("set code alice /etc", 1, "...is a folder, not a .wasm"),
    (
        "set abi alice /etc/passwd",
        1,
        "/etc/passwd is not a valid ABI: it is neither JSON, which begins with {, nor packed bytes",
    ),
    ("system buyram alice bob 8", 1, "8 of what? 8 bytes: --bytes; 8 KiB: --kbytes; for tokens: \"8 SYS\""),
    (
        "push action eosio.token transfer nofile",
        1,
        "\"nofile\" is neither JSON, which begins with [ or {, nor a file that is there",
    ),
    (
        "push action eosio.token transfer [alice",
        1,
        "the text is not valid JSON: the [ has no ] at character 1: ... [alice",
    ),
    ("push action eosio.token transfer HUGE", 1, "HUGE has more than 67108864 bytes"),
    // What is wrong with JSON is told in the words of the ABI, whatever reads it.
    (
        "push transaction {\"actions\":[{\"account\":\"eosio.token\"}]}",
        1,
        "...valid transaction: actions[0].name (action_name) is missing; {account: account_name, name: action_name",
    ),
    (
        "push transaction {\"expiration\":\"x\",\"actions\":[]}",
        1,
        "this is not a valid transaction: expiration has to be time_point_sec, which looks like 2030-01-31T12:00:00, not the \
         text \"x\"",
    ),
    (
        "convert pack_transaction {\"actions\":[{\"account\":\"a\",\"name\":\"b\",\"authorization\":[],\"data\":{}}]}",
        1,
        "Fail to convert transaction, --pack-action-data likely needed: actions[0].data has to be bytes, which looks like \
         hexadecimal digits, two a byte, not the object {}",
    ),
    (
        "set account permission eosio active {\"threshold\":1,\"keys\":[{\"key\":\"PUBLICx\",\"weight\":1}]}",
        1,
        "...Invalid authority format: keys[0].key has to be public_key, which looks like EOS",
    ),
    (
        "set account permission eosio active {\"threshold\":1,\"accounts\":[\"bob@active\"]}",
        1,
        "Invalid authority format: {permission: permission_level, weight: weight_type} expected, not the text \"bob@active\"",
    ),
    (
        "multisig propose one [\"alice@active\"] alice@active eosio.token transfer [] alice",
        1,
        "permissions look like [{\"actor\": \"alice\", \"permission\": \"active\"}] or alice@active: {actor: account_name, \
         permission: permission_name} expected, not the text \"alice@active\"",
    ),
    (
        "push action eosio.token transfer [] -p @active",
        1,
        "\"@active\" is not a valid permission, which is ACCOUNT or ACCOUNT@PERMISSION",
    ),
    ("push transaction /", 1, "/ is a folder, not a file with JSON"),
    ("set abi alice HUGE", 1, "...is not a valid ABI"),
    ("system refund show Alice", 1, "...\"Alice\" is not a valid name"),
    ("system market nothing", 104, "...invalid value 'nothing' for '[BYTES]...'"),
    (
        "wallet serve --data-dir / --unix-socket-path=",
        1,
        "there is nothing to serve at: give --unix-socket-path, or --http-server-address such as 127.0.0.1:8900",
    ),
];

/// With a key of `eosio` and `alice` in an unlocked wallet.
const AFTER: &[Row] = &[
    (
        "push action eosio.token tranfer [] -p alice",
        1,
        "...Unknown action tranfer in contract eosio.token; it has: close, create, issue",
    ),
    ("push action eosio.token tranfer [] -p alice", 1, "...\nIs transfer meant?"),
    (
        "push action eosio.token transfer from=alice tu=bob -p alice",
        1,
        "eosio.token::transfer has no argument tu; it has: from, to, quantity, memo; is to meant?",
    ),
    (
        "push action eosio.token transfer [1] -p alice",
        1,
        "...\neosio.token::transfer: from has to be name, which looks like alice (up to 12 characters of a-z, 1-5 and dot), not the number 1",
    ),
    (
        "push action eosio.token transfer [alice,bob,1,m] -p alice",
        1,
        "...\neosio.token::transfer: quantity has to be asset, which looks like \"1.0000 SYS\", not the number 1",
    ),
    (
        "push action eosio.token transfer [alice] -p alice",
        1,
        "...\neosio.token::transfer: to (name) is missing; {from: name, to: name, quantity: asset, memo: string} expected",
    ),
    (
        "push action eosio.token open [alice,\"4,SYS\",alice] -p alcie",
        1,
        "...\nThere is no account alcie on this chain; is alice meant?",
    ),
    (
        "push action eosio.token open [alice,\"4,SYS\",alice] -p alice@actve",
        1,
        "...\nalice has no permission actve; it has: active, owner",
    ),
    (
        "push action eosio.tokn transfer [] -p alice",
        1,
        "...\nThere is no account eosio.tokn on this chain; is eosio.token meant?",
    ),
    ("push action eosio.token transfer from=alice from=eosio -p alice", 1, "the argument from is given twice"),
    ("get account alise", 1, "...\nThere is no account alise on this chain; is alice meant?"),
    ("get currency balance eosio.token alise", 0, "There is no account alise on this chain; is alice meant?"),
    ("get currency balance eosio.token eosio", 0, ""),
    (
        "get currency stats eosio.tokn SYS",
        1,
        "...\nThere is no account eosio.tokn on this chain; is eosio.token meant?",
    ),
    (
        "get currency balance eosio.tokn alice",
        1,
        "...\nThere is no account eosio.tokn on this chain; is eosio.token meant?",
    ),
    ("get scope eosio.tokn", 0, "...\n}\nThere is no account eosio.tokn on this chain; is eosio.token meant?"),
    (
        "push action eosio.token transfer [alise,eosio,\"1.0000+SYS\",m] -p alice",
        84,
        "...\nin action eosio.token::transfer\nThere is no account alise on this chain; is alice meant?",
    ),
    ("get table eosio.token alice acounts", 1, "...\nThe tables of eosio.token: accounts, stat; is accounts meant?"),
    (
        "push action eosio.token transfer [alice,eosio,\"5.0000+SYS\",m] -p alice",
        19,
        "...\nin action eosio.token::transfer\nalice has 3.0000 SYS of eosio.token: 2.0000 SYS is missing",
    ),
    (
        "push action eosio.token transfer [alice,eosi,\"1.0000+SYS\",m] -p alice",
        19,
        "...\nThere is no account eosi on this chain; is eosio meant?",
    ),
    (
        "push action eosio.token transfer [alice,eosio,\"1.0000+SYS\",m] -p eosio",
        84,
        "...\nGive the authority with -p ACCOUNT, or -p ACCOUNT@PERMISSION",
    ),
    ("push action eosio.token transfer [alice,eosio,\"1.0000+SYS\",m]", 3, "...\nSay whose action it is: -p ACCOUNT"),
    (
        "system schedule",
        1,
        "this chain has no system contract that was initialized: there is nothing to show (boreas get code eosio)",
    ),
    ("dev time", 1, "this node does not run a development chain. One is begun with: boreasd dev"),
    ("trace nonsense", 1, "\"nonsense\" is not a valid transaction id, which has 64 hexadecimal digits"),
    ("net status 127.0.0.1:1", 1, "there is no connection to 127.0.0.1:1: boreas net peers shows those that there are"),
    ("wallet lock", 0, "Locked: default"),
    ("wallet keys", 1, "Locked wallet: default; unlock it with: boreas wallet unlock --name default"),
    (
        "push action eosio.token transfer [alice,eosio,\"1.0000+SYS\",m] -p alice",
        1,
        "Error 3090003: Provided keys, permissions, and delays do not satisfy declared authorizations\nError Details:\n\
         transaction declares authority '{\"actor\":\"alice\",\"permission\":\"active\"}', but does not have signatures for it.\n\
         Every wallet is locked: boreas wallet unlock",
    ),
    ("transfer alice eosio 1.0000+SYS", 1, "...\nEvery wallet is locked: boreas wallet unlock"),
    ("wallet unlock --password PW5nonsense", 1, "Invalid password for wallet default"),
    ("wallet unlock", 1, "password: none was given, and there is no terminal to ask on"),
    (
        "wallet unlock --name nope --password x",
        1,
        "No wallet named nope; make one with: boreas wallet create --name nope --to-console",
    ),
    ("wallet private_keys --password PW5nonsense", 1, "Invalid password for wallet default"),
    ("wallet remove_key PUBLIC --password PW5nonsense", 1, "Invalid password for wallet default"),
];

struct Tool {
    node: RunningNode,
    folder: tempfile::TempDir,
}

impl Tool {
    fn run(&self, url: &str, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(binary("boreas"));
        command.args(["--url", url]).args(arguments).stdin(Stdio::null());
        command.env("BOREAS_WALLET_DIR", self.folder.path().join("wallets"));
        let done = command.output().expect("boreas runs");
        let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        (done.status.code().unwrap_or(-1), text)
    }

    fn check(&self, rows: &[Row]) {
        for (line, status, message) in rows {
            let filled = |text: &str| {
                text.replace("ADVICE", ADVICE)
                    .replace("ADDRESS", self.node.address())
                    .replace("PUBLIC", DEV_PUBLIC_KEY)
                    .replace("URL", &self.node.url)
            };
            let line = filled(&line.replace("--private-key KEY", "--private-key=KEY").replace("KEYx", "K3Y"));
            let line = line.replace("=KEY", &format!("={DEV_PRIVATE_KEY}"));
            let line = line.replace("K3Y", &DEV_PRIVATE_KEY[..50]);
            let huge = self.folder.path().join("huge").display().to_string();
            let word = |word: &str| match word {
                "KEY" => DEV_PRIVATE_KEY.to_owned(),
                "HUGE" => huge.clone(),
                other => other.replace('+', " "),
            };
            let words: Vec<_> = line.split(' ').map(word).collect();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let (found_status, text) = self.run(&self.node.url, &words);
            let expected = filled(message).replace("HUGE", &huge);
            let fits = match expected.strip_prefix("...") {
                Some(part) => text.contains(part),
                None => text.trim_end() == expected,
            };
            assert!(
                fits && found_status == *status,
                "boreas {line}\nstatus {found_status}, {text}\nexpected {status}, {expected}"
            );
            assert!(!text.contains(&DEV_PRIVATE_KEY[..20]), "boreas {line} shows a private key: {text}");
        }
    }
}

#[test]
fn mistakes_are_answered_with_what_helps() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let plugins = ["--plugin", "eosio::net_api_plugin", "--enable-account-queries", "true"];
    let node = RunningNode::start(folder.path(), &plugins);
    let tool = Tool { node, folder };
    let succeed = |line: &[&str]| {
        let (status, text) = tool.run(&tool.node.url, line);
        assert_eq!(status, 0, "boreas {}: {text}", line.join(" "));
    };
    let huge = std::fs::File::create(tool.folder.path().join("huge")).expect("a file");
    huge.set_len(64 * 1024 * 1024 + 1).expect("a file of zeros takes no room");
    tool.check(BEFORE);
    succeed(&["wallet", "create", "--to-console"]);
    succeed(&["wallet", "import", "--private-key", DEV_PRIVATE_KEY]);
    for account in ["eosio.token", "alice"] {
        succeed(&["create", "account", "eosio", account, DEV_PUBLIC_KEY]);
    }
    let token = e2e::contract("eosio.token");
    succeed(&["set", "contract", "eosio.token", token.to_str().expect("a path of ASCII")]);
    succeed(&["push", "action", "eosio.token", "create", "[\"alice\",\"9.0000 SYS\"]", "-p", "eosio.token"]);
    succeed(&["push", "action", "eosio.token", "issue", "[\"alice\",\"3.0000 SYS\",\"\"]", "-p", "alice"]);
    tool.check(AFTER);
}

/// What `boreasd` says where it cannot begin: the last lines, without times.
#[test]
fn nodes_that_cannot_start_say_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let node_folder = folder.path().join("node");
    std::fs::create_dir(&node_folder).expect("a folder");
    let node = RunningNode::start(&node_folder, &[]);
    let start = |arguments: &[&str]| {
        let done = Command::new(binary("boreasd")).args(arguments).stdin(Stdio::null()).output().expect("boreasd runs");
        assert_eq!(done.status.code(), Some(1), "boreasd {}", arguments.join(" "));
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let begin = text.find("error: ").unwrap_or_else(|| panic!("no error: {text}"));
        text[begin..].trim_end().to_owned()
    };
    let own = path("node");
    let none = ["--http-server-address", "127.0.0.1:0"];
    assert_eq!(
        start(&[&["--data-dir", &own, "--config-dir", &own], &none[..]].concat()),
        format!(
            "error: the data folder {own} is in use. Another boreasd may be running on this folder; stop it, or choose another --data-dir"
        )
    );
    let (other, address) = (path("other"), node.address().to_owned());
    let chain_api = ["--plugin", "eosio::chain_api_plugin", "--http-server-address", &address];
    assert_eq!(
        start(&[&["--data-dir", &other, "--config-dir", &other], &chain_api[..]].concat()),
        format!(
            "error: cannot listen on {address}; choose another --http-server-address\n  because: Address already in use (os error 98)"
        )
    );
    for peers in [address.clone(), format!("/ip4/127.0.0.1/tcp/{}", address.trim_start_matches("127.0.0.1:"))] {
        let said = start(
            &[&["--data-dir", &other, "--config-dir", &other, "--p2p-listen-endpoint", &peers], &none[..]].concat(),
        );
        let begin = format!("error: cannot listen on {peers} for peers; choose another --p2p-listen-endpoint");
        assert!(said.starts_with(&begin) && said.ends_with(": Address already in use (os error 98)"), "{said}");
    }
    let chain = node.info().expect("the node answers")["chain_id"].as_str().expect("a text").to_owned();
    node.stop();
    let genesis = path("genesis.json");
    let written = Command::new(binary("boreasd"))
        .args(["--data-dir", &own, "--config-dir", &own, "--extract-genesis-json", &genesis])
        .output();
    assert!(written.expect("boreasd runs").status.success());
    let text = std::fs::read_to_string(&genesis).expect("a genesis").replace("2018-", "2019-");
    std::fs::write(&genesis, text).expect("a file");
    let said = start(&[&["--data-dir", &own, "--config-dir", &own, "--genesis-json", &genesis], &none[..]].concat());
    assert!(
        said.starts_with("error: --genesis-json is of chain ")
            && said.ends_with(&format!(
                ", the data folder holds chain {chain}. Leave --genesis-json out to continue that one, or delete it and begin \
                 anew with --delete-all-blocks"
            )),
        "{said}"
    );
    assert_eq!(
        start(&[&["dev", "--data-dir", &own], &none[..]].concat()),
        format!(
            "error: the chain in {own} was not begun by boreasd dev. Choose another --data-dir, or begin anew with --reset"
        )
    );
    assert_eq!(
        start(&[&["--data-dir", "/proc/nowhere", "--config-dir", &other], &none[..]].concat()),
        "error: cannot make the folder /proc/nowhere\n  because: No such file or directory (os error 2)"
    );
    for (arguments, message) in [
        (["--nope", "x"], "unexpected argument '--nope' found\n\n  tip: a similar argument exists: '--"),
        (["--nope", "x"], "\n\nUsage: boreasd dev [OPTIONS]\n"),
        (
            ["--preset", "nope"],
            "invalid value 'nope' for '--preset <NAME>'\n  [possible values: dev, mainnet, minimal]",
        ),
        (["--accounts", "1001"], "error: --accounts: 1001 are too many: at most 1000"),
        (["--producers", "22"], "error: --producers: 22 are too many: at most 21"),
        (
            ["--refund-delay", "5x"],
            "error: --refund-delay: \"5x\" is not a valid duration, which looks like 5s, 90m or 3d",
        ),
        (["--keep-unlimited", "2"], "error: --keep-unlimited: \"2\" is not a valid flag, which is true or false"),
        (
            ["--genesis-document", "/nowhere"],
            "error: cannot read the genesis document /nowhere\n  because: No such file",
        ),
        (["--genesis-document", "/etc/passwd"], "error: /etc/passwd is not a valid genesis document\n  because: "),
    ] {
        let done =
            Command::new(binary("boreasd")).args(["dev", "--data-dir", &other]).args(none).args(arguments).output();
        let text = String::from_utf8_lossy(&done.expect("boreasd runs").stderr).into_owned();
        assert!(text.contains(message), "{arguments:?}: {text}");
    }
    let file = format!("{other}/config.ini");
    for (text, message) in [
        (
            "plugin = eosio::chain_plugin\nfilter-on = *\n",
            "line 2: there is no option filter-on any more: it was an option of the history plugin, which is gone",
        ),
        (
            "http-server-addres = 1\n",
            "line 1: there is no option http-server-addres; a similar one is http-server-address",
        ),
        ("bogus = 1\n", "line 1: there is no option bogus"),
    ] {
        std::fs::create_dir_all(&other).expect("a folder");
        std::fs::write(&file, text).expect("a file");
        assert_eq!(
            start(&[&["--data-dir", &other, "--config-dir", &other], &none[..]].concat()),
            format!("error: {file}, {message}")
        );
    }
}

#[test]
fn addresses_that_do_not_answer_say_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let tool = Tool { node, folder };
    let secure = tool.node.url.replace("http://", "https://");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let table = [
        ("ftp://x", "ftp://x begins with ftp://, which is not spoken here: http://, https:// and unix:// are".to_owned()),
        ("", "the URL is empty; one looks like http://127.0.0.1:8888".to_owned()),
        ("http://", "http:// has no host; one looks like http://127.0.0.1:8888".to_owned()),
        ("http://127.0.0.1:99999", "http://127.0.0.1:99999: a port is a number from 1 to 65535, not 99999".to_owned()),
        ("127.0.0.1:x", "http://127.0.0.1:x: a port is a number from 1 to 65535, not x".to_owned()),
        (
            nobody.as_str(),
            format!("no answer from {nobody}: nobody listens there\nis the node running, and is this its address (--url)?"),
        ),
        (
            "unix:///nonexistent/socket",
            "no answer from unix:///nonexistent/socket: there is no such socket\nis the node running, and is this its address (--url)?".to_owned(),
        ),
    ];
    for (url, message) in table {
        assert_eq!(tool.run(url, &["get", "info"]), (1, message + "\n"), "{url}");
    }
    let (status, text) = tool.run(&secure, &["get", "info"]);
    assert!(status == 1 && text.contains("is it http:// or https:// there (--url)?"), "TLS is spoken: {text}");
}

/// The files that `boreas` itself keeps: each time its whole answer.
#[test]
fn files_of_the_user_that_are_wrong_are_named() {
    let home = tempfile::tempdir().expect("temporary folder");
    let (config, wallets) = (home.path().join(".config/boreas/config.toml"), home.path().join("wallets"));
    std::fs::create_dir_all(config.parent().expect("a folder")).expect("a folder");
    let run = |line: &str, wallets: &std::path::Path| {
        let mut command = Command::new(binary("boreas"));
        command.args(line.split(' ')).env("HOME", home.path()).env("BOREAS_WALLET_DIR", wallets).stdin(Stdio::null());
        let done = command.env_remove("XDG_CONFIG_HOME").env_remove("BOREAS_URL").output().expect("boreas runs");
        assert_eq!(done.status.code(), Some(1), "{line}");
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).trim_end().to_owned()
    };
    let path = config.display();
    for (text, line, message) in [
        (
            "network = ",
            "get info",
            format!(
                "{path} is not valid: TOML parse error at line 1, column 11\n  |\n1 | network = \n  |           ^\n\
                     string values must be quoted, expected literal string"
            ),
        ),
        (
            "network = \"x\"",
            "get info",
            format!("{path} is not valid: network = \"x\" is not one of its networks: it has none"),
        ),
        (
            "netwrk = \"x\"",
            "get info",
            format!(
                "{path} is not valid: TOML parse error at line 1, column 1\n  |\n1 | netwrk = \"x\"\n  | ^^^^^^\n\
                     unknown field `netwrk`, expected one of `network`, `account`, `networks`"
            ),
        ),
        (
            "[networks.local]\nurls = [\"http://x\"]",
            "--network lokal get info",
            format!("{path} has no network lokal; is local meant?\nIts networks: local"),
        ),
        (
            "[networks.local]\nurls = [\"ftp://x\"]",
            "--network local get info",
            "ftp://x begins with ftp://, which is not spoken here: http://, https:// and unix:// are".to_owned(),
        ),
        (
            "[networks.local]\nurls = []",
            "--network local get info",
            format!(
                "{path} is not valid: networks.local has no urls; they look like urls = [\"http://127.0.0.1:8888\"]"
            ),
        ),
    ] {
        std::fs::write(&config, text).expect("a file");
        assert_eq!(run(line, &wallets), message, "{text}");
    }
    let huge = std::fs::File::create(&config).expect("a file");
    huge.set_len(1024 * 1024 + 1).expect("a file of zeros takes no room");
    assert_eq!(run("get info", &wallets), format!("{path} has more than 1048576 bytes"));
    std::fs::remove_file(&config).expect("the file is there");

    let unwritable = std::path::Path::new("/proc/wallets");
    assert_eq!(
        run("wallet create --to-console", unwritable),
        "/proc/wallets cannot be used: No such file or directory (os error 2)"
    );
    let wallet = wallets.join("default.boreas-wallet");
    std::fs::create_dir_all(&wallets).expect("a folder");
    for (text, reason) in [
        ("garbage", "expected value at line 1 column 1"),
        (r#"{"boreas_wallet":1}"#, "missing field `argon2_memory_kib` at line 1 column 19"),
    ] {
        std::fs::write(&wallet, text).expect("a file");
        assert_eq!(
            run("wallet unlock --password x", &wallets),
            format!("{} is not a wallet of this program: {reason}", wallet.display())
        );
    }
    assert_eq!(
        run("--wallet-url http://127.0.0.1:1 wallet keys", &wallets),
        "no answer from http://127.0.0.1:1: nobody listens there\nis a keosd running there (--wallet-url)?"
    );
    assert_eq!(
        run("--wallet-url unix:///nowhere wallet unlock --password x", &wallets),
        "no answer from unix:///nowhere: there is no such socket\nis a keosd running there (--wallet-url)?"
    );
}

/// Commands of `boreas` with `--json`: nothing else is on standard output.
const AS_JSON: [&str; 18] = [
    "system schedule",
    "system names",
    "system market",
    "system market 100 1000",
    "system vote show alice",
    "system refund show alice",
    "system listproducers",
    "system listbw alice",
    "get account alice",
    "get schedule",
    "producer key list",
    "dev time",
    "dev save",
    "dev states",
    "dev produce 2",
    "dev restore",
    "dev reorganise 1",
    "dev rewind 30",
];

#[test]
fn json_is_all_that_is_printed_where_it_is_wanted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--block-mode=manual"]);
    let tool = Tool { node, folder };
    let (status, text) = tool.run(&tool.node.url, &["system", "refund", "show", "alic"]);
    assert!(status == 1 && text.contains("There is no account alic on this chain; is alice meant?"), "{text}");
    for line in AS_JSON {
        let words: Vec<_> = line.split(' ').chain(["--json"]).collect();
        let (status, text) = tool.run(&tool.node.url, &words);
        assert!(status == 0 && serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{line}: {status}, {text}");
    }
}
