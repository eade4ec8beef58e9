"""Start functions: each way in which one can end, and what `apply`, notified contracts and later actions see then."""

import os

import world
from features import DIGEST
from start_wasm import ACCOUNTS, WAYS, contract
from wire import action
from world import World, setcode, wat

# How many contracts; COUNT in the environment gives another number.
COUNT = int(os.environ.get("COUNT", 60))

# (title, what the start function does): `apply` says that it ran.
ENDS = [
    ("returns", ""),
    ("exits", "(call $exit (i32.const 0))"),
    ("exits with a code", "(call $exit (i32.const -7))"),
    ("exits from within", "(call $deep (i32.const 5))"),
    ("exits from the deepest call", "(call $deep (i32.const 248))"),
    ("calls too deep", "(call $deep (i32.const 260))"),
    ("exits through the table", "(call_indirect (type $empty) (i32.const 0))"),
    ("asserts nothing", "(call $assert (i32.const 1) (i32.const 0))"),
    ("asserts", "(call $assert (i32.const 0) (i32.const 0))"),
    ("asserts a code", "(call $assert_code (i32.const 0) (i64.const 5))"),
    ("aborts", "(call $abort)"),
    ("traps", "(unreachable)"),
    ("divides by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
    ("reads beyond the memory", "(drop (i32.load (i32.const 65536)))"),
    ("calls beyond the table", "(call_indirect (type $empty) (i32.const 9))"),
    ("stores a row and exits", "(call $row) (call $exit (i32.const 0))"),
    ("stores a row and asserts", "(call $row) (call $assert (i32.const 0) (i32.const 0))"),
    ("notifies and exits", "(call $notify (i64.const %d)) (call $exit (i32.const 0))"),
    ("grows and returns", "(drop (memory.grow (i32.const 3)))"),
    (
        "grows, writes there and exits",
        "(drop (memory.grow (i32.const 1))) (i64.store (i32.const 65536) (i64.const 1)) (call $exit (i32.const 0))",
    ),
    ("gives the memory away", "(drop (memory.grow (i32.const -1)))"),
    ("changes globals and memory", "(global.set $g (i64.const 9)) (i32.store (i32.const 0) (i32.const 33))"),
]


def ending(body):
    return wat(
        """(module (type $empty (func))
      (import "env" "eosio_exit" (func $exit (param i32))) (import "env" "eosio_assert" (func $assert (param i32 i32))) (import "env" "eosio_assert_code" (func $assert_code (param i32 i64)))
      (import "env" "abort" (func $abort)) (import "env" "printi" (func $printi (param i64))) (import "env" "require_recipient" (func $notify (param i64)))
      (import "env" "current_receiver" (func $me (result i64))) (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
      (import "env" "current_time" (func $now (result i64)))
      (memory 1) (global $g (mut i64) (i64.const 7)) (table 2 funcref) (elem (i32.const 0) $exits)
      (func $row (drop (call $store (i64.const 0) (i64.const 0) (call $me) (call $now) (i32.const 0) (i32.const 8))))
      (func $exits (call $exit (i32.const 0)))
      (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (call $exits))))
      (func $start %s) (start $start)
      (func (export "apply") (param i64 i64 i64) (call $printi (global.get $g)) (call $printi (i64.extend_i32_u (memory.size))) (call $printi (i64.load (i32.const 0)))))"""
        % body
    )


def ends(chain):
    for title, body in ENDS:
        chain.good(setcode("one", ending(body % world.n("two") if "%d" in body else body)))
        chain.good(setcode("two", ending("")))
        run = action("one", "run", "one")
        chain.push(run, note=title)
        chain.push(
            [run, action("one", "again", "one"), action("two", "run", "two")], note=title + ", and later actions"
        )
        chain.push(action("two", "run", "two"), free=[action("one", "free", [])], note=title + ", context-free")
        chain.push(
            [setcode("two", ending(body.replace("(call $notify (i64.const %d))", ""))), action("two", "run", "two")],
            note=title + ", in code just set",
        )
        chain.block()
        for account in ("one", "two"):
            chain.good(setcode(account, b""))


def at_random(chain, seed, features=()):
    dice = world.dice(seed)
    data = lambda: bytes([dice.randrange(WAYS)])
    act = lambda: action(dice.choice(ACCOUNTS), dice.choice(["run", "other"]), dice.choice(ACCOUNTS), data())
    for number in range(COUNT):
        who = dice.choice(ACCOUNTS)
        code = contract(dice, features)
        if dice.random() < 0.2:
            chain.push([setcode(who, code), action(who, "run", who, data())])
        else:
            chain.push(setcode(who, code))
        for _ in range(5):
            free = [action(dice.choice(ACCOUNTS), "free", [], data())] if dice.random() < 0.1 else []
            chain.push([act() for _ in range(dice.choice([1, 1, 1, 2, 3]))], free=free)
        if number % 4 == 3:
            chain.block()
            chain.run_due()
    chain.block(2)


def record_start(folder):
    chain = World("start", "start functions: every way to end, then random contracts, before features")
    chain.accounts(*ACCOUNTS)
    ends(chain)
    at_random(chain, 161)
    chain.finish(folder)


def record_start_all(folder):
    chain = World("start_all", "the same with every feature")
    chain.everything()
    chain.accounts(*ACCOUNTS)
    ends(chain)
    at_random(chain, 162, DIGEST)
    chain.finish(folder)
