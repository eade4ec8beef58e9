//! One node process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use client::Node;
use serde_json::{Value, json};

use crate::{DEV_PUBLIC_KEY, binary};

/// A node that does not answer after this is broken.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Blocks that a chain has before its clients begin: eosjs refers to the third from the head.
pub(crate) const FIRST_BLOCKS: u64 = 4;
const POLL: Duration = Duration::from_millis(5);
/// In which the system counts CPU time for programs.
const TICKS_PER_SECOND: u64 = 100;
/// Where the ports of [`free_port`] lie.
const OFFERED_PORTS: std::ops::Range<u16> = 12_000..32_000;

/// What most tests ask.
const APIS: [&str; 4] = ["--plugin", "eosio::chain_api_plugin", "--plugin", "eosio::producer_api_plugin"];

/// A running `boreasd`, killed when dropped.
#[derive(Debug)]
pub struct RunningNode {
    process: Child,
    /// Its HTTP API.
    pub api: Node,
    /// The URL of it.
    pub url: String,
    /// How long it took until the first answer.
    pub started_in: Duration,
    folder: PathBuf,
}

impl RunningNode {
    /// Starts a producing node on `folder`, which may hold a chain already.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut node = Self::launch(folder, &[&["-e", "-p", "eosio"], &APIS[..], arguments].concat());
        // A transaction refers to a recent block, and block 1 of a new chain lies years back.
        node.wait_until("first blocks", |info| info["head_block_num"].as_u64() > Some(FIRST_BLOCKS));
        node
    }

    /// Starts a development chain on `folder`, or continues it. Compiled code is kept there too.
    pub fn dev(folder: &Path, arguments: &[&str]) -> Self {
        Self::launch(folder, &[&["dev"], arguments].concat())
    }

    /// Starts `boreasd` with just these arguments, a folder and an address.
    pub fn launch(folder: &Path, arguments: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = [arguments, &["--http-server-address", &address]].concat();
        Self::serving_at(&address, folder, &arguments)
    }

    /// Starts a producing node with an address for each of some categories, all at one port.
    pub fn by_category(folder: &Path, categories: &[&str], arguments: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let specs: Vec<_> = categories.iter().map(|category| format!("{category},{address}")).collect();
        let mut all = vec!["-e", "-p", "eosio", "--http-server-address", "http-category-address"];
        all.extend_from_slice(&APIS);
        all.extend_from_slice(arguments);
        for spec in &specs {
            all.extend_from_slice(&["--http-category-address", spec]);
        }
        Self::serving_at(&address, folder, &all)
    }

    /// Starts a node on `folder` that does not produce.
    pub fn follow(folder: &Path) -> Self {
        Self::follow_with(folder, &[])
    }

    /// The same with further arguments.
    pub fn follow_with(folder: &Path, arguments: &[&str]) -> Self {
        Self::launch(folder, &[&APIS, arguments].concat())
    }

    /// Starts a node on `folder` that does not produce, or says why it does not start.
    ///
    /// # Errors
    /// What a node prints that refuses.
    pub fn try_follow(folder: &Path, arguments: &[&str]) -> Result<Self, String> {
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = [&APIS, arguments, &["--http-server-address", &address]].concat();
        let process = Self::command(folder, &arguments).spawn().expect("boreasd starts");
        let url = format!("http://{address}");
        let api = Node::new(&url, Vec::new());
        let begin = Instant::now();
        let mut node = Self { process, api, url, started_in: Duration::ZERO, folder: folder.to_owned() };
        while node.info().is_none() {
            if node.process.try_wait().expect("the process can be asked").is_some() {
                return Err(node.log());
            }
            assert!(begin.elapsed() < START_LIMIT, "no answer from the node; its log ends:\n{}", node.log_end());
            std::thread::sleep(POLL);
        }
        node.started_in = begin.elapsed();
        Ok(node)
    }

    /// Starts `boreasd` and kills it after a time, whatever it does then.
    pub fn start_and_kill(folder: &Path, arguments: &[&str], after: Duration) {
        let arguments = [arguments, &["--http-server-address", "127.0.0.1:0"]].concat();
        let mut process = Self::command(folder, &arguments).spawn().expect("boreasd starts");
        std::thread::sleep(after);
        process.kill().expect("a child can be killed");
        process.wait().expect("a child can be waited for");
    }

    /// What a node says that refuses to start.
    ///
    /// # Panics
    /// When it starts.
    pub fn refusal(folder: &Path, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--http-server-address", "127.0.0.1:0", "--terminate-at-block", "3"]].concat();
        let output = Self::command(folder, &arguments).stderr(Stdio::piped()).output().expect("boreasd runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "the node ran:\n{text}");
        text
    }

    /// Starts a producing node that may not write files of more than `bytes`, as on a disk that is full.
    pub fn start_without_room(folder: &Path, bytes: u64) -> Self {
        // The signal that would end the process is ignored: a write fails instead.
        Self::start_with_limits(folder, &format!("trap '' XFSZ; ulimit -f {}", bytes / 512), &[])
    }

    /// Starts a producing node in a shell that has set limits first.
    pub fn start_with_limits(folder: &Path, limits: &str, arguments: &[&str]) -> Self {
        let producing = ["-e", "-p", "eosio", "--plugin", "eosio::chain_api_plugin"];
        Self::launch_with_limits(folder, limits, &[&producing, arguments].concat())
    }

    /// The same with just these arguments, a folder and an address.
    pub fn launch_with_limits(folder: &Path, limits: &str, arguments: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let node = Self::command(folder, &[arguments, &["--http-server-address", &address]].concat());
        let script = format!("{limits}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(node.get_program()).args(node.get_args());
        Self::with_log(&mut shell, folder);
        Self::serving(&address, folder, &mut shell)
    }

    fn serving_at(address: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::serving(address, folder, &mut Self::command(folder, arguments))
    }

    fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("boreasd"));
        command.args(arguments).args([Path::new("--data-dir"), folder, Path::new("--config-dir"), folder]);
        Self::with_log(&mut command, folder);
        command
    }

    fn with_log(command: &mut Command, folder: &Path) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("node.log"));
        let log = log.expect("the node's folder can be written");
        command
            .env("XDG_CACHE_HOME", folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be cloned"))
            .stderr(log);
    }

    fn serving(address: &str, folder: &Path, command: &mut Command) -> Self {
        let begin = Instant::now();
        let process = command.spawn().expect("boreasd starts");
        let url = format!("http://{address}");
        let api = Node::new(&url, Vec::new());
        let mut node = Self { process, api, url, started_in: Duration::ZERO, folder: folder.to_owned() };
        node.wait_until("an answer", |info| info["head_block_num"].as_u64().is_some());
        node.started_in = begin.elapsed();
        node
    }

    /// Waits until the node ends by itself, with an error; returns its log.
    ///
    /// # Panics
    /// When it goes on, or ends well.
    pub fn wait_for_failure(mut self, within: Duration) -> String {
        let begin = Instant::now();
        while begin.elapsed() < within {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                assert_eq!(status.code(), Some(1), "{}", self.log_end());
                return self.log();
            }
            std::thread::sleep(POLL);
        }
        panic!("the node goes on:\n{}", self.log_end());
    }

    /// Waits until the node ends by itself, without an error; returns its log.
    ///
    /// # Panics
    /// When it goes on, or fails.
    pub fn wait_for_end(mut self, within: Duration) -> String {
        let begin = Instant::now();
        while begin.elapsed() < within {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                assert!(status.success(), "the node ended with {status}:\n{}", self.log_end());
                return self.log();
            }
            std::thread::sleep(POLL);
        }
        panic!("the node goes on:\n{}", self.log_end());
    }

    /// Calls an endpoint that must answer.
    ///
    /// # Panics
    /// When it does not.
    pub fn call(&self, path: &str, body: &Value) -> Value {
        self.api.call(path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// `get_info`, if the node answers.
    pub fn info(&self) -> Option<Value> {
        self.api.call("/v1/chain/get_info", &json!({})).ok()
    }

    /// Host and port of its API.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Its URL over the Unix socket `node.sock`, which has to be among its arguments.
    pub fn unix_url(&self) -> String {
        format!("unix://{}", self.folder.join("node.sock").display())
    }

    /// The number of the newest block.
    pub fn head(&self) -> u64 {
        self.info().expect("the node answers")["head_block_num"].as_u64().expect("a number")
    }

    /// Number and id of the newest block.
    pub fn head_block(&self) -> (u64, String) {
        let info = self.info().expect("the node answers");
        let number = info["head_block_num"].as_u64().expect("a number");
        (number, info["head_block_id"].as_str().expect("an id").to_owned())
    }

    /// The id of a block.
    pub fn block_id(&self, number: u64) -> Option<String> {
        let block = self.api.call("/v1/chain/get_block", &json!({ "block_num_or_id": number })).ok()?;
        block["id"].as_str().map(str::to_owned)
    }

    /// Waits until `get_info` is as wanted.
    ///
    /// # Panics
    /// After twenty seconds, with the end of the node's log.
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            if let Some(info) = self.info().filter(|info| wanted(info)) {
                return info;
            }
            let exited = self.process.try_wait().expect("the process can be asked");
            if exited.is_some() || begin.elapsed() > START_LIMIT {
                panic!("no {what} from the node ({exited:?}); its log ends:\n{}", self.log_end());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until `/v1/node/health` is as wanted.
    ///
    /// # Panics
    /// After twenty seconds.
    pub fn wait_for_health(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let (_, health) = self.get("/v1/node/health");
            if wanted(&health) {
                return health;
            }
            assert!(begin.elapsed() < START_LIMIT, "{what} is not shown: {health}");
            std::thread::sleep(POLL);
        }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.process.kill().expect("a child can be killed");
        self.process.wait().expect("a child can be waited for");
    }

    /// Asks with GET: the status, and the JSON of the answer.
    ///
    /// # Panics
    /// When there is none.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address());
        let answer = exchange(self.address(), request.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }

    /// Sends a signal, by its name: `STOP` holds the process, `CONT` lets it go on.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let signalled = Command::new("kill").args(["-s", name, &process]).status().expect("kill runs");
        assert!(signalled.success());
    }

    /// SIGTERM, and how long the node took to stop.
    ///
    /// # Panics
    /// When it does not stop, or stops with an error.
    pub fn stop(mut self) -> Duration {
        let begin = Instant::now();
        self.signal("TERM");
        let status = self.process.wait().expect("a child can be waited for");
        assert!(status.success(), "the node ended with {status}:\n{}", self.log_end());
        begin.elapsed()
    }

    /// What it printed and logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("node.log")).unwrap_or_default()
    }

    /// Bytes of memory that the process holds.
    ///
    /// # Panics
    /// When it is gone.
    pub fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The same without what it has mapped of files.
    ///
    /// # Panics
    /// When it is gone.
    pub fn private_bytes(&self) -> u64 {
        self.status_bytes("RssAnon:")
    }

    /// CPU time that the process has taken, of all its threads.
    ///
    /// # Panics
    /// When it is gone.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("the node runs");
        // The name, in brackets, may have spaces. 11 fields after it is the user's time, and then the system's.
        let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().expect("a number"));
        Duration::from_millis(ticks.sum::<u64>() * 1000 / TICKS_PER_SECOND)
    }

    /// A number of its metrics, by the name that the metrics have; the plugin has to be among its arguments.
    ///
    /// # Panics
    /// When it is not there.
    pub fn metric(&self, name: &str) -> u64 {
        let request =
            format!("GET /v1/prometheus/metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address());
        let answer = exchange(self.address(), request.as_bytes());
        let number = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        number.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {answer}"))
    }

    fn status_bytes(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the node runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a line about memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// The public and the private key that a development chain prints for an account, which may come after its first
    /// answer.
    ///
    /// # Panics
    /// When it prints none within twenty seconds.
    pub fn printed_keys(&self, account: &str) -> (String, String) {
        let begin = Instant::now();
        loop {
            let log = self.log();
            let mut columns = log.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            if let Some(&[_, public, private, ..]) =
                columns.find(|columns| columns.first() == Some(&account)).as_deref()
            {
                return (public.to_owned(), private.to_owned());
            }
            assert!(begin.elapsed() < START_LIMIT, "{account} is not printed:\n{}", self.log_end());
            std::thread::sleep(POLL);
        }
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends bytes to an address and returns all that comes back until the other side closes.
pub fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(START_LIMIT)).expect("a timeout can be set");
    stream.write_all(request).expect("a request can be sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer comes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A genesis of some seconds ago, so that there are not years of empty slots before the first block.
pub fn genesis(path: &Path, seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock of this century");
    let began = primitives::TimePoint((now.as_secs() as i64 - seconds) * 1_000_000);
    let document = json!({ "initial_timestamp": began.to_string(), "initial_key": DEV_PUBLIC_KEY });
    std::fs::write(path, document.to_string()).expect("written");
    path.to_str().expect("a path of ASCII").to_owned()
}

/// A port of loopback that nobody listens on, another one at each call. It lies below the ports that the system gives to
/// clients: a client that asks again and again for a node that is about to listen would otherwise be given that very
/// port now and then, and take it away.
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Programs that run side by side begin at different places.
    let begin = std::process::id() * 64;
    let ports = OFFERED_PORTS.end - OFFERED_PORTS.start;
    let offered = (0..u32::from(ports)).map(|_| {
        let call = begin.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed));
        OFFERED_PORTS.start + u16::try_from(call % u32::from(ports)).expect("it is below a u16")
    });
    let mut free = offered.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("loopback has a free port")
}
