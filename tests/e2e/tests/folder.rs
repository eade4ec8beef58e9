//! The data folder: who uses it, what is deleted in it, and the sockets beside it.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{RunningNode, binary, free_port, replay};

/// What `boreasd` says when it refuses to start on a folder.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(binary("boreasd"))
        .args(arguments)
        .args(["--plugin", "eosio::chain_api_plugin"])
        .args([Path::new("--data-dir"), folder, Path::new("--config-dir"), folder])
        .env("XDG_CACHE_HOME", folder)
        .output()
        .expect("boreasd runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_second_start_leaves_the_first_alone() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    let (head, id) = (node.head(), node.block_id(2));
    let elsewhere = format!("127.0.0.1:{}", free_port());
    for arguments in [&["--delete-all-blocks"][..], &["dev", "--reset"], &["dev", "--delete-all-blocks"], &[]] {
        let text = refusal(folder.path(), &[arguments, &["--http-server-address", &elsewhere]].concat());
        assert!(text.contains("Another boreasd may be running on this folder"), "{text}");
    }
    node.wait_until("the first goes on", |info| info["head_block_num"].as_u64() > Some(head + 1));
    node.stop();
    let node = RunningNode::start(folder.path(), &[]);
    assert!(node.head() >= head);
    assert_eq!(node.block_id(2), id);
}

/// A command that looks into the folder of a running node says that it runs, and changes nothing.
#[test]
fn commands_on_a_running_nodes_folder_say_that_it_runs() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &["--blocks-dir", "blocks"]);
    let head = node.head();
    node.wait_until("irreversible blocks", |info| info["last_irreversible_block_num"].as_u64() > Some(head));
    let path = |name: &str| folder.path().join(name).to_str().expect("a path of ASCII").to_owned();
    let (data_dir, log, other) = (path(""), path("blocks"), path("other"));
    let commands: [&[&str]; 4] = [
        &["export-blocks", "--data-dir", &data_dir, &other],
        &["replay", "--blocks-log", &log, "--data-dir", &data_dir],
        &["--extract-genesis-json", &other, "--data-dir", &data_dir],
        &["--delete-all-blocks", "--print-genesis-json", "--data-dir", &data_dir],
    ];
    for command in commands {
        let output = Command::new(binary("boreasd")).args(command).output().expect("boreasd runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
        assert!(text.contains("Another boreasd may be running on this folder; stop it"), "{command:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{command:?}: {text}");
        assert!(!Path::new(&other).exists(), "{command:?}");
    }
    // The log itself may be read meanwhile.
    assert!(replay(Path::new(&log), &[])["head_block_num"].as_u64() >= Some(head));
    node.stop();
}

/// A node with a folder of its own does not write into the block log of another one, let alone delete it.
#[test]
fn a_stop_leaves_no_unfinished_snapshot() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let snapshots = folder.path().join("snapshots");
    let names = || {
        let entries = std::fs::read_dir(&snapshots).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let node = RunningNode::start(folder.path(), &[]);
    node.call("/v1/producer/pause", &serde_json::json!({}));
    let address = node.address().to_owned();
    // The head does not become irreversible any more.
    let asking = std::thread::spawn(move || {
        let request = format!(
            "POST /v1/producer/create_snapshot HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\n\
             Content-Type: application/json\r\n\r\n{{}}"
        );
        drop(std::panic::catch_unwind(|| e2e::exchange(&address, request.as_bytes())));
    });
    for _ in 0..100 {
        if names().iter().any(|name| name.starts_with(".pending-snapshot-")) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(names().iter().any(|name| name.starts_with(".pending-snapshot-")), "{:?}", names());
    node.stop();
    asking.join().expect("it ends");
    assert_eq!(names(), [""; 0]);
    // A kill leaves it to the next start.
    std::fs::write(snapshots.join(".pending-snapshot-00.bin"), "x").expect("written");
    RunningNode::start(folder.path(), &[]).stop();
    assert_eq!(names(), [""; 0]);
}

#[test]
fn a_block_log_is_kept_by_one_node() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let other = tempfile::tempdir().expect("temporary folder");
    RunningNode::start(other.path(), &[]).stop();
    let mut node = RunningNode::start(folder.path(), &["--blocks-dir", "blocks"]);
    let log = folder.path().join("blocks");
    let head = node.head();
    node.wait_until("irreversible blocks", |info| info["last_irreversible_block_num"].as_u64() > Some(head));
    let place = ["--http-server-address", "", "--blocks-dir", log.to_str().expect("a path of ASCII")];
    for own in [&[][..], &["--delete-all-blocks"], &["--hard-replay-blockchain"]] {
        let text = refusal(other.path(), &[own, &place].concat());
        assert!(text.contains("is in use. Another boreasd may keep it; choose another --blocks-dir"), "{text}");
    }
    node.stop();
    assert!(replay(&log, &[])["head_block_num"].as_u64() >= Some(head));
    assert!(RunningNode::start(other.path(), &[]).head() > 1, "its own blocks are still there");
}

/// Whatever keeps a node from starting is found before anything is deleted.
#[test]
fn a_start_that_fails_deletes_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let (head, id) = (node.head(), node.block_id(2));
    node.stop();
    let busy = UnixListener::bind(folder.path().join("busy.sock")).expect("the folder can be written");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let taken = taken.local_addr().expect("it is bound").to_string();
    std::fs::write(folder.path().join("bad.json"), "[]").expect("the folder can be written");
    let (bad, bad_key) =
        (folder.path().join("bad.json"), "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEY:5x");
    let bad = bad.to_str().expect("a path of ASCII");
    let quiet = ["--http-server-address", ""];
    let table: [(&[&str], &str); 15] = [
        (&["--http-server-address", &taken], "cannot listen on"),
        (&["--http-server-address", "", "--unix-socket-path", "busy.sock"], "another process serves the socket"),
        (&["--genesis-json", bad], "is not a valid genesis document"),
        (&["--genesis-json", "/nonexistent"], "cannot read the genesis"),
        (&["--snapshot", bad], "is not a snapshot that this node can use"),
        (&["--signature-provider", bad_key], "--signature-provider"),
        (&["--producer-name", "NOBODY"], "NOBODY is not a valid name"),
        (&["--action-blacklist", "eosio::NOTHING"], "NOTHING is not a valid name"),
        (&["--key-blacklist", "foo"], "foo does not begin as public keys do"),
        (&["--peer-key", "foo"], "foo does not begin as public keys do"),
        (&["--producer-name", "eosio", "--read-mode", "irreversible"], "exclude each other"),
        (&["--snapshots-dir", bad], "bad.json is not a folder; see --snapshots-dir"),
        (&["--blocks-dir", "bad.json/blocks"], "bad.json is not a folder; see --blocks-dir"),
        (&["--http-server-address", "", "--unix-socket-path", "bad.json"], "is there already and is not a socket"),
        (&["--checkpoint", "[1]"], "--checkpoint"),
    ];
    for (arguments, expected) in table {
        for reset in [&["--delete-all-blocks"][..], &["dev", "--reset"]] {
            let address = if arguments.contains(&"--http-server-address") { &[][..] } else { &quiet[..] };
            let text = refusal(folder.path(), &[reset, arguments, address].concat());
            let other = reset[0] == "dev" && text.contains("begins with a document, not with a snapshot");
            assert!(text.contains(expected) || other, "{arguments:?}: {text}");
        }
    }
    drop(busy);
    let node = RunningNode::start(folder.path(), &[]);
    assert!(node.head() >= head);
    assert_eq!(node.block_id(2), id);
}

#[test]
fn a_socket_of_another_process_is_left_alone() {
    let (folder, sockets) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let socket = sockets.path().join("node.sock");
    let arguments = ["--unix-socket-path", socket.to_str().expect("a path of ASCII")];
    let other = UnixListener::bind(&socket).expect("a socket");
    let text = refusal(folder.path(), &[&arguments[..], &["--http-server-address", ""]].concat());
    assert!(text.contains("another process serves the socket"), "{text}");
    assert!(socket.exists());
    // One that nobody serves any more is taken over.
    drop(other);
    let node = RunningNode::start(folder.path(), &arguments);
    // And one that became another's is not removed at the end.
    std::fs::remove_file(&socket).expect("it can be removed");
    let _other = UnixListener::bind(&socket).expect("a socket");
    node.stop();
    assert!(socket.exists(), "the socket of another process was removed");
}

/// A data folder may lie deeper than the 107 bytes that the system takes for a socket's path.
#[test]
fn a_deep_data_folder_has_its_socket() {
    let root = tempfile::tempdir().expect("temporary folder");
    let folder = root.path().join("chains/".repeat(30)).join("node");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let socket = folder.join("node.sock");
    let arguments = ["--unix-socket-path", "node.sock"];
    let asked = |command: &[&str]| {
        let url = format!("unix://{}", socket.display());
        let output = Command::new(binary("boreas")).args(["-u", &url]).args(command).output().expect("boreas runs");
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for _ in 0..2 {
        let node = RunningNode::start(&folder, &arguments);
        let (well, text) = asked(&["get", "info"]);
        assert!(well && text.contains("head_block_num"), "{text}");
        let text =
            refusal(&root.path().join("other"), &["--http-server-address", "", "--unix-socket-path", path(&socket)]);
        assert!(text.contains("another process serves the socket"), "{text}");
        node.stop();
        assert!(!socket.exists(), "the socket is removed at the end");
        let (well, text) = asked(&["get", "info"]);
        assert!(!well && text.contains("there is no such socket"), "{text}");
    }
    // A killed node leaves its socket; the next one takes it over.
    RunningNode::start(&folder, &arguments).kill();
    assert!(socket.exists());
    RunningNode::start(&folder, &arguments).stop();
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// A file system in memory, mounted while this lives.
struct Mount(PathBuf);

impl Mount {
    /// `None`, with a line that says so, where nothing can be mounted.
    fn at(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).expect("the folder can be made");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "boreas-test"]).arg(path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        eprintln!("SKIPPED: nothing can be mounted here");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What is busy goes away with the process that uses it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The database, the data folder and the block log may each be a disk of their own, which cannot be removed.
#[test]
fn what_is_mounted_is_emptied_and_starts_again() {
    for mounted in ["db", "", "blocks"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let data = folder.path().join("data");
        let Some(mount) = Mount::at(&data.join(mounted)) else { return };
        // What mkfs leaves on a disk.
        std::fs::create_dir_all(mount.0.join("lost+found")).expect("the mount can be written");
        let arguments = ["--blocks-dir", "blocks"];
        let node = RunningNode::start(&data, &arguments);
        let id = node.block_id(3);
        node.stop();
        for arguments in [&["--delete-all-blocks"][..], &["--delete-all-blocks", "--replay-blockchain"]] {
            let node = RunningNode::start(&data, &[&["--blocks-dir", "blocks"], arguments].concat());
            assert_ne!(node.block_id(3), id, "the chain is a new one");
            let (head, begun) = (node.head(), node.block_id(3));
            node.stop();
            let node = RunningNode::start(&data, &["--blocks-dir", "blocks"]);
            assert!(node.head() >= head);
            assert_eq!(node.block_id(3), begun);
            node.kill();
            RunningNode::start(&data, &["--blocks-dir", "blocks"]).stop();
        }
        RunningNode::start(&data, &["--blocks-dir", "blocks", "--replay-blockchain"]).stop();
        assert!(mount.0.join("lost+found").is_dir());
    }
}

#[test]
fn a_chain_of_nodeos_is_recognised() {
    for file in ["blocks/blocks.log", "blocks/reversible/fork_db.dat", "state/shared_memory.bin"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
        std::fs::write(&path, "nodeos").expect("the folder can be written");
        for arguments in [&["--http-server-address", ""][..], &["dev", "--http-server-address", ""]] {
            let text = refusal(folder.path(), arguments);
            assert!(text.contains("holds a chain of nodeos") && text.contains("boreasd replay --blocks-log"), "{text}");
        }
        assert!(!folder.path().join("db").exists());
        // Whoever wants a chain beside it says so, and continues it afterwards.
        RunningNode::start(folder.path(), &["--delete-all-blocks"]).stop();
        RunningNode::start(folder.path(), &[]).stop();
        assert_eq!(std::fs::read(&path).expect("it is there"), b"nodeos");
    }
}
