"""Numbers: every numeric instruction, long doubles and 128-bit integers, with the values where engines differ."""

import random
import struct

import numeric
from numeric import OPERATIONS
from probe import AT, END, call, peek, row
from wire import action, u16
from world import World, setcode, wasm

F32 = [
    0,
    0x80000000,
    1,
    0x80000001,
    0x007FFFFF,
    0x00800000,
    0x3F000000,
    0xBF000000,
    0x3F800000,
    0xBF800000,
    0x3FC00000,
    0xBFC00000,
    0x40200000,
    0x3EFFFFFF,
    0x4B000000,
    0x4B7FFFFF,
    0x4EFFFFFF,
    0x4F000000,
    0x4F800000,
    0xCF000000,
    0x5F000000,
    0x5F800000,
    0xDF000000,
    0x7F7FFFFF,
    0xFF7FFFFF,
    0x7F800000,
    0xFF800000,
    0x7FC00000,
    0xFFC00000,
    0x7FC12345,
    0xFFC54321,
    0x7F800001,
    0xFF812345,
    0x7FBFFFFF,
    0x3EAAAAAB,
    0x42F6E979,
]
F64 = [
    0,
    1 << 63,
    1,
    1 << 63 | 1,
    0x000FFFFFFFFFFFFF,
    0x0010000000000000,
    0x3FE0000000000000,
    0xBFE0000000000000,
    0x3FF0000000000000,
    0xBFF0000000000000,
    0x3FF8000000000000,
    0xBFF8000000000000,
    0x4004000000000000,
    0x3FDFFFFFFFFFFFFF,
    0x4330000000000000,
    0x433FFFFFFFFFFFFF,
    0x41DFFFFFFFC00000,
    0x41E0000000000000,
    0xC1E0000000000000,
    0xC1E0000000200000,
    0x41EFFFFFFFE00000,
    0x41F0000000000000,
    0x43DFFFFFFFFFFFFF,
    0x43E0000000000000,
    0xC3E0000000000000,
    0x43EFFFFFFFFFFFFF,
    0x43F0000000000000,
    0x7FEFFFFFFFFFFFFF,
    0xFFEFFFFFFFFFFFFF,
    0x7FF0000000000000,
    0xFFF0000000000000,
    0x7FF8000000000000,
    0xFFF8000000000000,
    0x7FF8123456789ABC,
    0xFFFCBA9876543210,
    0x7FF0000000000001,
    0xFFF123456789ABCD,
    0x7FF7FFFFFFFFFFFF,
    0x3FD5555555555555,
    0x47EFFFFFE0000000,
    0x47EFFFFFF0000000,
    0x3690000000000000,
    0x36A0000000000000,
    0x7FF0000010000000,
    0x7FF0000020000000,
    0xBFEFFFFFFFFFFFFF,
    0xBFF0000000000001,
]
I32 = [0, 1, 2, 31, 32, 33, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0xFFFFFFFE, 0x12345678, 0xDEADBEEF]
I64 = [
    0,
    1,
    2,
    63,
    64,
    65,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 32,
    0x7FFFFFFFFFFFFFFF,
    1 << 63,
    (1 << 63) + 1,
    (1 << 64) - 1,
    0x123456789ABCDEF0,
    1 << 53,
    (1 << 53) + 1,
    (1 << 24) + 1,
]
BINARY = set(
    "add sub mul div min max copysign eq ne lt gt le ge div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split()
)


def kinds(operation):
    """The kind of the operands of an operation, by its name."""
    kind, _, what = operation.replace(" ", ".", 1).partition(".")
    for source in ("f32", "f64", "i32", "i64"):
        if (
            what.startswith(("trunc_", "convert_", "demote_", "promote_", "reinterpret_", "wrap_", "extend_"))
            and source in what
        ):
            return {"f32": F32, "f64": F64, "i32": I32, "i64": I64}[source], kind, what
    return {"f32": F32, "f64": F64, "i32": I32, "i64": I64}[kind], kind, what


def traps(operation, a, b):
    """Whether WASM lets the operation trap for these operands."""
    if "trunc_f" in operation:
        to, _, rest = operation.partition(".trunc_")
        size, signed = int(to[1:]), rest.endswith("s")
        value = (
            struct.unpack("<f", struct.pack("<I", a))[0]
            if "f32" in rest
            else struct.unpack("<d", struct.pack("<Q", a))[0]
        )
        if value != value or value in (float("inf"), float("-inf")):
            return True
        return (
            not (-(1 << size - 1) <= int(value) < 1 << size - 1)
            if signed
            else not (0 <= int(value) < 1 << size) or value <= -1
        )
    size = 1 << (32 if operation[1:3] == "32" else 64)
    if operation.endswith((".div_s", ".div_u", ".rem_s", ".rem_u")):
        return b % size == 0 or operation.endswith("div_s") and b % size == size - 1 and a % size == size // 2
    return False


def record_numeric(folder):
    chain = World("numeric", "every MVP numeric instruction on edge values, NaN payloads, denormals, halves; traps")
    chain.accounts("num")
    chain.good(setcode("num", wasm("numeric")))
    chain.block()
    records, wrong = [], []
    dice = random.Random(7)
    for name_, _ in OPERATIONS:
        values, kind, what = kinds(name_)
        pairs = [(a, 0) for a in values]
        if what in BINARY or name_.startswith(("f32 ", "f64 ")) and "round" not in name_:
            some = values if kind[0] == "i" else values[::2] + values[-8:]
            pairs = [(a, b) for a in some for b in some]
            if kind[0] == "f":
                pairs += [(dice.getrandbits(int(kind[1:])), dice.getrandbits(int(kind[1:]))) for _ in range(20)]
        if "load" in name_:
            pairs = [(0x8182838485868788, at) for at in (0, 1, 3)] + [(0x7FF0000000000001, 0), (0x7FA00000, 0)]
        for a, b in pairs:
            (wrong if traps(name_, a, b) else records).append((name_, a, b))
    for start in range(0, len(records), 1500):
        chain.good(
            action("num", "go", "num", numeric.data(start, records[start : start + 1500])),
            note="instructions",
            covers=["read_action_data", "db_store_i64"],
        )
    for number, one in enumerate(dice.sample(wrong, 60)):
        chain.bad(action("num", "go", "num", numeric.data(1_000_000 + number, [one])), note="%s %x %x" % one)
    chain.bad(
        action("num", "go", "num", numeric.data(2_000_000, []) + u16(len(OPERATIONS)) + bytes(16)), note="unreachable"
    )
    chain.block(2)
    chain.finish(folder)


def f128(value):
    """A double's exact value as a long double."""
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    sign, exponent, fraction = bits >> 63, bits >> 52 & 0x7FF, bits & (1 << 52) - 1
    if exponent == 0 and fraction == 0:
        return sign << 127
    return sign << 127 | (exponent - 1023 + 16383) << 112 | fraction << 60


F128 = [
    0,
    1 << 127,
    1,
    1 << 127 | 1,
    (1 << 112) - 1,
    1 << 112,
    *[
        f128(value)
        for value in (
            0.5,
            -0.5,
            1.0,
            -1.0,
            1.5,
            -1.5,
            2.5,
            3.141592653589793,
            1e308,
            -1e308,
            4294967295.5,
            -2147483648.9,
            2.0**63,
            -(2.0**63),
            2.0**64,
            2.0**127,
            -(2.0**127),
            2.0**128,
        )
    ],
    0x7FFE << 112 | (1 << 112) - 1,
    0xFFFE << 112 | (1 << 112) - 1,
    0x7FFF << 112,
    0xFFFF << 112,
    0x7FFF8 << 108,
    0xFFFF8 << 108,
    0x7FFF8 << 108 | 12345,
    0x7FFF << 112 | 1,
    0xFFFF << 112 | 0xABCDEF,
    0x3FFF << 112 | 1,
    0x3FFF << 112 | (1 << 112) - 1,
    0x4005 << 112 | 0x123456789ABCDEF << 40,
    0x3FFF << 112 | 1 << 59,
    0x3FFF << 112 | (1 << 59) + 1,
    0x407E << 112 | 7,
]
I128 = [
    0,
    1,
    2,
    (1 << 128) - 1,
    1 << 127,
    (1 << 127) - 1,
    1 << 64,
    (1 << 64) - 1,
    (1 << 64) + 1,
    12345678901234567890123456789,
    (1 << 128) - 12345678901234567890,
    10**38,
    3,
    (1 << 128) - 3,
]
LOW = (1 << 64) - 1


def record_builtins(folder):
    chain = World("builtins", "compiler builtins: 128-bit integers and long doubles on edge values")
    chain.accounts("num")
    chain.good(setcode("num", wasm("probe0")))
    chain.block()
    dice = random.Random(9)
    go = lambda parts: chain.probe("num", *parts, row())

    def batch(parts, size=90):
        for start in range(0, len(parts), size):
            go([piece for part in parts[start : start + size] for piece in part])

    whole = I128 + [dice.getrandbits(128) for _ in range(5)]
    for function in ("__divti3", "__udivti3", "__multi3", "__modti3", "__umodti3"):
        pairs = [(a, b) for a in whole for b in whole]
        batch(
            [
                (call(function, AT, a & LOW, a >> 64, b & LOW, b >> 64), peek(AT, 16))
                for a, b in pairs
                if b or function == "__multi3"
            ]
        )
        if function != "__multi3":
            chain.probe("num", call(function, AT, 5, 0, 0, 0))
        chain.probe("num", call(function, AT + 3, 500, 0, 7, 0), peek(AT, 24), row())
        chain.probe("num", call(function, END - 15, 500, 0, 7, 0))
    for function in ("__ashlti3", "__ashrti3", "__lshlti3", "__lshrti3"):
        batch(
            [
                (call(function, AT, a & LOW, a >> 64, shift), peek(AT, 16))
                for a in whole[:8] + whole[-2:]
                for shift in (0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 0xFFFFFFFF)
            ]
        )
        chain.probe("num", call(function, END - 8, 1, 1, 1))
    long = F128 + [dice.getrandbits(128) for _ in range(4)]
    for function in ("__addtf3", "__subtf3", "__multf3", "__divtf3"):
        some = long[::2] + long[-12:]
        batch([(call(function, AT, a & LOW, a >> 64, b & LOW, b >> 64), peek(AT, 16)) for a in some for b in some])
        chain.probe("num", call(function, END - 15, 500, 0, 7, 0))
    for function in ("__cmptf2", "__eqtf2", "__netf2", "__getf2", "__gttf2", "__letf2", "__lttf2", "__unordtf2"):
        some = long[::3] + long[-6:]
        batch([(call(function, a & LOW, a >> 64, b & LOW, b >> 64),) for a in some for b in some], 200)
    batch([(call("__negtf2", AT, a & LOW, a >> 64), peek(AT, 16)) for a in long])
    for function in ("__trunctfdf2", "__trunctfsf2", "__fixtfsi", "__fixtfdi", "__fixunstfsi", "__fixunstfdi"):
        batch([(call(function, a & LOW, a >> 64),) for a in long], 200)
    for function in ("__fixtfti", "__fixunstfti"):
        batch([(call(function, AT, a & LOW, a >> 64), peek(AT, 16)) for a in long])
        chain.probe("num", call(function, END - 15, 500, 0))
    batch([(call("__extendsftf2", AT, a), peek(AT, 16)) for a in F32])
    batch([(call("__extenddftf2", AT, a), peek(AT, 16)) for a in F64])
    for function in ("__fixsfti", "__fixunssfti"):
        batch(
            [
                (call(function, AT, a), peek(AT, 16))
                for a in F32 + [0x7EFFFFFF, 0x7F000000, 0xFF000000, 0xFF000001, 0x5F7FFFFF]
            ]
        )
    for function in ("__fixdfti", "__fixunsdfti"):
        batch(
            [
                (call(function, AT, a), peek(AT, 16))
                for a in F64
                + [0x47DFFFFFFFFFFFFF, 0x47E0000000000000, 0xC7E0000000000000, 0xC7E0000000000001, 0x47F0000000000000]
            ]
        )
    batch([(call("__floatsidf", a),) for a in I32], 200)
    for function in ("__floatsitf", "__floatunsitf"):
        batch([(call(function, AT, a), peek(AT, 16)) for a in I32])
    for function in ("__floatditf", "__floatunditf"):
        batch([(call(function, AT, a), peek(AT, 16)) for a in I64])
    for function in ("__floattidf", "__floatuntidf"):
        batch(
            [
                (call(function, a & LOW, a >> 64),)
                for a in whole + [(1 << 53) + 1 << 70, (1 << 54) + 3 << 60, (1 << 128) - (1 << 74)]
            ],
            200,
        )
    chain.block(2)
    chain.finish(folder)
