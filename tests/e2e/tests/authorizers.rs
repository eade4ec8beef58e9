//! `get_accounts_by_authorizers` beside nodeos: whatever happens to permissions, both name the same ones in the same order.

use client::Node;
use e2e::{DEV_PUBLIC_KEY, Load, Peer, RunningNode};
use primitives::{Name, PrivateKey, name};
use serde_json::{Value, json};

const EOSIO: Name = name!("eosio");

fn public(seed: u8) -> String {
    PrivateKey::k1_from_seed([seed; 32]).expect("a key").public_key().expect("a key").to_string()
}

fn authority(threshold: u32, keys: &[&str], accounts: &[(&str, &str, u16)]) -> Value {
    let mut keys: Vec<_> = keys.to_vec();
    keys.sort_by_key(|key| key.parse::<primitives::PublicKey>().expect("a key"));
    let mut accounts = accounts.to_vec();
    accounts.sort_by_key(|(actor, permission, _)| {
        (actor.parse::<Name>().expect("a name"), permission.parse::<Name>().expect("a name"))
    });
    json!({
        "threshold": threshold,
        "keys": keys.iter().map(|key| json!({ "key": key, "weight": 1 })).collect::<Vec<_>>(),
        "accounts": accounts.iter().map(|(actor, permission, weight)| {
            json!({ "permission": { "actor": actor, "permission": permission }, "weight": weight })
        }).collect::<Vec<_>>(),
        "waits": [],
    })
}

/// Actions in turn: actor, name, arguments.
fn steps() -> Vec<(Name, Name, Value)> {
    let [one, two] = [1, 2].map(public);
    let dev = authority(1, &[DEV_PUBLIC_KEY], &[]);
    let new = |account: &str, active: &Value| {
        (EOSIO, name!("newaccount"), json!({ "creator": "eosio", "name": account, "owner": dev, "active": active }))
    };
    let update = |account: &str, permission: &str, parent: &str, auth: &Value| {
        let arguments = json!({ "account": account, "permission": permission, "parent": parent, "auth": auth });
        (account.parse().expect("a name"), name!("updateauth"), arguments)
    };
    let delete = |account: &str, permission: &str| {
        (account.parse().expect("a name"), name!("deleteauth"), json!({ "account": account, "permission": permission }))
    };
    let shared = |weight: u16| authority(1, &[DEV_PUBLIC_KEY], &[("alice", "active", weight)]);
    vec![
        new("alice", &dev),
        new("carol", &shared(1)),
        new("bob", &shared(1)),
        update("bob", "pay", "active", &authority(2, &[&one, &two], &[("alice", "owner", 2), ("carol", "active", 1)])),
        update("alice", "pay", "active", &authority(1, &[&one], &[("bob", "pay", 3)])),
        update("carol", "active", "owner", &shared(5)),
        update("bob", "pay", "active", &authority(1, &[&two], &[("alice", "active", 1)])),
        delete("alice", "pay"),
        update("alice", "pay", "active", &authority(1, &[&two], &[("alice", "active", 1), ("bob", "pay", 1)])),
        // Changed back to what it was.
        update("carol", "active", "owner", &shared(1)),
    ]
}

fn questions() -> Vec<Value> {
    let level = |actor: &str, permission: &str| json!({ "actor": actor, "permission": permission });
    let [one, two] = [1, 2].map(public);
    vec![
        json!({ "accounts": ["alice"], "keys": [] }),
        json!({ "accounts": ["bob", level("alice", "active"), "carol"], "keys": [two, one, DEV_PUBLIC_KEY] }),
        json!({ "accounts": [level("alice", "active"), "alice"], "keys": [DEV_PUBLIC_KEY, DEV_PUBLIC_KEY] }),
        json!({ "accounts": ["nobody", level("bob", "nothing")], "keys": [public(9)] }),
    ]
}

fn ask(node: &Node) -> Vec<Value> {
    let call = |body| node.call("/v1/chain/get_accounts_by_authorizers", body).expect("an answer");
    questions().iter().map(call).collect()
}

/// Waits for blocks: nodeos looks at permissions once a block is made.
fn wait(nodes: &[&Node]) {
    let head = |node: &&Node| {
        node.call("/v1/chain/get_info", &json!({})).expect("an answer")["head_block_num"].as_u64().expect("a number")
    };
    for (node, before) in nodes.iter().zip(nodes.iter().map(head).collect::<Vec<_>>()) {
        while head(node) < before + 2 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// What changes after the first restart.
fn later_steps() -> Vec<(Name, Name, Value)> {
    let shared = |weight: u16| authority(1, &[DEV_PUBLIC_KEY], &[("alice", "active", weight)]);
    let auth =
        |weight: u16| json!({ "account": "bob", "permission": "active", "parent": "owner", "auth": shared(weight) });
    vec![
        (name!("bob"), name!("updateauth"), auth(2)),
        (name!("bob"), name!("updateauth"), auth(1)),
        (
            EOSIO,
            name!("newaccount"),
            json!({ "creator": "eosio", "name": "dave", "owner": shared(1), "active": shared(1) }),
        ),
    ]
}

/// Does the same on our node and on nodeos, and compares after each step.
fn do_both(nodes: [&Node; 2], steps: Vec<(Name, Name, Value)>) {
    let mut senders = nodes.map(|node| Load::new(node.clone()));
    for (actor, action, arguments) in steps {
        for sender in &mut senders {
            sender
                .send(EOSIO, action, actor, &arguments)
                .unwrap_or_else(|error| panic!("{action} {arguments}: {error}"));
            // What is taken back leaves nothing behind.
            let wrong = json!({ "account": "alice", "permission": "nothing" });
            sender.send(EOSIO, name!("deleteauth"), name!("alice"), &wrong).expect_err("there is no such permission");
        }
        wait(&nodes);
        let [ours, theirs] = nodes.map(ask);
        assert_eq!(ours, theirs, "after {action} {arguments}");
    }
}

#[test]
fn permissions_are_found_as_nodeos_finds_them() {
    let Some(peer) = Peer::find() else { return };
    let (folder, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // A start reads all permissions anew, those of a replayed chain too: afterwards the oldest come first.
    for (start, steps) in [(&[][..], steps()), (&[], later_steps()), (&["--hard-replay-blockchain"], Vec::new())] {
        let options = [&["--enable-account-queries", "true"], start].concat();
        let node = RunningNode::start(folder.path(), &options);
        let nodeos = peer.serve_with(theirs.path(), &options);
        let nodes = [&node.api, &Node::new(&nodeos.url, Vec::new())];
        let [ours, theirs] = nodes.map(ask);
        assert_eq!(ours, theirs, "after a start with {start:?}");
        do_both(nodes, steps);
        node.stop();
        nodeos.stop();
    }
}
