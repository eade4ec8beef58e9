"""Proposals through all their fates."""

import random

from steps import BLOCK, USERS, act, dump, packed_transfer, push, setup, transaction

NAMES = ["one", "two", "three", "four"]
PEOPLE = USERS[:4]
NEVER, LONG_AGO = "2030-01-01T00:00:00", "2020-01-01T00:00:01"


def level(name):
    return {"actor": name, "permission": "active"}


def payments(givers):
    return [
        ("eosio.token", "transfer", packed_transfer(giver, "usereeeaaaaa"), [giver + "@active"]) for giver in givers
    ]


def propose(proposer, name, asked, trx):
    args = {"proposer": proposer, "proposal_name": name, "requested": [level(each) for each in asked], "trx": trx}
    return act("eosio.msig", "propose", args, proposer)


def random_fates(seed, count):
    """Random actions on few names by few people; some with data that no client would send."""
    rng = random.Random(seed)
    steps = setup()
    pick = lambda: rng.choice(PEOPLE)

    def one():
        proposer, name, who = pick(), rng.choice(NAMES), pick()
        kind = rng.choice(
            ["propose"] * 3 + ["approve"] * 7 + ["unapprove"] * 2 + ["cancel", "exec", "exec", "exec", "invalidate"]
        )
        if kind == "propose":
            givers = rng.sample(PEOPLE, rng.randint(1, 3))
            asked = givers if rng.random() < 0.9 else givers[1:] + rng.sample(USERS, 2)
            # A second's validity ends the proposal before it can be executed; "soon" is within the blocks below.
            ends = rng.choice([NEVER] * 5 + [LONG_AGO, "2020-01-01T00:00:40"])
            context_free = [("eosio.null", "nonce", "", [])] if rng.random() < 0.1 else []
            trx = transaction(
                *payments(givers), context_free=context_free, delay=rng.choice([0, 0, 0, 1, 5]), expiration=ends
            )
            return propose(proposer, name, asked, trx)
        if kind in ("approve", "unapprove"):
            args = {"proposer": proposer, "proposal_name": name, "level": level(who)}
            if kind == "approve" and rng.random() < 0.1:
                args["proposal_hash"] = "00" * 32
            return act("eosio.msig", kind, args, who if rng.random() < 0.95 else pick())
        if kind == "cancel":
            return act("eosio.msig", kind, {"proposer": proposer, "proposal_name": name, "canceler": who}, who)
        if kind == "exec":
            return act("eosio.msig", kind, {"proposer": proposer, "proposal_name": name, "executer": who}, who)
        return act("eosio.msig", "invalidate", {"account": who}, who)

    for _ in range(count):
        if rng.random() < 0.12:
            steps.append({"block": rng.choice([0, 0, 0, 600, 6000])})
        action = one()
        if rng.random() < 0.04:
            action = [
                *action,
                rng.choice(
                    [
                        ["cut", rng.randint(1, 40)],
                        ["add", "00"],
                        ["flip", [rng.randint(0, 120), 1 << rng.randint(0, 7)]],
                    ]
                ),
            ]
        steps.append(push(action))
        if rng.random() < 0.04:
            steps.append(dump())
    return steps + [BLOCK, dump()]


def upgraded():
    """Proposals made with the contract of 2018, met by today's: their rows lack the time of execution."""
    a, b, c, d = PEOPLE
    steps = setup() + [{"contract": ["eosio.msig", "older.msig"]}]
    approve = lambda name, who: act(
        "eosio.msig", "approve", {"proposer": a, "proposal_name": name, "level": level(who)}, who
    )
    unapprove = lambda name, who: act(
        "eosio.msig", "unapprove", {"proposer": a, "proposal_name": name, "level": level(who)}, who
    )
    execute = lambda name: act("eosio.msig", "exec", {"proposer": a, "proposal_name": name, "executer": d}, d)
    cancel = lambda name, who: act("eosio.msig", "cancel", {"proposer": a, "proposal_name": name, "canceler": who}, who)
    for name, delay in (("one", 0), ("two", 5), ("three", 0), ("four", 0)):
        steps.append(push(propose(a, name, [b, c], transaction(*payments([b, c]), delay=delay))))
        steps.append(push(approve(name, b)))
    steps.append(push(approve("three", c)))
    steps += [dump(), BLOCK, {"contract": ["eosio.msig", "eosio.msig"]}, dump()]
    for action in (
        approve("one", c),
        approve("two", c),
        unapprove("two", b),
        unapprove("one", c),
        approve("one", c),
        execute("two"),
        execute("one"),
        execute("three"),
        cancel("two", b),
        cancel("two", a),
        act("eosio.msig", "invalidate", {"account": b}, b),
        approve("four", c),
        execute("four"),
        unapprove("four", b),
        approve("four", b),
        execute("four"),
    ):
        steps += [push(action), dump()]
    return steps + [BLOCK, dump()]
