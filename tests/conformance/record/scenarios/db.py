"""The six table kinds: rows, iterators, payers, limits; by hand and at random."""

import struct

import world
from probe import AT, END, call, let, peek, poke, r, row, run, sections, unless, when
from wire import action, n, u64, u128
from world import World, setcode, wasm

SECONDARY = {"idx64": 8, "idx128": 16, "idx256": 32, "idx_double": 8, "idx_long_double": 16}
S, T = n("scope"), n("table")
MISSING = n("nobody")


def key_bytes(kind, value):
    """An integer as a secondary key of the kind, keeping the order for doubles."""
    if kind == "idx_double":
        return struct.pack("<d", float(value))
    if kind == "idx_long_double":
        if value == 0:
            return bytes(16)
        sign, value = (1 << 127 if value < 0 else 0), abs(value)
        exponent = value.bit_length() - 1
        return (sign | exponent + 16383 << 112 | (value << 112 - exponent) & (1 << 112) - 1).to_bytes(16, "little")
    if kind == "idx256":
        return u128(value >> 128) + u128(value)
    return (value & (1 << 8 * SECONDARY[kind]) - 1).to_bytes(SECONDARY[kind], "little")


def record_db(folder):
    chain = World("db", "tables of all kinds, iterators, payers; without features")
    play(chain, "probe0")
    chain.finish(folder)


def record_db_all(folder):
    chain = World("db_all", "tables of all kinds, iterators, payers; with every feature")
    chain.everything()
    play(chain, "probe2")
    chain.finish(folder)


def play(chain, probe):
    chain.accounts("one", "two", "three", "payer")
    chain.good(setcode("one", wasm(probe)))
    chain.good(setcode("two", wasm(probe)))
    chain.block()
    primary(chain)
    chain.block()
    for kind in SECONDARY:
        secondary(chain, kind)
        chain.block()
    payers(chain)
    chain.block(2)


def primary(chain):
    me = n("one")
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    store = lambda key, size=8, table=T, payer=me, scope=S, to=0: call(
        "db_store_i64", scope, table, payer, key, AT, size, to=to
    )
    go(
        poke(AT, b"0123456789abcdef"),
        store(5),
        store(1),
        store(9),
        store(0),
        store(0xFFFFFFFFFFFFFFFF),
        store(0xFFFFFFFFFFFFFFFE),
        row(),
    )
    go(store(5))  # twice
    go(store(6, 0), row())
    go(store(7, 40000), row())
    go(store(8, 65537))
    go(store(8, 0x80000000))
    go(store(8, payer=0))
    go(store(8, payer=MISSING))
    go(store(8, table=0), row())
    go(store(8, scope=0), row())
    find = lambda key, to=0, code=me, table=T: call("db_find_i64", code, S, table, key, to=to)
    go(
        *[find(key) for key in (5, 1, 9, 0, 2, 0xFFFFFFFFFFFFFFFF)],
        find(5, table=n("none")),
        find(5, code=MISSING),
        find(5, code=n("two")),
        row(),
    )
    go(
        *[
            call("db_" + what, me, S, T, key)
            for what in ("lowerbound_i64", "upperbound_i64")
            for key in (0, 1, 2, 5, 6, 9, 10, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF)
        ],
        call("db_end_i64", me, S, T),
        row(),
    )
    go(
        call("db_end_i64", me, S, n("none")),
        call("db_lowerbound_i64", me, S, n("none"), 0),
        call("db_upperbound_i64", me, S, n("none"), 0),
        call("db_end_i64", MISSING, S, T),
        row(),
    )
    walk = lambda what, to=0: (call("db_%s_i64" % what, r(0), AT, to=0), peek(AT, 8))
    go(call("db_lowerbound_i64", me, S, T, 0), *[part for _ in range(12) for part in walk("next")], row())
    go(call("db_end_i64", me, S, T), *[part for _ in range(12) for part in walk("previous")], row())
    for what in ("next", "previous"):
        go(call("db_%s_i64" % what, 0, AT))
        go(call("db_%s_i64" % what, 0xFFFFFFFF, AT), row())
        go(call("db_%s_i64" % what, 0xFFFFFFFE, AT))
        go(call("db_%s_i64" % what, 0x7FFFFFFF, AT))
        go(find(5), call("db_%s_i64" % what, r(0), END - 3))
    go(call("db_end_i64", me, S, T), call("db_next_i64", r(0), AT), row())
    go(call("db_end_i64", me, S, n("none")), call("db_previous_i64", r(0), AT), row())
    go(find(0, to=1), call("db_previous_i64", r(1), AT), row())
    get = lambda size, at=AT: call("db_get_i64", r(0), at, size)
    go(find(5), get(0), get(4), peek(AT, 8), get(100), peek(AT, 8), row())
    go(find(5), get(100, END - 8))
    go(find(5), get(8, END - 8), row())
    go(find(5), get(0, END + 100))
    go(find(2), get(8))
    for bad in (7, 0xFFFFFFFF, 0xFFFFFFFE, 0x80000000):
        go(call("db_get_i64", bad, AT, 8))
        go(call("db_update_i64", bad, me, AT, 8))
        go(call("db_remove_i64", bad))
    update = lambda size, payer=me: call("db_update_i64", r(0), payer, AT, size)
    go(
        poke(AT, b"newvalue" * 4),
        find(5),
        update(32),
        get(0),
        update(4),
        get(0),
        update(0),
        get(0),
        update(8, 0),
        get(8, AT + 64),
        peek(AT + 64, 8),
        row(),
    )
    go(find(5), update(8, MISSING))
    go(find(5), update(8, n("two")))
    go(find(5, to=0), call("db_update_i64", r(0), me, END - 4, 8))
    go(call("db_find_i64", n("two"), S, T, 1), row())
    chain.probe(
        "two",
        call("db_store_i64", S, T, n("two"), 1, AT, 8),
        call("db_find_i64", n("one"), S, T, 5),
        call("db_get_i64", r(0), AT, 8),
        row(),
    )
    chain.probe("two", call("db_find_i64", n("one"), S, T, 5), call("db_update_i64", r(0), n("two"), AT, 8))
    chain.probe("two", call("db_find_i64", n("one"), S, T, 5), call("db_remove_i64", r(0)))
    go(find(5, to=1), call("db_remove_i64", r(1)), find(5), row())
    go(find(1, to=1), call("db_remove_i64", r(1)), call("db_remove_i64", r(1)))
    go(find(1, to=1), call("db_remove_i64", r(1)), call("db_get_i64", r(1), AT, 8))
    go(find(1, to=1), call("db_remove_i64", r(1)), call("db_next_i64", r(1), AT))
    go(find(1, to=1), call("db_remove_i64", r(1)), store(1, to=2), call("db_get_i64", r(2), AT, 0), find(1), row())
    # A table that goes and comes again within one action; its end iterator stays.
    go(
        store(1, table=n("gone"), to=1),
        call("db_end_i64", me, S, n("gone"), to=2),
        call("db_remove_i64", r(1)),
        call("db_end_i64", me, S, n("gone")),
        call("db_previous_i64", r(2), AT),
        row(),
    )
    go(
        store(1, table=n("gone"), to=1),
        call("db_end_i64", me, S, n("gone"), to=2),
        call("db_remove_i64", r(1)),
        store(2, table=n("gone"), to=3),
        call("db_end_i64", me, S, n("gone")),
        row(),
    )
    go(find(9), poke(AT, b"after fail"), row(), store(0))
    go(*[call("db_store_i64", scope, n("many"), me, 1, AT, 4) for scope in range(30)], row())


def secondary(chain, kind):
    me, size = n("one"), SECONDARY[kind]
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    table = n(
        "t"
        + kind.replace("_", "")
        .replace("0", "")[:8]
        .replace("6", "s")
        .replace("8", "e")
        .replace("2", "b")
        .replace("4", "d")
    )
    wide = kind == "idx256"

    def at(where=AT):
        return (where, 2) if wide else (where,)

    def f(what):
        return "db_%s_%s" % (kind, what)

    def store(value, primary, payer=me, to=0, where=AT, scope=S):
        return poke(AT, key_bytes(kind, value) if isinstance(value, int) else value), call(
            f("store"), scope, table, payer, primary, *at(where), to=to
        )

    def many(*groups):
        return [part for group in groups for part in group]

    go(*many(store(50, 1), store(10, 2), store(90, 3), store(50, 4), store(0, 5), store(10, 6)), row())
    go(*store(50, 1))
    go(*store(7, 1))
    go(*store(7, 8, payer=0))
    go(*store(7, 8, payer=MISSING))
    go(*store(7, 8, where=END - size + 1))
    go(*store(7, 8, where=END))
    go(poke(AT + 3, key_bytes(kind, 77)), call(f("store"), S, table, me, 77, *at(AT + 3)), row())  # misaligned
    if wide:
        for words in (0, 1, 3, 0x10000000):
            go(call(f("store"), S, table, me, 20, AT, words))
        for words in (0, 1, 3):
            go(call(f("find_secondary"), me, S, table, AT, words, AT + 64))
            go(call(f("find_primary"), me, S, table, AT, words, 1))
            go(call(f("lowerbound"), me, S, table, AT, words, AT + 64))
    seek = lambda what, value: (
        poke(AT, key_bytes(kind, value) if isinstance(value, int) else value),
        poke(AT + 64, b"\xee" * 8),
        call(f(what), me, S, table, *at(), AT + 64),
        peek(AT, size),
        peek(AT + 64, 8),
    )
    for what in ("find_secondary", "lowerbound", "upperbound"):
        go(*many(*[seek(what, value) for value in (0, 1, 10, 49, 50, 51, 90, 91)]), row())
        go(
            call(f(what), me, S, n("none"), *at(), AT + 64),
            call(f(what), MISSING, S, table, *at(), AT + 64),
            peek(AT + 64, 8),
            row(),
        )
        go(poke(AT, key_bytes(kind, 50)), call(f(what), me, S, table, *at(), END - 4))
        go(poke(AT, key_bytes(kind, 50)), call(f(what), me, S, table, *at(END - 2), AT))
        go(
            poke(AT, key_bytes(kind, 50)), call(f(what), me, S, table, *at(AT), AT + 4), peek(AT, 40), row()
        )  # key and primary overlap
        go(poke(AT + 1, key_bytes(kind, 50)), call(f(what), me, S, table, *at(AT + 1), AT + 77), peek(AT, 90), row())
    for primary in (1, 2, 5, 7, 77):
        go(poke(AT, b"\xdd" * 40), call(f("find_primary"), me, S, table, *at(), primary), peek(AT, 40), row())
    go(
        call(f("find_primary"), me, S, n("none"), *at(), 1),
        call(f("find_primary"), me, S, table, *at(), 1, to=1),
        call(f("find_primary"), me, S, table, *at(), 1),
        row(),
    )
    go(call(f("find_primary"), me, S, table, *at(END - 2), 1))
    go(call(f("end"), me, S, table), call(f("end"), me, S, n("none")), call(f("end"), MISSING, S, table), row())
    walk = lambda what: (call(f(what), r(0), AT + 64), peek(AT + 64, 8))
    go(
        poke(AT, key_bytes(kind, 0)),
        call(f("lowerbound"), me, S, table, *at(), AT + 64),
        *many(*[walk("next") for _ in range(9)]),
        row(),
    )
    go(call(f("end"), me, S, table), *many(*[walk("previous") for _ in range(9)]), row())
    for what in ("next", "previous"):
        for bad in (0, 5, 0xFFFFFFFF, 0xFFFFFFFE, 0x80000000):
            go(call(f(what), bad, AT), row())
        go(call(f("find_primary"), me, S, table, *at(), 1), call(f(what), r(0), END - 1))
    go(call(f("end"), me, S, table), call(f("next"), r(0), AT), row())
    update = lambda value, payer=me: (poke(AT, key_bytes(kind, value)), call(f("update"), r(0), payer, *at()))
    first = call(f("find_primary"), me, S, table, AT + 200, *((2,) if wide else ()), 1)
    go(first, *update(99), *update(3, 0), *seek("lowerbound", 1), row())
    go(first, *update(3, MISSING))
    go(first, *update(3, n("two")))
    go(first, *update(3, n("payer")), also=[action("payer", "auth", "payer")])
    for bad in (6, 0xFFFFFFFF, 0xFFFFFFFE):
        go(call(f("update"), bad, me, *at()))
        go(call(f("remove"), bad))
    go(first, call(f("remove"), r(0)), call(f("find_primary"), me, S, table, *at(), 1), row())
    go(
        poke(AT, key_bytes(kind, 0)),
        call(f("find_primary"), me, S, table, *at(), 2),
        call(f("remove"), r(0)),
        call(f("remove"), r(0)),
    )
    go(
        poke(AT, key_bytes(kind, 0)),
        call(f("find_primary"), me, S, table, *at(), 2),
        call(f("remove"), r(0)),
        call(f("next"), r(0), AT),
    )
    chain.probe(
        "two",
        *store(5, 1, payer=n("two"))[:1],
        call(f("find_primary"), me, S, table, *at(), 3),
        call(f("update"), r(0), n("two"), *at()),
    )
    chain.probe("two", call(f("find_primary"), me, S, table, *at(), 3), call(f("remove"), r(0)))
    # Keys as they sort: the extremes of the kind, negative numbers, infinities.
    if kind == "idx_double":
        values = [
            struct.pack("<d", one)
            for one in (0.0, -0.0, 1.5, -1.5, 5e-324, -5e-324, 1.7e308, -1.7e308, float("inf"), float("-inf"))
        ]
        for bits in (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF):
            nan = u64(bits)
            for what in ("find_secondary", "lowerbound", "upperbound"):
                go(*seek(what, nan))
            go(*store(nan, 500))
            go(call(f("find_primary"), me, S, table, AT + 200, 3), poke(AT, nan), call(f("update"), r(0), me, AT))
            go(poke(AT, nan), call(f("find_primary"), me, S, table, AT, 3), peek(AT, 8), row())
    elif kind == "idx_long_double":
        values = [
            u128(one)
            for one in (
                0,
                1 << 127,
                0x3FFF << 112,
                0xBFFF << 112,
                1,
                1 << 127 | 1,
                0x7FFE << 112 | (1 << 112) - 1,
                0x7FFF << 112,
                0xFFFF << 112,
                0x4000 << 112 | 7,
            )
        ]
        for bits in (0x7FFF << 112 | 1, 0xFFFF8 << 108, 0x7FFF8 << 108):
            nan = u128(bits)
            for what in ("find_secondary", "lowerbound", "upperbound"):
                go(*seek(what, nan))
            go(*store(nan, 500))
            go(call(f("find_primary"), me, S, table, AT + 200, 3), poke(AT, nan), call(f("update"), r(0), me, AT))
    else:
        top = 1 << 8 * size
        values = [
            key_bytes(kind, one)
            for one in (
                1,
                top - 1,
                top // 2,
                top // 2 - 1,
                255,
                256,
                1 << 8 * size - 8,
                (1 << 64) - 1,
                1 << size * 4,
                3,
            )
        ]
    go(*many(*[store(value, 100 + number) for number, value in enumerate(values)]), row())
    go(
        call(f("end"), me, S, table),
        *many(
            *[
                (*walk("previous"), call(f("find_primary"), me, S, table, *at(AT), 100, to=3), peek(AT, size))
                for _ in range(4)
            ]
        ),
        row(),
    )
    go(call(f("end"), me, S, table), *many(*[walk("previous") for _ in range(20)]), row())
    for what in ("find_secondary", "lowerbound", "upperbound"):
        go(*many(*[seek(what, value) for value in values]), row())


def payers(chain):
    """Who may be billed, and what it costs: `one` writes at the expense of others."""
    me = n("one")
    store = lambda payer, key: call("db_store_i64", S, n("paid"), n(payer), key, AT, 100)
    chain.probe("one", store("payer", 1))
    chain.probe("one", store("payer", 2), also=[action("payer", "auth", "payer")])
    chain.push(action("one", "run", ["one", "payer"], run(store("payer", 3))), covers=["db_store_i64"])
    chain.push(action("one", "run", ["payer"], run(store("payer", 4))), covers=["db_store_i64"])
    chain.push(
        action(
            "one",
            "run",
            ["one", "payer"],
            run(call("db_find_i64", me, S, n("paid"), 3), call("db_update_i64", r(0), me, AT, 50), row()),
        )
    )
    chain.push(
        action(
            "one",
            "run",
            ["one", "payer"],
            run(call("db_find_i64", me, S, n("paid"), 3), call("db_update_i64", r(0), n("payer"), AT, 150), row()),
        )
    )
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 4), call("db_update_i64", r(0), 0, AT, 100), row())
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 4), call("db_update_i64", r(0), 0, AT, 101), row())
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 4), call("db_update_i64", r(0), 0, AT, 20), row())
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 4), call("db_update_i64", r(0), n("payer"), AT, 20), row())
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 4), call("db_update_i64", r(0), me, AT, 300), row())
    chain.probe("one", call("db_find_i64", me, S, n("paid"), 3), call("db_remove_i64", r(0)))
    note = call("require_recipient", n("two"))
    in_two = lambda payer, key: sections(
        {"one": [note], "two": [call("db_store_i64", S, n("note"), n(payer), key, AT, 50)]}
    )
    chain.push(action("one", "run", "one", in_two("two", 1)), covers=["db_store_i64"])
    chain.push(action("one", "run", "one", in_two("one", 2)), covers=["db_store_i64"])
    chain.push(action("one", "run", ["one", "payer"], in_two("payer", 3)), covers=["db_store_i64"])
    # In a notification: grow one row and shrink another of the same payer; the sum decides since RAM_RESTRICTIONS.
    chain.push(
        action(
            "two",
            "run",
            ["two", "payer"],
            run(
                call("db_store_i64", S, n("note"), n("payer"), 7, AT, 200),
                call("db_store_i64", S, n("note"), n("payer"), 8, AT, 200),
            ),
        )
    )
    shift = lambda down, up: sections(
        {
            "one": [note],
            "two": [
                call("db_find_i64", n("two"), S, n("note"), 7, to=1),
                call("db_update_i64", r(1), n("payer"), AT, down),
                call("db_find_i64", n("two"), S, n("note"), 8, to=2),
                call("db_update_i64", r(2), n("payer"), AT, up),
                row(),
            ],
        }
    )
    chain.push(action("one", "run", ["one", "payer"], shift(100, 250)))
    chain.push(action("one", "run", ["one", "payer"], shift(100, 350)))
    chain.push(action("one", "run", ["one", "payer"], shift(90, 240)))
    chain.push(
        action(
            "one",
            "run",
            ["one", "payer"],
            sections(
                {
                    "one": [note],
                    "two": [
                        call("db_find_i64", n("two"), S, n("note"), 7, to=1),
                        call("db_update_i64", r(1), n("two"), AT, 100),
                        row(),
                    ],
                }
            ),
        )
    )
    chain.push(
        action(
            "one",
            "run",
            ["one", "payer"],
            sections(
                {
                    "one": [note],
                    "two": [call("db_find_i64", n("two"), S, n("note"), 8, to=1), call("db_remove_i64", r(1))],
                }
            ),
        )
    )


def record_db_random(folder):
    chain = World("db_random", "random streams of table operations over all kinds (seeded)", state_mb=128)
    chain.everything()
    chain.accounts("one", "two")
    chain.good(setcode("one", wasm("probe2")))
    chain.good(setcode("two", wasm("probe2")))
    chain.block()
    dice = world.dice(20)
    for turn in range(300):
        chain.push(
            action(dice.choice(["one", "two"]), "run", ["one", "two"], stream(dice, dice.randrange(4, 26))),
            note="random",
        )
        if turn % 20 == 19:
            chain.block()
    chain.block()
    chain.finish(folder)


def stream(dice, length):
    """One program of random operations; most are guarded so that they make sense, some are not.

    Register k holds an iterator of kind k."""
    kinds = ["i64", *SECONDARY]
    parts = [let(register, (1 << 32) - 1) for register in range(len(kinds))]
    owner = lambda: n(dice.choice(["one", "two", "one", "two", "one", "nobody"]))
    primary = lambda: dice.choice([0, 1, 2, 3, 4, 5, 9, (1 << 64) - 1])
    value = lambda kind: (
        b"value of a row, forty bytes long at least"
        if kind == "i64"
        else key_bytes(kind, dice.choice([0, 1, 2, 3, 5, 8, 200, 1 << 40]))
    )
    reckless = lambda: dice.random() < 0.02
    kind = dice.choice(kinds)
    for _ in range(length):
        if dice.random() < 0.3:
            kind = dice.choice(kinds)
        here = kinds.index(kind)
        table, scope, where = n("r") + here, dice.choice([1, 2]), AT + dice.choice([0, 0, 0, 1, 4, 8])
        payer = lambda: n(dice.choice(["one", "two"])) if dice.random() < 0.5 else r(13)
        wide = (2,) if kind == "idx256" else ()
        it = r(here) if not reckless() else dice.choice([0, 1, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD])
        f = lambda what: "db_%s_i64" % what if kind == "i64" else "db_%s_%s" % (kind, what)
        guard = lambda part: part if reckless() else when(here, part)
        what = dice.choice(
            "store store store update remove get next next previous find find lower upper end walk".split()
        )
        load = poke(where, value(kind))
        key = primary()
        if kind == "i64":
            look = call("db_find_i64", r(13), scope, table, key, to=here)
        else:
            look = call(f("find_primary"), r(13), scope, table, AT + 256, *wide, key, to=here)
        if what == "store":
            put = call(
                f("store"),
                scope,
                table,
                payer(),
                key,
                *((AT, dice.randrange(40)) if kind == "i64" else (where, *wide)),
                to=here,
            )
            parts += [load, put] if reckless() else [look, unless(here, load, put)]
        elif what == "update":
            parts += [
                look,
                load,
                guard(call(f("update"), it, payer(), *((AT, dice.randrange(40)) if kind == "i64" else (where, *wide)))),
            ]
        elif what == "remove":
            parts += [look, guard(call(f("remove"), it))] + ([] if reckless() else [let(here, (1 << 32) - 1)])
        elif what == "get":
            parts += [guard(call("db_get_i64", r(here), AT, dice.randrange(40), to=8))] if kind == "i64" else [load]
        elif what in ("next", "previous"):
            parts += [guard(call(f(what), it, AT + 128, to=here))]
        elif what == "walk":
            parts += [call(f("end"), owner(), scope, table, to=here)]
            parts += [call(f("previous"), r(here), AT + 128, to=here)] if reckless() else []
            parts += [when(here, call(f("previous"), r(here), AT + 128, to=here))] * 3
        elif what == "end":
            parts += [call(f("end"), owner(), scope, table, to=here)]
        elif kind == "i64":
            parts += [
                call(
                    {"find": "db_find_i64", "lower": "db_lowerbound_i64", "upper": "db_upperbound_i64"}[what],
                    owner(),
                    scope,
                    table,
                    key,
                    to=here,
                )
            ]
        else:
            parts += [
                load,
                call(
                    f({"find": "find_secondary", "lower": "lowerbound", "upper": "upperbound"}[what]),
                    owner(),
                    scope,
                    table,
                    where,
                    *wide,
                    AT + 128,
                    to=here,
                ),
            ]
        if dice.random() < 0.3:
            parts.append(peek(dice.choice([AT, AT + 128]), 16))
    return run(*parts, row())
