"""Host functions by topic: console, memory, crypto, privileged calls; each with odd pointers and lengths."""

import hashlib

import wire
from features import DIGEST
from probe import AT, END, call, grow, peek, poke, row
from scenarios.numbers import F32, F64, F128, I64, I128
from wire import (
    DEV,
    K1,
    R1,
    WebAuthn,
    many,
    n,
    sha256,
    u16,
    u32,
    u64,
    u128,
)
from world import World, setcode, wasm

LOW = (1 << 64) - 1


def start(title, about, full):
    chain = World(title, about)
    if full:
        chain.everything()
    else:
        chain.deploy("eosio", "probe0")
    chain.accounts("one", "two", "plain")
    chain.good(setcode("one", wasm("probe2" if full else "probe0")))
    chain.block()
    return chain


def record_console(folder):
    chain = start("console", "every print, with numbers of every kind and bad text", False)
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    for text in (
        b"plain\0",
        b"\0",
        "gr\u00fc\u00df \u2603\0".encode(),
        b"bad \xff\xfe\x80 utf8\0",
        b"a\tb\nc\rd\x01\x02\x1f\x7f\0",
        b'quote " back \\\0',
    ):
        go(poke(AT, text), call("prints", AT))
    go(poke(AT, b"with\0zero inside"), call("prints_l", AT, 16))
    go(
        poke(AT, b"abcdef"),
        call("prints_l", AT, 0),
        call("prints_l", AT, 3),
        call("printhex", AT, 0),
        call("printhex", AT, 6),
    )
    go(poke(AT, bytes(range(256))), call("prints_l", AT, 256))
    go(poke(AT, bytes(range(256))), call("printhex", AT, 256))
    for function in ("prints",):
        go(call(function, END))
        go(poke(END - 3, b"xyz"), call(function, END - 3))
        go(call(function, 0xFFFFFFFF))
    for function in ("prints_l", "printhex"):
        go(call(function, END - 4, 5))
        go(call(function, END, 0))
        go(call(function, END, 1))
        go(call(function, END + 1, 0))
        go(call(function, AT, 0xFFFFFFFF))
        go(call(function, 0xFFFFFFFF, 0))
    space = poke(AT, b" \0")
    gap = call("prints", AT)
    every = lambda function, values: [part for value in values for part in (call(function, value), gap)]
    go(space, *every("printi", I64))
    go(space, *every("printui", I64))
    go(
        space,
        *every(
            "printn",
            [
                0,
                1,
                n("eosio"),
                n("a"),
                n("abcdefghijklj"),
                n("zzzzzzzzzzzzj"),
                LOW,
                1 << 63,
                n("a.b.c"),
                n("..a"),
                15,
                16,
            ],
        ),
    )
    for start_ in range(0, len(F32), 12):
        go(space, *every("printsf", F32[start_ : start_ + 12]))
    for start_ in range(0, len(F64), 12):
        go(space, *every("printdf", F64[start_ : start_ + 12]))
    wide = lambda function, values: [
        part for value in values for part in (poke(AT + 8, u128(value)), call(function, AT + 8), gap)
    ]
    go(space, *wide("printi128", I128))
    go(space, *wide("printui128", I128))
    for start_ in range(0, len(F128), 12):
        go(space, *wide("printqf", F128[start_ : start_ + 12]))
    for function in ("printi128", "printui128", "printqf"):
        go(poke(AT + 1, u128(3)), call(function, AT + 1))
        go(call(function, END - 15))
        go(call(function, END - 16))
    go(*[call("printsf", value) for value in (1.0, 0.1, 1e10, 123456.789, 1e-7)])
    go(
        *[
            part
            for value in (1.0, 0.1, 1e10, 123456.789, 1e-7, 1e100, 1 / 3)
            for part in (call("printdf", value), poke(AT, b";\0"), gap)
        ]
    )
    # Failing after printing keeps what was printed.
    go(poke(AT, b"before\0"), call("prints", AT), call("abort"))
    go(*[call("printui", number) for number in range(600)])
    chain.block(2)
    chain.finish(folder)


def record_memory(folder):
    chain = start("memory", "memcpy, memmove, memcmp, memset and memory growth; spans at the edges of memory", False)
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    text = poke(AT, bytes(range(1, 65)))
    for function in ("memcpy", "memmove"):
        for to, source, length in (
            (AT + 100, AT, 20),
            (AT + 101, AT + 3, 7),
            (AT, AT, 0),
            (AT + 30, AT, 30),
            (AT, AT + 64, 64),
            (AT + 200, AT + 3, 1),
        ):
            go(text, call(function, to, source, length), peek(AT, 256), row())
        for to, source, length in (
            (AT + 8, AT, 9),
            (AT, AT + 8, 9),
            (AT, AT, 1),
            (AT + 1, AT, 60),
            (AT, AT + 1, 60),
        ):  # overlapping
            go(text, call(function, to, source, length), peek(AT, 128), row())
        for to, source, length in (
            (END - 4, AT, 5),
            (AT, END - 4, 5),
            (END, AT, 0),
            (AT, END, 0),
            (END + 1, AT, 0),
            (AT, 0xFFFFFFFF, 0),
            (0xFFFFFFFF, AT, 1),
            (AT, AT + 10, 0xFFFFFFFF),
            (AT, END - 4, 4),
            (0, AT, 4),
        ):
            go(call(function, to, source, length), row())
    for a, b, length in (
        (AT, AT, 10),
        (AT, AT + 1, 10),
        (AT + 1, AT, 10),
        (AT, AT + 1, 0),
        (AT, END - 3, 3),
        (AT, END - 3, 4),
        (END, END, 0),
        (END + 1, AT, 0),
        (AT, AT + 32, 40),
    ):
        go(text, call("memcmp", a, b, length), row())
    go(
        poke(AT, b"\x80\x7f\x00"),
        call("memcmp", AT, AT + 1, 1),
        call("memcmp", AT + 1, AT, 1),
        call("memcmp", AT + 2, AT, 1),
        call("memcmp", AT, AT + 2, 1),
        row(),
    )
    for at, value, length in (
        (AT, 7, 20),
        (AT + 3, 0x1FF, 5),
        (AT, 0, 0),
        (END - 4, 9, 4),
        (END - 4, 9, 5),
        (END, 9, 0),
        (END + 1, 9, 0),
        (0xFFFFFFFF, 1, 1),
        (AT, 1, 0xFFFFFFFF),
        (AT, 0xFFFFFFFF, 3),
    ):
        go(text, call("memset", at, value, length), peek(AT, 40), row())
    # Growing: new memory is zero, the limit is 528 pages, and a later action starts small again.
    go(grow(0), grow(1), peek(END, 16), grow(0), poke(END + 65000, b"grown"), peek(END + 65000, 8), row())
    go(peek(END, 1))
    go(grow(525), grow(1), grow(1), grow(0), row())
    go(grow(527), grow(526), row())
    go(grow(0xFFFF), grow(0x10000), grow(0xFFFFFFFF), grow(0), row())
    go(grow(526), poke(528 * 65536 - 8, b"lastbyte"), peek(528 * 65536 - 8, 8), row())
    go(grow(526), poke(528 * 65536 - 7, b"lastbyte"))
    go(grow(1), call("memcpy", END + 65530, AT, 6), call("memcpy", END + 65530, AT, 7))
    go(poke(AT, b"leftover"), row())
    go(peek(AT, 8), row())
    go(poke(0, b"below the stack"), peek(0, 16), row())
    chain.block(2)
    chain.finish(folder)


HASHES = {"sha256": ("sha256", 32), "sha1": ("sha1", 20), "sha512": ("sha512", 64), "ripemd160": ("ripemd160", 20)}


def record_crypto(folder):
    chain = start("crypto", "hashes and key recovery with every key type, before features", False)
    crypto(chain)
    chain.finish(folder)


def record_crypto_all(folder):
    chain = start("crypto_all", "the same with WEBAUTHN_KEY, and the crypto primitives", True)
    crypto(chain)
    primitives(chain)
    chain.finish(folder)


def crypto(chain):
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    for function, (algorithm, size) in HASHES.items():
        for data in (b"", b"abc", bytes(range(256)) * 3, b"a" * 63, b"a" * 64, b"a" * 127):
            want = hashlib.new(algorithm, data).digest()
            go(poke(AT + 1, data), call(function, AT + 1, len(data), AT + 2000), peek(AT + 2000, size), row())
            go(poke(AT + 1, data), poke(AT + 2000, want), call("assert_" + function, AT + 1, len(data), AT + 2000))
        go(poke(AT, b"abc"), call(function, AT, 3, AT), peek(AT, size), row())
        go(poke(AT, b"abc"), call(function, AT, 60000, AT + 60001), peek(AT + 60001, size), row())
        go(poke(AT, b"abc"), poke(AT + 2000, bytes(size)), call("assert_" + function, AT, 3, AT + 2000))
        for arguments in (
            (AT, 3, END - size + 1),
            (END - 2, 3, AT),
            (END, 0, AT),
            (AT, 3, END - size),
            (AT, 0xFFFFFFFF, AT),
            (END + 1, 0, AT),
        ):
            go(call(function, *arguments), peek(END - size, size), row())
            go(call("assert_" + function, *arguments))
    digest = sha256(b"a message to sign")
    keys = [DEV, K1("x"), R1("x"), WebAuthn("x"), WebAuthn("y", site="s", presence=0), WebAuthn("z", presence=2)]
    for key in keys:
        signature, public = key.sign(digest), key.public
        base = (poke(AT, digest), poke(AT + 100, signature), poke(AT + 4000, b"\xcc" * 80))
        recover = lambda length, size, signature_length=None: call(
            "recover_key", AT, AT + 100, length if signature_length is None else signature_length, AT + 4000, size
        )
        go(*base, recover(len(signature), 200), peek(AT + 4000, 80), row())
        go(*base, recover(len(signature), len(public)), peek(AT + 4000, 80), row())
        go(*base, recover(len(signature), 34), peek(AT + 4000, 40), row())
        go(*base, recover(len(signature), 33), peek(AT + 4000, 40), row())
        go(*base, recover(len(signature), 10), peek(AT + 4000, 40), row())
        go(*base, recover(len(signature), 0), peek(AT + 4000, 40), row())
        go(*base, recover(len(signature) - 1, 34))
        go(*base, recover(len(signature) + 20, 34), peek(AT + 4000, 40), row())
        go(*base, recover(0, 34))
        check = lambda key_bytes: (
            poke(AT + 4000, key_bytes),
            call("assert_recover_key", AT, AT + 100, len(signature), AT + 4000, len(key_bytes)),
        )
        go(*base, *check(public))
        go(*base, *check(keys[1 if key is DEV else 0].public))
        go(*base, *check(public[:-1]))
        go(*base, *check(public + b"tail"))
        go(*base, *check(b""))
        go(poke(AT, sha256(b"other")), *base[1:], recover(len(signature), 40), peek(AT + 4000, 40), row())
        go(call("recover_key", END - 31, AT, 66, AT, 34))
        go(*base, call("recover_key", AT, END - 60, 66, AT, 34))
        go(*base, call("recover_key", AT, AT + 100, len(signature), END - 30, 34))
    k1 = DEV.sign(digest)
    for bad in (
        b"\0" + bytes(65),
        b"\0" + b"\x1f" + bytes(64),
        b"\3" + k1[1:],
        k1[:1] + b"\x1a" + k1[2:],
        k1[:1] + b"\x23" + k1[2:],
        k1[:1] + b"\x2a" + k1[2:],
        k1[:1] + b"\xff" + k1[2:],
        b"\0\x1f" + b"\xff" * 64,
        b"\xff" * 66,
        k1[:1] + bytes([k1[1] ^ 2]) + k1[2:],
        k1[:1] + bytes([k1[1] ^ 1]) + k1[2:],
        k1[:1] + bytes([k1[1] - 4]) + k1[2:],
    ):
        go(
            poke(AT, digest),
            poke(AT + 100, bad),
            call("recover_key", AT, AT + 100, len(bad), AT + 4000, 40),
            peek(AT + 4000, 34),
            row(),
        )
    high = (
        bytes([k1[0], (k1[1] - 31 ^ 1) + 31])
        + k1[2:34]
        + (
            0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - int.from_bytes(k1[34:], "big")
        ).to_bytes(32, "big")
    )
    go(
        poke(AT, digest),
        poke(AT + 100, high),
        call("recover_key", AT, AT + 100, len(high), AT + 4000, 40),
        peek(AT + 4000, 34),
        row(),
    )
    chain.block(2)


def primitives(chain):
    go = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    for data in (b"", b"abc", b"a" * 135, b"a" * 136, b"a" * 137, bytes(range(256))):
        for keccak in (0, 1, 2):
            go(poke(AT, data), call("sha3", AT, len(data), AT + 4000, 32, keccak), peek(AT + 4000, 32), row())
    for size in (0, 16, 31, 33, 64):
        go(
            poke(AT, b"abc"),
            poke(AT + 4000, b"\xcc" * 64),
            call("sha3", AT, 3, AT + 4000, size, 0),
            peek(AT + 4000, 64),
            row(),
        )
    go(call("sha3", AT, 3, END - 31, 32, 0))
    go(call("sha3", END - 2, 3, AT, 32, 0))
    # k1_recover takes 65 bytes: recovery id then r, s, in its own form.
    digest = sha256(b"k1")
    signature = DEV.sign(digest)[1:]
    for first in (signature[0], signature[0] - 4, signature[0] - 31, signature[0] ^ 1, 26, 0, 35, 255):
        go(
            poke(AT, bytes([first]) + signature[1:]),
            poke(AT + 100, digest),
            call("k1_recover", AT, 65, AT + 100, 32, AT + 200, 65),
            peek(AT + 200, 65),
            row(),
        )
    for lengths in (
        (64, 32, 65),
        (66, 32, 65),
        (65, 31, 65),
        (65, 33, 65),
        (65, 32, 64),
        (65, 32, 33),
        (65, 32, 66),
        (0, 32, 65),
        (65, 0, 65),
        (65, 32, 0),
    ):
        go(
            poke(AT, signature),
            poke(AT + 100, digest),
            call("k1_recover", AT, lengths[0], AT + 100, lengths[1], AT + 200, lengths[2]),
            peek(AT + 200, 66),
            row(),
        )
    go(poke(AT, bytes(65)), call("k1_recover", AT, 65, AT + 100, 32, AT + 200, 65), row())
    go(poke(AT, signature[:1] + b"\xff" * 64), call("k1_recover", AT, 65, AT + 100, 32, AT + 200, 65), row())

    def modexp(base, exponent, modulus, size=None):
        b, e, m = (
            value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")
            for value in (base, exponent, modulus)
        )
        go(
            poke(AT, b),
            poke(AT + 2000, e),
            poke(AT + 4000, m),
            poke(AT + 6000, b"\xcc" * 300),
            call(
                "mod_exp", AT, len(b), AT + 2000, len(e), AT + 4000, len(m), AT + 6000, len(m) if size is None else size
            ),
            peek(AT + 6000, min(300, len(m) + 4)),
            row(),
        )

    big = int.from_bytes(sha256(b"1") + sha256(b"2") + sha256(b"3"), "big")
    prime = (1 << 255) - 19
    for base, exponent, modulus in (
        (3, 5, 7),
        (0, 0, 5),
        (0, 5, 5),
        (5, 0, 7),
        (2, 10, 1),
        (big, 65537, prime),
        (big, prime - 2, prime),
        (big, big, big + 2),
        (big, big, 1 << 256),
        (7, 7, b"\0\0\0\x0b"),
        (b"\0\0\2", b"\0\3", b"\x0d"),
        (5, 3, 0),
        (5, 3, b""),
        (b"", b"", b"\7"),
        (b"", 3, 7),
        (3, b"", 7),
        (5, 3, b"\0"),
        (5, 3, b"\0\0\0"),
    ):
        modexp(base, exponent, modulus)
    for size in (0, 1, 2, 5):
        modexp(3, 5, b"\1\1\1", size)
    modexp(b"\xff" * 256, b"\xff" * 256, b"\xfe" * 255 + b"\x7f")
    modexp(b"\xff" * 1024, b"\3", b"\xfe" * 1023 + b"\x7f")
    modexp(b"\xff" * 1025, b"\3", b"\7")
    go(call("mod_exp", END - 1, 2, AT, 1, AT, 1, AT + 6000, 1))
    go(call("mod_exp", AT, 2, AT, 1, AT, 1, END, 1))

    def blake(rounds, state, message, t0, t1, final, size=64):
        go(
            poke(AT, state),
            poke(AT + 200, message),
            poke(AT + 400, t0),
            poke(AT + 500, t1),
            call(
                "blake2_f",
                rounds,
                AT,
                len(state),
                AT + 200,
                len(message),
                AT + 400,
                len(t0),
                AT + 500,
                len(t1),
                final,
                AT + 600,
                size,
            ),
            peek(AT + 600, 64),
            row(),
        )

    state = bytes.fromhex(
        "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
    )
    message = b"abc" + bytes(125)
    for rounds in (0, 1, 12, 100):
        for final in (0, 1, 2):
            blake(rounds, state, message, u64(3), u64(0), final)
    blake(12, state, message, u64(LOW), u64(LOW), 1)
    for change in (
        {"state": state[:-1]},
        {"message": message[:-1]},
        {"t0": b"\3"},
        {"t1": bytes(9)},
        {"size": 63},
        {"size": 65},
        {"size": 0},
        {"state": state + b"\0"},
        {"message": b""},
    ):
        blake(**{**dict(rounds=12, state=state, message=message, t0=u64(3), t1=u64(0), final=1), **change})

    # alt_bn128: the generator, its double, points off the curve and out of the field.
    P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
    ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
    e = lambda *values: b"".join(value.to_bytes(32, "big") for value in values)
    G1, NEG = e(1, 2), e(1, P - 2)
    TWO = e(
        1368015179489954701390400359078579693043519447331113978918064868415326638035,
        9918110051302171585080402603319702774565515993150576347155970296011118125764,
    )
    G2 = e(
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
    )
    G2NEG = G2[:64] + e(P - int.from_bytes(G2[64:96], "big"), P - int.from_bytes(G2[96:], "big"))
    ZERO = bytes(64)
    off, outside = e(1, 3), e(1, P + 2)
    for a, b in (
        (G1, G1),
        (G1, NEG),
        (G1, ZERO),
        (ZERO, ZERO),
        (G1, TWO),
        (TWO, TWO),
        (off, G1),
        (G1, off),
        (outside, G1),
        (e(P, 0), G1),
        (G1[:63], G1),
        (G1, G1 + b"\0"),
        (b"", G1),
        (e(2**256 - 1, 2), G1),
    ):
        go(
            poke(AT, a),
            poke(AT + 200, b),
            call("alt_bn128_add", AT, len(a), AT + 200, len(b), AT + 400, 64),
            peek(AT + 400, 64),
            row(),
        )
    for size in (63, 65, 128, 0):
        go(poke(AT, G1), call("alt_bn128_add", AT, 64, AT, 64, AT + 400, size), peek(AT + 400, 64), row())
        go(poke(AT, G1), call("alt_bn128_mul", AT, 64, AT, 32, AT + 400, size), peek(AT + 400, 64), row())
    for scalar in (
        e(0),
        e(1),
        e(2),
        e(3),
        e(ORDER),
        e(ORDER - 1),
        e(ORDER + 1),
        e(P),
        e(2**256 - 1),
        e(2)[:31],
        e(2) + b"\0",
        b"",
        sha256(b"scalar"),
    ):
        for point in (G1, TWO, ZERO) if len(scalar) == 32 else (G1,):
            go(
                poke(AT, point),
                poke(AT + 200, scalar),
                call("alt_bn128_mul", AT, 64, AT + 200, len(scalar), AT + 400, 64),
                peek(AT + 400, 64),
                row(),
            )
    for point in (off, outside, G1[:-1]):
        go(
            poke(AT, point),
            poke(AT + 200, e(3)),
            call("alt_bn128_mul", AT, len(point), AT + 200, 32, AT + 400, 64),
            peek(AT + 400, 64),
            row(),
        )
    for pairs in (
        b"",
        G1 + G2,
        G1 + G2 + NEG + G2,
        G1 + G2 + G1 + G2NEG,
        ZERO + G2,
        G1 + bytes(128),
        TWO + G2 + NEG + G2 + NEG + G2,
        (G1 + G2)[:-1],
        off + G2,
        G1 + e(1, 2, 3, 4),
        G1 + G2 + off + G2,
        outside + G2,
        G1 + G2 + b"\0",
        G1 + e(P) + G2[32:],
    ):
        go(poke(AT, pairs), call("alt_bn128_pair", AT, len(pairs)), row())
    go(call("alt_bn128_pair", END - 100, 192))
    go(call("alt_bn128_add", END - 63, 64, AT, 64, AT, 64))
    go(call("alt_bn128_mul", AT, 64, AT, 32, END - 63, 64))
    chain.block(2)


def record_privileged(folder):
    chain = start("privileged", "privileged calls and who may make them, without features", False)
    privileged(chain)
    chain.finish(folder)


def record_privileged_all(folder):
    chain = start("privileged_all", "privileged calls with every feature: parameters, wasm limits, producers", True)
    privileged(chain)
    late(chain)
    chain.finish(folder)


def privileged(chain):
    go = lambda *parts, **rest: chain.probe("eosio", *parts, **rest)
    by = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    limits = lambda who, ram, net, cpu: call("set_resource_limits", n(who), ram, net, cpu)
    show = lambda who: (call("get_resource_limits", n(who), AT, AT + 8, AT + 16), peek(AT, 24))
    by(call("is_privileged", n("one")))
    by(limits("one", 10000, 1, 1))
    by(*show("one"))
    by(call("set_privileged", n("one"), 1))
    by(call("is_feature_active", n("one")))
    by(call("activate_feature", n("one")))
    by(call("get_blockchain_parameters_packed", AT, 0))
    by(call("set_blockchain_parameters_packed", AT, 0))
    by(call("set_proposed_producers", AT, 0))
    go(call("is_privileged", n("one")), call("is_privileged", n("eosio")), row())
    go(call("is_privileged", n("nobody")))
    go(call("is_feature_active", 0), call("is_feature_active", n("one")), row())
    go(call("activate_feature", n("one")))
    go(call("set_privileged", n("nobody"), 1))
    go(call("set_privileged", n("one"), 1), call("is_privileged", n("one")), row())
    by(call("is_privileged", n("one")), row())
    by(call("set_privileged", n("one"), 0))
    by(call("is_privileged", n("one")))
    # Resource limits: unlimited, limited, lower than used.
    go(*show("one"), *show("plain"), row())
    for ram, net, cpu in (
        (100000, 5, 7),
        (LOW, LOW, LOW),
        (1 << 62, 1 << 40, 1 << 40),
        (0, 0, 0),
        (LOW - 1, 1, 1),
        (1000000, LOW - 5, 1),
        (1000000, 1, LOW - 5),
        (3000, 1, 1),
        (2000, LOW, LOW),
        (5000, LOW, LOW),
        (LOW, LOW, LOW),
    ):
        go(limits("plain", ram, net, cpu), *show("plain"), row())
    go(limits("nobody", 1, 1, 1))
    go(*show("nobody"))
    go(call("get_resource_limits", n("one"), END - 7, AT, AT))
    go(call("get_resource_limits", n("one"), AT, AT + 4, AT + 9), peek(AT, 24), row())
    go(call("get_resource_limits", n("one"), AT + 1, AT + 9, AT + 17), peek(AT, 24), row())
    go(limits("one", 100, LOW, LOW))
    chain.block()
    # Chain parameters, as one packed structure.
    go(
        call("get_blockchain_parameters_packed", AT, 0),
        call("get_blockchain_parameters_packed", AT, 100),
        peek(AT, 72),
        row(),
    )
    for size in (67, 68, 72, 4):
        go(call("get_blockchain_parameters_packed", AT, size), peek(AT, 72), row())
    go(call("get_blockchain_parameters_packed", END - 4, 100))
    order = (
        "max_block_net_usage",
        "target_block_net_usage_pct",
        "max_transaction_net_usage",
        "base_per_transaction_net_usage",
        "net_usage_leeway",
        "context_free_discount_net_usage_num",
        "context_free_discount_net_usage_den",
        "max_block_cpu_usage",
        "target_block_cpu_usage_pct",
        "max_transaction_cpu_usage",
        "min_transaction_cpu_usage",
        "max_transaction_lifetime",
        "deferred_trx_expiration_window",
        "max_transaction_delay",
        "max_inline_action_size",
        "max_inline_action_depth",
        "max_authority_depth",
    )
    base = chain.genesis["initial_configuration"]

    def pack(**change):
        values = {**base, **change}
        return b"".join(
            u64(values[one])
            if one == "max_block_net_usage"
            else u16(values[one])
            if "depth" in one
            else u32(values[one])
            for one in order
        )

    def change(tail=b"", keep=False, **values):
        data = pack(**values) + tail
        again = pack()
        go(
            poke(AT, data),
            call("set_blockchain_parameters_packed", AT, len(data)),
            call("get_blockchain_parameters_packed", AT + 200, 100),
            peek(AT + 200, 68),
            row(),
            *(() if keep else (poke(AT, again), call("set_blockchain_parameters_packed", AT, len(again)))),
        )

    change()
    change(keep=True, max_block_net_usage=2000000, max_inline_action_depth=7, max_authority_depth=5)
    for values in (
        dict(target_block_net_usage_pct=0),
        dict(target_block_net_usage_pct=10001),
        dict(target_block_cpu_usage_pct=5),
        dict(target_block_cpu_usage_pct=10),
        dict(max_block_cpu_usage=100),
        dict(max_transaction_net_usage=2000000),
        dict(max_transaction_net_usage=1048575),
        dict(max_transaction_cpu_usage=200001),
        dict(max_transaction_cpu_usage=200000),
        dict(min_transaction_cpu_usage=150001),
        dict(base_per_transaction_net_usage=600000),
        dict(net_usage_leeway=600000),
        dict(context_free_discount_net_usage_den=0),
        dict(context_free_discount_net_usage_num=101),
        dict(context_free_discount_net_usage_num=100),
        dict(max_transaction_lifetime=0),
        dict(max_inline_action_depth=0),
        dict(max_authority_depth=0),
        dict(max_inline_action_size=0),
        dict(deferred_trx_expiration_window=0),
        dict(max_transaction_delay=0),
        dict(max_block_net_usage=0),
        dict(max_block_cpu_usage=0),
        dict(min_transaction_cpu_usage=0),
        dict(net_usage_leeway=0),
    ):
        change(**values)
    change(tail=b"tail")
    go(poke(AT, pack()[:-1]), call("set_blockchain_parameters_packed", AT, 67))
    go(call("set_blockchain_parameters_packed", AT, 0))
    go(call("set_blockchain_parameters_packed", END - 4, 68))
    chain.block()
    change()
    # The schedule in force.
    go(
        call("get_active_producers", AT, 0),
        call("get_active_producers", AT, 8),
        peek(AT, 8),
        call("get_active_producers", AT, 100),
        row(),
    )
    go(call("get_active_producers", AT, 7), peek(AT, 8), row())
    go(call("get_active_producers", END - 4, 8))
    by(call("get_active_producers", AT, 8), peek(AT, 8), row())
    chain.block(2)


def late(chain):
    go = lambda *parts, **rest: chain.probe("eosio", *parts, **rest)
    by = lambda *parts, **rest: chain.probe("one", *parts, **rest)
    by(call("preactivate_feature", AT))
    by(call("get_parameters_packed", AT, 0, AT, 0))
    by(call("set_parameters_packed", AT, 0))
    by(call("get_wasm_parameters_packed", AT, 0, 0))
    by(call("set_wasm_parameters_packed", AT, 0))
    by(call("set_proposed_producers_ex", 1, AT, 0))
    for feature in ("PREACTIVATE_FEATURE", "GET_SENDER"):
        by(poke(AT, bytes.fromhex(DIGEST[feature])), call("is_feature_activated", AT), row())
    by(poke(AT, bytes(32)), call("is_feature_activated", AT), row())
    by(call("is_feature_activated", END - 31))
    go(poke(AT, bytes.fromhex(DIGEST["GET_SENDER"])), call("preactivate_feature", AT))
    go(poke(AT, bytes(32)), call("preactivate_feature", AT))
    go(call("preactivate_feature", END - 31))
    # Parameters by number.
    ask = lambda *ids: (
        poke(AT, many(wire.varuint(one) for one in ids)),
        call("get_parameters_packed", AT, len(ids) + 1, AT + 200, 0),
        call("get_parameters_packed", AT, len(ids) + 1, AT + 200, 200),
        peek(AT + 200, 120),
    )
    go(*ask(*range(18)), row())
    for ids in ((), (0,), (17,), (16, 0, 3), (3, 3), (18,), (100,)):
        go(*ask(*ids), row())
    go(
        poke(AT, b"\1\0"),
        call("get_parameters_packed", AT, 2, AT + 200, 8),
        call("get_parameters_packed", AT, 1, AT + 200, 100),
    )
    go(poke(AT, b"\1\0"), call("get_parameters_packed", AT, 2, END - 4, 100))
    give = lambda data: (poke(AT, data), call("set_parameters_packed", AT, len(data)))
    for data in (
        b"\0",
        b"\1\0" + u64(1500000),
        b"\2\0" + u64(1048576) + b"\x0f" + u16(5),
        b"\1\x11" + u32(512),
        b"\1\x11" + u32(0),
        b"\1\x11" + u32(1 << 31),
        b"\1\x12" + u32(1),
        b"\1\0" + u64(1500000)[:-1],
        b"",
        b"\1\1" + u32(0),
        b"\2\3" + u32(13) + b"\3" + u32(14),
        b"\1\0" + u64(1048576) + b"tail",
        b"\1\x11" + u32(256),
    ):
        go(*give(data))
    go(call("set_parameters_packed", END - 1, 10))
    go(*ask(*range(18)), row())
    # WASM limits.
    names = (
        "max_mutable_global_bytes",
        "max_table_elements",
        "max_section_elements",
        "max_linear_memory_init",
        "max_func_local_bytes",
        "max_nested_structures",
        "max_symbol_bytes",
        "max_module_bytes",
        "max_code_bytes",
        "max_pages",
        "max_call_depth",
    )
    base = (1024, 1024, 8192, 65536, 8192, 1024, 8192, 20 << 20, 20 << 20, 528, 251)
    go(
        call("get_wasm_parameters_packed", AT, 0, 0),
        call("get_wasm_parameters_packed", AT, 48, 0),
        peek(AT, 48),
        call("get_wasm_parameters_packed", AT, 47, 0),
        call("get_wasm_parameters_packed", AT, 60, 5),
        row(),
    )
    go(call("get_wasm_parameters_packed", END - 4, 48, 0))
    limits = lambda version=0, tail=b"", **change: (
        u32(version) + b"".join(u32({**dict(zip(names, base)), **change}[one]) for one in names) + tail
    )
    give = lambda data: (
        poke(AT, data),
        call("set_wasm_parameters_packed", AT, len(data)),
        call("get_wasm_parameters_packed", AT + 100, 48, 0),
        peek(AT + 100, 48),
        row(),
    )
    go(*give(limits()))
    go(*give(limits(version=1)))
    go(*give(limits(tail=b"x")))
    go(*give(limits()[:-1]))
    for change in (
        dict(max_mutable_global_bytes=0),
        dict(max_mutable_global_bytes=7),
        dict(max_table_elements=0),
        dict(max_section_elements=0),
        dict(max_section_elements=3),
        dict(max_section_elements=4),
        dict(max_linear_memory_init=0),
        dict(max_func_local_bytes=7),
        dict(max_func_local_bytes=8),
        dict(max_func_local_bytes=9),
        dict(max_nested_structures=0),
        dict(max_nested_structures=1),
        dict(max_symbol_bytes=31),
        dict(max_symbol_bytes=32),
        dict(max_module_bytes=255),
        dict(max_module_bytes=256),
        dict(max_module_bytes=(20 << 20) + 1),
        dict(max_code_bytes=31),
        dict(max_code_bytes=32),
        dict(max_code_bytes=(20 << 20) + 1),
        dict(max_pages=0),
        dict(max_pages=1),
        dict(max_pages=65536),
        dict(max_pages=65537),
        dict(max_call_depth=1),
        dict(max_call_depth=2),
        dict(max_call_depth=3),
    ):
        go(*give(limits(**change)), *give(limits()))
    go(*give(limits(max_pages=1)))  # itself cannot start any more
    chain.block(2)
