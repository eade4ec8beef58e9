//! What every command works with: a node, wallets, ABIs, and where output goes.

use std::time::Duration;

use abi::AbiDefinition;
use anyhow::{Context, ensure};
use clap::Args;
use clap::builder::BoolishValueParser;
use client::{ClientError, Connection, Contracts, Keosd, Message, Node};
use primitives::{Action, Asset, FaultKind, Name, PermissionLevel, Unpack, name};
use serde_json::{Value, json};
use wallet::Folder;

use crate::arguments;
use crate::config::Config;
use crate::keys::Keys;
use crate::layout::Layout;

pub use crate::output::{note, say};

/// Where a node is when nothing says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8888";

/// Flags before the command.
#[derive(Args)]
pub struct SessionArgs {
    /// The URL of the node; of several nodes of one chain, calls go round them (repeatable) [default:
    /// http://127.0.0.1:8888, or those of the network in config.toml]
    #[arg(short, long, env = "BOREAS_URL", value_delimiter = ',')]
    url: Vec<String>,
    /// A network of ~/.config/boreas/config.toml
    #[arg(long, env = "BOREAS_NETWORK", value_name = "NAME")]
    network: Option<String>,
    /// Seconds that a node may take before the next one of several is asked [default: 10]
    #[arg(long, env = "BOREAS_TRY_TIMEOUT", value_name = "SECONDS", value_parser = seconds, hide = true)]
    try_timeout: Option<Duration>,
    /// Use a local ABI file: CONTRACT:FILE (repeatable)
    #[arg(long = "abi-file", value_name = "CONTRACT:FILE")]
    abi_files: Vec<String>,
    /// Pass a specific HTTP header: NAME:VALUE (repeatable)
    #[arg(short = 'r', long = "header", value_name = "NAME:VALUE")]
    headers: Vec<String>,
    /// Output all lines of actions' consoles
    #[arg(short, long)]
    verbose: bool,
    /// Print what a transaction did as a tree with RAM and CPU, as on a terminal
    #[arg(long, env = "BOREAS_TREE", value_parser = BoolishValueParser::new(), action = clap::ArgAction::SetTrue)]
    tree: bool,
    /// Print what is sent to the node, on standard error
    #[arg(long)]
    print_request: bool,
    /// Print what the node answers, on standard error
    #[arg(long)]
    print_response: bool,
    /// Use the wallets of a keosd at this URL, instead of wallet files
    #[arg(long, env = "BOREAS_WALLET_URL", value_name = "URL")]
    wallet_url: Option<String>,
    /// On a development chain (boreasd dev): act as any account, without its key
    #[arg(long, env = "BOREAS_IMPERSONATE")]
    impersonate: bool,
    /// Do not check the certificate of an https node
    #[arg(short, long)]
    no_verify: bool,
    /// Of cleos, without meaning here: no keosd is started
    #[arg(long, hide = true)]
    no_auto_keosd: bool,
    /// Of cleos: the same as --print-request and --print-response
    #[arg(long, hide = true)]
    http_verbose: bool,
    /// Of cleos: the same as --print-request and --print-response
    #[arg(long, hide = true)]
    http_trace: bool,
}

/// A command's surroundings.
pub struct Session {
    /// The node.
    pub node: Node,
    /// The user's keys.
    pub keys: Keys,
    /// ABIs known so far.
    pub contracts: Contracts,
    /// How receipts are printed.
    pub layout: Layout,
    /// Who acts where nobody is named, by the user's settings.
    pub account: Option<String>,
    /// Who pays for the transaction that was sent last.
    pub payer: Option<String>,
    /// Act as any account, without its key.
    pub impersonate: bool,
    /// What helps with faults of this command, where that is not what helps with others.
    pub advice: Vec<(FaultKind, String)>,
}

impl SessionArgs {
    /// Opens the session; nothing is called yet.
    pub fn open(self) -> anyhow::Result<Session> {
        let mut contracts = Contracts::default();
        for pair in &self.abi_files {
            let (account, file) = pair.split_once(':').context("--abi-file wants CONTRACT:FILE")?;
            contracts.set(arguments::name(account)?, read_abi(file)?).with_context(|| file.to_owned())?;
        }
        let network = Config::of_user()?.network(self.network.as_deref())?;
        let headers = network.headers.iter().chain(&self.headers).map(|header| {
            let (name, value) = header.split_once(':').context("--header wants NAME:VALUE")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        let headers = headers.collect::<anyhow::Result<_>>()?;
        let connection = Connection { headers, verify: !self.no_verify, try_timeout: self.try_timeout };
        let keosd = self.wallet_url.as_deref().or(network.wallet_url.as_deref()).map(address).transpose()?;
        let keosd = keosd.map(|url| Keosd(self.observed(Node::connect(&url, Connection::default()))));
        let urls = match (self.url.is_empty(), network.urls.is_empty()) {
            (false, _) => self.url.clone(),
            (true, false) => network.urls,
            (true, true) => vec![DEFAULT_URL.to_owned()],
        };
        let urls = urls.iter().map(|url| address(url)).collect::<anyhow::Result<Vec<_>>>()?;
        let urls: Vec<_> = urls.iter().map(String::as_str).collect();
        Ok(Session {
            node: self.observed(Node::connect_all(&urls, connection)),
            keys: keosd.map_or_else(|| Keys::Files(Folder::of_user()), Keys::Keosd),
            contracts,
            layout: Layout::of_output(self.verbose, self.tree),
            account: network.account,
            payer: None,
            impersonate: self.impersonate,
            advice: Vec::new(),
        })
    }

    fn observed(&self, node: Node) -> Node {
        let all = self.http_verbose || self.http_trace;
        match (self.print_request || all, self.print_response || all) {
            (true, true) => node.observed(print_message),
            (true, false) => node.observed(|message, body| print_if(message, Message::Request, body)),
            (false, true) => node.observed(|message, body| print_if(message, Message::Response, body)),
            (false, false) => node,
        }
    }
}

/// Seconds with a fraction; a few days at most.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.001..=1e6).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "seconds are a number above 0".to_owned())
}

/// A URL that can be called; `host:port` is one too.
pub fn address(url: &str) -> anyhow::Result<String> {
    ensure!(!url.trim().is_empty(), "the URL is empty; one looks like http://127.0.0.1:8888");
    let Some((scheme, rest)) = url.split_once("://") else { return address(&format!("http://{url}")) };
    ensure!(
        ["http", "https", "unix"].contains(&scheme),
        "{url} begins with {scheme}://, which is not spoken here: http://, https:// and unix:// are"
    );
    ensure!(!rest.trim_matches('/').is_empty(), "{url} has no host; one looks like http://127.0.0.1:8888");
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    // The colons of an IPv6 address stand in brackets.
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    if let Some(port) = port.filter(|_| scheme != "unix") {
        ensure!(
            port.parse::<u16>().is_ok_and(|port| port > 0),
            "{url}: a port is a number from 1 to 65535, not {port}"
        );
    }
    Ok(url.to_owned())
}

impl Session {
    /// Calls the node.
    pub fn call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.node.call(path, body).map_err(ClientError::from)?)
    }

    /// An action with its arguments as JSON, packed by the contract's ABI.
    pub fn action(
        &mut self,
        account: Name,
        action: Name,
        authorization: Vec<PermissionLevel>,
        arguments: &Value,
    ) -> anyhow::Result<Action> {
        Ok(self.contracts.action(&self.node, account, action, authorization, arguments)?)
    }

    /// The node's answer for the row of a table under one key, asked for as cleos does.
    pub fn rows(&self, code: &str, scope: &str, table: &str, key: Name) -> anyhow::Result<Value> {
        let body = json!({
            "json": true,
            "code": code,
            "scope": scope,
            "table": table,
            "lower_bound": key.0.to_string(),
            "upper_bound": key.0.saturating_add(1).to_string(),
            "limit": 1,
        });
        self.call("/v1/chain/get_table_rows", &body)
    }

    /// The row of a table whose first field is `key`.
    pub fn row(&self, code: &str, scope: &str, table: &str, key: Name) -> anyhow::Result<Option<Value>> {
        let mut answer = self.rows(code, scope, table, key)?;
        let row = answer["rows"].as_array_mut().and_then(|rows| rows.first_mut()).map(Value::take);
        let is_it = |row: &Value| row.as_object().and_then(|fields| fields.values().next()) == Some(&json!(key));
        Ok(row.filter(is_it))
    }

    /// An asset of a token that `contract` keeps, with as many decimals as the token has: `1 SYS` is `1.0000 SYS`.
    pub fn token(&self, contract: Name, text: &str) -> anyhow::Result<Asset> {
        let given = arguments::asset(text)?;
        let code = given.symbol.code().to_string();
        let answer = self.call("/v1/chain/get_currency_stats", &json!({ "code": contract, "symbol": code }))?;
        let supply = answer[&code]["max_supply"].as_str();
        let supply: Asset = supply.and_then(|text| text.parse().ok()).with_context(|| {
            format!("Symbol {code} is not supported by token contract {contract}: it has no such token")
        })?;
        arguments::in_symbol(given, supply.symbol)
    }

    /// The asset of the chain's own token, as commands of the system contract take it.
    pub fn core_token(&self, text: &str) -> anyhow::Result<Asset> {
        self.token(name!("eosio.token"), text)
    }

    /// Calls the node and prints the answer.
    pub fn show(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        say(crate::json::pretty(&self.call(path, body)?))
    }
}

fn print_if(message: Message, wanted: Message, body: &str) {
    if message == wanted {
        print_message(message, body);
    }
}

/// A message between this program and the node, in the layout of cleos.
fn print_message(message: Message, body: &str) {
    const LINE: &str = "---------------------";
    let body = serde_json::from_str(body).map_or_else(|_| body.to_owned(), |value| crate::json::pretty(&value));
    note(format!("{}:\n{LINE}\n{body}\n{LINE}", format!("{message:?}").to_uppercase()));
}

/// Reads an ABI from a JSON or binary file.
pub fn read_abi(file: &str) -> anyhow::Result<AbiDefinition> {
    let bytes = std::fs::read(file).with_context(|| format!("{file} cannot be read"))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text).with_context(|| format!("{file} is not a valid ABI"))
        }
        _ => AbiDefinition::from_bytes(&bytes).map_err(|_| {
            anyhow::anyhow!("{file} is not a valid ABI: it is neither JSON, which begins with {{, nor packed bytes")
        }),
    }
}
