"""Compares the ABIs of two folders: for every action and table that both have, the types down to the last field."""

import json
import os

CONTRACTS = ["eosio.bios", "eosio.boot", "eosio.bpay", "eosio.msig", "eosio.system", "eosio.token", "eosio.wrap"]
# What the reference has and we leave free, and what only we have: see the table in ../README.md.
LEFT_FREE = {}
ONLY_OURS = {
    "eosio.system actions": {"recountvotes", "setchain"},
    "eosio.system tables": {"chainparams", "refundparts"},
}


class Types:
    """The types of an ABI, spelled out."""

    def __init__(self, abi):
        self.structs = {struct["name"]: struct for struct in abi.get("structs", [])}
        self.aliases = {alias["new_type_name"]: alias["type"] for alias in abi.get("types", [])}
        self.variants = {variant["name"]: variant["types"] for variant in abi.get("variants", [])}

    def spelled(self, name, seen=()):
        for suffix in ("[]", "?", "$"):
            if name.endswith(suffix):
                return [suffix, self.spelled(name[: -len(suffix)], seen)]
        if name in seen:
            return ["again", name]
        if name in self.aliases:
            return self.spelled(self.aliases[name], seen + (name,))
        if name in self.variants:
            return ["variant", [self.spelled(each, seen + (name,)) for each in self.variants[name]]]
        if name in self.structs:
            return ["struct", name, self.fields(name, seen + (name,))]
        return name

    def fields(self, name, seen):
        """With those of the base: how they are split over structs changes no byte."""
        struct = self.structs[name]
        base = self.fields(struct["base"], seen) if struct["base"] else []
        return base + [[field["name"], self.spelled(field["type"], seen)] for field in struct["fields"]]


def described(folder, contract):
    with open(os.path.join(folder, contract, contract + ".abi")) as file:
        abi = json.load(file)
    types = Types(abi)
    return {
        "actions": {each["name"]: types.spelled(each["type"]) for each in abi["actions"]},
        "tables": {each["name"]: [each["index_type"], types.spelled(each["type"])] for each in abi["tables"]},
        "results": {each["name"]: types.spelled(each["result_type"]) for each in abi.get("action_results", [])},
    }


def differences(reference, ours):
    """What differs, as lines."""
    for contract in CONTRACTS:
        theirs, mine = described(reference, contract), described(ours, contract)
        for kind in theirs:
            where = f"{contract} {kind}"
            one = {name: value for name, value in theirs[kind].items() if name not in LEFT_FREE.get(where, ())}
            other = {name: value for name, value in mine[kind].items() if name not in ONLY_OURS.get(where, ())}
            for name in sorted(set(one) | set(other)):
                if one.get(name) != other.get(name):
                    yield f"{where} {name}\n    reference: {one.get(name)}\n    ours:      {other.get(name)}"
