"""Generous WASM limits: what the machine itself does with deep calls, large frames, deep nesting, large tables."""

from probe import AT, call, poke
from wire import action, u32
from world import World, setcode, wat

BASE = [1024, 1024, 8192, 65536, 8192, 1024, 8192, 20 << 20, 20 << 20, 528, 251]
GLOBALS, TABLE, SECTION, INIT, LOCALS, NESTED, SYMBOL, MODULE, CODE, PAGES, DEPTH = range(11)
APPLY = '(func (export "apply") (param i64 i64 i64) %s)'


def recursion(locals_, depth):
    """Calls itself `depth` times (for ever with a negative number) with that many locals that live across the call."""
    names = " ".join("(local i64)" for _ in range(locals_))
    sums = "".join(
        "(local.set %d (i64.add (local.get %d) (i64.const %d)))" % (one + 1, one, one)
        for one in range(min(locals_, 200))
    )
    return wat(
        '(module (import "env" "printi" (func $p (param i64))) (func $f (param i64) (result i64) %s (if (i64.eqz (local.get 0)) (then (return (i64.const 7)))) %s (i64.add (call $f (i64.sub (local.get 0) (i64.const 1))) (local.get %d))) %s)'
        % (names, sums, min(locals_, 200), APPLY % "(call $p (call $f (i64.const %d)))" % depth)
    )


def nested(depth):
    return wat("(module %s)" % (APPLY % ("(block " * depth + ")" * depth)))


def record_wasm_limits(folder):
    chain = World(
        "wasm_limits", "generous WASM limits: deep calls, large frames, deep nesting, large tables, globals and data"
    )
    chain.everything()
    chain.accounts("one")
    for changes in (
        {},
        {DEPTH: 30},
        {DEPTH: 1000},
        {DEPTH: 5000},
        {DEPTH: 1000, LOCALS: 65536},
        {LOCALS: 1 << 20, DEPTH: 300},
        {NESTED: 4000},
        {TABLE: 20000, GLOBALS: 20000},
        {INIT: 1 << 20, PAGES: 528},
        {SECTION: 100000, SYMBOL: 100000},
        {PAGES: 2000},
        {LOCALS: 0xFFFFFFFF},
        {DEPTH: 0},
        {PAGES: 0},
    ):
        values = [changes.get(position, value) for position, value in enumerate(BASE)]
        packed = u32(0) + b"".join(u32(value) for value in values)
        chain.probe("eosio", poke(AT, packed), call("set_wasm_parameters_packed", AT, len(packed)))
        chain.block()
        for title, module in (
            [
                ("recursion %d %d" % (locals_, depth), recursion(locals_, depth))
                for locals_ in (0, 10, 900, 7000)
                for depth in (0, 1, 100, 247, 248, 249, 250, 990, 997, 998, 4990, -1)
            ]
            + [("nested %d" % depth, nested(depth)) for depth in (1000, 1022, 1024, 3990, 4001)]
            + [
                ("table", wat("(module (table 15000 funcref) %s)" % (APPLY % ""))),
                ("globals", wat("(module %s %s)" % ("(global (mut i64) (i64.const 0))" * 2000, APPLY % ""))),
                ("data", wat('(module (memory 10) (data (i32.const 600000) "x") %s)' % (APPLY % ""))),
                ("pages", wat("(module (memory 1000) %s)" % (APPLY % ""))),
                (
                    "grow",
                    wat(
                        '(module (import "env" "printi" (func $p (param i64))) (memory 1) %s)'
                        % (
                            APPLY
                            % "(call $p (i64.extend_i32_s (memory.grow (i32.const 600)))) (call $p (i64.extend_i32_s (memory.grow (i32.const 526)))) (call $p (i64.extend_i32_s (memory.grow (i32.const 1)))) (call $p (i64.extend_i32_s (memory.size)))"
                        )
                    ),
                ),
            ]
        ):
            chain.push([setcode("one", module), action("one", "x", "one")], note=title)
    chain.block(2)
    chain.finish(folder)
