"""The numeric contract: every MVP numeric instruction, one by one, on operands sent as action data.

Data is a u64 row key, then records of (u16 instruction, u64 a, u64 b); the results go to table `num` of the receiver.
"""

import struct

from wire import n, u16, u64


def operations():
    """(name, WAT expression over the i64 locals $a and $b that leaves an i64)."""
    a, b = "(local.get $a)", "(local.get $b)"
    whole = {"i32": lambda x: "(i32.wrap_i64 %s)" % x, "i64": lambda x: x}
    real = {
        "f32": lambda x: "(f32.reinterpret_i32 (i32.wrap_i64 %s))" % x,
        "f64": lambda x: "(f64.reinterpret_i64 %s)" % x,
    }
    take = {**whole, **real}
    give = {
        "i32": lambda x: "(i64.extend_i32_u %s)" % x,
        "i64": lambda x: x,
        "f32": lambda x: "(i64.extend_i32_u (i32.reinterpret_f32 %s))" % x,
        "f64": lambda x: "(i64.reinterpret_f64 %s)" % x,
    }
    out = []

    def unary(kind, name, result=None):
        out.append(("%s.%s" % (kind, name), give[result or kind]("(%s.%s %s)" % (kind, name, take[kind](a)))))

    def binary(kind, name, result=None):
        out.append(
            ("%s.%s" % (kind, name), give[result or kind]("(%s.%s %s %s)" % (kind, name, take[kind](a), take[kind](b))))
        )

    def convert(to, name, source):
        out.append(("%s.%s" % (to, name), give[to]("(%s.%s %s)" % (to, name, take[source](a)))))

    for kind in whole:
        for name in "clz ctz popcnt".split():
            unary(kind, name)
        unary(kind, "eqz", "i32")
        for name in "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr".split():
            binary(kind, name)
        for name in "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split():
            binary(kind, name, "i32")
    for kind in real:
        for name in "abs neg ceil floor trunc nearest sqrt".split():
            unary(kind, name)
        for name in "add sub mul div min max copysign".split():
            binary(kind, name)
        for name in "eq ne lt gt le ge".split():
            binary(kind, name, "i32")
    convert("i32", "wrap_i64", "i64")
    convert("i64", "extend_i32_s", "i32")
    convert("i64", "extend_i32_u", "i32")
    for to in whole:
        for source in real:
            for sign in "su":
                convert(to, "trunc_%s_%s" % (source, sign), source)
    for to in real:
        for source in whole:
            for sign in "su":
                convert(to, "convert_%s_%s" % (source, sign), source)
    convert("f32", "demote_f64", "f64")
    convert("f64", "promote_f32", "f32")
    for source, to in ("f32", "i32"), ("f64", "i64"), ("i32", "f32"), ("i64", "f64"):
        convert(to, "reinterpret_" + source, source)
    for kind in real:  # chains: a value that never leaves the machine's registers between instructions
        x, y = take[kind](a), take[kind](b)
        out.append((kind + " muladd", give[kind]("({0}.add ({0}.mul {1} {2}) {1})".format(kind, x, y))))
        out.append((kind + " sqrtdiv", give[kind]("({0}.div ({0}.sqrt {1}) ({0}.sqrt {2}))".format(kind, x, y))))
        out.append((kind + " negsub", give[kind]("({0}.sub ({0}.neg {1}) ({0}.abs {2}))".format(kind, x, y))))
        out.append((kind + " select", give[kind]("(select {1} {2} ({0}.lt {1} {2}))".format(kind, x, y))))
    out.append(("f64 round trip", give["f64"]("(f64.promote_f32 (f32.demote_f64 %s))" % take["f64"](a))))
    for name in "i32.load8_s i32.load8_u i32.load16_s i32.load16_u i32.load f32.load".split():
        kind = name[:3]
        out.append(
            (
                name,
                "(i64.store (i32.const 65000) (local.get $a)) "
                + give[kind]("(%s (i32.add (i32.const 65000) (i32.wrap_i64 (local.get $b))))" % name),
            )
        )
    for name in "i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u i64.load f64.load".split():
        out.append(
            (
                name,
                "(i64.store (i32.const 65000) (local.get $a)) "
                + give[name[:3]]("(%s (i32.add (i32.const 65000) (i32.wrap_i64 (local.get $b))))" % name),
            )
        )
    return out


OPERATIONS = operations()
OPERATION = {name: number for number, (name, _) in enumerate(OPERATIONS)}


def module():
    count = len(OPERATIONS)
    body = "(br_table %s (i32.sub (local.get $op) (i32.const 0)))" % " ".join("$%d" % one for one in range(count + 1))
    for number in range(count + 1):
        tail = "(return %s)" % OPERATIONS[number][1] if number < count else "unreachable"
        if number < count and OPERATIONS[number][1].startswith("(i64.store"):
            store, _, rest = OPERATIONS[number][1].partition(" (local.get $a)) ")
            tail = "%s (local.get $a)) (return %s)" % (store, rest)
        body = "(block $%d %s) %s" % (number, body, tail)
    return """(module
  (import "env" "read_action_data" (func $read (param i32 i32) (result i32)))
  (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func $one (param $op i32) (param $a i64) (param $b i64) (result i64) %s)
  (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64) (local $at i32) (local $end i32) (local $out i32)
    (if (i64.ne (local.get $receiver) (local.get $code)) (then (return)))
    (local.set $end (call $read (i32.const 0) (i32.const 60000)))
    (local.set $at (i32.const 8))
    (local.set $out (i32.const 65536))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (i64.store (local.get $out) (call $one (i32.load16_u (local.get $at)) (i64.load offset=2 (local.get $at)) (i64.load offset=10 (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 18)))
      (local.set $out (i32.add (local.get $out) (i32.const 8)))
      (br $next)))
    (drop (call $store (local.get $receiver) (i64.const 0x%x) (local.get $receiver) (i64.load (i32.const 0))
      (i32.const 65536) (i32.sub (local.get $out) (i32.const 65536))))))
""" % (body, n("num"))


def data(key, records):
    """Action data for `records` of (operation name, a, b)."""
    return u64(key) + b"".join(u16(OPERATION[name]) + u64(a) + u64(b) for name, a, b in records)


def f32(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def f64(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]
