"""Random contracts with a start function: what it does before `apply` runs, how it ends, what `apply` sees of it."""

from hosts import HOSTS
from wire import action, n
from world import wat

KINDS = {"i": "i32", "I": "i64", "f": "f32", "d": "f64"}
ACCOUNTS = ["one", "two", "three"]
# Where a module keeps things: the action's data, a deferred one's id, scratch that `apply` prints, packed inline actions, deferred ones.
DATA, SENDER_ID, SCRATCH, INLINE, DEFERRED = 16, 32, 64, 256, 1024
ROWS = 4
# Which way a run takes is in the first byte of the action's data.
WAYS = 8


def signature(row):
    return " ".join("(param %s)" % KINDS[one] for one in row[2]) + (
        " (result %s)" % KINDS[row[3]] if row[3] != "v" else ""
    )


def text(data):
    return "".join("\\%02x" % byte for byte in data)


class Module:
    """One contract. `known` are the features whose host functions it may import, `packed` inline actions and a deferred
    transaction that it can send."""

    def __init__(self, dice, known, inline, deferred):
        self.dice, self.inline, self.deferred = dice, inline, deferred
        self.rows = {row[0]: row for row in HOSTS if row[5] in known}
        self.used = {}
        self.functions = []

    def call(self, function, *arguments):
        self.used[function] = self.rows[function]
        return "(call $%s %s)" % (function, " ".join(arguments))

    @staticmethod
    def i32(value):
        return "(i32.const %d)" % value

    @staticmethod
    def i64(value):
        return "(i64.const %d)" % (value if value < 1 << 63 else value - (1 << 64))

    def account(self):
        return self.i64(n(self.dice.choice(ACCOUNTS)))

    def statement(self, depth=2):
        dice, i32, i64 = self.dice, self.i32, self.i64
        kinds = [
            "memory",
            "memory",
            "global",
            "print",
            "row",
            "row",
            "find",
            "look",
            "action",
            "grow",
            "receive",
            "authority",
            "time",
        ]
        kinds += ["end", "end", "trap", "recursion"] if dice.random() < 0.7 else []
        kinds += ["block", "table", "way", "way"] if depth else []
        kinds += [name for name in ("set_action_return_value", "get_sender") if name in self.rows]
        kind = dice.choice(kinds)
        key, at = i64(dice.randrange(ROWS)), SCRATCH + dice.randrange(0, 64, 4)
        if kind == "memory":
            return "(i32.store %s (i32.add (i32.load %s) %s))" % (i32(at), i32(at), i32(dice.randrange(1, 1000)))
        if kind == "global":
            return "(global.set $g (i64.add (global.get $g) %s))" % i64(dice.randrange(1, 100))
        if kind == "print":
            return self.call("printi", i64(dice.randrange(100)))
        if kind == "row":
            return self.row(key)
        if kind == "find":
            return self.call(
                "printi", "(i64.extend_i32_s %s)" % self.call("db_find_i64", self.account(), i64(0), i64(n("t")), key)
            )
        if kind == "look":
            # An iterator's number, which the other function may have made.
            return self.call(
                "printi",
                "(i64.extend_i32_s %s)"
                % self.call("db_get_i64", i32(dice.choice([0, 0, 1, 2, -1, -2])), i32(at), i32(4)),
            )
        if kind == "action":
            return self.send()
        if kind == "grow":
            pages = dice.choice([0, 1, 1, 3, 20, 526, 527, 528, 70000, -1, -1, -2])
            return self.call("printi", "(i64.extend_i32_s (memory.grow %s))" % i32(pages))
        if kind == "receive":
            return self.call("require_recipient", self.account())
        if kind == "authority":
            return (
                self.call("require_auth", self.account())
                if dice.random() < 0.2
                else self.call("printi", "(i64.extend_i32_s %s)" % self.call("has_auth", self.account()))
            )
        if kind == "time":
            return self.call("printi", self.call("current_time")) + self.call(
                "printi", "(i64.extend_i32_u %s)" % self.call("action_data_size")
            )
        if kind == "set_action_return_value":
            return self.call(kind, i32(at), i32(dice.randrange(9)))
        if kind == "get_sender":
            return self.call("printn", self.call(kind))
        if kind == "end":
            return self.end()
        if kind == "trap":
            return dice.choice(
                [
                    "(unreachable)",
                    "(drop (i32.div_s %s (i32.load %s)))" % (i32(1), i32(60)),
                    "(i64.store %s %s)" % (i32(dice.choice([65532, 65536, 131068, -4])), i64(1)),
                    "(call_indirect (type $empty) %s)" % i32(dice.randrange(4)),
                ]
            )
        if kind == "recursion":
            return "(call $deep %s)" % i32(
                dice.choice([0, 1, 40, 120, 240, 246, 247, 248, 249, 250, 251, 300, 100_000])
            )
        if kind == "block":
            return "(block %s (br_if 0 %s) %s)" % (
                self.statement(depth - 1),
                i32(dice.randrange(2)),
                self.statement(depth - 1),
            )
        if kind == "table":
            return "(call_indirect (type $empty) %s)" % i32(dice.randrange(3))
        way = "(i32.eq (i32.load8_u %s) %s)" % (i32(DATA), i32(dice.randrange(WAYS)))
        condition = dice.choice([way, way, "(i64.eq %s %s)" % (self.call("current_receiver"), self.account())])
        return "(if %s (then %s) (else %s))" % (
            condition,
            self.statements(dice.randrange(4), depth - 1),
            self.statement(depth - 1),
        )

    def row(self, key):
        """Stores a row, or changes or removes it where it is there."""
        dice, i32, i64 = self.dice, self.i32, self.i64
        find = "(local.set 0 %s)" % self.call("db_find_i64", self.call("current_receiver"), i64(0), i64(n("t")), key)
        store = "(drop %s)" % self.call(
            "db_store_i64",
            i64(0),
            i64(n("t")),
            self.call("current_receiver"),
            key,
            i32(SCRATCH),
            i32(dice.randrange(1, 30)),
        )
        there = (
            self.call("db_remove_i64", "(local.get 0)")
            if dice.random() < 0.4
            else self.call("db_update_i64", "(local.get 0)", i64(0), i32(SCRATCH), i32(dice.randrange(30)))
        )
        return "%s (if (i32.lt_s (local.get 0) (i32.const 0)) (then %s) (else %s))" % (find, store, there)

    def send(self):
        dice, i32, i64 = self.dice, self.i32, self.i64
        what = dice.random()
        if what < 0.7:
            place = dice.randrange(len(self.inline))
            return self.call("send_inline", i32(self.places()[place]), i32(len(self.inline[place])))
        if what < 0.9:
            return "(i64.store %s %s)" % (i32(SENDER_ID), i64(dice.randrange(3))) + self.call(
                "send_deferred",
                i32(SENDER_ID),
                self.call("current_receiver"),
                i32(DEFERRED),
                i32(len(self.deferred)),
                i32(dice.randrange(2)),
            )
        return "(i64.store %s %s) (drop %s)" % (
            i32(SENDER_ID),
            i64(dice.randrange(3)),
            self.call("cancel_deferred", i32(SENDER_ID)),
        )

    def end(self):
        dice, i32, i64 = self.dice, self.i32, self.i64
        return dice.choice(
            [
                self.call("eosio_exit", i32(dice.choice([0, 1, -1]))),
                self.call("eosio_exit", i32(0)),
                "(return)",
                self.call("abort"),
                "(call $exits)",
                "(call $deep_exit %s)" % i32(dice.choice([1, 20, 248, 260])),
                self.call("eosio_assert", i32(dice.randrange(2)), i32(DATA)),
                self.call(
                    "eosio_assert_code", i32(0), i64(dice.choice([0, 7, 5000000000000000000, 10000000000000000001]))
                ),
                self.call("eosio_assert_message", i32(0), i32(SCRATCH), i32(4)),
                self.call("require_auth", i64(n("nobody"))),
            ]
        )

    def places(self):
        at, out = INLINE, []
        for one in self.inline:
            out.append(at)
            at += len(one)
        return out

    def statements(self, count, depth=2):
        return " ".join(self.statement(depth) for _ in range(count))

    def shown(self):
        """What `apply` finds."""
        i32 = self.i32
        out = [
            self.call("prints_l", i32(8), i32(1)),
            self.call("printn", self.call("current_receiver")),
            self.call("printi", "(global.get $g)"),
            self.call("printi", "(i64.extend_i32_u (memory.size))"),
        ]
        return " ".join([*out, self.call("printhex", i32(SCRATCH), i32(64))])

    def wasm(self):
        dice, i32 = self.dice, self.i32
        read = "(drop %s)" % self.call("read_action_data", i32(DATA), i32(8))
        if dice.random() < 0.04:
            # A host function of no parameters is a start function, too.
            start, own = "$abort", ""
            self.call("abort")
        else:
            start = "$start"
            own = "(func $start (local i32) %s %s)" % (
                read if dice.random() < 0.8 else "",
                self.statements(dice.randrange(1, 7)),
            )
        table = ["(func $t%d (local i32) %s)" % (one, self.statement(0)) for one in range(2)]
        apply = '(func (export "apply") (param i64 i64 i64) (local i32) %s %s)' % (self.shown(), self.applied())
        exits = "(func $exits %s)" % self.call("eosio_exit", i32(3))
        deep = "(func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))))"
        deep_exit = "(func $deep_exit (param i32) (if (local.get 0) (then (call $deep_exit (i32.sub (local.get 0) (i32.const 1))) (call $deep (i32.const 300)))) (call $exits))"
        memory = "(memory %s)" % dice.choice(["1", "1", "2", "1 2", "1 528", "2 3", "528"])
        data = '(data (i32.const 8) "|no") (data (i32.const %d) "%s") (data (i32.const %d) "%s")' % (
            INLINE,
            text(b"".join(self.inline)),
            DEFERRED,
            text(self.deferred),
        )
        imports = "".join(
            '(import "env" "%s" (func $%s %s))' % (name, name, signature(row)) for name, row in self.used.items()
        )
        return wat(
            "(module (type $empty (func)) %s %s (global $g (mut i64) (i64.const 7)) (table 4 funcref) (elem (i32.const 0) $t0 $t1 $deep) %s %s %s %s %s %s %s (start %s))"
            % (imports, memory, data, own, " ".join(table), apply, exits, deep, deep_exit, start)
        )

    def applied(self):
        return (
            self.statements(self.dice.randrange(4))
            .replace("(local.get 0)", "(local.get 3)")
            .replace("(local.set 0", "(local.set 3")
        )


def contract(dice, features):
    data = lambda: bytes([dice.randrange(WAYS), 0, 0, 0])
    inline = [action(who, "run", [who], data()) for who in ACCOUNTS[:2]]
    return Module(dice, {"genesis", *features}, inline, dice.choice(inline)).wasm()
