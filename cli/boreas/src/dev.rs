//! `boreas dev`: time and state of a development chain (`boreasd dev`). No other chain has them.

mod row;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use primitives::{Action, Asset, Authority, Compression, Name, PermissionLevel, TimePoint};
use serde_json::{Value, json};

use crate::arguments::{name, public_key};
use crate::json::pretty;
use crate::session::{Session, address, note, say};
use crate::transact::TransactArgs;

/// Seconds of a minute, an hour, a day, a week and a year.
const UNITS: [(char, f64); 6] =
    [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0), ('w', 604_800.0), ('y', 31_536_000.0)];

/// What is done with a development chain.
#[derive(Subcommand)]
pub enum Dev {
    /// Show the time of the chain, or move it: refunds, auctions, elections, rewards and decay follow
    Time {
        /// How far ahead, such as +90s, +3d or +1y6h; or until when, such as 2030-01-01 or 2030-01-01T12:00:00
        #[arg(allow_hyphen_values = true)]
        when: Option<String>,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Keep the state of the chain under a name
    Save {
        /// The name
        #[arg(default_value = "saved")]
        name: String,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Go back to a state that was saved; clients see another branch of the chain
    Restore {
        /// The name
        #[arg(default_value = "saved")]
        name: String,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// List the states that are saved
    States {
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Forget a saved state
    Forget {
        /// The name
        name: String,
    },
    /// Write the state and all blocks into a file, for boreas dev load or boreasd dev --load
    Dump {
        /// The file
        file: PathBuf,
    },
    /// Go to the state of a file that boreas dev dump wrote on the same chain
    Load {
        /// The file
        file: PathBuf,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Cut the chain back to an earlier block
    Rewind {
        /// Its number
        block: u32,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Replace the last blocks by others, as in a change of branches, with the transactions that do not refer to them
    Reorganise {
        /// How many
        #[arg(default_value_t = 1)]
        blocks: u32,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Change the state as no key allows it
    #[command(subcommand)]
    Set(Box<DevSet>),
    /// Copy contracts from a running chain: code, ABI and rows, in place of what they have here
    Fork {
        /// The URL of a node of that chain
        url: String,
        /// The contracts
        #[arg(required = true, value_delimiter = ',', value_name = "CONTRACT")]
        contracts: Vec<String>,
    },
    /// Make blocks at once, without waiting for their slots
    Produce {
        /// How many
        #[arg(default_value_t = 1)]
        blocks: u64,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
}

/// What of the state is changed. Each is an ordinary transaction that nobody signed, so the blocks can be replayed. For
/// everything else there is boreas --impersonate, with any command.
#[derive(Subcommand)]
pub enum DevSet {
    /// Give an account just this many tokens
    Balance {
        /// The account
        account: String,
        /// The tokens, such as "1.0000 SYS"
        amount: String,
        /// The contract that keeps the token
        #[arg(short, long, default_value = "eosio.token")]
        contract: String,
        #[command(flatten)]
        transact: TransactArgs,
    },
    /// Give an account RAM, net and CPU in place of what it bought and staked; -1 is without limit
    Resources {
        /// The account
        account: String,
        /// Bytes of RAM
        #[arg(long, allow_hyphen_values = true)]
        ram: Option<String>,
        /// Weight of net
        #[arg(long, allow_hyphen_values = true)]
        net: Option<String>,
        /// Weight of CPU
        #[arg(long, allow_hyphen_values = true)]
        cpu: Option<String>,
        #[command(flatten)]
        transact: TransactArgs,
    },
    /// Give an account a key, as owner and active
    Key {
        /// The account
        account: String,
        /// The public key
        key: String,
        #[command(flatten)]
        transact: TransactArgs,
    },
    /// Give an account the code and the ABI of a folder
    Code(crate::set::SetContract),
    /// Write or remove a row of a contract's table
    Row(row::SetRow),
}

impl DevSet {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        session.impersonate = true;
        match self {
            Self::Balance { account, amount, contract, transact } => {
                let actions = balance(session, name(&account)?, name(&contract)?, &amount)?;
                if actions.is_empty() {
                    return say(format!("{account} has {amount}"));
                }
                transact.send(session, actions, Compression::None)
            }
            Self::Resources { account, ram, net, cpu, transact } => {
                let account = name(&account)?;
                ensure!(ram.is_some() || net.is_some() || cpu.is_some(), "give at least one of --ram, --net and --cpu");
                let changes = [
                    ("setacctram", "ram_bytes", ram),
                    ("setacctnet", "net_weight", net),
                    ("setacctcpu", "cpu_weight", cpu),
                ];
                let mut actions = Vec::new();
                for (action, field, value) in changes {
                    if let Some(text) = value {
                        let value: i64 = text.parse().ok().with_context(|| format!("{text} is not a valid number"))?;
                        let arguments = json!({ "account": account, field: value });
                        actions.push(session.action(EOSIO, name(action)?, active(EOSIO), &arguments)?);
                    }
                }
                transact.send(session, actions, Compression::None)
            }
            Self::Key { account, key, transact } => {
                let (account, key) = (name(&account)?, public_key(&key, "the key")?);
                let auth = Authority::of_key(key);
                let mut actions = Vec::new();
                for (permission, parent) in [("active", "owner"), ("owner", "")] {
                    let arguments =
                        json!({ "account": account, "permission": permission, "parent": parent, "auth": auth });
                    let owner = vec![PermissionLevel { actor: account, permission: primitives::name!("owner") }];
                    actions.push(session.action(EOSIO, primitives::name!("updateauth"), owner, &arguments)?);
                }
                transact.send(session, actions, Compression::None)
            }
            Self::Code(command) => command.run(session),
            Self::Row(command) => command.run(session),
        }
    }
}

const EOSIO: Name = primitives::name!("eosio");

fn active(actor: Name) -> Vec<PermissionLevel> {
    vec![PermissionLevel { actor, permission: primitives::name!("active") }]
}

/// What gives an account just so many tokens: the issuer issues what is missing, or retires what is too much.
fn balance(session: &mut Session, account: Name, contract: Name, amount: &str) -> anyhow::Result<Vec<Action>> {
    let wanted = session.token(contract, amount)?;
    ensure!(wanted.amount >= 0, "a balance is not less than nothing");
    let symbol = wanted.symbol.code().to_string();
    let stats = session.call("/v1/chain/get_currency_stats", &json!({ "code": contract, "symbol": symbol }))?;
    let issuer = name(stats[&symbol]["issuer"].as_str().context("the token has no issuer")?)?;
    let body = json!({ "code": contract, "account": account, "symbol": symbol });
    let held = session.call("/v1/chain/get_currency_balance", &body)?;
    let held = held[0].as_str().map(str::parse::<Asset>).transpose()?.map_or(0, |asset| asset.amount);
    let quantity = Asset { amount: (wanted.amount - held).abs(), symbol: wanted.symbol };
    if quantity.amount == 0 {
        return Ok(Vec::new());
    }
    let memo = "boreas dev set balance";
    let mut steps: Vec<(&str, Name, Value)> = Vec::new();
    if wanted.amount > held {
        steps.push(("issue", issuer, json!({ "to": issuer, "quantity": quantity, "memo": memo })));
        if account != issuer {
            let give = json!({ "from": issuer, "to": account, "quantity": quantity, "memo": memo });
            steps.push(("transfer", issuer, give));
        }
    } else {
        if account != issuer {
            let take = json!({ "from": account, "to": issuer, "quantity": quantity, "memo": memo });
            steps.push(("transfer", account, take));
        }
        steps.push(("retire", issuer, json!({ "quantity": quantity, "memo": memo })));
    }
    steps
        .into_iter()
        .map(|(action, actor, arguments)| session.action(contract, name(action)?, active(actor), &arguments))
        .collect()
}

/// The name that a file's state has in the node's folder: unlike that of others that are under way.
fn state_name(file: &Path) -> anyhow::Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    ensure!(!stem.is_empty(), "{} is not a file's name", file.display());
    let name: String = stem.chars().map(plain).take(STATE_NAME_CHARS).collect();
    Ok(format!("{name}-{}", std::process::id()))
}

/// Has the state written in the node's folder, and takes the file from there.
fn dump(session: &Session, file: &Path) -> anyhow::Result<()> {
    let answer = call(session, "dump", &json!({ "name": state_name(file)? }))?;
    let written = answer["file"].as_str().context("the node does not say where the state is")?;
    let copied = std::fs::copy(written, file);
    // The copy is what was asked for; without it, nobody would look for this one.
    let _ = std::fs::remove_file(written);
    copied.with_context(|| format!("{} cannot be written", file.display()))?;
    let id = answer["head_block_id"].as_str().unwrap_or_default();
    say(format!("{}: {} bytes, block {id}", file.display(), answer["bytes"]))
}

/// Puts a file where the node reads states, and has it loaded.
fn load(session: &Session, file: &Path) -> anyhow::Result<Value> {
    let folder = call(session, "get_states", &Value::Null)?;
    let folder = folder["folder"].as_str().context("the node does not say where it reads states")?.to_owned();
    let name = state_name(file)?;
    let there = Path::new(&folder).join(format!("{name}.state"));
    std::fs::create_dir_all(&folder).with_context(|| format!("{folder} cannot be made"))?;
    let copied = std::fs::copy(file, &there);
    if copied.is_err() {
        let _ = std::fs::remove_file(&there);
    }
    copied.with_context(|| format!("{} cannot be taken to {folder}", file.display()))?;
    let answer = call(session, "load", &json!({ "name": name }));
    // Whatever became of it.
    let _ = std::fs::remove_file(&there);
    answer
}

/// Characters of a state's name that are taken from a file's.
const STATE_NAME_CHARS: usize = 40;

impl Dev {
    /// Carries it out.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Time { when: None, json } => show_time(&call(session, "get_time", &Value::Null)?, json),
            Self::Time { when: Some(when), json } => show_time(&call(session, "move_time", &journey(&when)?)?, json),
            Self::Save { name, json } => {
                let state = call(session, "save", &json!({ "name": name }))?;
                if json {
                    return say(pretty(&state));
                }
                say(format!(
                    "saved block {} as {name}; boreas dev restore {name} goes back to it",
                    state["head_block_num"]
                ))
            }
            Self::Restore { name, json } => show_time(&call(session, "restore", &json!({ "name": name }))?, json),
            Self::States { json } => {
                let states = call(session, "get_states", &Value::Null)?;
                if json {
                    return say(pretty(&states));
                }
                for state in states["states"].as_array().into_iter().flatten() {
                    let text = |field: &str| state[field].as_str().unwrap_or_default().to_owned();
                    say(format!("{}: block {} at {}", text("name"), state["head_block_num"], text("time")))?;
                }
                Ok(())
            }
            Self::Forget { name } => call(session, "forget", &json!({ "name": name })).map(drop),
            Self::Dump { file } => dump(session, &file),
            Self::Load { file, json } => show_time(&load(session, &file)?, json),
            Self::Rewind { block, json } => show_time(&call(session, "rewind", &json!({ "block": block }))?, json),
            Self::Reorganise { blocks, json } => reorganise(session, blocks.into(), json),
            Self::Set(command) => command.run(session),
            Self::Fork { url, contracts } => fork(session, &url, &contracts),
            Self::Produce { blocks, json } => show_time(&call(session, "produce", &json!({ "blocks": blocks }))?, json),
        }
    }
}

/// Blocks that are looked through for transactions which a reorganisation loses.
const LOOKED_THROUGH_MAX: u64 = 1_000;

/// Replaces the last blocks, and says which of their transactions the others cannot have.
fn reorganise(session: &Session, blocks: u64, json: bool) -> anyhow::Result<()> {
    let head = call(session, "get_time", &Value::Null)?["head_block_num"].as_u64().unwrap_or_default();
    let first = head.saturating_sub(blocks.min(LOOKED_THROUGH_MAX)) + 1;
    let before = transactions(session, first, head)?;
    let answer = call(session, "reorganise", &json!({ "blocks": blocks }))?;
    show_time(&answer, json)?;
    let after = transactions(session, first, answer["head_block_num"].as_u64().unwrap_or_default())?;
    for lost in before.difference(&after) {
        note(format!("transaction {lost} is in no block any more: it refers to one that was replaced, or fails now"));
    }
    Ok(())
}

/// The transactions of some blocks.
fn transactions(session: &Session, first: u64, last: u64) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for number in first..=last {
        let block = session.call("/v1/chain/get_block", &json!({ "block_num_or_id": number }))?;
        let listed = block["transactions"].as_array().into_iter().flatten().map(|listed| &listed["trx"]);
        // Of a scheduled one there is nothing but the id.
        found.extend(listed.filter_map(|trx| trx["id"].as_str().or(trx.as_str()).map(str::to_owned)));
    }
    Ok(found)
}

/// Copies contracts here, one after the other.
fn fork(session: &Session, url: &str, contracts: &[String]) -> anyhow::Result<()> {
    let source = client::fork::source(&address(url)?);
    for contract in contracts.iter().map(|text| name(text)).collect::<anyhow::Result<Vec<_>>>()? {
        let forked = client::fork::fork(&source, &session.node, contract, &mut |line| note(line));
        let forked = forked.with_context(|| format!("{contract} is not copied"))?;
        forked.lines(contract).into_iter().try_for_each(say)?;
    }
    Ok(())
}

/// Calls the node; says what is missing where it does not serve a development chain.
fn call(session: &Session, name: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = session.call(&format!("/v1/dev/{name}"), body);
    answer.map_err(|error| match error.to_string() {
        text if text.contains("Unknown Endpoint") => {
            anyhow::anyhow!("this node does not run a development chain. One is begun with: boreasd dev")
        }
        _ => error,
    })
}

/// What a time on the command line asks of the node.
fn journey(when: &str) -> anyhow::Result<Value> {
    if let Some(ahead) = when.strip_prefix('+') {
        return Ok(json!({ "seconds": seconds(ahead)? }));
    }
    ensure!(!when.starts_with('-'), "time goes ahead only; boreas dev restore goes back to a saved state");
    let is_day = when.len() == 10 && when.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let until = if is_day { format!("{when}T00:00:00") } else { when.trim_end_matches('Z').to_owned() };
    if until.parse::<TimePoint>().is_err() {
        let meant = seconds(when).map_or_else(|_| String::new(), |_| format!("; is +{when} meant?"));
        bail!("{when} is not a valid time, which looks like 2030-01-01, 2030-01-01T12:00:00 or +3d{meant}");
    }
    Ok(json!({ "until": until }))
}

/// The seconds of a duration such as `90`, `3d` or `1y6h`.
fn seconds(text: &str) -> anyhow::Result<f64> {
    let wrong = || format!("+{text} is not a valid duration; one looks like +90s, +3d or +1y6h (s, m, h, d, w, y)");
    let (mut total, mut number) = (0.0, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() || letter == '.' {
            number.push(letter);
            continue;
        }
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == letter).with_context(wrong)?;
        total += std::mem::take(&mut number).parse::<f64>().ok().with_context(wrong)? * unit;
    }
    if !number.is_empty() {
        total += number.parse::<f64>().ok().with_context(wrong)?;
    }
    if total <= 0.0 {
        bail!(wrong());
    }
    Ok(total)
}

fn show_time(answer: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return say(pretty(answer));
    }
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let made = match answer["blocks"].as_u64() {
        None => String::new(),
        Some(1) => ", 1 block made".to_owned(),
        Some(blocks) => format!(", {blocks} blocks made"),
    };
    let (head, irreversible) = (&answer["head_block_num"], &answer["last_irreversible_block_num"]);
    say(format!("it is {} on the chain{made}; head {head}, irreversible {irreversible}", text("time")))?;
    let missing: Vec<_> =
        answer["missing_producers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !missing.is_empty() {
        note(format!(
            "the turns of {} were left out: this node has no key of theirs. Add it with boreas producer key add",
            missing.join(", ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_dates_are_read() {
        assert_eq!(seconds("90").ok(), Some(90.0));
        assert_eq!(seconds("3d").ok(), Some(259_200.0));
        assert_eq!(seconds("1y6h").ok(), Some(31_557_600.0));
        assert_eq!(seconds("0.5s").ok(), Some(0.5));
        for wrong in ["", "d", "3q", "0s", "1.2.3s", "-3d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(journey("2030-01-01").ok(), Some(json!({ "until": "2030-01-01T00:00:00" })));
        assert_eq!(journey("2030-01-01T12:00:00Z").ok(), Some(json!({ "until": "2030-01-01T12:00:00" })));
        assert!(journey("-3d").is_err());
        let refused = |when: &str| journey(when).expect_err("not a time").to_string();
        assert!(refused("90s").ends_with("; is +90s meant?") && refused("2030-13-01").ends_with(" or +3d"));
    }
}
