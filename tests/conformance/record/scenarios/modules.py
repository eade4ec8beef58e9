"""WASM modules that are accepted or refused by setcode, and what the accepted ones do when they run."""

from hosts import HOSTS
from probe import AT, call, poke
from wire import action, u32
from world import World, setcode, wasm, wat

APPLY = '(func (export "apply") (param i64 i64 i64) %s)'


def module(body="", *fields):
    return wat("(module %s %s)" % (" ".join(fields), APPLY % body))


def leb(value, size=0):
    out = b""
    while value >= 128 or len(out) + 1 < size:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def section(number, data):
    return bytes([number]) + leb(len(data)) + data


MAGIC = b"\0asm\1\0\0\0"
TYPES = section(1, b"\1\x60\3\x7e\x7e\x7e\0")
FUNCTIONS = section(3, b"\1\0")
EXPORT = section(7, b"\1\5apply\0\0")


def code(*bodies):
    return section(10, leb(len(bodies)) + b"".join(leb(len(body)) + body for body in bodies))


def raw(body):
    """A module whose only function is apply with this body (locals and end included)."""
    return MAGIC + TYPES + FUNCTIONS + EXPORT + code(body)


def parse_cases():
    plain = raw(b"\0\x0b")
    yield "plain", plain
    yield "version 2", b"\0asm\2\0\0\0" + plain[8:]
    yield "bad magic", b"\1asm" + plain[4:]
    yield "header only", MAGIC
    for cut in (9, 12, 20, 25, 30, len(plain) - 1):
        yield "cut at %d" % cut, plain[:cut]
    yield "bytes after", plain + b"\0"
    yield "unknown section", plain + section(12, b"")
    yield "section 13", plain + section(13, b"abc")
    yield "custom at end", plain + section(0, b"\4name\0")
    yield "custom at start", MAGIC + section(0, b"\5hello12345") + plain[8:]
    yield "custom empty", plain + section(0, b"")
    yield "custom bad name length", plain + section(0, b"\x7f")
    yield "custom bad utf8", plain + section(0, b"\2\xff\xff")
    yield "types twice", MAGIC + TYPES + TYPES + FUNCTIONS + EXPORT + code(b"\0\x0b")
    yield "out of order", MAGIC + TYPES + EXPORT + FUNCTIONS + code(b"\0\x0b")
    yield "code first", MAGIC + code(b"\0\x0b") + TYPES + FUNCTIONS + EXPORT
    yield "no code", MAGIC + TYPES + FUNCTIONS + EXPORT
    yield "no functions", MAGIC + TYPES + EXPORT + code(b"\0\x0b")
    yield "two bodies one function", MAGIC + TYPES + FUNCTIONS + EXPORT + code(b"\0\x0b", b"\0\x0b")
    yield "unknown type", MAGIC + TYPES + section(3, b"\1\5") + EXPORT + code(b"\0\x0b")
    yield "export index", MAGIC + TYPES + FUNCTIONS + section(7, b"\1\5apply\0\7") + code(b"\0\x0b")
    yield "export kind 4", MAGIC + TYPES + FUNCTIONS + section(7, b"\1\5apply\4\0") + code(b"\0\x0b")
    yield "section too long", MAGIC + b"\1" + leb(40) + TYPES[2:] + plain[8 + len(TYPES) :]
    yield "section too short", MAGIC + b"\1" + leb(5) + TYPES[2:] + plain[8 + len(TYPES) :]
    yield "overlong leb", MAGIC + b"\1" + leb(len(TYPES) - 2, 5) + TYPES[2:] + plain[8 + len(TYPES) :]
    yield "leb of six bytes", MAGIC + b"\1" + leb(len(TYPES) - 2, 6) + TYPES[2:] + plain[8 + len(TYPES) :]
    yield "type form", MAGIC + section(1, b"\1\x61\3\x7e\x7e\x7e\0") + FUNCTIONS + EXPORT + code(b"\0\x0b")
    yield "value type", MAGIC + section(1, b"\1\x60\3\x7e\x7e\x7b\0") + FUNCTIONS + EXPORT + code(b"\0\x0b")
    yield (
        "two results",
        MAGIC + section(1, b"\2\x60\3\x7e\x7e\x7e\0\x60\0\2\x7f\x7f") + FUNCTIONS + EXPORT + code(b"\0\x0b"),
    )
    yield (
        "empty sections",
        MAGIC
        + TYPES
        + section(2, b"\0")
        + FUNCTIONS
        + section(4, b"\0")
        + section(5, b"\0")
        + section(6, b"\0")
        + EXPORT
        + section(9, b"\0")
        + code(b"\0\x0b")
        + section(11, b"\0"),
    )
    for name_, body in {
        "no end": b"\0",
        "bytes after end": b"\0\x0b\x01",
        "two ends": b"\0\x0b\x0b",
        "unknown opcode": b"\0\x06\x0b",
        "sign extension": b"\0\x41\0\xc0\x1a\x0b",
        "saturating": b"\0\x43\0\0\0\0\xfc\0\x1a\x0b",
        "memory copy": b"\0\x41\0\x41\0\x41\0\xfc\x0a\0\0\x0b",
        "simd": b"\0\xfd\x0c" + bytes(16) + b"\x1a\x0b",
        "atomics": b"\0\xfe\3\0\x0b",
        "ref null": b"\0\xd0\x70\x1a\x0b",
        "tail call": b"\0\x12\0\x0b",
        "else without if": b"\0\x05\x0b",
        "drop nothing": b"\0\x1a\x0b",
        "leave a value": b"\0\x41\0\x0b",
        "add types": b"\0\x41\0\x42\0\x6a\x1a\x0b",
        "block left": b"\0\x02\x40\x0b",
        "branch too deep": b"\0\x0c\2\x0b",
        "branch to function": b"\0\x0c\0\x0b",
        "local beyond": b"\0\x20\7\x1a\x0b",
        "global beyond": b"\0\x23\0\x1a\x0b",
        "call beyond": b"\0\x10\7\x0b",
        "load without memory": b"\0\x41\0\x28\2\0\x1a\x0b",
        "memory size without memory": b"\0\x3f\0\x1a\x0b",
        "call indirect without table": b"\0\x41\0\x11\0\0\x0b",
        "dead code bad": b"\0\0\x41\0\x42\0\x6a\x1a\x0b",
        "dead code fine": b"\0\0\x6a\x1a\x0b",
        "dead drop": b"\0\0\x1a\x1a\x1a\x0b",
        "dead add after return": b"\0\x0f\x6a\x6a\x6a\x1a\x0b",
        "if with result no else": b"\0\x41\0\x04\x7f\x41\0\x0b\x1a\x0b",
        "select types": b"\0\x41\0\x42\0\x41\0\x1b\x1a\x0b",
        "typed select": b"\0\x41\0\x41\0\x41\0\x1c\1\x7f\x1a\x0b",
        "block type index": b"\0\x02\0\x0b\x0b",
        "loop value": b"\0\x03\x7f\x41\0\x0b\x1a\x0b",
        "br_if in block": b"\0\x02\x40\x41\1\x0d\0\x0b\x0b",
        "br_table mixed": b"\0\x02\x7f\x41\0\x41\0\x0e\1\0\1\x0b\x1a\x0b",
        "const leb too long": b"\0\x41\x80\x80\x80\x80\x80\0\x1a\x0b",
        "const leb unused bits": b"\0\x41\xff\xff\xff\xff\x4f\x1a\x0b",
        "const i64 long": b"\0\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0\x1a\x0b",
        "nan constants": b"\0\x43\1\0\xa0\x7f\x1a\x44\1\0\0\0\0\0\xf4\x7f\x1a\x0b",
        "locals of type 7b": b"\1\1\x7b\x0b",
        "locals 2000 i32": b"\1" + leb(2000) + b"\x7f\x0b",
        "locals 2049 i32": b"\1" + leb(2049) + b"\x7f\x0b",
        "locals 1024 i64": b"\1" + leb(1021) + b"\x7e\x0b",
        "locals 1022 i64": b"\1" + leb(1022) + b"\x7e\x0b",
        "locals 1025 i64": b"\1" + leb(1025) + b"\x7e\x0b",
        "locals overflow": b"\2\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7f\x0b",
        "local groups": leb(300) + b"\1\x7f\1\x7e" * 150 + b"\x0b",
        "return in middle": b"\0\x0f\x0b",
        "nops": b"\0" + b"\1" * 3000 + b"\x0b",
        "depth 1022": b"\0" + b"\x02\x40" * 1022 + b"\x0b" * 1023,
        "depth 1023": b"\0" + b"\x02\x40" * 1023 + b"\x0b" * 1024,
        "depth 1024": b"\0" + b"\x02\x40" * 1024 + b"\x0b" * 1025,
        "depth 1025": b"\0" + b"\x02\x40" * 1025 + b"\x0b" * 1026,
        "br_table 8192": b"\0\x41\0\x0e" + leb(8191) + b"\0" * 8192 + b"\x0b",
        "br_table 8193": b"\0\x41\0\x0e" + leb(8193) + b"\0" * 8194 + b"\x0b",
        "deep stack": b"\0" + b"\x41\0" * 2000 + b"\x1a" * 2000 + b"\x0b",
    }.items():
        yield name_, raw(body)


def text_cases():
    memory = "(memory 1)"
    yield "no apply", wat('(module (func (export "other") (param i64 i64 i64)))')
    yield "no exports", wat("(module (func (param i64 i64 i64)))")
    yield "empty module", wat("(module)")
    yield "apply of two", wat('(module (func (export "apply") (param i64 i64)))')
    yield "apply of four", wat('(module (func (export "apply") (param i64 i64 i64 i64)))')
    yield "apply of i32", wat('(module (func (export "apply") (param i32 i64 i64)))')
    yield "apply with result", wat('(module (func (export "apply") (param i64 i64 i64) (result i64) (i64.const 0)))')
    yield "apply a global", wat('(module (global (export "apply") i32 (i32.const 1)))')
    yield "apply a memory", wat('(module (memory (export "apply") 1))')
    yield (
        "apply imported",
        wat(
            '(module (import "env" "set_resource_limits" (func $f (param i64 i64 i64 i64))) (import "env" "is_account" (func $g (param i64) (result i32))) (export "apply" (func $f)))'
        ),
    )
    yield (
        "apply twice",
        wat('(module (func $f (param i64 i64 i64)) (export "apply" (func $f)) (export "apply" (func $f)))'),
    )
    yield (
        "same export twice",
        wat('(module (func $f (export "apply") (param i64 i64 i64)) (export "x" (func $f)) (export "x" (func $f)))'),
    )
    for title, text in {
        "unknown import": '(import "env" "no_such" (func))',
        "other module": '(import "wasi" "now" (func (result i64)))',
        "import memory": '(import "env" "memory" (memory 1))',
        "import table": '(import "env" "table" (table 1 funcref))',
        "import global": '(import "env" "g" (global i32))',
        "wrong signature": '(import "env" "is_account" (func (param i32) (result i32)))',
        "wrong result": '(import "env" "is_account" (func (param i64) (result i64)))',
        "no result": '(import "env" "is_account" (func (param i64)))',
        "same import twice": '(import "env" "is_account" (func (param i64) (result i32))) (import "env" "is_account" (func (param i64) (result i32)))',
        "injected checktime": '(import "env" "checktime" (func))',
        "softfloat name": '(import "env" "_eosio_f32_add" (func (param f32 f32) (result f32)))',
        "module eosio_injection": '(import "eosio_injection" "checktime" (func))',
        "empty module name": '(import "" "is_account" (func (param i64) (result i32)))',
    }.items():
        yield title, module("", text)
    yield "two memories", MAGIC + TYPES + FUNCTIONS + section(5, b"\2\0\1\0\1") + EXPORT + code(b"\0\x0b")
    yield "two tables", MAGIC + TYPES + FUNCTIONS + section(4, b"\2\x70\0\1\x70\0\1") + EXPORT + code(b"\0\x0b")
    yield "memory flags 2", MAGIC + TYPES + FUNCTIONS + section(5, b"\1\2\1") + EXPORT + code(b"\0\x0b")
    yield "shared memory", MAGIC + TYPES + FUNCTIONS + section(5, b"\1\3\1\1") + EXPORT + code(b"\0\x0b")
    yield "table of externref", MAGIC + TYPES + FUNCTIONS + section(4, b"\1\x6f\0\1") + EXPORT + code(b"\0\x0b")
    yield (
        "global mutability 2",
        MAGIC + TYPES + FUNCTIONS + section(6, b"\1\x7f\2\x41\0\x0b") + EXPORT + code(b"\0\x0b"),
    )
    for row in HOSTS:
        if row[5] != "genesis":
            kinds = {"i": "i32", "I": "i64", "f": "f32", "d": "f64"}
            yield (
                "import " + row[0],
                module(
                    "",
                    '(import "env" "%s" (func (param %s) %s))'
                    % (
                        row[0],
                        " ".join(kinds[x] for x in row[2]),
                        "(result %s)" % kinds[row[3]] if row[3] != "v" else "",
                    ),
                ),
            )
    for title, text in {
        "memory 0": "(memory 0)",
        "memory 528": "(memory 528)",
        "memory 529": "(memory 529)",
        "memory 1 max 0": "(memory 1 0)",
        "memory 1 max 528": "(memory 1 528)",
        "memory 1 max 529": "(memory 1 529)",
        "memory 1 max 65536": "(memory 1 65536)",
        "memory 65537": "(memory 65537)",
        "memory 1 max 65537": "(memory 1 65537)",
        "data": memory + '(data (i32.const 0) "abc")',
        "data end of 64k": '(memory 2) (data (i32.const 65530) "abcdef")',
        "data over 64k": '(memory 2) (data (i32.const 65531) "abcdef")',
        "data at 64k empty": '(memory 2) (data (i32.const 65536) "")',
        "data at 64k": '(memory 2) (data (i32.const 65536) "a")',
        "data beyond memory": memory + '(data (i32.const 65536) "a")',
        "data without memory": '(data (i32.const 0) "a")',
        "data negative": memory + '(data (i32.const -1) "a")',
        "data offset i64": memory + '(data (i64.const 0) "a")',
        "data offset global": memory + '(global i32 (i32.const 5)) (data (global.get 0) "a")',
        "data in memory 0": '(memory 0) (data (i32.const 0) "a")',
        "empty data in memory 0": '(memory 0) (data (i32.const 0) "")',
        "table 1024": "(table 1024 funcref)",
        "table 1025": "(table 1025 funcref)",
        "table 1 max 5000": "(table 1 5000 funcref)",
        "elem": "(table 2 funcref) (func $x) (elem (i32.const 0) $x $x)",
        "elem beyond": "(table 2 funcref) (func $x) (elem (i32.const 1) $x $x)",
        "elem far": "(table 2 funcref) (func $x) (elem (i32.const 100) $x)",
        "elem no table": "(func $x) (elem (i32.const 0) $x)",
        "elem negative": "(table 2 funcref) (func $x) (elem (i32.const -1) $x)",
        "elem global": "(global i32 (i32.const 0)) (table 2 funcref) (func $x) (elem (global.get 0) $x)",
        "elem bad function": "(table 2 funcref) (elem (i32.const 0) 77)",
        "elem 1024 entries": "(table 1024 funcref) (func $x) (elem (i32.const 0) %s)" % ("$x " * 1024),
        "globals 1024 bytes": "(global (mut i64) (i64.const 0))" * 128,
        "globals over": "(global (mut i64) (i64.const 0))" * 129,
        "globals i32 256": "(global (mut i32) (i32.const 0))" * 256,
        "globals i32 257": "(global (mut i32) (i32.const 0))" * 257,
        "constant globals": "(global i64 (i64.const 0))" * 300,
        "global type": "(global i32 (i64.const 0))",
        "global from global": "(global i32 (i32.const 1)) (global i32 (global.get 0))",
        "global not const": "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "float globals": "(global (mut f64) (f64.const nan:0x8000000000001)) (global f32 (f32.const inf))",
        "set constant": "(global $g i32 (i32.const 1)) (func (global.set $g (i32.const 2)))",
        "start": "(func $s) (start $s)",
        "start with parameter": "(func $s (param i32)) (start $s)",
        "start beyond": "(start 99)",
        "start result": "(func $s (result i32) (i32.const 1)) (start $s)",
        "align 4": memory + "(func (drop (i32.load align=4 (i32.const 0))))",
        "align 8 on i32": memory + "(func (drop (i32.load align=8 (i32.const 0))))",
        "align 1": memory + "(func (drop (i64.load align=1 (i32.const 0))))",
        "offset large": memory + "(func (drop (i64.load offset=4294967295 (i32.const 0))))",
        "offset 33 MiB": memory + "(func (drop (i64.load offset=34603008 (i32.const 0))))",
        "offset below 33 MiB": memory + "(func (drop (i64.load offset=34603007 (i32.const 0))))",
        "store offset": memory + "(func (i64.store offset=40000000 (i32.const 0) (i64.const 1)))",
        "export memory": '(memory (export "memory") 1)',
        "export table": '(table (export "t") 1 funcref)',
        "export global": '(global (export "g") i32 (i32.const 1))',
        "export mutable": '(global (export "g") (mut i32) (i32.const 1))',
        "long export": '(func (export "%s"))' % ("x" * 8191),
        "longer export": '(func (export "%s"))' % ("x" * 8193),
        "functions 8000": "(func)" * 8000,
        "functions 8192": "(func)" * 8192,
        "exports 1000": "".join('(func (export "f%d"))' % one for one in range(1000)),
        "parameters 100": "(func (param %s))" % ("i64 " * 100),
        "parameters 1025": "(func (param %s))" % ("i64 " * 1025),
        "types many": "".join("(type (func (param %s)))" % ("i32 " * (one % 60)) for one in range(500)),
        "call with missing argument": "(func $x (param i32)) (func (call $x))",
        "result missing": "(func (result i32))",
        "result type": "(func (result i32) (i64.const 0))",
        "indirect type": "(table 1 funcref) (func (call_indirect (i32.const 0)))",
    }.items():
        try:
            yield title, module("", text)
        except Exception as error:  # wat2wasm cannot write it: not a case
            print("skipped module", title, str(error)[:80])
    big = "(func (local i64) %s)" % ("(local.set 0 (i64.add (local.get 0) (i64.const 1234567890123456789)))" * 1500)
    yield "large functions", module("", big * 4)


def record_modules(folder):
    chain = World("modules", "modules accepted and refused by setcode, before features")
    cases(chain)
    chain.finish(folder)


def record_modules_all(folder):
    chain = World(
        "modules_all", "modules accepted and refused by setcode, with every feature and with lower wasm limits"
    )
    chain.everything()
    chain.block()
    cases(chain)
    base = (1024, 1024, 8192, 65536, 8192, 1024, 8192, 20 << 20, 20 << 20, 528, 251)
    for position, value in (
        (0, 16),
        (1, 4),
        (2, 300),
        (3, 1000),
        (4, 100),
        (5, 20),
        (6, 300),
        (7, 12000),
        (8, 5000),
        (9, 8),
        (10, 5),
    ):
        limits = list(base)
        limits[position] = value
        data = u32(0) + b"".join(u32(one) for one in limits)
        chain.probe(
            "eosio",
            poke(AT, data),
            call("set_wasm_parameters_packed", AT, len(data)),
            note="limit %d = %d" % (position, value),
        )
        chain.block()
        chain.accounts("lim%s" % chr(97 + position) + ("x" if value == 300 and position == 2 else ""))
        for title, text in {
            "global 16": "(global (mut i64) (i64.const 0))" * 2,
            "global 24": "(global (mut i64) (i64.const 0))" * 3,
            "table 4": "(table 4 funcref)",
            "table 5": "(table 5 funcref)",
            "functions 299": "(func)" * 299,
            "functions 301": "(func)" * 301,
            "data 1000": '(memory 1) (data (i32.const 990) "0123456789")',
            "data 1001": '(memory 1) (data (i32.const 991) "0123456789")',
            "locals 12": "(func (local %s))" % ("i64 " * 12),
            "locals 13": "(func (local %s))" % ("i64 " * 13),
            "depth 19": "(func %s %s)" % ("(block " * 19, ")" * 19),
            "depth 21": "(func %s %s)" % ("(block " * 21, ")" * 21),
            "symbol 300": '(func (export "%s"))' % ("x" * 300),
            "symbol 301": '(func (export "%s"))' % ("x" * 301),
            "code 5000": "(func %s)" % ("nop " * 4990),
            "code 5010": "(func %s)" % ("nop " * 5010),
            "pages 8": "(memory 8)",
            "pages 9": "(memory 9)",
            "grow": "(memory 1)",
        }.items():
            chain.push(setcode("alice", module("", text)), covers=["setcode"], note=title)
        if position in (4, 7):
            chain.push(setcode("alice", wasm("probe2")), covers=["setcode"], note="probe")
        body = "(drop (memory.grow (i32.const 7))) (i32.store (i32.const 524284) (i32.const 1)) (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))"
        chain.push([setcode("bob", module(body, "(memory 1)")), action("bob", "go", "bob")], note="grow to 8 pages")
        for levels in (3, 4, 5, 6, 250):
            deep = "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))"
            chain.push(
                [setcode("bob", module("(call $f (i32.const %d))" % levels, deep)), action("bob", "go", "bob")],
                note="depth %d" % levels,
            )
    chain.block(2)
    chain.finish(folder)


def cases(chain):
    chain.accounts("alice", "bob")
    chain.good(setcode("alice", raw(b"\0\x01\x0b")))
    for count, (title, code_) in enumerate([*parse_cases(), *text_cases()]):
        step = chain.push(setcode("alice", code_), covers=["setcode"], note=title)
        if "fault" not in step["trace"]:
            chain.push(action("alice", "go", "alice"), note="run " + title)
        if count % 40 == 39:
            chain.block()
    chain.block()
    running(chain)
    chain.block(2)


def running(chain):
    """Traps, depth, tables, start functions, growth."""

    def go(title, body, *fields):
        chain.push([setcode("bob", module(body, *fields)), action("bob", "go", "bob")], note=title)

    deep = "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))"
    for levels in (240, 247, 248, 249, 250, 251, 252, 300, 10000):
        go("depth %d" % levels, "(call $f (i32.const %d))" % levels, deep)
    indirect = "(table 1 funcref) (elem (i32.const 0) $f) (type $t (func (param i32))) (func $f (param i32) (if (local.get 0) (then (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))"
    for levels in (248, 249, 250, 251):
        go("indirect depth %d" % levels, "(call $f (i32.const %d))" % levels, indirect)
    host = '(import "env" "is_account" (func $h (param i64) (result i32))) (func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (drop (call $h (i64.const 0))))))'
    for levels in (247, 248, 249, 250):
        go("host at depth %d" % levels, "(call $f (i32.const %d))" % levels, host)
    wide = (
        "(func $f (param i32) (local %s) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))"
        % ("i64 " * 1000)
    )
    for levels in (100, 240):
        go("wide frames %d" % levels, "(call $f (i32.const %d))" % levels, wide)
    go("depth in start", "", deep, "(func $s (call $f (i32.const 300)))", "(start $s)")
    go("unreachable", "unreachable")
    for title, body in {
        "div by zero": "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
        "rem by zero": "(drop (i64.rem_u (i64.const 1) (i64.const 0)))",
        "div overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "rem no overflow": "(drop (i32.rem_s (i32.const 0x80000000) (i32.const -1)))",
        "div overflow 64": "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
        "rem 64": "(drop (i64.rem_s (i64.const 0x8000000000000000) (i64.const -1)))",
        "trunc nan": "(drop (i32.trunc_f64_s (f64.const nan)))",
        "trunc big": "(drop (i64.trunc_f32_u (f32.const 1e20)))",
        "trunc negative": "(drop (i32.trunc_f32_u (f32.const -1)))",
        "trunc -0.9": "(drop (i32.trunc_f32_u (f32.const -0.9)))",
    }.items():
        go(title, body)
    memory = "(memory 1)"
    for at in (65535, 65532, 65533, 65536, 0x7FFFFFFF, 0xFFFFFFFC, 0xFFFFFFFF):
        go("load at %d" % at, "(drop (i32.load (i32.const %d)))" % at, memory)
        go("store at %d" % at, "(i32.store offset=4 (i32.const %d) (i32.const 1))" % at, memory)
        go("load8 offset at %d" % at, "(drop (i32.load8_u offset=65535 (i32.const %d)))" % at, memory)
    table = "(table 4 funcref) (type $v (func)) (type $p (func (param i32))) (func $v0) (func $p0 (param i32)) (elem (i32.const 0) $v0 $p0)"
    for slot in (0, 1, 2, 3, 4, 1000, -1):
        go("indirect slot %d" % slot, "(call_indirect (type $v) (i32.const %d))" % slot, table)
    go("indirect equal types", "(call_indirect (type $w) (i32.const 0))", table, "(type $w (func))")
    go(
        "start runs",
        "(if (i32.ne (global.get $g) (i32.const 7)) (then unreachable))",
        "(global $g (mut i32) (i32.const 1)) (func $s (global.set $g (i32.const 7)))",
        "(start $s)",
    )
    go("start traps", "", "(func $s unreachable)", "(start $s)")
    go(
        "start calls host",
        "",
        '(import "env" "printi" (func $p (param i64))) (func $s (call $p (i64.const 77)))',
        "(start $s)",
    )
    chain.push(
        [
            setcode(
                "bob",
                module(
                    "(global.set $g (i32.add (global.get $g) (i32.const 1))) (if (i32.ne (global.get $g) (i32.const 6)) (then unreachable)) (if (i32.load (i32.const 8)) (then unreachable)) (i32.store (i32.const 8) (i32.const 1)) (drop (memory.grow (i32.const 3)))",
                    "(memory 1) (global $g (mut i32) (i32.const 5))",
                ),
            ),
            *[action("bob", "go", "bob") for _ in range(3)],
        ],
        note="globals and memory start afresh",
    )
    go(
        "overlapping data",
        "(if (i32.ne (i32.load (i32.const 0)) (i32.const 0x62626161)) (then unreachable))",
        '(memory 1) (data (i32.const 0) "aaaa") (data (i32.const 2) "bb")',
    )
    go(
        "br_table",
        "(block $a (block $b (br_table $a $b (i32.const 7)) ) unreachable) (block $c (br_table $c (i32.const -1)))",
    )
    go(
        "grow",
        "(if (i32.ne (memory.grow (i32.const 527)) (i32.const 1)) (then unreachable)) (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (if (i32.ne (memory.size) (i32.const 528)) (then unreachable))",
        "(memory 1)",
    )
    go(
        "grow past max",
        "(if (i32.ne (memory.grow (i32.const 2)) (i32.const -1)) (then unreachable)) (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then unreachable))",
        "(memory 1 2)",
    )
    go("no memory host", "(call $p (i32.const 0))", '(import "env" "prints" (func $p (param i32)))')
    go(
        "no memory host empty",
        "(call $p (i32.const 0) (i32.const 0))",
        '(import "env" "prints_l" (func $p (param i32 i32)))',
    )
    go(
        "memory not exported",
        "(call $p (i32.const 0))",
        '(import "env" "prints" (func $p (param i32)))',
        '(memory 1) (data (i32.const 0) "hi\\00")',
    )
    go(
        "string to the end of memory",
        "(call $p (i32.const 65534))",
        '(import "env" "prints" (func $p (param i32)))',
        '(memory 1) (data (i32.const 65534) "hi")',
    )
