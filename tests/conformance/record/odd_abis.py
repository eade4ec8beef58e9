"""ABIs that are not perfect, as contracts' owners set them: short, cut off, not UTF-8, of unknown versions, circular,
deep, with names that repeat or are missing. Some by hand (HAND=0 leaves them out), the rest by chance (SEED, ODD names
how many of each kind).

`accounts()` gives `[(account, bytes)]`, the same list to who sets them and to who asks about them.
"""

import os
import random

from wire import blob, many, n, u16, u64

# Of each kind that chance makes.
COUNT = int(os.environ.get("ODD", 12))
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LATIN = b"caf\xe9"
VERSION = "eosio::abi/1.2"


def fields(pairs):
    return many(blob(title) + blob(kind) for title, kind in pairs)


def struct_def(title, pairs, base=""):
    return blob(title) + blob(base) + fields(pairs)


def action_def(title, kind, contract=""):
    return u64(n(title)) + blob(kind) + blob(contract)


def table_def(title, kind, index="i64", names=(), types=()):
    return u64(n(title)) + blob(index) + many(map(blob, names)) + many(map(blob, types)) + blob(kind)


def packed(
    version=VERSION,
    types=(),
    structs=None,
    actions=None,
    tables=None,
    clauses=(),
    messages=(),
    extensions=(),
    variants=(),
    results=(),
):
    """An ABI of one struct, one action `go` and one table `tt`, but for what is given."""
    structs = [struct_def("go", [("v", "uint8")])] if structs is None else structs
    actions = [action_def("go", "go")] if actions is None else actions
    tables = [table_def("tt", "go")] if tables is None else tables
    return (
        blob(version)
        + many(blob(new) + blob(old) for new, old in types)
        + many(structs)
        + many(actions)
        + many(tables)
        + many(blob(one) + blob(two) for one, two in clauses)
        + many(u64(code) + blob(text) for code, text in messages)
        + many(u16(number) + blob(data) for number, data in extensions)
        + many(blob(title) + many(map(blob, cases)) for title, cases in variants)
        + many(u64(n(title)) + blob(kind) for title, kind in results)
    )


def of(kind, **rest):
    """`go` and `tt` are structs with one field of a type."""
    return packed(structs=[struct_def("go", [("v", kind)])] + rest.pop("structs", []), **rest)


def chain_of(count, first="uint8"):
    return [("t%d" % number, "t%d" % (number - 1) if number else first) for number in range(count)]


def by_hand():
    good = packed()
    deep = [
        struct_def("d%d" % number, [("v", "d%d" % (number + 1) if number < 40 else "uint8")]) for number in range(41)
    ]
    bases = [struct_def("b%d" % number, [], "b%d" % (number + 1) if number < 40 else "") for number in range(41)]
    return [
        good,
        # Short ones: up to four bytes there is none.
        *(bytes(count) for count in range(1, 10)),
        b"\xff",
        b"\xff\xff\xff\xff",
        b"\xff" * 5,
        b"\x01\x02\x03",
        b"\x80",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        # Bytes that are not UTF-8, everywhere.
        packed(actions=[action_def("go", "go", LATIN)]),
        packed(clauses=[(LATIN, b"x\xff"), ("ok", LATIN)]),
        packed(messages=[(7, LATIN)]),
        packed(structs=[struct_def("go", [(LATIN, "uint8")])]),
        packed(types=[(LATIN, "uint8")]),
        of(LATIN),
        of(LATIN, types=[(LATIN, "uint8")]),
        packed(tables=[table_def("tt", "go", LATIN, [LATIN], [LATIN])]),
        packed(version=b"eosio::abi/1.2\xff"),
        packed(version=LATIN),
        packed(extensions=[(7, LATIN)]),
        packed(variants=[(LATIN, ["uint8", LATIN])]),
        packed(actions=[action_def("go", LATIN)]),
        packed(structs=[struct_def("go", [("v", "uint8")]), struct_def(LATIN, [])], results=[("go", LATIN)]),
        packed(clauses=[("\x00\x01\x7f", "\u00e9\u4e2d\U0001f600\x9f")]),
        # Versions.
        *(
            packed(version=text)
            for text in (
                "",
                "eosio::abi/1.",
                "eosio::abi/1.0",
                "eosio::abi/1.9x",
                "eosio::abi/2.0",
                "eosio::abi/1",
                "EOSIO::abi/1.1",
                " eosio::abi/1.1",
            )
        ),
        # Suffixes.
        *(
            of("uint8" + text)
            for text in (
                "[]",
                "?",
                "$",
                "[]?",
                "?[]",
                "[][]",
                "??",
                "[2]",
                "[0]",
                "?$",
                "[]$",
                "$$",
                "$?",
                "[",
                "]",
                "[x]",
                "[]?$",
                "[4294967296]",
            )
        ),
        of("go[]"),
        of("go?"),
        of("go$"),
        of("go"),
        of(""),
        of("[]"),
        of("?"),
        of("$"),
        # Unknown, missing, repeated.
        of("nothing"),
        packed(actions=[action_def("go", "nothing")]),
        packed(tables=[table_def("tt", "nothing")]),
        packed(tables=[table_def("tt", "")]),
        packed(actions=[action_def("go", "")]),
        packed(types=[("x", "nothing")]),
        packed(variants=[("w", ["nothing"])]),
        packed(variants=[("w", [])]),
        packed(results=[("go", "nothing")]),
        packed(results=[("go", "")]),
        packed(structs=[struct_def("go", [("v", "uint8")], "nothing")]),
        packed(structs=[struct_def("go", [("v", "uint8")], "uint8")]),
        packed(structs=[struct_def("go", [])]),
        packed(structs=[struct_def("go", [("v", "uint8")])] * 2),
        packed(actions=[action_def("go", "go")] * 2),
        packed(tables=[table_def("tt", "go")] * 2),
        packed(messages=[(7, "a"), (7, "b")]),
        packed(variants=[("w", ["uint8"])] * 2),
        packed(results=[("go", "go")] * 2),
        packed(types=[("x", "uint8")] * 2),
        packed(types=[("uint8", "uint16")]),
        packed(types=[("go", "uint8")]),
        packed(structs=[struct_def("uint8", [("v", "uint16")]), struct_def("go", [("v", "uint8")])]),
        packed(variants=[("go", ["uint8"])]),
        packed(variants=[("uint8", ["uint16"])]),
        packed(structs=[struct_def("go", [("v", "uint8"), ("v", "uint16")])]),
        packed(structs=[struct_def("", [("v", "uint8")]), struct_def("go", [("v", "uint8")])]),
        packed(tables=[table_def("tt", "go", "i128")]),
        packed(tables=[table_def("tt", "go", "")]),
        packed(tables=[]),
        packed(actions=[]),
        packed(structs=[], actions=[], tables=[]),
        packed(tables=[table_def("tt", "uint8")]),
        packed(tables=[table_def("tt", "go[]")]),
        packed(actions=[action_def("go", "uint64")]),
        # Circles and depths.
        packed(types=[("x", "y"), ("y", "x")]),
        packed(types=[("x", "x")]),
        packed(types=[("x", "x[]")]),
        packed(types=[("x", "y"), ("y", "z"), ("z", "y")]),
        packed(types=[("x", "y?"), ("y", "x[]")]),
        packed(structs=[struct_def("go", [], "go")]),
        packed(structs=[struct_def("go", [], "m"), struct_def("m", [], "o"), struct_def("o", [], "m")]),
        packed(structs=[struct_def("go", [], "al")], types=[("al", "go")]),
        packed(
            structs=[struct_def("go", [("v", "uint8")], "al"), struct_def("m", [("w", "uint8")])], types=[("al", "m")]
        ),
        *(of("t%d" % (count - 1), types=chain_of(count)) for count in (1, 2, 5, 15, 29, 30, 31, 32, 33, 60)),
        *(of("t%d" % (count - 1), types=chain_of(count, "uint8[]")) for count in (3, 31)),
        of("t3", types=list(reversed(chain_of(4)))),
        *(packed(structs=[struct_def("go", [("v", "d%d" % first)])] + deep) for first in (40, 35, 12, 11, 10, 9, 8, 0)),
        *(
            packed(structs=[struct_def("go", [("v", "uint8")], "b%d" % first)] + bases)
            for first in (40, 35, 12, 11, 10, 9, 8, 0)
        ),
        of("w", variants=[("w", ["uint8", "w"])]),
        of("w", variants=[("w", ["w[]", "w?"])]),
        of("go", variants=[("w", ["go"])]),
        # Bytes behind the end, parts that old versions do not have, an end in the middle.
        good + b"\0",
        good + b"\1\2\3",
        good[:-1],
        good[:-2],
        good[:-3],
        good[:-4],
        *(good[:length] for length in range(5, len(good) - 4, 7)),
        b"\x0eeosio::abi/1.2" + b"\xff" * 9,
    ]


def by_chance(dice):
    """Random ones, and good ones with a few bytes changed."""
    from scenarios.abi import Abis

    def some():
        abi = Abis(dice)
        definition = abi.definition()
        kind = dice.choice(abi.kinds)
        return packed(
            definition["version"],
            [(one["new_type_name"], one["type"]) for one in definition["types"]],
            [
                struct_def(one["name"], [(field["name"], field["type"]) for field in one["fields"]], one["base"])
                for one in definition["structs"]
            ],
            [action_def("go", kind)] + [action_def(title, kind) for title, kind in list(abi.actions.items())[:5]],
            [table_def("tt", kind)],
            variants=[(one["name"], one["types"]) for one in definition["variants"]],
        )

    def changed(data):
        data = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            place = dice.randrange(len(data))
            data[place] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, 0xE9, dice.getrandbits(8), data[place] ^ 1])
        return bytes(data)

    plain = [some() for _ in range(COUNT)]
    return (
        plain
        + [changed(dice.choice(plain)) for _ in range(COUNT)]
        + [changed(packed()) for _ in range(COUNT)]
        + [some()[: dice.randrange(5, 60)] for _ in range(COUNT // 2)]
    )


def accounts():
    abis = (by_hand() if os.environ.get("HAND") != "0" else []) + by_chance(
        random.Random(73 + 1000 * int(os.environ.get("SEED", 0)))
    )
    return [("odd" + LETTERS[number // 26] + LETTERS[number % 26], data) for number, data in enumerate(abis)]
