//! What must hold on a chain of the system contract at any time.

use std::collections::BTreeMap;

use primitives::Name;
use serde_json::Value;

use crate::world::{World, float, integer, units};

const RAM_MANAGED: i64 = 1;
const NET_MANAGED: i64 = 2;
const CPU_MANAGED: i64 = 4;
/// Sums of votes are kept by adding and subtracting: they err by the last bits of the largest that was in them.
const VOTES_ERR: f64 = 1e-9;

/// The rows of a table in all scopes.
fn all_rows(world: &mut World, code: &str, table: &str) -> Vec<(String, Value)> {
    let scopes = world.chain.scopes(code, table);
    let texts = scopes.into_iter().map(|scope| scope.to_string());
    texts
        .flat_map(|scope| world.chain.rows_json(code, &scope, table).into_iter().map(move |row| (scope.clone(), row)))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Checks every sum. `largest_vote` is the largest that any producer ever had.
pub fn check(world: &mut World, largest_vote: &mut f64) {
    let balances: BTreeMap<String, i64> = all_rows(world, "eosio.token", "accounts")
        .into_iter()
        .map(|(owner, row)| (owner, units(&row["balance"])))
        .collect();
    let held = |account: &str| balances.get(account).copied().unwrap_or(0);
    let supply = all_rows(world, "eosio.token", "stat").iter().map(|(_, row)| units(&row["supply"])).sum::<i64>();
    assert_eq!(balances.values().sum::<i64>(), supply, "tokens are conserved");
    assert!(balances.values().all(|amount| *amount >= 0));

    let voters = world.rows("voters");
    let given = stakes(world, &voters);
    let refunds: i64 = ["refunds", "refundparts"]
        .iter()
        .flat_map(|table| all_rows(world, "eosio", table))
        .map(|(_, row)| units(&row["net_amount"]) + units(&row["cpu_amount"]))
        .sum();
    assert_eq!(held("eosio.stake"), given + refunds, "what is staked or to be refunded is held");

    ram(world, held("eosio.ram"));
    votes(world, &voters, largest_vote);

    let global = world.global("global");
    assert_eq!(held("eosio.bpay"), integer(&global["perblock_bucket"]), "what is to be paid for blocks is held");
    assert_eq!(held("eosio.vpay"), integer(&global["pervote_bucket"]), "what is to be paid for votes is held");
    let unpaid: i64 = world.rows("producers").iter().map(|row| integer(&row["unpaid_blocks"])).sum();
    assert_eq!(integer(&global["total_unpaid_blocks"]), unpaid);
    let open: i64 = world.rows("namebids").iter().map(|row| integer(&row["high_bid"]).max(0)).sum();
    let outbid: i64 = all_rows(world, "eosio", "bidrefunds").iter().map(|(_, row)| units(&row["amount"])).sum();
    assert_eq!(held("eosio.names"), open + outbid, "bids are held until they win or are refunded");
    assert_eq!(held("eosio.ramfee"), 0, "fees are passed on");
}

/// Who gave what to whom, and what the chain lets everyone use. Returns the sum.
fn stakes(world: &mut World, voters: &[Value]) -> i64 {
    let (mut given, mut received) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, (i64, i64)>::new());
    for (from, row) in all_rows(world, "eosio", "delband") {
        let (net, cpu) = (units(&row["net_weight"]), units(&row["cpu_weight"]));
        assert!(net >= 0 && cpu >= 0 && net + cpu > 0, "no empty or negative stake: {row}");
        *given.entry(from).or_default() += net + cpu;
        let to = received.entry(text(&row["to"])).or_default();
        (to.0, to.1) = (to.0 + net, to.1 + cpu);
    }
    let managed: BTreeMap<String, i64> =
        voters.iter().map(|row| (text(&row["owner"]), integer(&row["flags1"]))).collect();
    for (owner, row) in all_rows(world, "eosio", "userres") {
        let has = (units(&row["net_weight"]), units(&row["cpu_weight"]));
        assert_eq!(has, received.remove(&owner).unwrap_or_default(), "{owner} has what was delegated to it");
        let ledger = world.chain.chain().ledger();
        let account = ledger.find_account(owner.parse::<Name>().expect("a name")).expect("an account with resources");
        let (limits, flags) = (ledger.account_limits(account), managed.get(&owner).copied().unwrap_or(0));
        let gift = limits.ram_bytes - integer(&row["ram_bytes"]);
        assert!(
            flags & RAM_MANAGED != 0 || world.gifts.contains(&gift) || owner == "eosio.null",
            "{owner} may use {} bytes of RAM more than it bought",
            gift
        );
        for (flag, limit, staked) in [(NET_MANAGED, limits.net_weight, has.0), (CPU_MANAGED, limits.cpu_weight, has.1)]
        {
            assert!(
                flags & flag != 0 || limit == staked || owner == "eosio.null",
                "{owner} may use {limit}, has {staked} ({flag})"
            );
        }
    }
    assert!(received.is_empty(), "nobody has stake without a row: {received:?}");
    for row in voters {
        let owner = text(&row["owner"]);
        assert_eq!(
            integer(&row["staked"]),
            given.get(&owner).copied().unwrap_or(0),
            "{owner} votes with what it staked"
        );
    }
    given.values().sum()
}

fn ram(world: &mut World, held: i64) {
    let global = world.global("global");
    let owned: i64 = all_rows(world, "eosio", "userres").iter().map(|(_, row)| integer(&row["ram_bytes"])).sum();
    assert_eq!(owned, integer(&global["total_ram_bytes_reserved"]), "RAM that is sold is owned");
    let market = world.rows("rammarket").remove(0);
    let for_sale: i64 = text(&market["base"]["balance"]).trim_end_matches(" RAM").parse().expect("bytes");
    assert_eq!(for_sale + owned, integer(&global["max_ram_size"]), "RAM is sold or for sale");
    assert_eq!(held, integer(&global["total_ram_stake"]), "what was paid for RAM is held");
}

fn votes(world: &mut World, voters: &[Value], largest: &mut f64) {
    let (mut totals, mut proxied) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, f64>::new());
    for row in voters {
        let weight = float(&row["last_vote_weight"]);
        for producer in row["producers"].as_array().expect("a list") {
            *totals.entry(text(producer)).or_default() += weight;
        }
        if row["proxy"] != "" {
            *proxied.entry(text(&row["proxy"])).or_default() += weight;
        }
    }
    let producers = world.rows("producers");
    let found = |row: &Value| float(&row["total_votes"]);
    *largest = producers.iter().map(found).fold(*largest, f64::max);
    let err = *largest * VOTES_ERR;
    for row in &producers {
        let sum = totals.remove(row["owner"].as_str().expect("a name")).unwrap_or(0.0);
        assert!((found(row) - sum).abs() <= err, "{row} should have {sum}");
    }
    assert!(totals.is_empty(), "nobody's vote is for one who is no producer: {totals:?}");
    let total = float(&world.global("global")["total_producer_vote_weight"]);
    let sum: f64 = producers.iter().map(found).sum();
    assert!((total - sum).abs() <= err * producers.len() as f64, "{total} is not the sum {sum}");
    for row in voters {
        let sum = proxied.get(row["owner"].as_str().expect("a name")).copied().unwrap_or(0.0);
        assert!((float(&row["proxied_vote_weight"]) - sum).abs() <= err, "{row} should cast {sum} for others");
    }
}
