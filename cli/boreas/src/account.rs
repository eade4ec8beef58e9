//! `boreas get account`, in the layout of cleos.

use anyhow::Context;
use clap::Args;
use primitives::{Asset, TimePoint};
use serde_json::{Value, json};

use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};

const INDENT: &str = "     ";
const FROM_SELF: &str = "(total stake delegated from account to self)";
const FROM_OTHERS: &str = "(total staked delegated to account from others)";

/// cleos takes the reference's refund delay for granted.
const REFUND_DELAY_US: i64 = 3 * 24 * 3600 * 1_000_000;
const PRODUCERS_A_LINE: usize = 3;

/// Flags of `get account`.
#[derive(Args)]
pub struct GetAccount {
    /// The account
    name: String,
    /// The symbol of the chain's own token
    core_symbol: Option<String>,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl GetAccount {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut body = json!({ "account_name": name(&self.name)? });
        if let Some(symbol) = self.core_symbol {
            let symbol: primitives::Symbol =
                symbol.parse().with_context(|| format!("{symbol:?} is not a symbol, which looks like 4,SYS"))?;
            body["expected_core_symbol"] = json!(symbol);
        }
        let account = session.call("/v1/chain/get_account", &body)?;
        say(if self.json { pretty(&account) } else { describe(&account) })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A number that may be a text, as nodeos prints large ones.
fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn describe(account: &Value) -> String {
    let mut out = format!("created: {}\n", text(account, "created"));
    if account["privileged"] == true {
        out += "privileged: true\n";
    }
    out += "permissions: \n";
    let permissions = list(account, "permissions");
    let order = tree(permissions, "", 0);
    for (permission, depth) in &order {
        out += &describe_permission(permission, *depth);
    }
    out += "\npermission links: \n";
    for (permission, _) in &order {
        out += &describe_links(text(permission, "perm_name"), list(permission, "linked_actions"), true);
    }
    out += &describe_links("eosio.any", list(account, "eosio_any_linked_actions"), false);
    out += &format!(
        "\nmemory: \n{INDENT}quota: {:>15}  used: {:>15}\n",
        bytes(number(&account["ram_quota"])),
        bytes(number(&account["ram_usage"]))
    );
    out += "\nnet bandwidth: \n";
    out += &describe_bandwidth("net", account, bytes);
    out += "\ncpu bandwidth:\n";
    out += &describe_bandwidth("cpu", account, duration);
    if let Some(used) = account["subjective_cpu_bill_limit"].get("used") {
        out += &format!("\nsubjective cpu bandwidth:\n{}", amount("used:", duration(number(used))));
    }
    out += &describe_refund(account);
    out += &describe_balance(account);
    out += &describe_rex(&account["rex_info"]);
    out += "\n";
    out + &describe_votes(&account["voter_info"])
}

/// The permissions below `parent`, depth first, siblings by name.
fn tree<'a>(permissions: &'a [Value], parent: &str, depth: usize) -> Vec<(&'a Value, usize)> {
    let mut children: Vec<_> = permissions.iter().filter(|each| text(each, "parent") == parent).collect();
    children.sort_by_key(|each| text(each, "perm_name"));
    let below = |child: &'a Value| match text(child, "perm_name") {
        "" => Vec::new(),
        name => tree(permissions, name, depth + 1),
    };
    children.into_iter().flat_map(|child| std::iter::once((child, depth)).chain(below(child))).collect()
}

fn describe_permission(permission: &Value, depth: usize) -> String {
    let auth = &permission["required_auth"];
    let keys = list(auth, "keys").iter().map(|key| format!("{} {}", key["weight"], text(key, "key")));
    let accounts = list(auth, "accounts").iter().map(|account| {
        let level = &account["permission"];
        format!("{} {}@{}", account["weight"], text(level, "actor"), text(level, "permission"))
    });
    let waits = list(auth, "waits").iter().map(|wait| format!("{} wait {} s", wait["weight"], wait["wait_sec"]));
    let factors: Vec<_> = keys.chain(accounts).chain(waits).collect();
    let (name, threshold) = (text(permission, "perm_name"), number(&auth["threshold"]));
    format!("{INDENT}{}{name} {threshold:>5}:    {}\n", "   ".repeat(depth), factors.join(", "))
}

fn describe_links(permission: &str, links: &[Value], only_if_any: bool) -> String {
    if links.is_empty() && only_if_any {
        return String::new();
    }
    let mut out = format!("{INDENT}{permission}:{}\n", if only_if_any { "" } else { " " });
    for link in links {
        out += &format!("{INDENT}{INDENT}{}::{}\n", text(link, "account"), link["action"].as_str().unwrap_or("*"));
    }
    out
}

fn describe_bandwidth(kind: &str, account: &Value, unit: fn(i64) -> String) -> String {
    let mut out = String::new();
    let weight = format!("{kind}_weight");
    let stake = |holder: &str| text(&account[holder], &weight).parse::<Asset>().ok();
    if let Some(total) = stake("total_resources") {
        let own = stake("self_delegated_bandwidth");
        if let Some(own) = own {
            out += &format!("{INDENT}staked:{:>20}           {FROM_SELF}\n", own.to_string());
        }
        let others = Asset { amount: total.amount - own.map_or(0, |own| own.amount), ..total };
        out += &format!("{INDENT}delegated:{:>17}           {FROM_OTHERS}\n", others.to_string());
    }
    let limit = &account[format!("{kind}_limit")];
    out += &match limit.get("current_used") {
        Some(used) => amount("used:", unit(number(used))),
        None => amount("used:", unit(number(&limit["used"])).as_str()).replace('\n', "    ( out of date )\n"),
    };
    out += &amount("available:", unit(number(&limit["available"])));
    out + &amount("limit:", unit(number(&limit["max"])))
}

/// A line of the columns that all amounts share.
fn amount(label: &str, text: impl std::fmt::Display) -> String {
    format!("{INDENT}{label:<11}{:>18}\n", text.to_string())
}

fn describe_refund(account: &Value) -> String {
    let refund = &account["refund_request"];
    let amounts = (text(refund, "net_amount").parse::<Asset>(), text(refund, "cpu_amount").parse::<Asset>());
    let (Ok(net), Ok(cpu)) = amounts else { return String::new() };
    let total = Asset { amount: net.amount.saturating_add(cpu.amount), ..net };
    if total.amount <= 0 {
        return String::new();
    }
    let requested = text(refund, "request_time");
    let mut out = format!("\nunstaking tokens:\n{INDENT}{:<25}{requested:>20}{}\n", "time of unstake request:", {
        let time = |text: &str| text.parse::<TimePoint>().ok().map(|time| time.0);
        match (time(requested), time(text(account, "head_block_time"))) {
            (Some(requested), Some(now)) if now >= requested + REFUND_DELAY_US => {
                " (available to claim now with 'eosio::refund' action)".to_owned()
            }
            (Some(requested), Some(now)) => {
                let left = duration(requested + REFUND_DELAY_US - now);
                format!(" (funds will be available in {})", left.trim_end())
            }
            _ => String::new(),
        }
    });
    for (label, asset) in [("from net bandwidth:", net), ("from cpu bandwidth:", cpu), ("total:", total)] {
        out += &format!("{INDENT}{label:<25}{:>18}\n", asset.to_string());
    }
    out
}

fn describe_rex(rex: &Value) -> String {
    let Ok(balance) = text(rex, "rex_balance").parse::<Asset>() else { return String::new() };
    let head = format!("\n{} balances: \n", balance.symbol.code());
    head + &amount("balance:", balance) + &amount("staked:", text(rex, "vote_stake"))
}

fn describe_balance(account: &Value) -> String {
    let Ok(liquid) = text(account, "core_liquid_balance").parse::<Asset>() else { return String::new() };
    let sum = |holder: &str, keys: [&str; 2]| {
        let amount = keys.iter().filter_map(|key| text(&account[holder], key).parse::<Asset>().ok());
        Asset { amount: amount.map(|asset| asset.amount).sum(), ..liquid }
    };
    let staked = sum("self_delegated_bandwidth", ["net_weight", "cpu_weight"]);
    let unstaking = sum("refund_request", ["net_amount", "cpu_amount"]);
    let total = Asset { amount: liquid.amount + staked.amount + unstaking.amount, ..liquid };
    let mut out = format!("\n{} balances: \n", liquid.symbol.code());
    for (label, asset) in [("liquid:", liquid), ("staked:", staked), ("unstaking:", unstaking), ("total:", total)] {
        out += &amount(label, asset);
    }
    out
}

fn describe_votes(voter: &Value) -> String {
    if !voter.is_object() {
        return String::new();
    }
    match text(voter, "proxy") {
        "" => {
            let producers: Vec<_> = list(voter, "producers").iter().filter_map(Value::as_str).collect();
            if producers.is_empty() {
                return format!("producers:{INDENT}<not voted>\n");
            }
            let line = |names: &[&str]| {
                let names: String = names.iter().map(|name| format!("{name:<16}")).collect();
                format!("\n{INDENT}{names}")
            };
            let lines: String = producers.chunks(PRODUCERS_A_LINE).map(line).collect();
            format!("producers:{lines}\n")
        }
        proxy => format!("proxy:{INDENT}{proxy}\n"),
    }
}

/// Four significant digits, as the stream of cleos prints them.
fn significant(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i32).max(0) };
    let text = format!("{value:.*}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn bytes(count: i64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    if count == -1 {
        return "unlimited".to_owned();
    }
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {:<5}", significant(value), UNITS[unit])
}

fn duration(microseconds: i64) -> String {
    if microseconds == -1 {
        return "unlimited".to_owned();
    }
    let micro = microseconds as f64;
    let units = [(3.6e9, "hr"), (6e7, "min"), (1e6, "sec"), (1e3, "ms")];
    let (size, unit) = units.into_iter().find(|(size, _)| micro > *size).unwrap_or((1.0, "us"));
    format!("{} {unit:<5}", significant(micro / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_for_people() {
        assert_eq!(bytes(3_429_519), "3.271 MiB  ");
        assert_eq!(bytes(-1), "unlimited");
        assert_eq!(duration(8_629), "8.629 ms   ");
        assert_eq!(duration(3_515_377), "3.515 sec  ");
        assert_eq!(duration(0), "0 us   ");
    }

    /// `alice.json` is an answer of nodeos 4.1, `alice.txt` what cleos prints of it.
    #[test]
    fn an_account_is_described_as_cleos_does() {
        let answer = serde_json::from_str(include_str!("account/alice.json")).expect("JSON");
        assert_eq!(describe(&answer) + "\n", include_str!("account/alice.txt"));
    }

    #[test]
    fn any_answer_is_described() {
        assert!(describe(&json!({})).starts_with("created: "));
        let cycle = json!({"permissions": [{"perm_name": "", "parent": ""}, {"perm_name": "a", "parent": "a"}]});
        assert!(describe(&cycle).contains("permissions"));
    }
}
