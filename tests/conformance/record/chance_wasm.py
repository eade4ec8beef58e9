"""Random MVP modules: well-typed, of every instruction, bounded by fuel, printing what they compute.

`Maker(dice).module()` is one module. Its `apply` runs random code, calls the other functions and at the end prints every
global and a hash of the memory; a module that runs out of fuel does the same and leaves by `eosio_exit`.
"""

import struct

from hosts import HOSTS, NUMBER
from scenarios import numbers as pools

I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C
LETTERS = {"i": I32, "I": I64, "f": F32, "d": F64, "v": None}
TYPES = (I32, I64, F32, F64)
NOTHING = 0x40
PAGE = 65536

# Instruction -> (operand type, how many, result type), by ranges of opcodes.
RANGES = [
    (0x45, 0x45, I32, 1, I32),
    (0x46, 0x4F, I32, 2, I32),
    (0x50, 0x50, I64, 1, I32),
    (0x51, 0x5A, I64, 2, I32),
    (0x5B, 0x60, F32, 2, I32),
    (0x61, 0x66, F64, 2, I32),
    (0x67, 0x69, I32, 1, I32),
    (0x6A, 0x78, I32, 2, I32),
    (0x79, 0x7B, I64, 1, I64),
    (0x7C, 0x8A, I64, 2, I64),
    (0x8B, 0x91, F32, 1, F32),
    (0x92, 0x98, F32, 2, F32),
    (0x99, 0x9F, F64, 1, F64),
    (0xA0, 0xA6, F64, 2, F64),
    (0xA7, 0xA7, I64, 1, I32),
    (0xA8, 0xA9, F32, 1, I32),
    (0xAA, 0xAB, F64, 1, I32),
    (0xAC, 0xAD, I32, 1, I64),
    (0xAE, 0xAF, F32, 1, I64),
    (0xB0, 0xB1, F64, 1, I64),
    (0xB2, 0xB3, I32, 1, F32),
    (0xB4, 0xB5, I64, 1, F32),
    (0xB6, 0xB6, F64, 1, F32),
    (0xB7, 0xB8, I32, 1, F64),
    (0xB9, 0xBA, I64, 1, F64),
    (0xBB, 0xBB, F32, 1, F64),
    (0xBC, 0xBC, F32, 1, I32),
    (0xBD, 0xBD, F64, 1, I64),
    (0xBE, 0xBE, I32, 1, F32),
    (0xBF, 0xBF, I64, 1, F64),
]
NUMERIC = {kind: [] for kind in TYPES}
for first, last, operand, count, result in RANGES:
    for opcode in range(first, last + 1):
        NUMERIC[result].append((opcode, operand, count))
DIVISIONS = {0x6D, 0x6E, 0x6F, 0x70, 0x7F, 0x80, 0x81, 0x82}
TRUNCATIONS = {0xA8, 0xA9, 0xAA, 0xAB, 0xAE, 0xAF, 0xB0, 0xB1}

# Loads: opcode -> (result, greatest alignment); stores: opcode -> (operand, greatest alignment).
LOADS = {
    I32: [(0x28, 2), (0x2C, 0), (0x2D, 0), (0x2E, 1), (0x2F, 1)],
    I64: [(0x29, 3), (0x30, 0), (0x31, 0), (0x32, 1), (0x33, 1), (0x34, 2), (0x35, 2)],
    F32: [(0x2A, 2)],
    F64: [(0x2B, 3)],
}
STORES = [
    (0x36, I32, 2),
    (0x37, I64, 3),
    (0x38, F32, 2),
    (0x39, F64, 3),
    (0x3A, I32, 0),
    (0x3B, I32, 1),
    (0x3C, I64, 0),
    (0x3D, I64, 1),
    (0x3E, I64, 2),
]


def imported(name):
    _, _, parameters, result, _, _ = HOSTS[NUMBER[name]]
    return name, [LETTERS[letter] for letter in parameters], LETTERS[result]


# Imports that every module has, in this order, and those of which it has some.
FIXED = [imported(name) for name in "printui printhex sha256 eosio_exit".split()]
CHOSEN = [
    imported(name)
    for name in (
        "printi printsf printdf printn printqf printi128 current_receiver action_data_size has_auth is_account memcpy memset memmove memcmp "
        "read_action_data __multi3 __divti3 __ashlti3 __floattidf __extendsftf2 __addtf3 __trunctfdf2 __unordtf2 __fixunsdfti db_find_i64 "
        "require_recipient tapos_block_num"
    ).split()
]


def leb(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def signed(value):
    out = b""
    while True:
        byte, value = value & 127, value >> 7
        if value == 0 and not byte & 64 or value == -1 and byte & 64:
            return out + bytes([byte])
        out += bytes([byte | 128])


def vector(items):
    items = list(items)
    return leb(len(items)) + b"".join(items)


def text(value):
    return leb(len(value)) + value.encode()


def section(number, data):
    return bytes([number]) + leb(len(data)) + data


def constant(kind, bits):
    """`bits` is the value without a sign."""
    if kind == I32:
        return b"\x41" + signed(bits - (1 << 32) if bits >> 31 else bits)
    if kind == I64:
        return b"\x42" + signed(bits - (1 << 64) if bits >> 63 else bits)
    return b"\x43" + struct.pack("<I", bits) if kind == F32 else b"\x44" + struct.pack("<Q", bits)


class Maker:
    """Chooses the outline of one module: types, imports, globals, functions, table, memory."""

    def __init__(self, dice):
        self.dice = dice
        self.types = []
        self.imports = FIXED + dice.sample(CHOSEN, dice.randrange(0, 8))
        self.pages = dice.choice([0, 1, 1, 1, 2, 3]) or (dice.random() < 0.7)
        self.globals = [(I32, True)] + [(dice.choice(TYPES), dice.random() < 0.8) for _ in range(dice.randrange(0, 7))]
        self.signatures = []
        for _ in range(dice.randrange(0, 6)):
            parameters = [dice.choice(TYPES) for _ in range(dice.choice([0, 1, 1, 2, 2, 3, 5, 9]))]
            self.signatures.append((parameters, dice.choice([None, *TYPES])))
        self.signatures += [([], None), ([I64, I64, I64], None)]  # dump, apply
        self.functions = [(parameters, result) for _, parameters, result in self.imports] + self.signatures
        self.dump, self.apply = len(self.functions) - 2, len(self.functions) - 1
        self.slots = dice.choice([0, 1, 4, 10, 40])
        self.table = {}

    def type_of(self, parameters, result):
        """Index of a type; the same type is sometimes written twice."""
        packed = b"\x60" + vector(bytes([one]) for one in parameters) + vector([bytes([result])] if result else [])
        found = [number for number, one in enumerate(self.types) if one == packed]
        if found and self.dice.random() < 0.9:
            return self.dice.choice(found)
        self.types.append(packed)
        return len(self.types) - 1

    def value(self, kind):
        pool = {I32: pools.I32, I64: pools.I64, F32: pools.F32, F64: pools.F64}[kind]
        if self.dice.random() < 0.7:
            return self.dice.choice(pool)
        return self.dice.getrandbits(32 if kind in (I32, F32) else 64)

    def elements(self):
        """Segments that fill the table, overlapping as they like."""
        segments = []
        for _ in range(self.dice.randrange(0, 4) if self.slots else 0):
            at = self.dice.randrange(self.slots)
            entries = [
                self.dice.randrange(len(self.functions)) for _ in range(self.dice.randrange(0, self.slots - at + 1))
            ]
            self.table.update(enumerate(entries, at))
            segments.append(b"\0" + constant(I32, at) + b"\x0b" + vector(leb(one) for one in entries))
        return segments

    def dump_body(self):
        """Prints every global and a hash of the memory."""
        index = {name: number for number, (name, _, _) in enumerate(self.imports)}
        body = b""
        widen = {I32: b"\xad", I64: b"", F32: b"\xbc\xad", F64: b"\xbd"}
        for number, (kind, _) in enumerate(self.globals):
            body += b"\x23" + leb(number) + widen[kind] + b"\x10" + leb(index["printui"])
        if self.pages:
            body += (
                constant(I32, 0)
                + constant(I32, self.pages * PAGE)
                + constant(I32, self.pages * PAGE - 32)
                + b"\x10"
                + leb(index["sha256"])
            )
            body += constant(I32, self.pages * PAGE - 32) + constant(I32, 32) + b"\x10" + leb(index["printhex"])
        return b"\0" + body + b"\x0b"

    def module(self):
        segments = self.elements()
        bodies = [Body(self, parameters, result).written() for parameters, result in self.signatures[:-2]]
        bodies += [self.dump_body(), Body(self, [I64, I64, I64], None, main=True).written()]
        functions = [leb(self.type_of(*one)) for one in self.signatures]
        imports = [
            text("env") + text(name) + b"\0" + leb(self.type_of(parameters, result))
            for name, parameters, result in self.imports
        ]
        fuel = self.dice.choice([20, 100, 300, 1000])
        variables = [
            bytes([kind, mutable]) + constant(kind, fuel if number == 0 else self.value(kind)) + b"\x0b"
            for number, (kind, mutable) in enumerate(self.globals)
        ]
        exports = [text("apply") + b"\0" + leb(self.apply)]
        for number in range(self.dice.choice([0, 0, 1, 3])):
            exports.append(text("x%d" % number) + b"\0" + leb(self.dice.randrange(len(self.functions))))
        if self.pages and self.dice.random() < 0.3:
            exports.append(text("memory") + b"\2\0")
        data = []
        for _ in range(self.dice.randrange(0, 4) if self.pages else 0):
            at = self.dice.choice([0, 8, 1000, 65000])
            data.append(
                b"\0"
                + constant(I32, at)
                + b"\x0b"
                + vector(bytes([self.dice.getrandbits(8)]) for _ in range(self.dice.randrange(0, 60)))
            )
        out = (
            b"\0asm\1\0\0\0"
            + section(1, vector(self.types))
            + section(2, vector(imports))
            + section(3, vector(functions))
        )
        if self.slots:
            out += section(
                4,
                b"\1\x70"
                + (
                    b"\0" + leb(self.slots)
                    if self.dice.random() < 0.5
                    else b"\1" + leb(self.slots) + leb(self.slots + 5)
                ),
            )
        if self.pages:
            out += section(
                5,
                b"\1"
                + (
                    b"\0" + leb(self.pages)
                    if self.dice.random() < 0.6
                    else b"\1" + leb(self.pages) + leb(self.pages + self.dice.randrange(0, 20))
                ),
            )
        out += section(6, vector(variables)) + section(7, vector(exports))
        if self.dice.random() < 0.05:
            out += section(8, leb(self.dump))
        out += (section(9, vector(segments)) if segments else b"") + section(
            10, vector(leb(len(body)) + body for body in bodies)
        )
        out += section(11, vector(data)) if data else b""
        return out + (section(0, text("name") + b"\0\2\1a") if self.dice.random() < 0.1 else b"")


class Body:
    """Writes one function."""

    def __init__(self, maker, parameters, result, main=False):
        self.maker, self.dice, self.result, self.main = maker, maker.dice, result, main
        self.groups = [
            (maker.dice.randrange(0, 4), maker.dice.choice(TYPES)) for _ in range(maker.dice.randrange(0, 6))
        ]
        self.locals = list(parameters) + [kind for count, kind in self.groups for _ in range(count)]
        self.labels = [result]  # what a branch to it takes, innermost last
        self.left = maker.dice.choice([15, 40, 120])

    def written(self):
        dice = self.dice
        body = self.fuel() + b"".join(self.statement(4) for _ in range(dice.randrange(1, 10)))
        if self.main:
            for number in range(len(self.maker.imports), self.maker.dump):
                parameters, result = self.maker.functions[number]
                body += b"".join(self.expression(kind, 2) for kind in parameters) + b"\x10" + leb(number)
                body += self.show(result) if result else b""
            body += b"\x10" + leb(self.maker.dump)
        elif self.result:
            body += self.expression(self.result, 4)
        return vector(leb(count) + bytes([kind]) for count, kind in self.groups) + body + b"\x0b"

    def fuel(self):
        """One less; at nothing the module dumps and exits."""
        leave = b"\x10" + leb(self.maker.dump) + constant(I32, 0) + b"\x10" + leb(3)
        return b"\x23\0\x45\x04\x40" + leave + b"\x0b\x23\0\x41\1\x6b\x24\0"

    def show(self, kind):
        """Prints the value on the stack."""
        return {I32: b"\xac", I64: b"", F32: b"\xbc\xad", F64: b"\xbd"}[kind] + b"\x10\0"

    def spend(self):
        self.left -= 1
        return self.left > 0

    # --- values

    def expression(self, kind, depth):
        dice = self.dice
        if depth <= 0 or not self.spend() or dice.random() < 0.2:
            return self.leaf(kind)
        what = dice.random()
        if what < 0.52:
            return self.numeric(kind, depth)
        if what < 0.6:
            opcode, align = dice.choice(LOADS[kind])
            return self.address(depth) + self.access(opcode, align) if self.maker.pages else self.leaf(kind)
        if what < 0.66:
            return (
                self.expression(kind, depth - 1)
                + self.expression(kind, depth - 1)
                + self.expression(I32, depth - 1)
                + b"\x1b"
            )
        if what < 0.73:
            return self.block(kind, depth)
        if what < 0.79:
            condition = self.expression(I32, depth - 1)
            self.labels.append(kind)
            out = (
                condition
                + bytes([0x04, kind])
                + self.inside(kind, depth)
                + b"\x05"
                + self.inside(kind, depth)
                + b"\x0b"
            )
            self.labels.pop()
            return out
        if what < 0.88:
            return self.call(kind, depth) or self.leaf(kind)
        if what < 0.91:
            places = [number for number, one in enumerate(self.locals) if one == kind]
            return self.expression(kind, depth - 1) + b"\x22" + leb(dice.choice(places)) if places else self.leaf(kind)
        if what < 0.93 and kind == I32 and self.maker.pages:
            return b"\x3f\0" if dice.random() < 0.5 else constant(I32, dice.choice([0, 1, 2, 600])) + b"\x40\0"
        if what < 0.94:
            return self.away(depth) or self.leaf(kind)
        return self.numeric(kind, depth)

    def leaf(self, kind):
        places = [b"\x20" + leb(number) for number, one in enumerate(self.locals) if one == kind]
        places += [
            b"\x23" + leb(number) for number, (one, _) in enumerate(self.maker.globals) if one == kind and number
        ]
        if places and self.dice.random() < 0.6:
            return self.dice.choice(places)
        return constant(kind, self.maker.value(kind))

    def numeric(self, kind, depth):
        dice = self.dice
        opcode, operand, count = dice.choice(NUMERIC[kind])
        parts = [self.expression(operand, depth - 1) for _ in range(count)]
        if opcode in DIVISIONS and dice.random() < 0.9:
            parts[1] += constant(operand, 1) + (b"\x72" if operand == I32 else b"\x84")
        if opcode in TRUNCATIONS and dice.random() < 0.85:
            parts[0] = self.expression(I32, depth - 1) + b"\x41\1\x76" + (b"\xb2" if operand == F32 else b"\xb7")
            parts[0] += constant(operand, 0x3E800000 if operand == F32 else 0x3FD0000000000000) + (
                b"\x94" if operand == F32 else b"\xa2"
            )
        return b"".join(parts) + bytes([opcode])

    def address(self, depth):
        out = self.expression(I32, depth - 1)
        return (
            out
            if self.dice.random() < 0.01
            else out + constant(I32, self.dice.choice([0xFF, 0xFFF, 0xFFF8, 0x7FF])) + b"\x71"
        )

    def access(self, opcode, align):
        return bytes([opcode, self.dice.randrange(align + 1)]) + leb(self.dice.choice([0, 0, 4, 7, 200]))

    def inside(self, kind, depth):
        out = b"".join(self.statement(depth - 1) for _ in range(self.dice.randrange(0, 3)))
        return out + (self.expression(kind, depth - 1) if kind else b"")

    def block(self, kind, depth):
        loop = self.dice.random() < 0.3
        self.labels.append(None if loop else kind)
        out = (
            bytes([0x03 if loop else 0x02, kind or NOTHING])
            + (self.fuel() if loop else b"")
            + self.inside(kind, depth)
            + b"\x0b"
        )
        self.labels.pop()
        return out

    def call(self, kind, depth):
        dice, maker = self.dice, self.maker
        if maker.table and dice.random() < 0.3:
            fitting = [
                place for place, one in maker.table.items() if maker.functions[one][1] == kind and self.allowed(one)
            ]
            if fitting:
                place = dice.choice(fitting)
                parameters, result = maker.functions[maker.table[place]]
                index = constant(I32, place) if dice.random() < 0.95 else self.expression(I32, depth - 1)
                return (
                    self.arguments(maker.table[place], depth)
                    + index
                    + b"\x11"
                    + leb(maker.type_of(parameters, result))
                    + b"\0"
                )
        fitting = [
            number for number, (_, result) in enumerate(maker.functions) if result == kind and self.allowed(number)
        ]
        if not fitting:
            return b""
        number = dice.choice(fitting)
        return self.arguments(number, depth) + b"\x10" + leb(number)

    def allowed(self, number):
        return number != 3 and (number != self.maker.dump or self.dice.random() < 0.2)

    def arguments(self, number, depth):
        """Arguments of a call; imported functions mostly get addresses that lie in memory, and small lengths."""
        parameters, _ = self.maker.functions[number]
        if number >= len(self.maker.imports) or not self.maker.pages:
            return b"".join(self.expression(kind, depth - 1) for kind in parameters)
        out = b""
        for position, kind in enumerate(parameters):
            if kind == I32:
                out += constant(
                    I32,
                    self.dice.choice([0, 16, 64, 1000, 4096, 60000]) + 256 * position
                    if position < 2 and self.maker.imports[number][0] != "printhex"
                    else self.dice.randrange(40),
                )
            else:
                out += self.expression(kind, depth - 1)
        return out

    def away(self, depth):
        """Leaves the block; whatever follows is unreachable."""
        dice = self.dice
        what = dice.random()
        if what < 0.1:
            return b"\0" if dice.random() < 0.1 else b""
        if what < 0.3:
            return (self.expression(self.result, depth - 1) if self.result else b"") + b"\x0f" + self.dead()
        label = dice.randrange(len(self.labels))
        kind = self.labels[-1 - label]
        if what < 0.8:
            return (self.expression(kind, depth - 1) if kind else b"") + b"\x0c" + leb(label) + self.dead()
        same = [number for number in range(len(self.labels)) if self.labels[-1 - number] == kind]
        labels = [dice.choice(same) for _ in range(dice.choice([0, 1, 3, 20]))]
        return (
            (self.expression(kind, depth - 1) if kind else b"")
            + self.expression(I32, depth - 1)
            + b"\x0e"
            + vector(leb(one) for one in labels)
            + leb(label)
            + self.dead()
        )

    def dead(self):
        """Code that nobody reaches, typed by the rules for such code."""
        return self.dice.choice(
            [
                b"",
                b"",
                b"\x1a",
                b"\x6a\x1a",
                b"\x1b\x1a",
                b"\x45\xac\x1a",
                b"\x01",
                b"\x1a\x1a\x1a",
                b"\x41\0\x1b\x1a",
                b"\x43\0\0\0\0\x1a",
                b"\0",
            ]
        )

    # --- statements

    def statement(self, depth):
        dice = self.dice
        if not self.spend():
            return b"\x01"
        what = dice.random()
        if what < 0.25:
            kind = dice.choice(TYPES)
            return self.expression(kind, depth) + self.show(kind)
        if what < 0.45 and self.locals:
            place = dice.randrange(len(self.locals))
            return self.expression(self.locals[place], depth) + b"\x21" + leb(place)
        if what < 0.55:
            places = [number for number, (_, mutable) in enumerate(self.maker.globals) if mutable and number]
            if places:
                place = dice.choice(places)
                return self.expression(self.maker.globals[place][0], depth) + b"\x24" + leb(place)
        if what < 0.7 and self.maker.pages:
            opcode, kind, align = dice.choice(STORES)
            return self.address(depth) + self.expression(kind, depth) + self.access(opcode, align)
        if depth <= 0:
            return b""
        if what < 0.8:
            return self.block(None, depth)
        if what < 0.86:
            condition = self.expression(I32, depth - 1)
            self.labels.append(None)
            out = condition + b"\x04\x40" + self.inside(None, depth)
            out += b"\x05" + self.inside(None, depth) if dice.random() < 0.5 else b""
            self.labels.pop()
            return out + b"\x0b"
        if what < 0.92:
            label = dice.randrange(len(self.labels))
            kind = self.labels[-1 - label]
            value = self.expression(kind, depth - 1) if kind else b""
            return value + self.expression(I32, depth - 1) + b"\x0d" + leb(label) + (b"\x1a" if kind else b"")
        if what < 0.97:
            return self.call(None, depth)
        kind = dice.choice(TYPES)
        return self.expression(kind, depth) + b"\x1a"
