"""Random bytes as arguments of every action that both sides have: what cannot be read must be refused in the same words."""

import json
import os
import random

from abis import ONLY_OURS
from state import number_of
from steps import BLOCK, PRODUCERS, USERS, dump, push, setup

ACCOUNTS = [*USERS[:3], *PRODUCERS[:2], "eosio", "eosio.token", "nobody"]
ACTORS = ["eosio", "eosio.token", "eosio.wrap", USERS[0], PRODUCERS[0]]
# They would take the chain's contract, its ABI or its privileges away, or set weights of which no chain can hold the sum;
# or differ as is known.
LEFT_OUT = {"setcode", "setabi", "setpriv", "voteupdate", "setalimits", "setacctnet", "setacctcpu"}


def actions_of(contract):
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dist", contract, contract + ".abi")
    ) as file:
        names = {action["name"] for action in json.load(file)["actions"]}
    return sorted(names - LEFT_OUT - ONLY_OURS.get(f"{contract} actions", set()))


def pieces(rng):
    """Bytes that are now and then something: a name, an asset, a length, a number."""
    while True:
        yield rng.choice(
            [
                lambda: number_of(rng.choice(ACCOUNTS)).to_bytes(8, "little"),
                lambda: (
                    rng.choice([0, 1, 10_000, 2**62 - 1, 2**63, rng.getrandbits(64)]).to_bytes(8, "little")
                    + b"\x04SYS\0\0\0\0"
                ),
                lambda: bytes([rng.choice([0, 1, 2, 3, 20, 127])]),
                lambda: rng.randbytes(rng.randint(1, 9)),
                lambda: b"\xff" * rng.randint(1, 6),
            ]
        )()


# Text that is not UTF-8: the chain and the reference take it like any other.
TEXTS = [b"\xf0", b"\xe2\x80", b"a\xffb", b"\xc3\x28", b"\xed\xa0\x80", b"\xff" * 256, b"\xff" * 257]


def length(text):
    return bytes([len(text) & 0x7F | (0x80 if len(text) > 0x7F else 0)]) + bytes(
        [len(text) >> 7] if len(text) > 0x7F else []
    )


def texts():
    """Every text of the token and of the system, of any bytes."""
    name = lambda text: number_of(text).to_bytes(8, "little")
    tokens = (1).to_bytes(8, "little") + b"\x04SYS\0\0\0\0"
    a, b = USERS[:2]
    key = bytes(34)
    for text in TEXTS:
        told = length(text) + text
        for account, action, data in (
            ("eosio.token", "transfer", name(a) + name(b) + tokens + told),
            ("eosio.token", "issue", name("eosio") + tokens + told),
            ("eosio.token", "retire", tokens + told),
            ("eosio", "ramtransfer", name(a) + name(b) + (1).to_bytes(8, "little") + told),
            ("eosio", "ramburn", name(a) + (1).to_bytes(8, "little") + told),
            ("eosio", "buyramburn", name(a) + (10_000).to_bytes(8, "little") + b"\x04SYS\0\0\0\0" + told),
            ("eosio", "regproducer", name(a) + key + told + b"\1\0"),
            ("eosio", "logsystemfee", name("eosio") + tokens + told),
        ):
            yield push([account, action, {"hex": data.hex()}, [a + "@active", "eosio@active"]])


def system(seed, count):
    """Texts of any bytes, and `count` actions with random bytes on a running system."""
    rng = random.Random(seed)
    steps = setup()
    steps += [*texts(), BLOCK, dump()]
    everything = [
        (contract, action)
        for contract in ("eosio.system", "eosio.token", "eosio.msig", "eosio.wrap")
        for action in actions_of(contract)
    ]
    for at in range(count):
        contract, action = rng.choice(everything)
        more = pieces(rng)
        data = b"".join(next(more) for _ in range(rng.randint(0, 12)))
        if rng.random() < 0.2:
            data = data[: rng.randint(0, len(data))]
        account = "eosio" if contract == "eosio.system" else contract
        actors = sorted({account, rng.choice(ACTORS)}) if rng.random() < 0.8 else [rng.choice(ACTORS)]
        steps.append(push([account, action, {"hex": data.hex()}, [actor + "@active" for actor in actors]]))
        if at % 200 == 199:
            steps += [BLOCK, dump()]
    return steps + [BLOCK, dump()]
