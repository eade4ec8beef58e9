//! `boreas contract deploy`: an account with RAM, stake and `eosio.code`, the contract on it, and what that cost.
//!
//! Where the account exists, all of it is one transaction; a new account is made by one of its own, since nobody can act
//! for an account that is not there yet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use client::{ApiError, Draft, Receipt, Route, SendSettings};
use primitives::{
    Action, Asset, Authority, Compression, Name, Pack as _, PermissionLevel, PermissionLevelWeight, name,
};
use serde_json::{Value, json};

use crate::arguments::{self, authority};
use crate::create::newaccount;
use crate::permission::{ACTIVE, CODE, Permission, update, with};
use crate::receipt::FailedTransaction;
use crate::session::{Session, read_abi, say};
use crate::set::{has_abi, has_code, nothing_there, read_code, set_abi, set_code};

const EOSIO: Name = name!("eosio");
/// What the chain bills for a byte of code (`setcode_ram_bytes_multiplier`).
const RAM_PER_CODE_BYTE: i64 = 10;
/// RAM that an account takes by itself, with room for the `eosio.code` of its permission.
const ACCOUNT_RAM_BYTES: i64 = 4096;
/// RAM that is left for the contract's rows, when nothing else is asked for.
const ROWS_RAM_BYTES: i64 = 16 * 1024;
/// Whole tokens that a new account gets staked for net and CPU each, when nothing else is asked for.
const NEW_STAKE: i64 = 10;
const BYTES_PER_KIB: i64 = 1024;

/// Flags of `contract deploy`.
#[derive(Args)]
pub struct Deploy {
    /// The contract's account, or ACCOUNT@PERMISSION
    account: String,
    /// A project that is built, or a folder with NAME.wasm and NAME.abi
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Create the account if it is not there, with this public key (or authority)
    #[arg(long, value_name = "KEY", requires = "payer")]
    create: Option<String>,
    /// Who creates the account and pays for RAM and stake, ACCOUNT or ACCOUNT@PERMISSION [default: the account itself]
    #[arg(long, value_name = "ACCOUNT")]
    payer: Option<String>,
    /// RAM to buy, in KiB [default: what code and ABI lack, and 16 KiB for rows]
    #[arg(long, value_name = "KIB")]
    buy_ram_kbytes: Option<u32>,
    /// Tokens to stake for net [default: 10 for a new account]
    #[arg(long, value_name = "AMOUNT")]
    stake_net: Option<String>,
    /// Tokens to stake for CPU [default: 10 for a new account]
    #[arg(long, value_name = "AMOUNT")]
    stake_cpu: Option<String>,
    /// Do not let the contract act for its account (eosio.code): it can send no inline actions of its own then
    #[arg(long)]
    no_code_permission: bool,
    /// Say what would be done and what it would cost, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// A contract that was built.
struct Built {
    name: String,
    code: Vec<u8>,
    abi: Vec<u8>,
}

/// What is to be sent: the transactions in order, and a line for each thing that they do.
#[derive(Default)]
struct Plan {
    /// Makes the account.
    first: Vec<Action>,
    /// The rest.
    second: Vec<Action>,
    lines: Vec<String>,
}

/// What was sent or would be.
#[derive(Default)]
struct Cost {
    paid: Vec<(String, Asset)>,
    transactions: Vec<String>,
}

impl Deploy {
    /// Does it, or says what it would do.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let built = Built::read(&self.folder)?;
        let target = arguments::permission(&self.account)?;
        let payer = self.payer.as_deref().map_or(Ok(target), arguments::permission)?;
        let found = find(session, target.actor)?;
        let plan = self.plan(session, &built, target, payer, found.as_ref())?;
        if plan.lines.is_empty() {
            return say(format!("{}: {} is there as it is built: nothing to do", target.actor, built.name));
        }
        let cost = self.carry_out(session, &plan, payer.actor)?;
        let (code, abi) = (built.code.len(), built.abi.len());
        let would = if self.dry_run { "would be deployed" } else { "is deployed" };
        say(format!("{} ({code} bytes of code, {abi} of ABI) {would} on {}", built.name, target.actor))?;
        for line in &plan.lines {
            say(format!("  {line}"))?;
        }
        say(cost.told(payer.actor))?;
        if self.dry_run {
            return say("nothing was done: --dry-run");
        }
        cost.transactions.iter().try_for_each(say)?;
        say(ram_of(session, target.actor)?)
    }

    fn plan(
        &self,
        session: &mut Session,
        built: &Built,
        target: PermissionLevel,
        payer: PermissionLevel,
        found: Option<&Value>,
    ) -> anyhow::Result<Plan> {
        let (account, by_target, by_payer) = (target.actor, vec![target], vec![payer]);
        let mut plan = Plan::default();
        match (found, &self.create) {
            (Some(_), _) => {}
            (None, Some(key)) => {
                let owner = authority(key, "--create")?;
                let active = if self.no_code_permission { owner.clone() } else { with_code(owner.clone(), account)? };
                plan.first.push(newaccount(payer.actor, account, &owner, &active, by_payer.clone()));
                plan.lines.push(format!("account {account} created by {}, with {key}", payer.actor));
            }
            (None, None) => bail!("{account} does not exist: --create KEY --payer ACCOUNT creates it"),
        }
        let resources = self.resources(session, built, account, payer, found, &mut plan.lines)?;
        let new_code = found.is_none() || !has_code(session, account, &built.code)?;
        let new_abi = found.is_none() || !has_abi(session, account, &built.abi)?;
        match found {
            None => plan.first.extend(resources),
            Some(_) => plan.second.extend(resources),
        }
        if !self.no_code_permission {
            match found {
                None => plan.lines.push(format!("{CODE} is in {account}@{ACTIVE}")),
                Some(_) => plan.second.extend(allow_code(session, account, &by_target, &mut plan.lines)?),
            }
        }
        if new_code {
            plan.second.push(set_code(account, &built.code, &by_target));
            plan.lines.push("code set".to_owned());
        }
        if new_abi {
            plan.second.push(set_abi(account, &built.abi, &by_target));
            plan.lines.push("ABI set".to_owned());
        }
        Ok(plan)
    }

    /// The actions that buy RAM and stake, with a line for each.
    fn resources(
        &self,
        session: &mut Session,
        built: &Built,
        account: Name,
        payer: PermissionLevel,
        found: Option<&Value>,
        lines: &mut Vec<String>,
    ) -> anyhow::Result<Vec<Action>> {
        let mut actions = Vec::new();
        let asked = self.buy_ram_kbytes.is_some() || self.stake_net.is_some() || self.stake_cpu.is_some();
        let has_market = session.contracts.fields(&session.node, EOSIO, name!("buyrambytes")).is_ok();
        ensure!(has_market || !asked, "this chain has no system contract: neither RAM nor stake can be bought");
        if !has_market {
            return Ok(actions);
        }
        let bytes = match self.buy_ram_kbytes {
            Some(kib) => i64::from(kib) * BYTES_PER_KIB,
            None => missing_ram(session, built, account, found)?,
        };
        if bytes > 0 {
            let arguments = json!({ "payer": payer.actor, "receiver": account, "bytes": bytes });
            actions.push(session.action(EOSIO, name!("buyrambytes"), vec![payer], &arguments)?);
            lines.push(format!("{bytes} bytes of RAM bought"));
        }
        let default = if found.is_none() { default_stake(session, payer.actor)? } else { None };
        let stake = |given: &Option<String>| match given {
            Some(text) => session.core_token(text).map(Some),
            None => Ok(default),
        };
        let (net, cpu) = (stake(&self.stake_net)?, stake(&self.stake_cpu)?);
        if let Some(any) = net.or(cpu) {
            let nothing = Asset { amount: 0, ..any };
            let (net, cpu) = (net.unwrap_or(nothing), cpu.unwrap_or(nothing));
            let arguments = json!({
                "from": payer.actor, "receiver": account,
                "stake_net_quantity": net, "stake_cpu_quantity": cpu, "transfer": false,
            });
            actions.push(session.action(EOSIO, name!("delegatebw"), vec![payer], &arguments)?);
            lines.push(format!("{net} staked for net, {cpu} for CPU"));
        }
        Ok(actions)
    }

    fn carry_out(&self, session: &mut Session, plan: &Plan, payer: Name) -> anyhow::Result<Cost> {
        let mut cost = Cost::default();
        let route = match (self.dry_run, session.impersonate) {
            (true, _) => Route::DryRun,
            (false, true) => Route::Impersonate,
            (false, false) => Route::Send2,
        };
        let sign = route == Route::Send2;
        let settings = SendSettings { compression: Compression::Zlib, sign, route, ..SendSettings::default() };
        for actions in [&plan.first, &plan.second] {
            // What the new account does can only be computed once it is there.
            let unknown = self.dry_run && !plan.first.is_empty() && std::ptr::eq(actions, &plan.second);
            if actions.is_empty() || unknown {
                continue;
            }
            let draft = Draft { actions: actions.clone(), ..Draft::default() };
            let signed = draft.sign(&session.node, &session.keys, &settings)?;
            let answer = Receipt::of(&session.node, &signed, &settings)?.0;
            let processed = &answer["processed"];
            if let Some(failed) = FailedTransaction::of(processed) {
                return Err(failed.into());
            }
            cost.add(processed, payer);
        }
        Ok(cost)
    }
}

impl Built {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("{} is not there", folder.display()))?;
        let folder = if folder.join("Cargo.toml").is_file() { built_in(&folder)? } else { folder };
        ensure!(folder.is_dir(), "{} is not a folder with .wasm and .abi", folder.display());
        let name = folder.file_name().context("the contract's folder has no name")?.to_string_lossy().into_owned();
        let file = |extension: &str| {
            let path = folder.join(format!("{name}.{extension}"));
            ensure!(path.is_file(), "{}", nothing_there(&path, &folder, extension));
            Ok(path)
        };
        let (code, abi) = (read_code(&file("wasm")?)?, read_abi(&file("abi")?.to_string_lossy())?.to_bytes());
        Ok(Self { name, code, abi })
    }
}

/// The folder that a project's contract was built into.
fn built_in(project: &Path) -> anyhow::Result<PathBuf> {
    let shown = project.display();
    let entries = std::fs::read_dir(project.join("dist")).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    match (folders.pop(), folders.pop()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => bail!("{shown}/dist has several contracts: name the folder of one"),
        _ => bail!("{shown} is not built: boreas contract build {shown}"),
    }
}

/// What the node tells of an account, if there is one.
fn find(session: &Session, account: Name) -> anyhow::Result<Option<Value>> {
    match session.node.call("/v1/chain/get_account", &json!({ "account_name": account })) {
        Ok(found) => Ok(Some(found)),
        Err(ApiError::Fault(fault)) if fault.status != NOT_SERVED => Ok(None),
        Err(error) => Err(client::ClientError::from(error).into()),
    }
}

/// The status of a path that a node does not serve.
const NOT_SERVED: u16 = 404;

/// Bytes of RAM that an account lacks for the contract and the rows that it will have; 0 without limit.
fn missing_ram(session: &Session, built: &Built, account: Name, found: Option<&Value>) -> anyhow::Result<i64> {
    let length = |bytes: &[u8]| i64::try_from(bytes.len()).context("a contract is smaller");
    let wanted = length(&built.code)? * RAM_PER_CODE_BYTE + length(&built.abi)?;
    let Some(found) = found else { return Ok(wanted + ACCOUNT_RAM_BYTES + ROWS_RAM_BYTES) };
    let (quota, used) = (number(&found["ram_quota"]), number(&found["ram_usage"]));
    if quota < 0 {
        return Ok(0);
    }
    let now = session.call("/v1/chain/get_raw_code_and_abi", &json!({ "account_name": account }))?;
    let bytes = |field: &str| now[field].as_str().map_or(0, base64_bytes);
    let has = bytes("wasm") * RAM_PER_CODE_BYTE + bytes("abi");
    let needed = wanted - has;
    let missing = used + needed - quota;
    // Rows have the room that they have, unless something is to be bought anyway.
    Ok(if missing > 0 { missing + ROWS_RAM_BYTES } else { 0 })
}

/// Bytes that a text of base64 stands for.
fn base64_bytes(text: &str) -> i64 {
    let digits = text.trim_end_matches('=').len();
    i64::try_from(digits * 3 / 4).unwrap_or(i64::MAX)
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// What a new account gets staked, in the token that its payer has; nothing where it has none.
fn default_stake(session: &Session, payer: Name) -> anyhow::Result<Option<Asset>> {
    let told = session.call("/v1/chain/get_account", &json!({ "account_name": payer }))?;
    let balance = told["core_liquid_balance"].as_str().and_then(|text| text.parse::<Asset>().ok());
    Ok(balance.map(|balance| {
        let unit = 10i64.saturating_pow(balance.symbol.precision().into());
        Asset { amount: NEW_STAKE.saturating_mul(unit), ..balance }
    }))
}

fn with_code(owner: Authority, account: Name) -> anyhow::Result<Authority> {
    with(Some(owner), PermissionLevel { actor: account, permission: CODE })
}

/// Adds `eosio.code` to the active permission, where it is not there with enough weight.
fn allow_code(
    session: &Session,
    account: Name,
    by: &[PermissionLevel],
    lines: &mut Vec<String>,
) -> anyhow::Result<Option<Action>> {
    let now = Permission::of(session, account, ACTIVE)?.with_context(|| format!("{account} has no {ACTIVE}"))?;
    let code = PermissionLevel { actor: account, permission: CODE };
    let threshold = now.required_auth.threshold;
    let is_enough = |known: &PermissionLevelWeight| known.permission == code && u32::from(known.weight) >= threshold;
    if now.required_auth.accounts.iter().any(is_enough) {
        return Ok(None);
    }
    lines.push(format!("{CODE} added to {account}@{ACTIVE}"));
    let parent = now.parent;
    Ok(Some(update(account, ACTIVE, parent, &with(Some(now.required_auth), code)?, by.to_vec())))
}

impl Cost {
    /// Adds what the trace of a transaction tells.
    fn add(&mut self, processed: &Value, payer: Name) {
        self.add_payments(&processed["action_traces"], payer);
        let receipt = &processed["receipt"];
        let (cpu_us, words) = (number(&receipt["cpu_usage_us"]), number(&receipt["net_usage_words"]));
        let id = processed["id"].as_str().unwrap_or_default();
        self.transactions.push(format!("transaction {id}: {cpu_us} us of CPU, {} bytes of net", words * 8));
    }

    fn add_payments(&mut self, traces: &Value, payer: Name) {
        for trace in traces.as_array().into_iter().flatten() {
            let (act, data) = (&trace["act"], &trace["act"]["data"]);
            let is_transfer = act["name"] == "transfer" && act["account"] == "eosio.token";
            // Not what the two parties are told.
            let is_itself = trace["receiver"] == act["account"];
            let amount = data["quantity"].as_str().and_then(|text| text.parse().ok());
            if let (true, true, Some(amount), true) = (is_transfer, is_itself, amount, data["from"] == json!(payer)) {
                self.paid.push((data["to"].as_str().unwrap_or_default().to_owned(), amount));
            }
            self.add_payments(&trace["inline_traces"], payer);
        }
    }

    /// The whole cost in a line.
    fn told(&self, payer: Name) -> String {
        let Some((_, any)) = self.paid.first() else { return format!("{payer} pays nothing but CPU and net") };
        let sum = |is_stake: Option<bool>| {
            let parts =
                self.paid.iter().filter(|(to, _)| is_stake.is_none_or(|wanted| (to == "eosio.stake") == wanted));
            Asset { amount: parts.map(|(_, paid)| paid.amount).sum(), ..*any }
        };
        let mut line = format!("{payer} pays {}", sum(None));
        let _ = write!(line, ": {} for RAM, {} as stake", sum(Some(false)), sum(Some(true)));
        line
    }
}

/// How much RAM an account uses and has.
fn ram_of(session: &Session, account: Name) -> anyhow::Result<String> {
    let told = session.call("/v1/chain/get_account", &json!({ "account_name": account }))?;
    let (quota, used) = (number(&told["ram_quota"]), number(&told["ram_usage"]));
    let limit = if quota < 0 { "without limit".to_owned() } else { format!("of {quota}") };
    Ok(format!("{account} uses {used} bytes of RAM {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_are_found_wherever_they_are() {
        let transfer = |from: &str, to: &str, quantity: &str, receiver: &str| {
            json!({
                "receiver": receiver,
                "act": { "account": "eosio.token", "name": "transfer",
                    "data": { "from": from, "to": to, "quantity": quantity, "memo": "" } },
            })
        };
        let paid = transfer("alice", "eosio.ram", "2.0000 SYS", "eosio.token");
        let told = transfer("alice", "eosio.ram", "2.0000 SYS", "alice");
        let staked = transfer("alice", "eosio.stake", "3.0000 SYS", "eosio.token");
        let other = transfer("bob", "eosio.stake", "5.0000 SYS", "eosio.token");
        let processed = json!({
            "id": "00", "receipt": { "cpu_usage_us": 100, "net_usage_words": 2 },
            "action_traces": [{ "act": {}, "inline_traces": [paid, told] }, staked, other],
        });
        let mut cost = Cost::default();
        cost.add(&processed, name!("alice"));
        assert_eq!(cost.told(name!("alice")), "alice pays 5.0000 SYS: 2.0000 SYS for RAM, 3.0000 SYS as stake");
        assert_eq!(cost.transactions, ["transaction 00: 100 us of CPU, 16 bytes of net"]);
        assert_eq!(Cost::default().told(name!("bob")), "bob pays nothing but CPU and net");
    }

    #[test]
    fn base64_is_measured() {
        for (text, bytes) in [("", 0), ("QQ==", 1), ("QUI=", 2), ("QUJD", 3), ("QUJDRA", 4)] {
            assert_eq!(base64_bytes(text), bytes, "{text}");
        }
    }
}
