"""The questions of answers.py, by endpoint. `ask(path, body)` gives back the answer's JSON, for chains of questions."""

import itertools
import zlib

import deflate
import odd_abis
import wire

CHAIN, PRODUCER, TRACE = "/v1/chain/", "/v1/producer/", "/v1/trace_api/"
# Chains about whose traces alone is asked: what contracts sent later, and what senders delayed.
TRACED = ["deferred", "deferred_all"]
# The chain whose transactions are compressed: odd streams are sent to every endpoint that takes transactions.
COMPRESSED = ["compressed"]
CHAINS = ["api", "boot", "odd_abis", *TRACED, *COMPRESSED]
DEV = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
MISSING = "00" * 32
# Of no key: all zeros.
NO_SIGNATURE = "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne"
ACCOUNTS = {
    "api": ["eosio", "alice", "bob", "store", "eosio.token", "carol", "noabi", "broken"],
    "boot": ["eosio", "eosio.prods", "eosio.token", "alice", "bob", "carol", "proda", "eosio.wrap", "eosio.stake"],
}
# What the endpoints that need an object are sent instead.
BROKEN = [
    b"",
    b" ",
    b"{}",
    b"{ \t}",
    b"{\n}",
    b"[]",
    b"[1",
    b"{",
    b'{"a"',
    b'{"a":}',
    b'{"a":1',
    b'{"a":1}}',
    b'{"a":1} x',
    b"x",
    b'"x"',
    b"1",
    b"-1",
    b"1.5",
    b"null",
    b"true",
    b"{x:1}",
    b"{'a':1}",
    b'{"a":1,}',
    b"{,}",
    b'{"a":1 "b":2}',
    b'{"a":tru}',
    b'{"a":"\\u00zz"}',
    b'{"a":1e2}',
    b'{"a":99999999999999999999999}',
    b'{"a":01}',
    b'{"a":"1',
    b'{"a":.5}',
    b'{"a":+5}',
    b'{"a":1.2.3}',
    b'{"a":12abc}',
    b'/*c*/{"a":1}',
    b'{"a":-}',
    b"[" * 600,
    b'{"a":' * 600,
    b"\xff",
    b'{"\xff":1}',
    b"nul",
    b"\x04",
    b'{"a":[1,2',
    b'{"a":"\\q"}',
]
# What a field is sent instead of a text or a number.
ODD = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    4294967296,
    18446744073709551615,
    "",
    "x",
    "1",
    "-1",
    "1.5",
    " 1",
    "true",
    [],
    {},
    ["x"],
    {"x": 1},
]


def ask_all(ask, title, blocks):
    if title in TRACED:
        return every_trace(ask, len(blocks) + 1)
    if title in COMPRESSED:
        return compressed_questions(ask, blocks)
    if title == "odd_abis":
        return odd_abi_questions(ask, blocks)
    chain_questions(ask)
    block_questions(ask, title, blocks)
    account_questions(ask, title)
    table_questions(ask, title)
    scope_questions(ask, title)
    transaction_questions(ask, title, blocks)
    trace_questions(ask, title, blocks)
    odd_questions(ask)
    producer_questions(ask)


def chain_questions(ask):
    for path in ("get_info", "get_consensus_parameters", "get_producer_schedule"):
        for body in (b"", b"{}", b" ", {"x": 1}, b"{", b"[]", b"null"):
            ask(CHAIN + path, body)
    ask("/v1/db_size/get", {"x": 1})
    for path in (
        "/v1/chain/nosuch",
        "/v1/chain",
        "/",
        "/v1/chain/get_info/",
        "/v1/chain/get_info?x=1",
        "/v2/chain/get_info",
        "/v1/chain/../info",
    ):
        ask(path, b"")
    for limit in (0, 1, 3, 100):
        ask(CHAIN + "get_activated_protocol_features", {"limit": limit})
        ask(CHAIN + "get_activated_protocol_features", {"limit": limit, "reverse": True})
    for lower, upper, by_block, reverse in itertools.product(
        (None, 0, 2, "3", 100), (None, 1, 4, 4294967295), (False, True), (False, True)
    ):
        ask(
            CHAIN + "get_activated_protocol_features",
            {"lower_bound": lower, "upper_bound": upper, "search_by_block_num": by_block, "reverse": reverse},
        )


def block_questions(ask, title, blocks):
    last = len(blocks) + 1
    ids = [block["previous"] for block in blocks[1:]]
    names = ("get_block", "get_raw_block", "get_block_header", "get_block_header_state")
    for number in range(1, last + 1) if last < 60 else [*range(1, 14), *range(60, 100), last]:
        ask(CHAIN + "get_block", {"block_num_or_id": number})
    for name in names:
        for what in (
            1,
            "1",
            2,
            last - 1,
            last,
            last + 1,
            ids[0],
            ids[-1],
            ids[-1].upper(),
            ids[-1][:62],
            ids[-1] + "0",
            "0x" + ids[-1][2:],
            MISSING,
            *ODD,
            "+1",
            "00001",
        ):
            ask(CHAIN + name, {"block_num_or_id": what})
        for body in BROKEN:
            ask(CHAIN + name, body)
    for flag in ODD:
        ask(CHAIN + "get_block_header", {"block_num_or_id": last, "include_extensions": flag})
    for number in (1, 2, last, last + 1, *ODD):
        ask(CHAIN + "get_block_info", {"block_num": number})
    ask(CHAIN + "get_block_info", {"x": 1})


def account_questions(ask, title):
    for account in [
        *ACCOUNTS[title],
        "nosuchacct",
        "",
        "BADNAME",
        "toolongaccountname",
        "eosio.null",
        7,
        None,
        ["alice"],
        "alice ",
        "zzzzzzzzzzzzz",
    ]:
        for name in ("get_account", "get_abi", "get_code_hash", "get_raw_abi", "get_code", "get_raw_code_and_abi"):
            if name == "get_code" and title == "boot":
                continue
            ask(CHAIN + name, {"account_name": account})
        for symbol in (None, "SYS", "sys", "NOPE", "", 1):
            ask(CHAIN + "get_currency_balance", {"code": "eosio.token", "account": account, "symbol": symbol})
        ask(CHAIN + "get_currency_balance", {"code": "eosio.token", "account": account})
        ask(CHAIN + "get_currency_balance", {"code": account, "account": "alice"})
        ask(CHAIN + "get_currency_stats", {"code": account, "symbol": "SYS"})
    for symbol in ("4,SYS", "4,EOS", "0,ABC", "SYS", "", None, 7, "4,sys", "19,SYS"):
        ask(CHAIN + "get_account", {"account_name": "alice", "expected_core_symbol": symbol})
    for flag in (0, 1, "0", "true", "x", None):
        ask(CHAIN + "get_code", {"account_name": "bob", "code_as_wasm": flag})
    abi = ask(CHAIN + "get_raw_abi", {"account_name": "eosio.token"})
    for digest in ("abi_hash", "code_hash"):
        ask(CHAIN + "get_raw_abi", {"account_name": "eosio.token", "abi_hash": abi[digest]})
    for digest in ("x", "", None, "00", 7, MISSING):
        ask(CHAIN + "get_raw_abi", {"account_name": "eosio.token", "abi_hash": digest})
    for symbol in ("SYS", "sys", "ABC", "NOPE", "", "4,SYS", "TOOLONGSYM", "S1", None, 7):
        ask(CHAIN + "get_currency_stats", {"code": "eosio.token", "symbol": symbol})
    ask(CHAIN + "get_currency_stats", {"code": "eosio.token"})
    level = {"actor": "alice", "permission": "many"}
    for body in (
        {"keys": [DEV]},
        {"keys": [DEV, DEV]},
        {"accounts": ["bob"]},
        {"accounts": ["alice", "eosio"]},
        {"accounts": [level]},
        {"accounts": ["carol", level], "keys": [DEV]},
        {"accounts": ["eosio.prods", {"actor": "eosio.prods", "permission": "active"}]},
        {"keys": ["x"]},
        {"keys": "x"},
        {"keys": [1]},
        {"accounts": [{"actor": "alice"}]},
        {"accounts": [7]},
        {"accounts": [None]},
        {"accounts": ["BAD"]},
        {"keys": None},
        {"x": 1},
        {"accounts": [], "keys": []},
        {"accounts": [["alice", "many"]]},
    ):
        ask(CHAIN + "get_accounts_by_authorizers", body)


def follow(ask, body):
    """All pages of a table, by next_key."""
    for _ in range(12):
        answer = ask(CHAIN + "get_table_rows", body)
        if not answer or not answer.get("more"):
            return
        body = {**body, "upper_bound" if body.get("reverse") else "lower_bound": answer["next_key"]}


def table_questions(ask, title):
    if title == "boot":
        for code, scope, table in (
            ("eosio", "eosio", "global"),
            ("eosio", "eosio", "producers"),
            ("eosio", "eosio", "voters"),
            ("eosio.token", "alice", "accounts"),
            ("eosio.token", "SYS", "stat"),
            ("eosio", "eosio", "rammarket"),
            ("eosio", "alice", "userres"),
            ("eosio", "eosio", "namebids"),
            ("eosio", "alice", "delband"),
            ("eosio.msig", "alice", "proposal"),
            ("eosio", "eosio", "nosuch"),
        ):
            base = {"json": True, "code": code, "scope": scope, "table": table}
            for extra in ({}, {"limit": 1}, {"json": False}, {"reverse": True, "limit": 2}, {"show_payer": True}):
                ask(CHAIN + "get_table_rows", {**base, **extra})
        for extra in ({}, {"limit": 2}, {"reverse": True}, {"lower_bound": "-1e30", "upper_bound": "1e30"}):
            follow(
                ask,
                {
                    "json": True,
                    "code": "eosio",
                    "scope": "eosio",
                    "table": "producers",
                    "index_position": 2,
                    "key_type": "float64",
                    **extra,
                },
            )
        for body in (
            {"json": True},
            {"json": True, "limit": 2},
            {"json": False, "limit": 1},
            {"json": True, "lower_bound": "prodc"},
            {"json": True, "lower_bound": "zz"},
            {"limit": 0},
            {"x": 1},
            {"lower_bound": "BAD"},
            {"time_limit_ms": 0, "json": True},
        ):
            ask(CHAIN + "get_producers", body)
        return
    for body in ({"json": True}, {"json": True, "limit": 1}, {"x": 1}):
        ask(CHAIN + "get_producers", body)
    rows = {"json": True, "code": "store", "scope": "alpha", "table": "rows"}
    get = CHAIN + "get_table_rows"
    for scope in ("alpha", "beta", 1, "1", "", "nosuch", "4,SYS", "SYS", "!", " alpha ", None, -1):
        ask(get, {**rows, "scope": scope})
    for table in ("rows", "out", "odd", "missing", "typeless", "hook", "nosuch", "rowsrowsrowsr", "", "ROWS", 7):
        ask(get, {**rows, "table": table})
        ask(get, {**rows, "table": table, "key_type": "i64"})
        ask(get, {**rows, "table": table, "scope": "store", "json": False})
    for code in ("noabi", "broken", "nosuchacct", "", "eosio", "alice", "BAD", None):
        ask(get, {**rows, "code": code})
    for extra in (
        {"limit": 1},
        {"limit": 3, "reverse": True},
        {"json": False},
        {"show_payer": True},
        {"limit": 0},
        {"json": False, "show_payer": True, "limit": 2},
        {"lower_bound": 3},
        {"upper_bound": 3},
        {"lower_bound": "3", "upper_bound": 5, "reverse": True},
        {"lower_bound": "9", "upper_bound": "1"},
        {"lower_bound": "", "upper_bound": ""},
        {"lower_bound": "alice", "key_type": "name"},
        {"lower_bound": "!", "key_type": "name"},
        {"lower_bound": "x!"},
        {"lower_bound": "-1"},
        {"lower_bound": " 1"},
        {"lower_bound": 1.5},
        {"lower_bound": None},
        {"lower_bound": []},
        {"encode_type": "hex"},
        {"time_limit_ms": 0},
        {"time_limit_ms": 10000},
        {"time_limit_ms": "x"},
        {"limit": 4294967295},
        {"limit": -1},
        {"limit": 1e3},
        {"key_type": "sha256", "lower_bound": 2},
        {"key_type": "nosuch"},
    ):
        ask(get, {**rows, **extra})
    for position in ODD:
        ask(get, {**rows, "index_position": position})
        ask(get, {**rows, "index_position": position, "key_type": "i64"})
    for position in (
        "first",
        "primary",
        "one",
        "second",
        "sec",
        "two",
        "tertiary",
        "ternary",
        "third",
        "three",
        "th",
        "fourth",
        "four",
        "fifth",
        "five",
        "sixth",
        "six",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "2",
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        17,
        18,
        "0x2",
        "1e1",
    ):
        ask(get, {**rows, "index_position": position, "key_type": "i64", "limit": 2})
    kinds = {
        2: ["i64", "name", "i128"],
        3: ["i128", "i64"],
        4: ["i256", "sha256", "ripemd160"],
        5: ["float64", "float128"],
        6: ["float128", "float64"],
        7: ["name", "i64"],
        8: ["ripemd160", "sha256", "i256"],
    }
    bounds = {
        "i64": ["0", "5", "100", "18446744073709551615", "-1", "bob", "x!"],
        "name": ["alice", "bob", "BAD", "5", ""],
        "i128": [
            "0",
            "3",
            "1267650600228229401496703205376",
            "0x10",
            "-1",
            "x",
            "340282366920938463463374607431768211455",
            "340282366920938463463374607431768211456",
            3,
        ],
        "i256": [
            "0",
            "258",
            "0x102",
            "102",
            "x",
            "0x" + "00" * 30 + "0102",
            "00" * 30 + "0102",
            "0x" + "ff" * 32,
            "-1",
            "0x" + "ff" * 33,
        ],
        "sha256": ["00" * 30 + "0102", "ff" * 32, "0102", "x", "00" * 32, "zz" * 32],
        "ripemd160": ["09" * 20, "00" * 20, "7f" * 20, "09", "zz" * 20],
        "float64": ["-3", "7", "0", "1e300", "inf", "-inf", "nan", "x", "0x10", "1.5e", " 7", 7, 7.0],
        "float128": [
            "-3",
            "7",
            "1e300",
            "nan",
            "x",
            "0x" + "00" * 16,
            "0x40000000000000000000000000000000",
            "85070591730234615865843651857942052864",
        ],
    }
    for position, types in kinds.items():
        for kind in types:
            for encode in ("dec", "hex", "x", ""):
                index = {**rows, "index_position": position, "key_type": kind, "encode_type": encode}
                for limit, reverse in ((1, False), (2, True), (3, False)):
                    follow(ask, {**index, "limit": limit, "reverse": reverse})
                for bound in bounds[kind]:
                    ask(get, {**index, "lower_bound": bound, "limit": 2})
                    ask(get, {**index, "upper_bound": bound, "reverse": True, "limit": 2})
            ask(get, {**index, "show_payer": True, "json": False})
            ask(get, {**index, "scope": "beta"})
            ask(get, {**index, "scope": "nosuch"})
    ask(get, {**rows, "index_position": 2})
    for kind in ("nosuch", "i32", "", None, 7, "float", "I64"):
        ask(get, {**rows, "index_position": 2, "key_type": kind})
    for flag in ODD:
        ask(get, {**rows, "json": flag, "limit": 1})
        ask(get, {**rows, "reverse": flag, "limit": 1})
        ask(get, {**rows, "show_payer": flag, "limit": 1})
        ask(get, {**rows, "limit": flag})


def scope_questions(ask, title):
    path = CHAIN + "get_table_by_scope"
    code = "store" if title == "api" else "eosio"
    for extra in (
        {},
        {"limit": 2},
        {"limit": 3, "reverse": True},
        {"table": "rows"},
        {"table": "rows", "limit": 1},
        {"table": "userres", "limit": 2},
        {"limit": 100, "reverse": True},
        {"lower_bound": "alpha", "upper_bound": "beta"},
        {"lower_bound": "b", "limit": 1},
        {"lower_bound": "zz"},
        {"upper_bound": "a"},
        {"lower_bound": "1", "upper_bound": 1},
        {"lower_bound": "!"},
        {"table": "nosuch"},
        {"lower_bound": "beta", "upper_bound": "alpha"},
        {"limit": 0},
        {"time_limit_ms": 0},
        {"table": "BAD"},
        {"limit": 4294967295},
    ):
        ask(path, {"code": code, **extra})
    for page in range(4):
        answer = ask(path, {"code": code, "limit": 2})
        while answer and answer.get("more") and page < 3:
            page += 1
            answer = ask(path, {"code": code, "limit": 2, "lower_bound": answer["more"]})
    for body in (
        {"code": "nosuchacct"},
        {"table": "rows"},
        {"code": ""},
        {"code": 7},
        {"code": "eosio.token", "limit": 3},
    ):
        ask(path, body)


def transaction_questions(ask, title, blocks):
    scheduled = CHAIN + "get_scheduled_transactions"
    first = ask(scheduled, {"json": True})
    waiting = [row["trx_id"] for row in first["transactions"]]
    times = [row["delay_until"] for row in first["transactions"]]
    for body in (
        {"json": False},
        {"json": True, "limit": 1},
        {"json": True, "limit": 0},
        {"json": True, "lower_bound": "x"},
        {"x": 1},
        {"json": True, "lower_bound": MISSING},
        {"json": True, "time_limit_ms": 0},
        *({"lower_bound": one, "limit": 2} for one in [*waiting, *times]),
    ):
        ask(scheduled, body)
    head = {
        "expiration": "2030-01-01T00:00:00",
        "ref_block_num": 1,
        "ref_block_prefix": 2,
        "max_net_usage_words": 0,
        "max_cpu_usage_ms": 0,
        "delay_sec": 0,
        "context_free_actions": [],
        "transaction_extensions": [],
    }
    act = {
        "account": "eosio.token",
        "name": "transfer",
        "authorization": [{"actor": "alice", "permission": "active"}],
        "data": {"from": "alice", "to": "bob", "quantity": "1.0000 SYS", "memo": "m"},
    }
    variants = [
        [act],
        [act, act],
        [{**act, "data": "00"}],
        [{**act, "data": "zz"}],
        [{**act, "data": "0"}],
        [{**act, "data": ""}],
        [{**act, "authorization": [{"actor": "nosuchacct", "permission": "active"}]}],
        [{**act, "authorization": []}],
        [{**act, "authorization": [{"actor": "alice", "permission": "nosuch"}]}],
        [{**act, "data": {"from": "alice"}}],
        [{**act, "account": "nosuchacct"}],
        [],
        [{**act, "data": {**act["data"], "quantity": "x"}}],
        [{**act, "data": {**act["data"], "from": "BAD"}}],
        [{**act, "data": ["alice", "bob", "1.0000 SYS", "m"]}],
        [{**act, "data": ["alice"]}],
        [{**act, "name": "nosuch"}],
        [{**act, "name": "nosuch", "data": "00"}],
        [
            {
                "account": "store",
                "name": "wide",
                "authorization": [],
                "data": {"who": "bob", "text": "é", "tail": "0001"},
            }
        ],
        [{**act, "authorization": [{"actor": "alice", "permission": "many"}]}],
        [
            {
                "account": "eosio",
                "name": "updateauth",
                "authorization": [{"actor": "alice", "permission": "owner"}],
                "data": {
                    "account": "alice",
                    "permission": "x",
                    "parent": "active",
                    "auth": {"threshold": 1, "keys": [{"key": DEV, "weight": 1}], "accounts": [], "waits": []},
                },
            }
        ],
        [{**act, "hex_data": "00"}],
        [{"account": "eosio.token"}],
        ["x"],
        [None],
        "x",
        [{**act, "account": "BAD"}],
    ]
    for actions in variants:
        transaction = {**head, "actions": actions}
        for keys in ([DEV], []):
            ask(CHAIN + "get_required_keys", {"transaction": transaction, "available_keys": keys})
        ask(CHAIN + "get_transaction_id", transaction)
        packed = {"signatures": [], "compression": "none", "transaction": transaction}
        for name in ("push_transaction", "send_transaction"):
            ask(CHAIN + name, packed) if "zz" in str(actions) or "BAD" in str(actions) or actions in (
                "x",
                ["x"],
                [None],
            ) else None
    for field, value in (
        ("expiration", "x"),
        ("expiration", 5),
        ("expiration", None),
        ("ref_block_num", 70000),
        ("ref_block_num", "7"),
        ("ref_block_prefix", -1),
        ("delay_sec", 4000),
        ("delay_sec", "x"),
        ("max_cpu_usage_ms", 300),
        ("transaction_extensions", [[1, "00"]]),
        ("transaction_extensions", "x"),
        ("context_free_actions", [act]),
    ):
        ask(
            CHAIN + "get_required_keys",
            {"transaction": {**head, "actions": [act], field: value}, "available_keys": [DEV]},
        )
        ask(CHAIN + "get_transaction_id", {**head, "actions": [{**act, "data": "00"}], field: value})
    for body in (
        {"transaction": {}, "available_keys": [DEV]},
        {"transaction": {}, "available_keys": ["x"]},
        {"transaction": None},
        {"transaction": []},
        {"available_keys": [DEV]},
        {"transaction": head},
    ):
        ask(CHAIN + "get_required_keys", body)
    for body in BROKEN:
        for name in (
            "get_transaction_id",
            "get_required_keys",
            "push_transaction",
            "send_transaction",
            "send_transaction2",
            "compute_transaction",
            "send_read_only_transaction",
            "push_transactions",
            "get_table_rows",
        ):
            ask(CHAIN + name, body)
    parts = (
        {},
        {"signatures": []},
        {"signatures": [], "compression": "none"},
        {"signatures": [], "compression": "none", "packed_trx": "zz"},
        {"signatures": [], "compression": "none", "packed_trx": "0"},
        {"signatures": [], "compression": "none", "packed_trx": "00"},
        {"signatures": [], "compression": "none", "packed_trx": 7},
        {"signatures": ["x"], "compression": "none", "packed_trx": "00"},
        {"signatures": "x", "compression": "none", "packed_trx": "00"},
        {"signatures": [7], "compression": "none", "packed_trx": "00"},
        {"signatures": [], "compression": "bzip", "packed_trx": "00"},
        {"signatures": [], "compression": 1, "packed_trx": "00"},
        {"signatures": [], "compression": "zlib", "packed_trx": "00"},
        {"signatures": [], "compression": 7, "packed_trx": "00"},
        {"signatures": [], "compression": "none", "packed_trx": ""},
        {"signatures": [], "compression": "none", "packed_trx": None},
        {"signatures": [], "compression": "none", "packed_trx": "00", "packed_context_free_data": "zz"},
        {"signatures": None, "compression": "none", "packed_trx": "00"},
        {"signatures": [], "compression": "none", "transaction": None},
        {"signatures": [], "compression": "none", "transaction": []},
        {
            "signatures": [],
            "compression": "none",
            "transaction": {**head, "actions": [], "context_free_data": ["00"]},
            "context_free_data": ["zz"],
        },
    )
    for part in parts:
        for name in ("push_transaction", "send_transaction"):
            ask(CHAIN + name, part) if part else None
        for name in ("send_transaction2", "compute_transaction", "send_read_only_transaction"):
            ask(CHAIN + name, {"transaction": part})
        ask(CHAIN + "push_transactions", [part])
    for body in (
        {"x": 1},
        {"transaction": 7},
        {"transaction": None},
        {"transaction": parts[5], "retry_trx": True},
        {"transaction": parts[5], "retry_trx": "x"},
        {"transaction": parts[5], "return_failure_trace": "x"},
        {"transaction": parts[5], "retry_trx_num_blocks": "x"},
        {"transaction": parts[5], "retry_trx_num_blocks": -1},
    ):
        ask(CHAIN + "send_transaction2", body)
    # An empty list makes this nodeos fail with a C++ range error: not worth agreeing with.
    for body in ([{}] * 2, [{}] * 1001, {"x": 1}, [7], [None]):
        ask(CHAIN + "push_transactions", body)
    known = [receipt["trx"] for block in blocks for receipt in block["transactions"]]
    ids = [entry for entry in known if isinstance(entry, str)][:3]
    for body in [{"id": one} for one in [*ids, "x", "", None, 7, MISSING, "11" * 32, "11", []]] + [
        b"",
        b"{}",
        b"[]",
        b"x",
        {"x": 1},
    ]:
        ask(CHAIN + "get_transaction_status", body)
    seen = ask(CHAIN + "get_block", {"block_num_or_id": 8})
    for receipt in seen["transactions"][:3]:
        if isinstance(receipt["trx"], dict):
            ask(CHAIN + "get_transaction_status", {"id": receipt["trx"]["id"]})
    for body in (
        blocks[-1],
        {**blocks[-1], "confirmed": 7},
        {"x": 1},
        {"timestamp": "x"},
        b"{}",
        b"",
        b"[]",
        {**blocks[-1], "transactions": [{}]},
    ):
        ask(CHAIN + "push_block", body)


def readable(stream, size):
    """The beginning of what a stream expands to, where it is whole."""
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(bytes.fromhex(stream))
    except (ValueError, zlib.error):
        return None
    return plain[:size] if inflate.eof and len(plain) <= (1 << 20) + 128 else None


def compressed_questions(ask, blocks):
    """What unpacks fails on its signature, with a message that does not depend on the time."""
    plain = wire.transaction(1 << 31, (1, 2), [wire.action("one", "x", "one", b"hello")])
    whole, data = zlib.compress(plain).hex(), zlib.compress(b"\1\3abc").hex()
    odd = {**deflate.streams(plain), **deflate.blocks(plain)}
    sizes = [1 << 20, (1 << 20) + 1, (1 << 20) + 128, (1 << 20) + 129, (1 << 20) + 9000]
    odd |= {size: zlib.compress(plain + bytes(size - len(plain)), 9) for size in sizes}
    parts = [{"packed_trx": stream.hex()} for stream in odd.values() if stream]
    parts += [
        {"packed_trx": whole, "packed_context_free_data": stream.hex()}
        for stream in deflate.streams(b"\1\3abc").values()
    ]
    parts += [
        {"packed_trx": whole, "packed_context_free_data": one}
        for one in (deflate.NOTHING.hex(), "789c030000000001", data, data.upper(), "00", "0")
    ]
    parts += [{"packed_trx": whole, "context_free_data": one} for one in ([], ["616263"], [""])]
    parts += [
        {"packed_trx": plain.hex(), "compression": "none", "packed_context_free_data": one}
        for one in (deflate.NOTHING.hex(), "00", "0103616263", "010361", "")
    ]
    parts += [
        {"packed_trx": whole, "compression": one}
        for one in ODD + ["none", "zlib", "ZLIB", "gzip", "0", "2", 2, 1.0, 256, 257, -255]
    ]
    for place, part in enumerate(parts):
        transaction = {"signatures": [NO_SIGNATURE], "compression": "zlib", "packed_context_free_data": "", **part}
        one, other = (("send_transaction", "push_transaction"), ("push_transaction", "send_transaction"))[place % 2]
        ask(CHAIN + one, transaction)
        # A read-only one that unpacks is not answered by a node that stands still.
        bad = (
            "compression" not in part
            and part["packed_trx"] != whole
            and readable(part["packed_trx"], len(plain)) != plain
        )
        ask(
            CHAIN
            + (
                "send_transaction2",
                "compute_transaction",
                "send_read_only_transaction" if bad else "compute_transaction",
            )[place % 3],
            {"transaction": transaction},
        )
        if place % 4 == 0:
            ask(CHAIN + other, {**transaction, "x": 1})
            ask(CHAIN + "push_transactions", [transaction])
    for number in (2, 3):
        ask(CHAIN + "get_block", {"block_num_or_id": number})


def trace_questions(ask, title, blocks):
    last = len(blocks) + 1
    for number in range(1, last + 2) if last < 60 else [*range(1, 14), *range(60, 100), last, last + 1]:
        ask(TRACE + "get_block", {"block_num": number})
    for number in ODD:
        ask(TRACE + "get_block", {"block_num": number})
        ask(TRACE + "get_transaction_trace", {"id": number})
    for body in BROKEN:
        ask(TRACE + "get_block", body)
        ask(TRACE + "get_transaction_trace", body)
    ids = []
    for number in (6, 7, 8, 9, last - 1):
        block = ask(CHAIN + "get_block", {"block_num_or_id": number})
        ids += [
            receipt["trx"] if isinstance(receipt["trx"], str) else receipt["trx"]["id"]
            for receipt in block["transactions"]
        ]
    for one in [*ids[:12], *ids[-6:], MISSING, "11" * 32, ids[0].upper(), ids[0][:-1], ids[0] + "00"]:
        ask(TRACE + "get_transaction_trace", {"id": one})


def every_trace(ask, last):
    for number in range(1, last + 1):
        block = ask(TRACE + "get_block", {"block_num": number}) or {}
        for identity in dict.fromkeys(transaction["id"] for transaction in block.get("transactions", ())):
            ask(TRACE + "get_transaction_trace", {"id": identity})


def odd_questions(ask):
    """Fields of all types, for the endpoints that read few of them."""
    for value in ODD:
        ask(CHAIN + "get_account", {"account_name": value})
        ask(CHAIN + "get_abi", {"account_name": value})
        ask(CHAIN + "get_currency_stats", {"code": "eosio.token", "symbol": value})
        ask(CHAIN + "get_table_by_scope", {"code": "eosio.token", "limit": value})
        ask(CHAIN + "get_table_by_scope", {"code": "eosio.token", "lower_bound": value})
        ask(CHAIN + "get_scheduled_transactions", {"json": value, "limit": 1})
        ask(CHAIN + "get_producers", {"json": True, "limit": value})
        ask(CHAIN + "get_activated_protocol_features", {"lower_bound": value})


def producer_questions(ask):
    for name in (
        "paused",
        "get_runtime_options",
        "get_greylist",
        "get_whitelist_blacklist",
        "get_snapshot_requests",
        "get_scheduled_protocol_feature_activations",
        "get_integrity_hash",
    ):
        for body in (b"", b"{}", {"x": 1}, b"{", b"[]"):
            ask(PRODUCER + name, body)
    for body in (
        b"",
        {},
        {"limit": 1},
        {"lower_bound": "alice"},
        {"lower_bound": "z", "upper_bound": "a"},
        {"limit": 0},
        {"reverse": True},
        {"lower_bound": "BAD"},
        {"upper_bound": "one", "limit": 1, "reverse": True},
    ):
        ask(PRODUCER + "get_account_ram_corrections", body)
    for body in (
        b"",
        {},
        {"exclude_disabled": True},
        {"exclude_unactivatable": True},
        {"exclude_disabled": "x"},
        b"[]",
    ):
        ask(PRODUCER + "get_supported_protocol_features", body)
    for body in (
        b"",
        {},
        {"limit": 1},
        {"limit": "x"},
        {"lower_bound": MISSING},
        {"lower_bound": "x"},
        {"time_limit_ms": 0},
        b"[]",
    ):
        ask(PRODUCER + "get_unapplied_transactions", body)
    for digests in (
        [],
        [MISSING],
        ["0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"],
        ["x"],
        [MISSING, MISSING],
        "x",
        None,
        [7],
        ["00"],
        ["1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241"],
    ):
        ask(PRODUCER + "schedule_protocol_feature_activations", {"protocol_features_to_activate": digests})
        ask(PRODUCER + "get_scheduled_protocol_feature_activations", b"")
    for body in (
        {"max_transaction_time": 77},
        {"max_irreversible_block_age": 5},
        {"cpu_effort_us": 400000},
        {"max_scheduled_transaction_time_per_block_ms": 50},
        {"subjective_cpu_leeway_us": 12},
        {"incoming_defer_ratio": 0.5},
        {"incoming_defer_ratio": "1.25"},
        {"greylist_limit": 10},
        {"greylist_limit": "11"},
        {"x": 1},
        {"max_transaction_time": "x"},
        {"max_transaction_time": -1, "greylist_limit": None},
        {"incoming_defer_ratio": "x"},
        {"max_transaction_time": 1.5},
        b"",
        b"[]",
    ):
        ask(PRODUCER + "update_runtime_options", body)
        ask(PRODUCER + "get_runtime_options", b"")
    lists = ([], ["alice"], "alice", ["BAD"], ["bob", "alice", "alice"], [1], {}, ["toolongaccountname"], None)
    for name in ("add_greylist_accounts", "remove_greylist_accounts"):
        for body in (*({"accounts": one} for one in lists), {"x": 1}, b"", b"[]", b"{"):
            ask(PRODUCER + name, body)
        ask(PRODUCER + "get_greylist", b"")
    ask(PRODUCER + "add_greylist_accounts", {"accounts": ["carol"]})
    ask(CHAIN + "get_account", {"account_name": "carol"})
    for kind in ("actor_whitelist", "actor_blacklist", "contract_whitelist", "contract_blacklist"):
        for one in lists:
            ask(PRODUCER + "set_whitelist_blacklist", {kind: one})
    for body in (
        {"action_blacklist": [["eosio", "newaccount"]]},
        {"action_blacklist": [["eosio"]]},
        {"action_blacklist": [[]]},
        {"action_blacklist": ["eosio::newaccount"]},
        {"action_blacklist": [["", "x"]]},
        {"action_blacklist": [{"a": 1}]},
        {"key_blacklist": [DEV]},
        {"key_blacklist": ["x"]},
        {"key_blacklist": [7]},
        {"x": 1},
        {"actor_whitelist": ["alice"], "actor_blacklist": ["bob"]},
        b"",
        b"[]",
        b"{",
    ):
        ask(PRODUCER + "set_whitelist_blacklist", body)
        ask(PRODUCER + "get_whitelist_blacklist", b"")
    for body in (
        {"block_spacing": 2, "start_block_num": 5000},
        {"block_spacing": 2, "start_block_num": 5000, "snapshot_description": "again"},
        {"start_block_num": 9000, "end_block_num": 8000},
        {"block_spacing": 10, "start_block_num": 9000, "end_block_num": 9005},
        {"block_spacing": "3", "start_block_num": "9000", "end_block_num": 9999, "snapshot_description": "Example"},
        {"block_spacing": -1},
        {"block_spacing": 4294967295, "start_block_num": 4294967295},
        {"block_spacing": "x"},
        {"snapshot_description": 7, "start_block_num": 99999},
        {"start_block_num": None, "block_spacing": 7},
        b"",
        b"[]",
        b"{",
        {"snapshot_description": []},
    ):
        ask(PRODUCER + "schedule_snapshot", body)
    ask(PRODUCER + "get_snapshot_requests", b"")
    for body in (
        {"snapshot_request_id": 1},
        {"snapshot_request_id": 1},
        {"snapshot_request_id": "2"},
        {"snapshot_request_id": "x"},
        {"x": 1},
        {"snapshot_request_id": 99},
        b"",
        b"[]",
        {"snapshot_request_id": None},
    ):
        ask(PRODUCER + "unschedule_snapshot", body)
    ask(PRODUCER + "get_snapshot_requests", b"")
    for name in ("pause", "paused", "resume", "paused", "resume", "pause"):
        ask(PRODUCER + name, b"")
    for name in ("pause", "resume"):
        for body in ({"x": 1}, b"[]", b"{"):
            ask(PRODUCER + name, body)


def odd_abi_questions(ask, blocks):
    """Everything that reads an ABI, of contracts whose ABIs are not perfect."""
    head = {"expiration": "2030-01-01T00:00:00", "ref_block_num": 1, "ref_block_prefix": 2}
    for account, _ in odd_abis.accounts():
        for name in ("get_abi", "get_raw_abi"):
            ask(CHAIN + name, {"account_name": account})
        rows = {"code": account, "scope": account, "table": "tt", "json": True}
        for extra in (
            {"table": "nosuch"},
            {"table": "nosuch", "json": False},
            {},
            {"json": False},
            {"show_payer": True, "limit": 1},
            {"scope": "nosuch"},
            {"key_type": "i64"},
        ):
            if ask(CHAIN + "get_table_rows", {**rows, **extra}) is None:
                break
        ask(CHAIN + "get_table_by_scope", {"code": account})
        for data in ({"v": 7}, [7], {}, {"v": [7]}, "07", ""):
            for action in ("go", "nosuch"):
                act = {
                    "account": account,
                    "name": action,
                    "authorization": [{"actor": account, "permission": "active"}],
                    "data": data,
                }
                ask(CHAIN + "get_required_keys", {"transaction": {**head, "actions": [act]}, "available_keys": [DEV]})
        # Few types read this as a value, and a transaction that can be packed is expired: it would wait for a block.
        past = {**head, "expiration": "2015-01-01T00:00:00"}
        act = {"account": account, "name": "go", "authorization": [], "data": {"v": {"v": [[{}]]}}}
        for name in ("compute_transaction", "send_transaction2", "send_read_only_transaction"):
            ask(
                CHAIN + name,
                {"transaction": {"signatures": [], "compression": "none", "transaction": {**past, "actions": [act]}}},
            )
        ask(
            CHAIN + "push_transactions",
            [{"signatures": [], "compression": "none", "transaction": {**past, "actions": [act]}}],
        )
        ask(CHAIN + "get_currency_balance", {"code": account, "account": account})
        ask(CHAIN + "get_currency_stats", {"code": account, "symbol": "SYS"})
    for number in range(4, len(blocks) + 2, 3):
        ask(CHAIN + "get_block", {"block_num_or_id": number})
    ask(CHAIN + "get_producers", {"json": True})
