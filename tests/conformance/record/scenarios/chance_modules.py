"""Random modules: well-formed ones that run, and ones with bytes changed that setcode may refuse."""

import os

import world
from chance_wasm import Maker
from wire import action
from world import World, setcode, wasm

# How many modules; COUNT in the environment gives another number.
COUNT = int(os.environ.get("COUNT", 60))
RUNS_MS = 300
DEADLINES = {3080004, 3080006, 3081001}


def install(chain, module):
    """Whether nodeos takes it."""
    return "fault" not in chain.push(setcode("one", module), covers=["setcode"])["trace"]


def run(chain, what, data, deadline=0):
    """Runs the installed module; what does not end in time is not recorded."""
    step = chain.send(chain.build([action("one", what, "one", data)]), deadline=deadline)
    if step["trace"].get("fault", {}).get("code") in DEADLINES:
        chain.steps.remove(step)


def modules(chain, seed):
    dice = world.dice(seed)
    chain.accounts("one")
    for number in range(COUNT):
        if not install(chain, Maker(dice).module()):
            print("refused", chain.steps[-1]["trace"]["fault"])
            continue
        for what in dice.choice([["run"], ["run", "x"], ["run", "x", "active"]]):
            run(chain, what, bytes(dice.getrandbits(8) for _ in range(dice.randrange(20))))
        if number % 20 == 19:
            chain.block()
    chain.block(2)


def record_chance_modules(folder):
    chain = World("chance_modules", "random modules of every instruction that run and print what they compute")
    modules(chain, 61)
    chain.finish(folder)


def record_chance_modules_all(folder):
    chain = World("chance_modules_all", "the same with every feature")
    chain.everything()
    modules(chain, 62)
    chain.finish(folder)


def mutate(dice, module):
    """A few bytes changed, removed, inserted, or a piece repeated."""
    out = bytearray(module)
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        at = dice.randrange(8 if dice.random() < 0.95 else 0, len(out))
        what = dice.random()
        if what < 0.4:
            out[at] = dice.getrandbits(8)
        elif what < 0.55:
            out[at] ^= 1 << dice.randrange(8)
        elif what < 0.7:
            out[at] = dice.choice([0, 1, 0x0B, 0x1A, 0x40, 0x7F, 0x7E, 0x7D, 0x7C, 0x80, 0xFF, 0x20, 0x10, 0x0C])
        elif what < 0.8:
            del out[at : at + dice.choice([1, 1, 2, 5])]
        elif what < 0.9:
            out[at:at] = bytes(dice.getrandbits(8) for _ in range(dice.choice([1, 1, 2])))
        elif what < 0.95:
            out[at:at] = out[at : at + dice.randrange(1, 30)]
        else:
            del out[at:]
        if len(out) < 9:
            break
    return bytes(out)


def mutants(chain, seed):
    dice = world.dice(seed)
    chain.accounts("one")
    base = [Maker(dice).module() for _ in range(max(4, COUNT // 10))]
    base = [module for module in base if len(module) < 3000] + [wasm("probe0")] * (COUNT >= 1000)
    for number in range(COUNT * 4):
        if install(chain, mutate(dice, dice.choice(base))):
            run(chain, "run", b"\1\2\3", RUNS_MS)
        if number % 50 == 49:
            chain.block()
    chain.block(2)


def record_chance_mutants(folder):
    chain = World("chance_mutants", "random modules with bytes changed, before features")
    mutants(chain, 63)
    chain.finish(folder)


def record_chance_mutants_all(folder):
    chain = World("chance_mutants_all", "random modules with bytes changed, with every feature")
    chain.everything()
    mutants(chain, 64)
    chain.finish(folder)
