"""Compressed transactions: what is zlib and what is not, sizes round the limit, streams that no client makes."""

import os

import world
from deflate import NOTHING, blocks, deflated, made, spoiled, streams
from probe import AT, call, peek, printed, run
from wire import DEV, action, auth, blob, many, name, sha256, transaction, u8
from world import World

# How many random transactions; COUNT in the environment gives another number.
COUNT = int(os.environ.get("COUNT", 150))
LIMIT = 1024 * 1024
# Sizes round the limit, round what nodeos' filter keeps of more, and round the pieces that it looks at.
SIZES = [LIMIT + over for over in (-4096, -128, -1, 0, 1, 2, 64, 127, 128, 129, 130, 256, 4095, 4096, 4097, 8192)]
PLAIN = [action("one", "x", "one", b"hello")]


class Compressed(World):
    """`free` is the packed context-free data as sent, `data` the packed vector that it stands for when it is signed."""

    def raw(self, actions=PLAIN, **rest):
        self.unique += 1
        return transaction(self.now() + 60 + self.unique % 3000, self.reference(), actions, **rest)

    def sent(self, title, raw, stream, free=b"", data=b"", compression=1):
        digest = sha256(self.id + raw + (sha256(data) if data not in (b"", b"\0") else bytes(32)))
        packed = many([DEV.sign(digest)]) + u8(compression) + blob(free) + blob(stream)
        return self.send(packed, note=title)

    def with_data(self, title, free, data=b"", compression=1):
        """A transaction that reads its context-free data and prints it."""
        reads = run(
            call("get_context_free_data", 0, AT, 0),
            call("get_context_free_data", 0, AT, 32),
            peek(AT, 32),
            call("get_context_free_data", 1, AT, 0),
            printed(),
        )
        raw = self.raw(free=[name("one") + name("read") + auth() + blob(reads)])
        return self.sent(title, raw, deflated(raw) if compression == 1 else raw, free, data, compression)


def padded(data, size):
    return data + bytes(size - len(data))


def weak(data, size, dice):
    """`data` with zeros up to `size`, some bytes of chance among them so that the stream is not all alike."""
    out = bytearray(padded(data, size))
    for _ in range(dice.choice([0, 1, 20, 400])):
        out[dice.randrange(len(data), size)] = dice.getrandbits(8)
    return bytes(out)


def record_compressed(folder):
    chain = Compressed(
        "compressed", "compressed transactions and context-free data: frames, blocks, sizes round the limit"
    )
    chain.accounts("one")
    chain.deploy("one", "probe0")
    data = many([blob(b"abc"), blob(b"")])
    for title in {**streams(data * 30), **blocks(data * 30)}:
        raw = chain.raw()
        chain.sent("trx: " + title, raw, {**streams(raw), **blocks(raw)}[title])
    for title, stream in {**streams(data), **blocks(data)}.items():
        chain.with_data("data: " + title, stream, data)
    chain.block()
    for title, free, means in (
        ("zlib of nothing", NOTHING, b""),
        ("nothing", b"", b""),
        ("zlib of no entry", deflated(b"\0"), b""),
        ("zlib of an empty entry", deflated(b"\1\0"), b"\1\0"),
        ("bytes behind the vector", deflated(data + b"xyz"), data),
        ("a vector cut short", deflated(b"\2\3abc"), b""),
        ("too many entries", deflated(b"\xff\xff\xff\xff\x0f"), b""),
    ):
        chain.with_data("data: " + title, free, means)
    for title, free, means in (
        ("nothing", b"", b""),
        ("no entry", b"\0", b""),
        ("bytes behind", data + b"xyz", data),
        ("zlib of nothing", NOTHING, b""),
        ("one entry", data, data),
    ):
        chain.with_data("data, uncompressed: " + title, free, means, compression=0)
    for compression in (2, 3, 127, 128, 255):
        raw = chain.raw()
        chain.sent("compression %d" % compression, raw, deflated(raw), compression=compression)
    chain.block()
    # Behind a whole transaction, and within one: there the cut is an end too soon.
    for size in SIZES:
        for level in (1, 9):
            raw = chain.raw()
            chain.sent("trx of %d bytes, level %d" % (size, level), raw, deflated(padded(raw, size), level))
        for end in (1, 4, 5):
            raw = chain.raw()
            chain.sent("trx of %d bytes, %d missing" % (size, end), raw, deflated(padded(raw, size))[:-end])
        empty = len(chain.raw([action("one", "x", "one")]))
        raw = chain.raw([action("one", "x", "one", bytes(size - empty - 2))])
        chain.sent("action up to %d bytes" % len(raw), raw, deflated(raw))
        vector = many([blob(bytes(size - 5)), blob(b"")])
        chain.with_data("data of %d bytes" % len(vector), deflated(vector), vector)
        chain.with_data("data and padding of %d bytes" % size, deflated(padded(data, size)), data)
        chain.block()
    chain.block(2)
    chain.finish(folder)


def record_chance_compressed(folder):
    chain = Compressed(
        "chance_compressed", "random streams of transactions and context-free data, most of them spoiled"
    )
    chain.accounts("one")
    chain.deploy("one", "probe0")
    dice = world.dice(151)
    for number in range(COUNT):
        raw = chain.raw()
        data = many(
            blob(bytes(dice.getrandbits(8) for _ in range(dice.choice([0, 3, 40, 200]))))
            for _ in range(dice.randrange(1, 4))
        )
        size = dice.choice([0, 0, 0, 300, 70_000, LIMIT, LIMIT])
        if size == LIMIT:
            size += dice.choice([dice.randrange(-300, 300), dice.randrange(-9000, 9000), 0, 128, 129, 4096])
        of_data = dice.random() < 0.4
        plain = data if of_data else raw
        plain = weak(plain, size, dice) if size > len(plain) else plain
        stream = made(dice, plain)
        for _ in range(dice.choice([0, 1, 1, 1, 2])):
            stream = spoiled(dice, stream)
        compression = 1 if dice.random() < 0.97 else dice.choice([0, 2])
        if of_data:
            chain.with_data("random data", stream, data, compression)
        else:
            chain.sent("random trx", raw, stream, compression=compression)
        if number % 50 == 49:
            chain.block()
    chain.block(2)
    chain.finish(folder)
