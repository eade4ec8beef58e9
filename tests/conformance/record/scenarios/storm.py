"""A storm: random authorities, signatures, delays, links, limits, parameters and contract calls while the features are
activated a few at a time in random order."""

import os

import world
from features import DIGEST
from probe import AT, call, poke, printed, row, run
from scenarios.db import stream
from scenarios.deferred import cancel, trx
from scenarios.deferred import send as defer
from wire import DEV, K1, R1, WebAuthn, action, authority, n, sole, u16, u32, u64
from world import World, canceldelay, deleteauth, linkauth, newaccount, setabi, setcode, unlinkauth, updateauth, wasm

TURNS = int(os.environ.get("TURNS", 600))
LOW = (1 << 64) - 1
PEOPLE = ["one", "two", "three", "four", "five"]
CODED = PEOPLE[:3]
PERMISSIONS = ["active", "owner", "p", "q", "deep"]


class Storm:
    def __init__(self, chain, dice):
        self.chain, self.dice = chain, dice
        self.keys = [DEV, K1("storm a"), K1("storm b"), K1("storm c"), R1("storm r")]
        self.webauthn = WebAuthn("storm w")
        self.features = [feature for feature in DIGEST if feature != "PREACTIVATE_FEATURE"]
        dice.shuffle(self.features)
        pair = sorted(self.features.index(one) for one in ("REPLACE_DEFERRED", "NO_DUPLICATE_DEFERRED_ID"))
        self.features[pair[0]], self.features[pair[1]] = (
            "NO_DUPLICATE_DEFERRED_ID",
            "REPLACE_DEFERRED",
        )  # taken from the end
        self.delayed = []

    def who(self):
        return self.dice.choice(PEOPLE)

    def level(self, who=None):
        return "%s@%s" % (who or self.who(), self.dice.choice(PERMISSIONS[:1] * 12 + PERMISSIONS))

    def levels(self):
        return [self.level() for _ in range(self.dice.choice([1, 1, 1, 2, 3]))]

    def authority(self):
        """Mostly one that DEV satisfies; sometimes one that is not valid."""
        dice = self.dice
        keys = dice.sample(self.keys, dice.randrange(0, 4))
        if dice.random() < 0.8 and DEV not in keys:
            keys.append(DEV)
        if dice.random() < 0.1:
            keys.append(self.webauthn)
        keys.sort(key=lambda key: key.public)
        accounts = sorted(
            {
                (self.who(), dice.choice(["active", "eosio.code", "p", "owner"]))
                for _ in range(dice.choice([0, 0, 1, 2]))
            },
            key=lambda one: (n(one[0]), n(one[1])),
        )
        waits = sorted({dice.choice([1, 2, 5, 30]) for _ in range(dice.choice([0, 0, 0, 1, 2]))})
        parts = (
            [(key, dice.choice([1, 1, 2])) for key in keys],
            [(*one, dice.choice([1, 1, 2])) for one in accounts],
            [(one, 1) for one in waits],
        )
        if dice.random() < 0.05:
            parts[0].reverse()
        total = sum(part[-1] for group in parts for part in group)
        threshold = 1 if dice.random() < 0.75 else dice.randrange(0, total + 2)
        return authority(threshold, *parts)

    # --- programs

    def program(self, depth):
        dice = self.dice
        parts = [call("current_receiver"), row()]
        for _ in range(dice.randrange(3)):
            what = dice.random()
            if what < 0.3 and depth:
                inner = action(
                    self.who(),
                    dice.choice(["run", "x"]),
                    [self.level() for _ in range(dice.choice([0, 1, 1, 2]))],
                    self.program(depth - 1),
                )
                parts = [
                    poke(AT, inner),
                    call(dice.choice(["send_inline"] * 5 + ["send_context_free_inline"]), AT, len(inner)),
                    *parts,
                ]
            elif what < 0.45:
                parts.append(call("require_recipient", n(self.who())))
            elif what < 0.6 and depth:
                raw = trx(
                    *[
                        action(self.who(), "run", self.levels(), self.program(depth - 1))
                        for _ in range(dice.choice([1, 1, 2]))
                    ],
                    delay=dice.randrange(4),
                    net_words=dice.choice([0, 0, 0, 50]),
                    cpu_ms=dice.choice([0, 0, 1]),
                )
                parts += defer(raw, dice.randrange(8), self.who(), dice.randrange(2))
            elif what < 0.65:
                parts += cancel(dice.randrange(8))
            elif what < 0.72:
                parts += [
                    call(dice.choice(["get_permission_last_used"]), n(self.who()), n(dice.choice(PERMISSIONS))),
                    row(),
                ]
            elif what < 0.76:
                parts += [call("get_account_creation_time", n(self.who())), row()]
            elif what < 0.8:
                parts.append(call(dice.choice(["require_auth", "has_auth"]), n(self.who())))
            elif what < 0.83:
                parts.append(call("require_auth2", n(self.who()), n("active")))
            elif what < 0.88:
                parts += [poke(AT, b"stop\0"), call("eosio_assert", dice.choice([0, 1]), AT)]
            else:
                parts.append(
                    call(
                        "db_store_i64",
                        dice.randrange(3),
                        n("mix"),
                        n(self.who()),
                        dice.getrandbits(16),
                        AT,
                        dice.randrange(200),
                    )
                )
        return run(*parts)

    # --- transactions

    def push(self, actions, **rest):
        """With random keys, header fields and a random bill."""
        dice = self.dice
        keys = [DEV] if dice.random() < 0.85 else dice.sample(self.keys, dice.randrange(0, len(self.keys) + 1))
        if dice.random() < 0.02:
            keys = keys + keys[:1]
        if dice.random() < 0.1:
            rest["delay"] = dice.choice([0, 1, 3, 10, 100])
        if dice.random() < 0.08:
            rest["net_words"] = dice.choice([1, 20, 60, 1000])
        if dice.random() < 0.08:
            rest["cpu_ms"] = dice.choice([1, 5, 255])
        if dice.random() < 0.05:
            rest["free"], rest["free_data"] = (
                [action(dice.choice(CODED), "run", [], run(call("transaction_size"), printed()))],
                [bytes(dice.randrange(40))] * dice.randrange(3),
            )
        if dice.random() < 0.03:
            rest["expires"] = self.chain.now() + dice.choice([0, -1, 1, 3600, 3601])
        if dice.random() < 0.02:
            rest["reference"] = (dice.getrandbits(16), dice.getrandbits(32))
        step = self.chain.push(
            actions,
            cpu=dice.choice([100, 100, 100, 99, 500, 3000, 20000]),
            keys=keys,
            compress=dice.random() < 0.2,
            **rest,
        )
        if step["trace"].get("receipt", [""])[0] == "delayed":
            self.delayed.append(step["trace"]["id"])

    def native(self):
        dice, who = self.dice, self.who()
        level = "%s@%s" % (who, dice.choice(["active", "active", "owner"])) if dice.random() < 0.85 else self.level()
        what = dice.random()
        if what < 0.4:
            permission = dice.choice(["active", "active", "owner", "p", "q", "deep"])
            parent = {"active": "owner", "owner": "", "p": "active", "q": dice.choice(["active", "p"]), "deep": "q"}[
                permission
            ]
            return updateauth(who, permission, parent if dice.random() < 0.95 else "active", self.authority(), level)
        if what < 0.5:
            return deleteauth(who, dice.choice(["p", "q", "deep", "active"]), level)
        if what < 0.7:
            return linkauth(
                who,
                dice.choice(PEOPLE + ["eosio"]),
                dice.choice(["run", "x", "", "updateauth", "linkauth", "setcode"]),
                dice.choice(["p", "q", "active", "deep", "eosio.any", "none"]),
                level,
            )
        if what < 0.78:
            return unlinkauth(who, dice.choice(PEOPLE), dice.choice(["run", "x", ""]), level)
        if what < 0.86:
            return newaccount(
                who,
                "".join(dice.choice("abcdefgh12345.") for _ in range(dice.randrange(1, 13))),
                self.authority(),
                self.authority(),
                level,
            )
        if what < 0.9:
            return setabi(who, bytes(dice.randrange(300)), level)
        if what < 0.95 and self.delayed:
            return canceldelay(who, dice.choice(PERMISSIONS), bytes.fromhex(dice.choice(self.delayed)), level)
        return setcode("five", dice.choice([b"", wasm("numeric"), wasm("probe0")]), level=level)

    def system(self):
        """What only eosio may."""
        dice, chain, who = self.dice, self.chain, self.who()
        what = dice.random()
        if what < 0.7:
            chain.probe(
                "eosio",
                call(
                    "set_resource_limits",
                    n(who),
                    dice.choice([LOW, LOW, 400000, 6000, 3000]),
                    dice.choice([LOW, LOW, 0, 1, 1000]),
                    dice.choice([LOW, LOW, 0, 1, 1000]),
                ),
            )
        elif what < 0.85:
            chain.probe("eosio", call("set_privileged", n(dice.choice(CODED)), dice.randrange(2)))
        else:
            packed = (
                u64(1048576)
                + u32(1000)
                + u32(524288)
                + u32(12)
                + u32(dice.choice([0, 500]))
                + u32(20)
                + u32(dice.choice([100, 0]))
                + u32(200000)
                + u32(1000)
                + u32(150000)
                + u32(dice.choice([100, 50]))
            )
            packed += (
                u32(3600)
                + u32(dice.choice([600, 2]))
                + u32(dice.choice([3888000, 20]))
                + u32(dice.choice([524288, 4096, 300]))
                + u16(dice.choice([4, 1, 8]))
                + u16(dice.choice([6, 1, 3]))
            )
            chain.probe("eosio", poke(AT, packed), call("set_blockchain_parameters_packed", AT, len(packed)))

    def turn(self):
        dice, what = self.dice, self.dice.random()
        if what < 0.4:
            self.push(
                [
                    action(dice.choice(CODED), "run", self.levels(), self.program(3))
                    for _ in range(dice.choice([1, 1, 2]))
                ]
            )
        elif what < 0.7:
            self.push([self.native() for _ in range(dice.choice([1, 1, 1, 2]))])
        elif what < 0.78:
            self.push(action(dice.choice(["one", "two"]), "run", ["one", "two"], stream(dice, dice.randrange(3, 12))))
        elif what < 0.88:
            self.system()
        else:
            self.push(
                [
                    action(self.who(), "x", self.levels(), bytes(dice.randrange(200))),
                    action(self.who(), "y", self.levels()),
                ]
            )
        if dice.random() < 0.25:
            fresh = (
                [self.features.pop() for _ in range(min(len(self.features), dice.randrange(1, 4)))]
                if dice.random() < 0.25
                else []
            )
            if fresh:
                self.chain.activate(*fresh)
            else:
                self.chain.block(slots=dice.choice([1, 1, 1, 2, 7, 70]))
            self.chain.run_due()
        if dice.random() < 0.02:
            for who in PEOPLE:
                self.chain.probe("eosio", call("set_resource_limits", n(who), LOW, LOW, LOW))
        if dice.random() < 0.02:
            who = self.who()
            self.chain.push(updateauth(who, "active", "owner", sole(DEV), who + "@owner"))


def configuration(dice):
    """A genesis configuration that hardly anybody would write; the plain one with seed 0."""
    if not int(os.environ.get("SEED", 0)) % 2:
        return {}
    return {
        "max_block_net_usage": dice.choice([1048576, 600000, 1 << 30]),
        "target_block_net_usage_pct": dice.choice([1000, 10, 10000]),
        "max_transaction_net_usage": dice.choice([524288, 40000]),
        "base_per_transaction_net_usage": dice.choice([12, 0, 400]),
        "net_usage_leeway": dice.choice([500, 0, 100000]),
        "context_free_discount_net_usage_num": dice.choice([20, 0, 99]),
        "max_block_cpu_usage": dice.choice([200000, 60000, 10000000]),
        "target_block_cpu_usage_pct": dice.choice([1000, 10, 10000]),
        "max_transaction_cpu_usage": dice.choice([50000, 30000]),
        "min_transaction_cpu_usage": dice.choice([100, 1, 0]),
        "max_transaction_lifetime": dice.choice([3600, 7200]),
        "deferred_trx_expiration_window": dice.choice([600, 1, 10]),
        "max_transaction_delay": dice.choice([3888000, 5]),
        "max_inline_action_size": dice.choice([524288, 200]),
        "max_inline_action_depth": dice.choice([4, 1, 2, 30]),
        "max_authority_depth": dice.choice([6, 1, 2, 20]),
    }


def record_storm(folder):
    dice = world.dice(101)
    chain = World(
        "storm",
        "random authorities, signatures, delays, links, limits and calls while features are activated in random order",
        configuration(dice),
    )
    storm = Storm(chain, dice)
    chain.deploy("eosio", "probe1")
    chain.accounts(*PEOPLE)
    for who in PEOPLE:
        for permission, parent in (("p", "active"), ("q", "p"), ("deep", "q")):
            chain.good(updateauth(who, permission, parent, sole(DEV)))
    for who in CODED:
        chain.good(setcode(who, wasm("probe0")))
        chain.good(updateauth(who, "active", "owner", authority(1, [(DEV, 1)], [(who, "eosio.code", 1)])))
    chain.block()
    for _ in range(TURNS):
        storm.turn()
    chain.block(2)
    chain.finish(folder)
