"""zlib streams that no client makes: every way to write, damage and frame a deflate stream (RFC 1950, 1951)."""

import zlib

NOTHING = zlib.compress(b"", 9)
USUAL = b"\x78\xda"
# The order in which a block tells the lengths of the code of code lengths.
ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
# One symbol of four bits for every code length.
FLAT = [4] * 16 + [0, 0, 0]
# Lengths of a complete code of all bytes and the end of a block.
FULL = [8] * 255 + [9, 9] + [0] * 29


class Bits:
    """Bits of a stream, lowest first; Huffman codes highest first."""

    def __init__(self, bits=()):
        self.bits = list(bits)

    def number(self, value, count):
        self.bits += [value >> bit & 1 for bit in range(count)]
        return self

    def code(self, value, count):
        self.bits += [value >> bit & 1 for bit in reversed(range(count))]
        return self

    def literals(self, data):
        """Bytes in the fixed code."""
        for byte in data:
            self.code(0x30 + byte, 8) if byte < 144 else self.code(0x190 + byte - 144, 9)
        return self

    def match(self, symbol, distance, length_extra=(0, 0), distance_extra=(0, 0)):
        """A copy in the fixed code, by its symbols and (value, bits) of what follows each."""
        self.code(symbol - 256, 7) if symbol < 280 else self.code(0xC0 + symbol - 280, 8)
        return self.number(*length_extra).code(distance, 5).number(*distance_extra)

    def end(self):
        """The fixed code's end of a block, and the bytes of everything."""
        return self.code(0, 7).bytes()

    def bytes(self):
        padded = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(
            sum(bit << place for place, bit in enumerate(padded[at : at + 8])) for at in range(0, len(padded), 8)
        )


def fixed(last=1):
    return Bits().number(last, 1).number(1, 2)


def header(first, flags=0):
    """The two bytes before a stream, their check made right."""
    return bytes([first, flags + -(first * 256 + flags) % 31])


def framed(body, plain, head=USUAL):
    """A zlib stream round a deflate stream that expands to `plain`."""
    return head + body + zlib.adler32(plain).to_bytes(4, "big")


def stored(last, data, wrong=0):
    size = len(data)
    return bytes([last]) + size.to_bytes(2, "little") + (size ^ 0xFFFF ^ wrong).to_bytes(2, "little") + data


def canonical(lengths):
    """The Huffman codes of these code lengths."""
    code, codes = 0, {}
    for size in range(1, 16):
        for symbol, own in enumerate(lengths):
            if own == size:
                codes[symbol] = (code, size)
                code += 1
        code <<= 1
    return codes


def dynamic(lengths, distances, plain, flat=FLAT, first=None):
    """A last block of `plain` in a code of its own. `flat` are the lengths of the code of code lengths, `first` a symbol
    to send in place of the first length."""
    out = Bits().number(1, 1).number(2, 2).number(len(lengths) - 257, 5).number(len(distances) - 1, 5).number(15, 4)
    for symbol in ORDER:
        out.number(flat[symbol], 3)
    code, codes = canonical(flat), canonical(lengths)
    for place, size in enumerate(lengths + distances):
        out.code(*code.get(first if first is not None and place == 0 else size, (0, 4)))
    for byte in plain:
        out.code(*codes.get(byte, (0, 1)))
    return out.code(*codes.get(256, (0, 1))).bytes()


def deflated(data, level=9, bits=15, strategy=zlib.Z_DEFAULT_STRATEGY, dictionary=None):
    packer = zlib.compressobj(level, zlib.DEFLATED, bits, 8, strategy, **({"zdict": dictionary} if dictionary else {}))
    return packer.compress(data) + packer.flush()


def flushed(data, sizes, flush, level=9):
    """A stream with a flush after each piece of these sizes."""
    packer, out, at = zlib.compressobj(level), b"", 0
    for size in sizes:
        out += packer.compress(data[at : at + size]) + packer.flush(flush)
        at += size
    return out + packer.compress(data[at:]) + packer.flush()


FLUSHES = {"sync": zlib.Z_SYNC_FLUSH, "full": zlib.Z_FULL_FLUSH, "block": zlib.Z_BLOCK, "partial": zlib.Z_PARTIAL_FLUSH}
STRATEGIES = {
    "huffman only": zlib.Z_HUFFMAN_ONLY,
    "fixed": zlib.Z_FIXED,
    "filtered": zlib.Z_FILTERED,
    "runs": zlib.Z_RLE,
}


def streams(plain):
    """{title: stream}: `plain` as compressors can write it, in other frames, cut and with bytes behind."""
    whole = zlib.compress(plain, 9)
    out = {"level %d" % level: deflated(plain, level) for level in range(-1, 10)}
    out |= {"window of %d bits" % bits: deflated(plain, bits=bits) for bits in (9, 10, 12, 15)}
    out |= {title: deflated(plain, strategy=strategy) for title, strategy in STRATEGIES.items()}
    out |= {title + " flush": flushed(plain, [5, 0, 7], flush) for title, flush in FLUSHES.items()}
    out |= {
        "gzip": deflated(plain, bits=31),
        "raw deflate": deflated(plain, bits=-15),
        "dictionary": deflated(plain, dictionary=plain[:20]),
    }
    out |= {"no stream": plain, "empty": b"", "a second stream behind": whole * 2, "nothing before": NOTHING + whole}
    out |= {"%d bytes behind" % count: whole + b"\1" * count for count in (1, 4, 127, 128, 129, 300)}
    out |= {"%d bytes missing" % cut: whole[:-cut] for cut in range(1, 9)}
    out |= {"%d bytes only" % count: whole[:count] for count in (1, 2, 3)} | {"first byte missing": whole[1:]}
    out |= {
        "check byte %d wrong" % at: whole[:-4] + bytes(byte ^ (place == at) for place, byte in enumerate(whole[-4:]))
        for at in range(4)
    }
    out |= {
        "header %02x" % first: framed(whole[2:-4], plain, header(first))
        for first in (0x08, 0x18, 0x28, 0x48, 0x68, 0x88, 0xF8, 0x78, 0x79, 0x7F, 0x70)
    }
    out |= {
        "header flags %02x" % flags: framed(whole[2:-4], plain, header(0x78, flags))
        for flags in (0x00, 0x40, 0x80, 0xC0, 0x20)
    }
    out |= {
        "header check wrong": framed(whole[2:-4], plain, b"\x78\xdb"),
        "dictionary named": header(0x78, 0x20) + bytes(4) + whole[2:],
    }
    return out


def copies(plain):
    """Copies from as far back as deflate can say, within what there is and beyond it, in large and small windows."""
    out = {}
    for symbol, extra, back in (
        (0, (0, 0), 1),
        (13, (0, 5), 97),
        (16, (0, 7), 257),
        (24, (0, 11), 4097),
        (29, (8191, 13), 32768),
    ):
        for repeats in (0, 160):
            data = plain + plain[-1:] * (250 * repeats)
            start = fixed().literals(plain)
            for _ in range(repeats):
                start.match(284, 0, (23, 5))
            again = data
            for _ in range(3):
                again += again[-back:][:1] if back <= len(again) else b"\0"
            for first in (0x78, 0x08):
                title = "a copy from %d bytes back of %s, header %02x" % (back, "many" if repeats else "few", first)
                out[title] = framed(Bits(start.bits).match(257, symbol, (0, 0), extra).end(), again, header(first))
    return out


def blocks(plain):
    """{title: stream}: deflate blocks that no compressor writes."""
    out = {
        "stored": stored(1, plain),
        "stored with a wrong complement": stored(1, plain, 1),
        "stored without a last block": stored(0, plain),
        "empty stored blocks": stored(0, b"") * 300 + stored(1, plain),
        "block of type 3": b"\7",
        "padding bits set": b"\xf9" + stored(1, plain)[1:],
        "fixed code": fixed().literals(plain).end(),
        "empty fixed blocks": Bits((fixed(0).code(0, 7).bits) * 50 + fixed().literals(plain).bits).end(),
        "no block": b"",
        "only a block's head": fixed().bytes(),
    }
    out |= {"length symbol %d" % symbol: fixed().literals(plain).match(symbol, 0).end() for symbol in (286, 287)}
    out |= {"distance symbol %d" % symbol: fixed().literals(plain).match(257, symbol).end() for symbol in (30, 31)}
    for title, distances in {
        "no distance": [0],
        "one distance of 1 bit": [1],
        "one distance of 2 bits": [2],
        "two distances of 1 bit": [1, 1],
        "two distances of 2 bits": [2, 2],
        "three distances of 1 bit": [1, 1, 1],
        "30 distances": [0] * 30,
        "31 distances": [0] * 31,
        "32 distances": [0] * 32,
    }.items():
        out[title] = dynamic(FULL, distances, plain)
    for title, lengths in {
        "own code": FULL,
        "no end of a block": [8] * 256 + [0],
        "one code too many": [8] * 257,
        "incomplete code": [9] * 257,
        "287 literals": FULL + [0],
        "288 literals": FULL + [0, 0],
    }.items():
        out[title] = dynamic(lengths, [0], plain)
    for title, flat in {
        "incomplete code of lengths": [5] * 16 + [0, 0, 0],
        "code of lengths with one too many": [4] * 16 + [1, 0, 0],
        "no code of lengths": [0] * 19,
        "one code of lengths": [0] * 8 + [1] + [0] * 10,
    }.items():
        out[title] = dynamic(FULL, [0], plain, flat)
    repeating = [4] * 15 + [5, 5, 0, 0]
    out["a repeat before any length"] = dynamic(FULL, [0], plain, repeating, 16)
    out = {title: framed(body, plain) for title, body in out.items()}
    for size in (1, 2, 15):
        out["only an end of a block, of %d bits" % size] = framed(dynamic([0] * 256 + [size], [0], b""), b"")
    return out | copies(plain)


# --- at random --------------------------------------------------------------------------------------------------------


def made(dice, plain):
    """`plain` by a compressor with random settings, flushes in between."""
    what = dice.random()
    if what < 0.5:
        return deflated(plain, dice.randrange(-1, 10), dice.randrange(9, 16), dice.choice([0, *STRATEGIES.values()]))
    if what < 0.8:
        sizes = [dice.randrange(60) for _ in range(dice.randrange(1, 6))]
        return flushed(plain, sizes, dice.choice(list(FLUSHES.values())), dice.randrange(0, 10))
    if what < 0.9:
        cuts = sorted(dice.randrange(len(plain) + 1) for _ in range(dice.randrange(4)))
        parts = [plain[one:other] for one, other in zip([0, *cuts], [*cuts, len(plain)])]
        if max(map(len, parts)) < 65536:
            return framed(b"".join(stored(part is parts[-1], part) for part in parts), plain)
    if len(plain) < 5000:
        return framed(
            dynamic(FULL, [dice.randrange(3) for _ in range(dice.randrange(1, 31))], plain)
            if dice.random() < 0.5
            else fixed().literals(plain).end(),
            plain,
        )
    return zlib.compress(plain, 9)


def spoiled(dice, stream):
    """Bits changed, bytes taken away or put in, near the ends more often than within; another frame; bytes behind."""
    out, what = bytearray(stream), dice.random()
    at = dice.choice(
        [dice.randrange(len(out) + 1), dice.randrange(min(8, len(out)) + 1), max(0, len(out) - dice.randrange(10))]
    )
    if what < 0.3:
        return bytes(out) + bytes(dice.getrandbits(8) for _ in range(dice.choice([1, 4, 20, 127, 128, 129, 500])))
    if what < 0.5 and at < len(out):
        out[at] ^= 1 << dice.randrange(8)
    elif what < 0.6:
        del out[at:]
    elif what < 0.7:
        del out[at : at + dice.choice([1, 1, 2, 4])]
    elif what < 0.8:
        out[at:at] = bytes(dice.getrandbits(8) for _ in range(dice.choice([1, 1, 3])))
    elif what < 0.9:
        out[:2] = header(dice.choice([0x08, 0x38, 0x78, 0x78, dice.getrandbits(8)]), dice.choice([0, 0x20, 0x40, 0xC0]))
    else:
        return bytes(out) + dice.choice([stream, NOTHING, stream[:-4]])
    return bytes(out)
