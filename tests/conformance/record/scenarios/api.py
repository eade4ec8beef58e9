"""A chain to ask questions about: everything that the HTTP API shows differently. See ../answers.py."""

import struct

from probe import AT, call, poke, printed, returned, run, sections
from scenarios.db import key_bytes
from wire import DEV, K1, R1, WebAuthn, action, auth, authority, blob, many, n, name, u8, u16, u32, u64, u128, varuint
from world import World, linkauth, newaccount, setabi, setcode, updateauth, wasm

ROWS = n("rows")
# Index tables of `rows`, in the order of their positions: kind, and the keys of the rows.
HASHES = [bytes([value] * 20) + bytes(12) for value in (0, 1, 0x7F, 0x80, 0xFF, 9, 9)]
INDEXES = [
    ("idx64", [5, 5, 0, (1 << 64) - 1, 100, 1 << 63, n("bob")]),
    ("idx128", [1 << 100, 3, 0, (1 << 128) - 1, 1 << 64, 3, 1 << 127]),
    ("idx256", [1 << 200, 258, 0, (1 << 256) - 1, 1 << 128, 258, 1 << 255]),
    ("idx_double", [0, -3, 1 << 70, 7, -(1 << 40), 7, 1]),
    ("idx_long_double", [0, -3, 1 << 70, 7, -(1 << 40), 7, 1]),
    ("idx64", [n(text) for text in ("alice", "bob", "carol", "a", "zzzzzzzzzzzzj", "eosio", "bob")]),
    ("idx256", HASHES),
]


def fields(*pairs):
    return many(blob(title) + blob(kind) for title, kind in pairs)


def struct_def(title, *pairs, base=""):
    return blob(title) + blob(base) + fields(*pairs)


def table(title, kind, index="i64"):
    return name(title) + blob(index) + many([blob("id")]) + many([blob("uint64")]) + blob(kind)


def packed_abi():
    structs = [
        struct_def(
            "row",
            ("id", "uint64"),
            ("owner", "name"),
            ("big", "uint128"),
            ("real", "float64"),
            ("quad", "float128"),
            ("when", "time_point"),
            ("coin", "asset"),
            ("list", "uint16[]"),
            ("maybe", "string?"),
            ("any", "either"),
        ),
        struct_def("out", ("id", "uint64"), ("more", "row")),
        struct_def("note", ("who", "name"), ("text", "string")),
        struct_def("wide", ("tail", "bytes"), ("extra", "uint8$"), base="note"),
        struct_def("empty"),
    ]
    actions = [
        name(title) + blob(kind) + blob("")
        for title, kind in (("note", "note"), ("wide", "wide"), ("empty", "empty"), ("answer", "note"))
    ]
    tables = [
        table("rows", "row"),
        table("out", "out"),
        table("odd", "row", "i128"),
        table("missing", "row"),
        table("hook", "bytes"),
    ]
    return (
        blob("eosio::abi/1.2")
        + many([blob("text") + blob("string")])
        + many(structs)
        + many(actions)
        + many(tables)
        + many([blob("clause") + blob("body")])
        + many([u64(7) + blob("seven")])
        + b"\0"
        + many([blob("either") + many([blob("uint32"), blob("text")])])
        + many([name("answer") + blob("row")])
    )


def row_bytes(number, owner):
    quad = key_bytes("idx_long_double", number - 3)
    maybe = b"\1" + blob('ja\n"\x01é') if number % 2 else b"\0"
    either = b"\0" + u32(number) if number % 3 else b"\1" + blob("text")
    return (
        u64(number)
        + name(owner)
        + u128(number << 90)
        + struct.pack("<d", number / 3)
        + quad
        + u64(1_600_000_000_000_000 + number)
        + u64(number * 1000)
        + u64(4 | int.from_bytes(b"SYS", "little") << 8)
        + many(u16(one) for one in range(number % 4))
        + maybe
        + either
    )


def store_rows(chain, scope, count):
    for number in range(count):
        owner = ("alice", "bob", "carol")[number % 3]
        payer = owner if number % 2 else "store"
        data = row_bytes(number + 1, owner)
        parts = [poke(AT, data), call("db_store_i64", scope, ROWS, n(payer), number + 1, AT, len(data))]
        for position, (kind, keys) in enumerate(INDEXES):
            key, wide = keys[number % len(keys)], (2,) if kind == "idx256" else ()
            # A hash's bytes stand in the order in which they are written, each half as a number.
            key = (
                b"".join(key[half : half + 16][::-1] for half in (0, 16))
                if isinstance(key, bytes)
                else key_bytes(kind, key)
            )
            parts += [
                poke(AT, key),
                call("db_%s_store" % kind, scope, ROWS | position, n(payer), number + 1, AT, *wide),
            ]
        chain.good(action("store", "run", ["store", *([owner] if number % 2 else [])], run(*parts)))


def hook(chain, title, *parts):
    program = bytes(run(*parts))
    chain.probe(
        "store",
        poke(AT, program),
        call("db_store_i64", n("store"), n("hook"), n("store"), n(title), AT, len(program)),
        ok=True,
    )


def token(chain):
    with open(
        "%s/../../../contracts/dist/eosio.token/eosio.token.wasm"
        % __import__("os").path.dirname(__import__("world").__file__),
        "rb",
    ) as code:
        chain.good(setcode("eosio.token", code.read()), cpu=1000)
    symbol = lambda text, digits: u8(digits) + text.encode().ljust(7, b"\0")
    asset = lambda amount, text="SYS", digits=4: u64(amount) + symbol(text, digits)
    structs = [
        struct_def("create", ("issuer", "name"), ("maximum_supply", "asset")),
        struct_def("issue", ("to", "name"), ("quantity", "asset"), ("memo", "string")),
        struct_def("transfer", ("from", "name"), ("to", "name"), ("quantity", "asset"), ("memo", "string")),
        struct_def("account", ("balance", "asset")),
        struct_def("currency_stats", ("supply", "asset"), ("max_supply", "asset"), ("issuer", "name")),
    ]
    actions = [name(title) + blob(title) + blob("") for title in ("create", "issue", "transfer")]
    tables = [table("accounts", "account"), table("stat", "currency_stats")]
    chain.good(
        setabi("eosio.token", blob("eosio::abi/1.1") + b"\0" + many(structs) + many(actions) + many(tables) + b"\0\0\0")
    )
    for text, digits in (("SYS", 4), ("ABC", 0)):
        chain.good(action("eosio.token", "create", "eosio.token", name("alice") + asset(10**12, text, digits)))
        chain.good(action("eosio.token", "issue", "alice", name("alice") + asset(10**9, text, digits) + blob("all")))
    move = lambda amount, memo: action(
        "eosio.token", "transfer", "alice", name("alice") + name("bob") + asset(amount) + blob(memo)
    )
    chain.good([move(10000, "one"), move(5, "two")])
    chain.good(move(7, "pressed"), compress=True)


def permissions(chain):
    keys = [
        (key, 1) for key in sorted((K1("one"), K1("two"), R1("three"), WebAuthn("four")), key=lambda key: key.public)
    ]
    chain.good(
        updateauth(
            "alice",
            "many",
            "active",
            authority(2, keys, [("bob", "active", 1), ("carol", "eosio.code", 1)], [(3600, 1)]),
        )
    )
    chain.good(updateauth("alice", "leaf", "many", authority(1, [(DEV, 1)])))
    chain.good(updateauth("bob", "byalice", "active", authority(1, [], [("alice", "many", 1)])))
    chain.good(updateauth("store", "active", "owner", authority(1, [(DEV, 1)], [("store", "eosio.code", 1)])))
    chain.good(linkauth("alice", "eosio.token", "transfer", "many"))
    chain.good(linkauth("alice", "store", "", "leaf"))
    chain.good(linkauth("alice", "store", "note", "eosio.any"))


def record_api(folder):
    chain = World(
        "api",
        "what the HTTP API shows: rows under all kinds of keys, permissions, tokens, scheduled transactions, blocks of all sorts",
    )
    chain.everything()
    chain.accounts("store", "alice", "bob", "carol", "eosio.token", "empty", "noabi", "broken")
    for account in ("store", "noabi", "broken"):
        chain.good(setcode(account, wasm("probe2")))
    chain.good(setabi("store", packed_abi()))
    chain.good(setabi("broken", b"\x0eeosio::abi/1.2\xff\xff"))
    chain.block()
    store_rows(chain, n("alpha"), 7)
    store_rows(chain, n("beta"), 2)
    store_rows(chain, 1, 3)
    token(chain)
    permissions(chain)
    chain.block()
    answer = row_bytes(3, "bob")
    hook(chain, "note", poke(AT, b"hello \xff\xc3\xa9\n"), call("prints_l", AT, 10))
    hook(
        chain,
        "answer",
        poke(AT, answer),
        call("set_action_return_value", AT, len(answer)),
        call("require_recipient", n("bob")),
    )
    hook(chain, "empty", poke(AT, b"x" * 5), call("set_action_return_value", AT, 5))
    store = lambda what, data=b"", who="alice": action("store", what, who, data)
    chain.good(store("note", name("bob") + blob("hi")))
    chain.good([store("answer", name("bob") + blob("tell me")), store("empty"), store("nosuch", b"\1\2")])
    chain.good(store("wide", name("bob") + blob("") + blob(b"\0\1") + u8(9)))
    chain.good(
        [store("note", name("bob") + blob("after"))],
        free=[action("empty", "free", [], b"\1\2")],
        free_data=[b"data", b""],
    )
    inline = action("store", "note", [], name("alice") + blob("inline"))
    chain.probe(
        "store", poke(AT, inline), call("send_inline", AT, len(inline)), call("require_recipient", n("alice")), ok=True
    )
    chain.block()
    deferred(chain, store)
    chain.probe(
        "eosio",
        poke(AT, many(name(who) + key.public for who, key in (("alice", K1("one")), ("bob", DEV)))),
        call("set_proposed_producers", AT, 2 * 42 + 1),
        ok=True,
    )
    chain.good(updateauth("carol", "waits", "active", authority(1, [(DEV, 1)])))
    chain.finish(folder)


def deferred(chain, store):
    """Some have run, failed or expired when the chain ends, some still wait."""

    def send(number, act, delay=0, sender="store"):
        transaction = u32(0) + u16(0) + u32(0) + varuint(0) + u8(0) + varuint(delay) + b"\0" + many([act]) + b"\0"
        chain.probe(
            sender,
            poke(AT, u128(number)),
            poke(AT + 16, transaction),
            call("send_deferred", AT, n(sender), AT + 16, len(transaction), 0),
            ok=True,
        )

    send(1, store("note", name("alice") + blob("deferred"), "store"))
    send(2, action("store", "run", "store", run(call("eosio_assert", 0, AT))))
    send(3, store("note", name("alice") + blob("later"), "store"), delay=3000)
    send(1 << 100, store("nosuch", b"\7", "store"), delay=2000)
    chain.good(store("note", name("carol") + blob("delayed"), "carol"), delay=5)
    chain.good(store("note", name("carol") + blob("much later"), "carol"), delay=4000)
    chain.block(2)
    chain.run_due()
    chain.block(1, slots=20)
    chain.run_due()
    chain.block(1)


__all__ = ["record_api", "newaccount", "auth", "printed", "returned", "sections"]
