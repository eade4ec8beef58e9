"""Each protocol feature: what is refused or different before it, its activation, and what holds after it."""

import random

from features import DIGEST
from probe import AT, call, peek, poke, row, run, sections
from scenarios.deferred import send, step, trx
from wire import DEV, WebAuthn, action, authority, many, n, name, sole
from world import World, linkauth, newaccount, setabi, setcode, updateauth, wasm


def record_features(folder):
    chain = World("features", "the 19 features one after another: behaviour before, activation and after", features=())
    chain.accounts("one", "two", "three", "plain")
    chain.deploy("eosio", "probe0")
    chain.good(updateauth("two", "active", "owner", authority(1, [(DEV, 1)], [("two", "eosio.code", 1)])))
    chain.good(updateauth("one", "low", "active", sole(DEV)))
    for account in ("one", "two", "three"):
        chain.deploy(account, "probe0")
    chain.push(setcode("plain", wasm("probe1")), note="too early", covers=["setcode"])
    look(chain)
    chain.block(features=["PREACTIVATE_FEATURE"])
    chain.deploy("eosio", "probe1")
    preactivation(chain)
    order = [feature for feature in DIGEST if feature != "PREACTIVATE_FEATURE"]
    for feature in order:
        chain.activate(feature)
        look(chain, feature)
        chain.block()
        if feature == "WTMSIG_BLOCK_SIGNATURES":
            chain.block(2)
    chain.deploy("eosio", "probe2")
    look(chain)
    chain.block(3)
    chain.finish(folder)


def preactivation(chain):
    put = lambda digest: (poke(AT, digest), call("preactivate_feature", AT))
    digest = lambda feature: bytes.fromhex(DIGEST[feature])
    chain.probe("eosio", *put(digest("PREACTIVATE_FEATURE")))
    chain.probe("eosio", *put(digest("NO_DUPLICATE_DEFERRED_ID")), note="its dependency is not active")
    chain.probe("eosio", *put(bytes(32)))
    chain.probe("eosio", *put(digest("GET_SENDER")), *put(digest("GET_SENDER")), note="twice in one")
    chain.probe("one", *put(digest("GET_SENDER")))


ROUND = [0]


def look(chain, feature=None):
    """The same probes of every feature's effect, at each stage; only what concerns `feature` if one is named."""
    ROUND[0] += 1
    mark = ROUND[0]
    about = lambda *features: feature is None or feature in features
    if about("ONLY_LINK_TO_EXISTING_PERMISSION"):
        chain.push(linkauth("plain", "two", "link%s" % chr(97 + mark), "nosuch"), covers=["linkauth"])
    if about("FIX_LINKAUTH_RESTRICTION"):
        for what in ("updateauth", "canceldelay"):
            chain.push(linkauth("one", "two", what, "low"), covers=["linkauth"])
            chain.push(linkauth("one", "eosio", what, "low"), covers=["linkauth"])
    if about("REPLACE_DEFERRED", "NO_DUPLICATE_DEFERRED_ID"):
        hello = action("two", "run", "two", run(call("current_receiver"), row()))
        for replace, size in ((0, 1), (1, 3), (1, 1), (0, 1)):
            chain.probe("two", *send(trx(*[hello] * size, delay=1), 1000 + mark, "two", replace))
        same = trx(action("plain", "x", "two", b"same"), expires=chain.now() + 50, reference=chain.reference())
        chain.probe("two", *send(same, 2000 + mark, "two"), *send(same, 3000 + mark, "two"))
        step(chain, 4)
        step(chain, 4)
    if about("DISALLOW_EMPTY_PRODUCER_SCHEDULE"):
        empty = many([])
        chain.probe("eosio", poke(AT, empty), call("set_proposed_producers", AT, len(empty)), row())
    if about("RESTRICT_ACTION_TO_SELF"):
        act = action("two", "run", "two", run(call("current_receiver"), row()))
        other = action("plain", "x", "plain", b"")
        for one in (act, other):
            chain.push(
                action("two", "run", ["two", "plain"], run(poke(AT, one), call("send_inline", AT, len(one)))),
                covers=["send_inline"],
            )
            chain.push(
                action("two", "run", ["two", "plain"], run(*send(trx(one), 4000 + mark, "two", 1))),
                covers=["send_deferred"],
            )
            step(chain)
    if about("ONLY_BILL_FIRST_AUTHORIZER"):
        chain.push([action("plain", "bill", ["plain", "one"]), action("plain", "bill", "two")], cpu=1000)
        chain.block()
        chain.push([action("plain", "bill", ["one", "plain"])], cpu=1000)
    if about("FORWARD_SETCODE"):
        code = wasm("probe0")
        program = run(call("current_receiver"), call("action_data_size"), row())
        chain.probe(
            "eosio",
            poke(AT, program),
            call("db_find_i64", n("eosio"), n("eosio"), n("hook"), n("setcode"), to=1),
            *(
                (call("db_store_i64", n("eosio"), n("hook"), n("eosio"), n("setcode"), AT, len(program)),)
                if mark == 1
                else ()
            ),
        )
        chain.push(setcode("plain", code), covers=["setcode"])
        chain.push(setcode("plain", b""), covers=["setcode"])
    if about(
        "GET_SENDER",
        "ACTION_RETURN_VALUE",
        "BLOCKCHAIN_PARAMETERS",
        "GET_CODE_HASH",
        "CONFIGURABLE_WASM_LIMITS2",
        "CRYPTO_PRIMITIVES",
        "GET_BLOCK_NUM",
        "WTMSIG_BLOCK_SIGNATURES",
        "PREACTIVATE_FEATURE",
    ):
        from world import wat

        texts = {
            "GET_SENDER": "get_sender (func (result i64))",
            "ACTION_RETURN_VALUE": "set_action_return_value (func (param i32 i32))",
            "BLOCKCHAIN_PARAMETERS": "set_parameters_packed (func (param i32 i32))",
            "GET_CODE_HASH": "get_code_hash (func (param i64 i32 i32 i32) (result i32))",
            "CONFIGURABLE_WASM_LIMITS2": "set_wasm_parameters_packed (func (param i32 i32))",
            "CRYPTO_PRIMITIVES": "k1_recover (func (param i32 i32 i32 i32 i32 i32) (result i32))",
            "GET_BLOCK_NUM": "get_block_num (func (result i32))",
            "WTMSIG_BLOCK_SIGNATURES": "set_proposed_producers_ex (func (param i64 i32 i32) (result i64))",
            "PREACTIVATE_FEATURE": "preactivate_feature (func (param i32))",
        }
        for which, text in texts.items():
            title, _, signature = text.partition(" ")
            chain.push(
                [
                    setcode(
                        "three",
                        wat(
                            '(module (import "env" "%s" %s) (func (export "apply") (param i64 i64 i64)))'
                            % (title, signature)
                        ),
                    ),
                    setcode("three", b""),
                    setcode("three", wasm("probe0")),
                ],
                covers=["setcode"],
                note=which,
            )
    if about("RAM_RESTRICTIONS"):
        chain.push(
            action(
                "one",
                "run",
                ["one", "plain"],
                sections(
                    {
                        "one": [call("require_recipient", n("two"))],
                        "two": [call("db_store_i64", mark, n("ram"), n("plain"), 1, AT, 50)],
                    }
                ),
            ),
            covers=["db_store_i64"],
        )
        chain.push(
            action(
                "one",
                "run",
                ["one", "plain"],
                sections(
                    {
                        "one": [call("require_recipient", n("two"))],
                        "two": [call("db_store_i64", mark, n("ram"), n("two"), 2, AT, 50)],
                    }
                ),
            ),
            covers=["db_store_i64"],
        )
        chain.push(
            action("two", "run", "plain", run(call("db_store_i64", mark, n("ram"), n("two"), 3, AT, 50))),
            covers=["db_store_i64"],
        )
    if about("WEBAUTHN_KEY"):
        key = WebAuthn("feature")
        chain.push(newaccount("one", "wa%s" % chr(97 + mark), sole(key), sole(key)), covers=["newaccount"])
        chain.push(updateauth("one", "wa", "active", sole(key)), covers=["updateauth"])
        signature = key.sign(bytes(range(32)))
        chain.probe(
            "one",
            poke(AT, bytes(range(32))),
            poke(AT + 64, signature),
            call("recover_key", AT, AT + 64, len(signature), AT + 1024, 100),
            peek(AT + 1024, 60),
            row(),
        )
        chain.push(setabi("plain", bytes([mark])), covers=["setabi"], keys=[key])
    if about("WTMSIG_BLOCK_SIGNATURES"):
        producers = many([name("eosio") + DEV.public])
        if feature:
            chain.probe("eosio", poke(AT, producers), call("set_proposed_producers", AT, len(producers)), row())


def record_features_order(folder):
    chain = World(
        "features_order",
        "the features activated several at a time in another order, with empty and full blocks between",
    )
    chain.accounts("one", "two")
    chain.deploy("eosio", "probe1")
    chain.block(2)
    dice = random.Random(3)
    rest = [feature for feature in DIGEST if feature not in ("PREACTIVATE_FEATURE", "NO_DUPLICATE_DEFERRED_ID")]
    dice.shuffle(rest)
    rest.append("NO_DUPLICATE_DEFERRED_ID")
    while rest:
        take = dice.randrange(1, 6)
        some, rest = rest[:take], rest[take:]
        chain.activate(*some)
        chain.push([action("one", "x", "one")])
        chain.block(dice.randrange(1, 3), slots=dice.randrange(1, 5))
    chain.block(2)
    chain.finish(folder)
