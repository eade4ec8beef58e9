"""Bytes changed in what is otherwise well-formed: arguments of native actions, whole packed transactions."""

import os

import world
from probe import AT, call, poke
from scenarios.deferred import trx
from wire import DEV, K1, R1, WebAuthn, action, authority, blob, n, name, sole, u8, u128
from world import World, wasm

COUNT = int(os.environ.get("COUNT", 120))


def spoil(dice, data):
    """One or two bytes changed, bytes removed or added."""
    out = bytearray(data)
    for _ in range(dice.choice([1, 1, 2])):
        what, at = dice.random(), dice.randrange(len(out) + 1)
        if what < 0.45 and at < len(out):
            out[at] = dice.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFF, dice.getrandbits(8)])
        elif what < 0.65:
            del out[at:]
        elif what < 0.75:
            del out[at : at + 1]
        elif what < 0.9:
            out[at:at] = bytes([dice.choice([0, 1, 0x80, 0xFF])]) * dice.choice([1, 1, 5])
        else:
            out += bytes(dice.getrandbits(8) for _ in range(3))
    return bytes(out)


def natives(dice, keys):
    complex_ = authority(
        2,
        sorted([(key, 1) for key in keys], key=lambda one: one[0].public),
        [("one", "active", 1), ("two", "owner", 1)],
        [(10, 1), (20, 1)],
    )
    fresh = "".join(dice.choice("abcdefgh12345") for _ in range(12))
    return dice.choice(
        [
            ("newaccount", name("one") + name(fresh) + complex_ + sole(DEV)),
            ("updateauth", name("one") + name("p") + name("active") + complex_),
            ("setcode", name("one") + u8(0) + u8(0) + blob(wasm("numeric")[: dice.choice([8, 60, 400])])),
            ("setabi", name("one") + blob(bytes(20))),
            ("deleteauth", name("one") + name("p")),
            ("linkauth", name("one") + name("two") + name("run") + name("p")),
            ("unlinkauth", name("one") + name("two") + name("run")),
            ("canceldelay", name("one") + name("active") + bytes(32)),
            ("onerror", u128(1) + blob(b"xyz")),
        ]
    )


def bytes_(chain, seed):
    dice = world.dice(seed)
    chain.accounts("one", "two")
    keys = [DEV, K1("bytes"), R1("bytes"), WebAuthn("bytes")]
    for number in range(COUNT):
        what, data = natives(dice, dice.sample(keys, dice.randrange(1, 5)))
        chain.push(action("eosio", what, "one", spoil(dice, data)))
        key = dice.choice(keys)
        extensions = [(dice.choice([0, 1]), bytes(dice.randrange(4)))] if dice.random() < 0.1 else []
        packed = chain.build(
            [action("one", "x", ["one", "two"], bytes(dice.randrange(30)))],
            keys=dice.sample(keys, dice.randrange(1, 4)),
            free_data=[b"abc"] * dice.randrange(2),
            compress=dice.random() < 0.3,
            extensions=extensions,
        )
        chain.send(spoil(dice, packed))
        inner = action("two", "run", "two", b"")
        program = [
            poke(AT, spoil(dice, inner)),
            call(dice.choice(["send_inline", "send_context_free_inline"]), AT, len(inner)),
        ]
        raw = spoil(dice, trx(inner, delay=1, extensions=[(0, bytes(56))] * dice.randrange(2)))
        chain.probe(
            "eosio",
            *dice.choice(
                [
                    program,
                    [
                        poke(AT, u128(number)),
                        poke(AT + 32, raw),
                        call("send_deferred", AT, n("eosio"), AT + 32, len(raw), 0),
                    ],
                ]
            ),
        )
        signature, digest = spoil(dice, key.sign(bytes(32))), bytes(32)
        chain.probe(
            "eosio",
            poke(AT, digest),
            poke(AT + 32, signature),
            poke(AT + 1024, spoil(dice, key.public)),
            dice.choice(
                [
                    call(
                        "recover_key", AT, AT + 32, len(signature), AT + 4096, dice.choice([0, 1, 33, 34, 35, 40, 100])
                    ),
                    call("assert_recover_key", AT, AT + 32, len(signature), AT + 1024, len(key.public)),
                ]
            ),
        )
        if number % 50 == 49:
            chain.block()
            chain.run_due()
    chain.block(2)


def record_chance_bytes(folder):
    chain = World(
        "chance_bytes",
        "native arguments, transactions, inline and deferred ones and signatures with bytes changed, before features",
    )
    chain.deploy("eosio", "probe0")
    bytes_(chain, 111)
    chain.finish(folder)


def record_chance_bytes_all(folder):
    chain = World("chance_bytes_all", "the same with every feature")
    chain.everything()
    bytes_(chain, 112)
    chain.finish(folder)
