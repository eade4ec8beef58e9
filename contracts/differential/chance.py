"""Random actions of users, producers and the system itself, with blocks and leaps of time between them."""

import random

from hand_made import EOS, LOGS
from lending import WHOLE, configure, market, powerup, rex, shares
from steps import (
    BLOCK,
    DAY,
    HOUR,
    KEYS,
    PARAMETERS,
    PRODUCERS,
    USERS,
    act,
    authority,
    buy_ram,
    delegate,
    dump,
    new_account,
    new_account_with_ram,
    push,
    setup,
    sys,
    transfer,
    undelegate,
    vote,
)
from steps import system as action

SHORT_NAMES = [one + two for one in "abcdef" for two in "vwxyz"]
# `b1` has rules of its own; the others have rows that no user has.
ODD_ACCOUNTS = [
    "nobody",
    "b1",
    "eosio",
    "eosio.stake",
    "eosio.null",
    "eosio.token",
    "eosio.ram",
    "eosio.fees",
    "eosio.rex",
]
WRONG_QUANTITIES = [EOS, "1.000 SYS", "1.00000 SYS"]


def system(seed, count):
    """`count` random transactions on a running system."""
    return Chance(seed).steps(count)


class Chance:
    """Draws from one seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.bids = dict.fromkeys(SHORT_NAMES, 100)
        self.kinds = [kind for weight, kinds in self.WEIGHTS for kind in kinds.split() for _ in range(weight)]

    # How often a kind of action is drawn, beside the others.
    WEIGHTS = [
        (8, "delegate delegate_self undelegate buyram buyrambytes sellram vote"),
        (4, "refund ramtransfer proxy regproxy claim bid transfer rexfund rexbuy rexsell rexloan rexmove powerup"),
        (2, "ramburn regproducer unregprod bidrefund newname manage buyramself buyramburn money"),
        (
            1,
            "setramrate revision regproducer2 rmvproducer inflation schedules setram parameters limitauth permission "
            "setalimits setpriv unvest log account abi newcomer rexset configure",
        ),
    ]

    def steps(self, count):
        rng = self.rng
        steps = setup()
        steps.append(
            push(
                *new_account_with_ram("b1", "eosio"),
                transfer("eosio", "b1", 1_000_000_0000),
                delegate("eosio", "b1", 40_000_000_0000, 30_000_000_0000, True),
            )
        )
        steps.append(push(buy_ram("eosio", "eosio.reserv", 10_0000)))
        steps.append(
            push(
                configure(
                    {**market(WHOLE // 10, WHOLE // 100, until="2021-01-01T00:00:00"), "min_price": "1.0000 SYS"},
                    days=2,
                )
            )
        )
        for name in USERS[:6]:
            steps.append(
                push(rex("deposit", name, "1000000.0000 SYS"), rex("buyrex", name, sys(rng.randint(1, 100_000_0000))))
            )
        for _ in range(count):
            roll = rng.random()
            if roll < 0.15:
                steps.append(
                    {"block": rng.choice([0, 0, 0, 0, 60_500, HOUR, DAY, 3 * DAY, 8 * DAY] if roll < 0.06 else [0])}
                )
            actions = [each for _ in range(1 if rng.random() < 0.9 else rng.randint(2, 3)) for each in self.one()]
            steps.append(push(*map(self.distorted, actions)))
            if rng.random() < 0.02:
                steps += [BLOCK, dump()]
        return steps + [BLOCK, dump()]

    def one(self):
        drawn = getattr(self, self.rng.choice(self.kinds))(self.user())
        return drawn if isinstance(drawn[0], list) else [drawn]

    def distorted(self, drawn):
        """Now and then another actor, one more, or bytes that no client would send."""
        rng, (code, name, args, actors) = self.rng, drawn
        roll = rng.random()
        if roll < 0.02:
            actors = [self.user() + "@active"]
        elif roll < 0.03:
            actors = actors + [self.user() + "@active"]
        elif roll < 0.04:
            actors = [actors[0].replace("@active", "@owner")]
        if rng.random() < 0.02:
            return [
                code,
                name,
                args,
                actors,
                rng.choice(
                    [["cut", rng.randint(1, 30)], ["add", "00"], ["flip", [rng.randint(0, 80), 1 << rng.randint(0, 7)]]]
                ),
            ]
        return [code, name, args, actors]

    # --- what actions are about

    def user(self):
        roll = self.rng.random()
        return self.rng.choice(USERS if roll < 0.93 else PRODUCERS if roll < 0.97 else ODD_ACCOUNTS)

    def producer(self):
        return self.rng.choice(PRODUCERS if self.rng.random() < 0.97 else USERS)

    def amount(self):
        rng = self.rng
        if rng.random() < 0.7:
            return rng.randint(1, 10_000_0000)
        return rng.choice(
            [
                0,
                1,
                2,
                199,
                200,
                201,
                10_000,
                rng.randint(1, 1_000_0000),
                rng.randint(1, 1_000_000_0000),
                2**62 - 1,
                -1,
                -rng.randint(1, 10**9),
            ]
        )

    def quantity(self):
        return sys(self.amount()) if self.rng.random() < 0.98 else self.rng.choice(WRONG_QUANTITIES)

    def bytes(self):
        return self.rng.choice([0, 1, 2, -1, 2**62]) if self.rng.random() < 0.1 else self.rng.randint(1, 5000)

    def memo(self):
        return "m" * self.rng.choice([0, 1, 20, 20, 20, 256, 257])

    # --- staking

    def delegate(self, actor):
        return delegate(actor, self.user(), self.amount(), self.amount(), self.rng.random() < 0.2)

    def delegate_self(self, actor):
        return delegate(actor, actor, self.amount(), self.amount())

    def undelegate(self, actor):
        if self.rng.random() < 0.5:
            return undelegate(actor, actor, self.rng.randint(0, 1_0000), self.rng.randint(0, 1_0000))
        return undelegate(actor, self.rng.choice([actor, self.user()]), self.amount(), self.amount())

    def refund(self, actor):
        return action("refund", {"owner": actor}, actor)

    def unvest(self, actor):
        account = self.rng.choice(["b1", "b1", "b1", actor])
        return action(
            "unvest",
            {"account": account, "unvest_net_quantity": self.quantity(), "unvest_cpu_quantity": self.quantity()},
            "eosio",
        )

    # --- RAM

    def buyram(self, actor):
        return buy_ram(actor, self.user(), self.amount())

    def buyrambytes(self, actor):
        return action(
            "buyrambytes",
            {"payer": actor, "receiver": self.user(), "bytes": max(0, min(self.bytes(), 2**32 - 1))},
            actor,
        )

    def buyramself(self, actor):
        return action("buyramself", {"account": actor, "quant": self.quantity()}, actor)

    def buyramburn(self, actor):
        return action("buyramburn", {"payer": actor, "quantity": self.quantity(), "memo": self.memo()}, actor)

    def sellram(self, actor):
        return action("sellram", {"account": actor, "bytes": self.bytes()}, actor)

    def ramtransfer(self, actor):
        return action(
            "ramtransfer", {"from": actor, "to": self.user(), "bytes": self.bytes(), "memo": self.memo()}, actor
        )

    def ramburn(self, actor):
        return action("ramburn", {"owner": actor, "bytes": self.bytes(), "memo": self.memo()}, actor)

    def setramrate(self, _):
        return action("setramrate", {"bytes_per_block": self.rng.randint(0, 1000)}, "eosio")

    def setram(self, _):
        return action(
            "setram",
            {"max_ram_size": self.rng.choice([1, 64 * 2**30, self.rng.randint(64, 100) * 2**30, 2**50])},
            "eosio",
        )

    # --- votes and producers

    def vote(self, actor):
        # Any one that is not registered spoils a vote: most are for few.
        return vote(actor, self.rng.sample(PRODUCERS, self.rng.choice([0, 1, 1, 2, 2, 3, 4, self.rng.randint(5, 26)])))

    def proxy(self, actor):
        return vote(actor, (), self.user())

    def regproxy(self, actor):
        return action("regproxy", {"proxy": actor, "isproxy": self.rng.random() < 0.7}, actor)

    def regproducer(self, _):
        rng, name = self.rng, self.producer()
        args = {
            "producer": name,
            "producer_key": rng.choice(KEYS),
            "url": "x" * rng.choice([0, 9, 40, 511, 512]),
            "location": rng.randint(0, 9),
        }
        return action("regproducer", args, name)

    def regproducer2(self, _):
        rng, name = self.rng, self.producer()
        # Two keys of which one is enough: the chain of the comparison can still sign.
        keys = [{"key": key, "weight": rng.choice([1, 1, 1, 0])} for key in rng.sample(KEYS, rng.randint(1, 2))]
        signing = ["block_signing_authority_v0", {"threshold": rng.choice([1, 1, 1, 0, 9]), "keys": keys}]
        return action(
            "regproducer2", {"producer": name, "producer_authority": signing, "url": "x", "location": 1}, name
        )

    def unregprod(self, _):
        name = self.producer()
        return action("unregprod", {"producer": name}, name)

    def rmvproducer(self, _):
        return action("rmvproducer", {"producer": self.producer()}, "eosio")

    def claim(self, _):
        name = self.producer()
        return action("claimrewards", {"owner": name}, name)

    def revision(self, _):
        return action("updtrevision", {"revision": self.rng.randint(0, 2)}, "eosio")

    def inflation(self, _):
        factors = {
            "inflation_pay_factor": self.rng.choice([9_999, 10_000, 50_000, 10**6]),
            "votepay_factor": self.rng.choice([9_999, 10_000, 40_000]),
        }
        if self.rng.random() < 0.5:
            return action("setpayfactor", factors, "eosio")
        return action("setinflation", {"annual_rate": self.rng.choice([-1, 0, 100, 500, 10_000]), **factors}, "eosio")

    def schedules(self, actor):
        when = f"2020-0{self.rng.randint(1, 9)}-01T00:00:00"
        kind = self.rng.choice(["setschedule"] * 3 + ["delschedule", "execschedule", "execschedule"])
        if kind == "setschedule":
            return action(
                kind,
                {"start_time": when, "continuous_rate": self.rng.choice([0.0, 0.01, 0.05, 0.5, 1.0, 1.5, -0.1])},
                "eosio",
            )
        return action(kind, {"start_time": when}, "eosio") if kind == "delschedule" else action(kind, {}, actor)

    # --- REX and powerup

    def rexfund(self, actor):
        return rex(self.rng.choice(["deposit", "deposit", "withdraw"]), actor, self.quantity())

    def rexbuy(self, actor):
        if self.rng.random() < 0.3:
            return rex(
                "unstaketorex", actor, self.rng.choice([actor, actor, self.user()]), self.quantity(), self.quantity()
            )
        return rex("buyrex", actor, self.quantity())

    def shares(self):
        return (
            shares(self.amount() * self.rng.choice([1, 100, 10_000, 10_000]))
            if self.rng.random() < 0.97
            else self.quantity()
        )

    def rexsell(self, actor):
        return rex("cnclrexorder", actor) if self.rng.random() < 0.15 else rex("sellrex", actor, self.shares())

    def rexloan(self, actor):
        rng, kind = self.rng, self.rng.choice(["cpu", "net"])
        if rng.random() < 0.6:
            return rex("rent" + kind, actor, self.user(), self.quantity(), self.quantity())
        return rex(rng.choice(["fund", "def"]) + kind + "loan", actor, rng.randint(0, 60), self.quantity())

    def rexmove(self, actor):
        name = self.rng.choice(
            ["mvtosavings", "mvfrsavings", "consolidate", "updaterex", "rexexec", "closerex", "donatetorex"]
        )
        more = {
            "mvtosavings": [self.shares()],
            "mvfrsavings": [self.shares()],
            "rexexec": [self.rng.choice([0, 1, 2, 50, 65535])],
            "donatetorex": [self.quantity(), self.memo()],
        }
        return rex(name, actor, *more.get(name, []))

    def rexset(self, _):
        if self.rng.random() < 0.5:
            return rex(
                "setrex",
                sys(self.rng.choice([0, self.rng.randint(1, 10_000_0000), self.rng.randint(1, 100_000_0000)])),
                actor="eosio",
            )
        some = lambda: self.rng.choice([None, True, False])
        return rex("setrexmature", self.rng.choice([None, 0, 1, 1, 2, 5, 30, 31]), some(), some(), actor="eosio")

    def powerup(self, actor):
        rng = self.rng
        if rng.random() < 0.2:
            return action("powerupexec", {"user": actor, "max": rng.choice([0, 1, 2, 50, 65535])}, actor)
        part = lambda: rng.choice(
            [
                0,
                1,
                -1,
                WHOLE + 1,
                rng.randint(1, WHOLE // 50),
                rng.randint(1, WHOLE // 50),
                rng.randint(1, WHOLE // 50),
                rng.randint(1, WHOLE),
            ]
        )
        return powerup(
            actor,
            self.user(),
            part(),
            part(),
            days=rng.choice([2, 2, 2, 2, 2, 1, 30]),
            most=sys(rng.choice([1, 10**8, 10**10, 10**12, 10**12])),
        )

    def configure(self, _):
        rng = self.rng

        def some(kinds):
            return {name: rng.choice(values) if rng.random() < 0.3 else None for name, values in kinds.items()}

        kinds = {
            "current_weight_ratio": [0, WHOLE, WHOLE // 10, WHOLE // 50],
            "target_weight_ratio": [WHOLE // 100, WHOLE // 1000, WHOLE],
            "assumed_stake_weight": [0, 10**9, 10**12, 3 * 10**13],
            "target_timestamp": ["2019-01-01T00:00:00", "2021-01-01T00:00:00", "2020-09-01T00:00:00"],
            "exponent": [0.5, 1.0, 1.5, 2.0, 3.7],
            "decay_secs": [0, 1, 3600, 200_000],
            "min_price": [EOS, "0.0000 SYS", "5.0000 SYS", "100000.0000 SYS"],
            "max_price": [EOS, "0.0000 SYS", "100000.0000 SYS", "5000000.1234 SYS"],
        }
        return configure(
            some(kinds),
            some(kinds),
            days=rng.choice([None, 2, 2, 0]),
            fee=rng.choice([None, None, "0.0001 SYS", "0.0000 SYS", EOS]),
        )

    # --- names and accounts

    def bid(self, actor):
        name = self.rng.choice(SHORT_NAMES)
        self.bids[name] += self.bids[name] // 10 + self.rng.randint(0, 2)
        bid = sys(self.bids[name]) if self.rng.random() < 0.7 else self.quantity()
        return action("bidname", {"bidder": actor, "newname": name, "bid": bid}, actor)

    def bidrefund(self, actor):
        return action("bidrefund", {"bidder": self.user(), "newname": self.rng.choice(SHORT_NAMES)}, actor)

    def newname(self, actor):
        return new_account_with_ram(self.rng.choice(SHORT_NAMES), actor)

    def newcomer(self, actor):
        letters = "".join(self.rng.choice("abcde12345") for _ in range(9))
        return new_account_with_ram(
            self.rng.choice(["new" + letters, "new." + letters[:8], letters[:6] + "." + actor[:5], "x.ab"]), actor
        )

    def account(self, actor):
        return new_account(self.rng.choice(USERS + ["newaaaaaaaaa"]), actor)

    def manage(self, actor):
        name, field = self.rng.choice(
            [("setacctram", "ram_bytes"), ("setacctnet", "net_weight"), ("setacctcpu", "cpu_weight")]
        )
        return action(name, {"account": actor, field: self.rng.choice([None, None, -1, -2, 0, 10**6, 10**9])}, "eosio")

    def setalimits(self, actor):
        limits = {name: self.rng.choice([-1, 10**6, 10**9]) for name in ("ram_bytes", "net_weight", "cpu_weight")}
        return action(
            "setalimits",
            {"account": self.rng.choice([actor, "eosio.fees", "eosio.names", "nobody"]), **limits},
            "eosio",
        )

    def setpriv(self, _):
        """Never of the system itself: little works without."""
        return action(
            "setpriv", {"account": self.rng.choice(USERS + ["nobody"]), "is_priv": self.rng.randint(0, 1)}, "eosio"
        )

    def limitauth(self, actor):
        some = lambda: self.rng.choice([["owner"], ["active"], ["owner", "active"], ["spending"]])
        allowed, disallowed = self.rng.choice([([], []), (some(), []), ([], some()), (some(), some())])
        return action(
            "limitauthchg", {"account": actor, "allow_perms": allowed, "disallow_perms": disallowed}, actor + "@owner"
        )

    def permission(self, actor):
        by = self.rng.choice([{}, {"authorized_by": "active"}, {"authorized_by": "owner"}])
        level = f"{actor}@{by.get('authorized_by', 'active')}"
        link = {"account": actor, "code": "eosio.token", "type": "transfer"}
        kind = self.rng.choice(["updateauth", "updateauth", "linkauth", "unlinkauth", "deleteauth"])
        args = {
            "updateauth": {"account": actor, "permission": "spending", "parent": "active", "auth": authority()},
            "linkauth": {**link, "requirement": "spending"},
            "unlinkauth": link,
            "deleteauth": {"account": actor, "permission": "spending"},
        }[kind]
        return action(kind, {**args, **by}, level)

    def abi(self, actor):
        memo = self.rng.choice([{}, {"memo": "why"}])
        account = actor if actor in USERS else USERS[0]  # the system's own ABIs stay
        return action("setabi", {"account": account, "abi": self.rng.choice(["", "00", "ff00"]), **memo}, account)

    def log(self, actor):
        name = self.rng.choice(sorted(LOGS))
        return action(name, LOGS[name], self.rng.choice(["eosio", actor]))

    def parameters(self, _):
        if self.rng.random() < 0.3:
            return action("wasmcfg", {"settings": self.rng.choice(["high", "low", "default", "none"])}, "eosio")
        changed = self.rng.choice(
            [{}, {"max_inline_action_depth": 9}, {"max_authority_depth": 2}, {"max_action_return_value_size": 256}]
        )
        return action("setparams", {"params": {**PARAMETERS, **changed}}, "eosio")

    # --- money

    def transfer(self, actor):
        return transfer(actor, self.user(), self.amount(), self.memo())

    def money(self, actor):
        kind = self.rng.choice(["issue", "issuefixed", "retire", "open", "close", "setmaxsupply"])
        issuer = self.rng.choice(["eosio", "eosio", actor])
        args = {
            "issue": {"to": issuer, "quantity": self.quantity(), "memo": self.memo()},
            "issuefixed": {"to": issuer, "supply": sys(1_000_000_000_0000 + self.amount()), "memo": self.memo()},
            "retire": {"quantity": self.quantity(), "memo": self.memo()},
            "open": {
                "owner": self.user(),
                "symbol": self.rng.choice(["4,SYS", "4,SYS", "3,SYS", "4,EOS"]),
                "ram_payer": issuer,
            },
            "close": {"owner": issuer, "symbol": self.rng.choice(["4,SYS", "4,EOS"])},
            "setmaxsupply": {
                "issuer": issuer,
                "maximum_supply": self.rng.choice(["10000000000.0000 SYS", "2000000000.0000 SYS", "1.0000 SYS"]),
            },
        }[kind]
        return act("eosio.token", kind, args, issuer)
