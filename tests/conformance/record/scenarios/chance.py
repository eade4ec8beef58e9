"""Seeded random calls of every host function with odd arguments, and random mixes of everything else."""

import world
from hosts import HOSTS
from probe import AT, END, call, peek, poke, printed, row, run
from scenarios.db import stream
from scenarios.deferred import cancel, trx
from scenarios.deferred import send as defer
from scenarios.numbers import F32, F64
from wire import DEV, action, authority, n, u64
from world import World, canceldelay, deleteauth, linkauth, newaccount, setabi, setcode, unlinkauth, updateauth, wasm

LOW = (1 << 64) - 1
I32 = [
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    31,
    32,
    33,
    64,
    100,
    66,
    AT,
    AT,
    AT,
    AT + 1,
    AT + 3,
    AT + 8,
    AT + 64,
    AT + 256,
    AT + 4096,
    END - 1,
    END - 4,
    END - 8,
    END - 16,
    END - 20,
    END - 32,
    END - 64,
    END,
    END + 1,
    65535,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFF0,
    LOW & 0xFFFFFFFF,
]
I64 = [
    0,
    1,
    2,
    n("one"),
    n("one"),
    n("two"),
    n("eosio"),
    n("nobody"),
    n("active"),
    n("owner"),
    n("t"),
    LOW,
    1 << 63,
    (1 << 63) - 1,
    0x123456789ABCDEF0,
]
# What would change the chain's rules for every later call, or take for ever.
NEVER = {
    "set_wasm_parameters_packed",
    "set_parameters_packed",
    "set_blockchain_parameters_packed",
    "set_privileged",
    "set_proposed_producers",
    "set_proposed_producers_ex",
    "activate_feature",
}
SMALL = {"mod_exp": (1, 3, 5, 7), "blake2_f": (0,), "alt_bn128_pair": (1,)}


def arguments(dice, function, letters):
    out = []
    for position, letter in enumerate(letters):
        if letter == "i":
            value = dice.choice(I32)
            if position in SMALL.get(function, ()):
                value = dice.choice([0, 1, 8, 32, 64, 192])
            elif dice.random() < 0.5:
                value = dice.choice(I32[:24])
        elif letter == "I":
            value = dice.choice(I64) if dice.random() < 0.8 else dice.getrandbits(64)
        else:
            value = dice.choice(F32 if letter == "f" else F64)
        out.append(value)
    if function == "set_resource_limits":
        out[0] = n("plain")
    return out


def record_edges(folder):
    chain = World("edges", "every host function with each pointer and length at and beyond the end of memory")
    calls(chain, edge_calls, "probe2", 400)
    chain.finish(folder)


def edge_calls(chain):
    for function, _, letters, *_ in HOSTS:
        if function in NEVER or "i" not in letters:
            continue
        base = {"i": AT, "I": n("one"), "f": 0x3F800000, "d": 0x3FF0000000000000}
        start = [base[letter] + (512 * position if letter == "i" else 0) for position, letter in enumerate(letters)]
        for position in (number for number, letter in enumerate(letters) if letter == "i"):
            for value in (END - 8, 0xFFFFFFF8, 8):
                some = list(start)
                some[position] = value
                for other in SMALL.get(function, ()):
                    some[other] = 8 if other != position else min(some[other], 8)
                for other in range(position + 1, len(letters)):  # lengths stay small
                    if letters[other] == "i" and other - position == 1:
                        some[other] = 8
                if function == "set_resource_limits":
                    some[0] = n("plain")
                yield call(function, *some)


def calls(chain, source, probe, _):
    chain.everything()
    chain.accounts("one", "two", "plain")
    chain.good(setcode("one", wasm(probe)))
    chain.probe("eosio", call("set_privileged", n("one"), 1))
    chain.block()
    for number, part in enumerate(source(chain)):
        chain.probe("one", part, row())
        if number % 50 == 49:
            chain.block()
    chain.block(2)


def record_chance_hosts(folder):
    chain = World("chance_hosts", "random calls of every host function with arguments from a pool of odd ones")
    dice = world.dice(41)

    def source(_):
        for turn in range(5 * len(HOSTS)):
            function, topic, letters, *_ = HOSTS[turn % len(HOSTS)]
            if function in NEVER or not letters:
                continue
            yield call(function, *arguments(dice, function, letters))

    calls(chain, source, "probe2", 0)
    chain.finish(folder)


def record_chance_pairs(folder):
    chain = World("chance_pairs", "random short programs of several host calls over prepared memory")
    dice = world.dice(43)
    safe = [
        row_
        for row_ in HOSTS
        if row_[0] not in NEVER and row_[0] not in ("abort", "eosio_exit", "send_deferred", "cancel_deferred")
    ]

    def source(_):
        for _ in range(400):
            parts = [poke(AT, bytes(dice.getrandbits(8) for _ in range(48)) + u64(n("one")) + u64(n("active")))]
            for _ in range(dice.randrange(2, 5)):
                function, topic, letters, *_ = dice.choice(safe)
                values = arguments(dice, function, letters)
                values = [
                    AT + 16 * dice.randrange(8) if letter == "i" and value > 128 else value
                    for letter, value in zip(letters, values)
                ]
                parts.append(call(function, *values))
            yield Joined(parts + [peek(AT, 160)])

    calls(chain, source, "probe2", 0)
    chain.finish(folder)


class Joined(bytes):
    """Several parts as one."""

    def __new__(cls, parts):
        made = super().__new__(cls, b"".join(parts))
        made.calls = tuple(one for part in parts for one in getattr(part, "calls", ()))
        return made


def record_chance_mix(folder):
    mix(
        World(
            "chance_mix", "random mix of native, inline, deferred, delayed, table and resource work; before features"
        ),
        "probe0",
        51,
        folder,
    )


def record_chance_mix_all(folder):
    chain = World(
        "chance_mix_all", "random mix of native, inline, deferred, delayed, table and resource work; with every feature"
    )
    chain.everything()
    mix(chain, "probe2", 52, folder)


def mix(chain, probe, seed, folder):
    dice = world.dice(seed)
    people = ["one", "two", "three", "four"]
    if probe == "probe0":
        chain.deploy("eosio", probe)
    chain.accounts(*people)
    for who in people[:3]:
        chain.good(setcode(who, wasm(probe)))
        chain.good(updateauth(who, "active", "owner", authority(1, [(DEV, 1)], [(who, "eosio.code", 1)])))
    chain.block()
    pending = []

    def deep(levels):
        who = dice.choice(people[:3])
        parts = [call("current_receiver"), row()]
        for _ in range(dice.randrange(3)):
            what = dice.random()
            if what < 0.35 and levels:
                inner = action(
                    dice.choice(people), "run", dice.choice([[who], [], [dice.choice(people)]]), deep(levels - 1)[1]
                )
                parts = [poke(AT, inner), call("send_inline", AT, len(inner)), *parts]
            elif what < 0.6:
                parts.append(call("require_recipient", n(dice.choice(people))))
            elif what < 0.75:
                parts += [poke(AT, b"mixed\0"), call("prints", AT)]
            elif what < 0.8:
                parts += [poke(AT, b"stop\0"), call("eosio_assert", dice.choice([0, 1]), AT)]
            else:
                parts.append(
                    call(
                        "db_store_i64",
                        dice.randrange(3),
                        n("mix"),
                        n(who),
                        dice.getrandbits(16),
                        AT,
                        dice.randrange(60),
                    )
                )
        return who, run(*parts)

    def one():
        what, who = dice.random(), dice.choice(people)
        if what < 0.25:
            target, data = deep(3)
            return lambda: chain.push(
                action(target, "run", dice.sample(people, dice.randrange(1, 3)), data), cpu=dice.randrange(100, 5000)
            )
        if what < 0.4:
            return lambda: chain.push(
                action(dice.choice(["one", "two"]), "run", ["one", "two"], stream(dice, dice.randrange(3, 12)))
            )
        if what < 0.5:
            target, data = deep(2)
            raw = trx(action(target, "run", target, data), delay=dice.randrange(4))
            return lambda: chain.probe(target, *defer(raw, dice.randrange(6), target, dice.randrange(2)))
        if what < 0.53:
            return lambda: chain.probe(dice.choice(people[:3]), *cancel(dice.randrange(6)), row())
        if what < 0.6:
            level = dice.choice(["p", "q", "active"])
            return lambda: chain.push(
                updateauth(
                    who,
                    level,
                    "owner" if level == "active" else dice.choice(["active", "p"]),
                    authority(1, [(DEV, 1)], [(who, "eosio.code", 1)] if dice.random() < 0.7 else []),
                ),
                covers=["updateauth"],
            )
        if what < 0.65:
            return lambda: chain.push(
                dice.choice(
                    [
                        deleteauth(who, dice.choice(["p", "q"])),
                        linkauth(
                            who, dice.choice(people), dice.choice(["run", "x", ""]), dice.choice(["p", "q", "active"])
                        ),
                        unlinkauth(who, dice.choice(people), dice.choice(["run", "x", ""])),
                    ]
                )
            )
        if what < 0.72:
            return lambda: chain.push(
                newaccount(who, "".join(dice.choice("abcdefgh12345.") for _ in range(dice.randrange(3, 13)))),
                covers=["newaccount"],
            )
        if what < 0.78:
            return lambda: chain.push(
                dice.choice(
                    [setabi(who, bytes(dice.randrange(80))), setcode("four", dice.choice([b"", wasm("numeric")]))]
                )
            )
        if what < 0.86:
            return lambda: pending.append(
                chain.push(action(who, "x", who, bytes(dice.randrange(30))), delay=dice.randrange(1, 6))
            )
        if what < 0.88 and pending:
            gone = dice.choice(pending)
            return lambda: (
                chain.push(canceldelay(who, "active", bytes.fromhex(gone["trace"]["id"])), covers=["canceldelay"])
                if "id" in gone["trace"]
                else None
            )
        if what < 0.93:
            return lambda: chain.probe(
                "eosio",
                call(
                    "set_resource_limits",
                    n(who),
                    dice.choice([LOW, LOW, 60000, 3000]),
                    dice.choice([LOW, 1, 1000]),
                    dice.choice([LOW, 1, 1000]),
                ),
            )
        if what < 0.96:
            return lambda: chain.push(
                [
                    action(who, "x", who),
                    action(dice.choice(people), "y", dice.sample(people, 2), bytes(dice.randrange(200))),
                ],
                cpu=dice.choice([100, 3000, 30000]),
                compress=dice.random() < 0.3,
            )
        return lambda: chain.push(
            [action(who, "pay", who, b"")],
            free=[action("one", "run", [], run(call("transaction_size"), printed()))],
            free_data=[bytes(dice.randrange(40))],
        )

    for turn in range(420):
        one()()
        if dice.random() < 0.2:
            chain.block(slots=dice.choice([1, 1, 1, 2, 7]))
            chain.run_due()
        if turn % 100 == 99:
            for who in people:
                chain.probe("eosio", call("set_resource_limits", n(who), LOW, LOW, LOW))
    chain.block(2)
    chain.finish(folder)
