"""REX and powerup: every action with its faults, loans that are given, renewed and ended, shares that mature and are sold."""

from hand_made import EOS, Steps
from steps import (
    DAY,
    HOUR,
    PRODUCERS,
    USERS,
    act,
    authority,
    buy_ram,
    delegate,
    dump,
    setup,
    sys,
    system,
    transfer,
    undelegate,
    vote,
)

A, B, C, D, E = USERS[:5]
WHOLE = 10**15


def rex(name, *args, actor=None):
    """An action of REX by the names of its arguments, in their order; who does it is the first of them."""
    fields = {
        "deposit": "owner amount",
        "withdraw": "owner amount",
        "buyrex": "from amount",
        "unstaketorex": "owner receiver from_net from_cpu",
        "sellrex": "from rex",
        "cnclrexorder": "owner",
        "rentcpu": "from receiver loan_payment loan_fund",
        "rentnet": "from receiver loan_payment loan_fund",
        "fundcpuloan": "from loan_num payment",
        "fundnetloan": "from loan_num payment",
        "defcpuloan": "from loan_num amount",
        "defnetloan": "from loan_num amount",
        "updaterex": "owner",
        "rexexec": "user max",
        "consolidate": "owner",
        "mvtosavings": "owner rex",
        "mvfrsavings": "owner rex",
        "closerex": "owner",
        "donatetorex": "payer quantity memo",
        "setrex": "balance",
        "setrexmature": "num_of_maturity_buckets sell_matured_rex buy_rex_to_savings",
        "voteupdate": "voter_name",
    }[name].split()
    return system(name, dict(zip(fields, args)), actor or args[0])


def shares(amount):
    """An amount of REX."""
    return sys(amount).replace("SYS", "REX")


def market(
    current=WHOLE // 100,
    target=WHOLE // 100,
    stake=10**12,
    until=None,
    exponent=2.0,
    decay=86400,
    least="0.0000 SYS",
    most="1000000.0000 SYS",
):
    return {
        "current_weight_ratio": current,
        "target_weight_ratio": target,
        "assumed_stake_weight": stake,
        "target_timestamp": until,
        "exponent": exponent,
        "decay_secs": decay,
        "min_price": least,
        "max_price": most,
    }


def configure(net, cpu=None, days=30, fee="0.0001 SYS", actor="eosio"):
    return system(
        "cfgpowerup", {"args": {"net": net, "cpu": cpu or net, "powerup_days": days, "min_powerup_fee": fee}}, actor
    )


def powerup(payer, receiver, net, cpu, days=30, most="1000000.0000 SYS", actor=None):
    args = {"payer": payer, "receiver": receiver, "days": days, "net_frac": net, "cpu_frac": cpu, "max_payment": most}
    return system("powerup", args, actor or payer)


def both():
    """REX, then powerup, on one chain, with the whole database after each part."""
    steps = Steps(setup())
    for section in (
        uninitialized,
        funds,
        shares_bought,
        loans,
        renewals,
        sales,
        savings,
        maturity,
        votes,
        donations,
        endings,
        hostile,
        powerups,
    ):
        section(steps)
        steps.blocks()
        steps.append(dump())
    return steps


def fees():
    """Fees that are passed on to REX, and tokens that are shared among producers."""
    steps = Steps(setup())
    for name in ("eosio.fees", "eosio.bpay"):
        steps.append({"contract": [name, name]})
        code = {"permission": {"actor": name, "permission": "eosio.code"}, "weight": 1}
        active = {
            "account": name,
            "permission": "active",
            "parent": "owner",
            "auth": {**authority(), "accounts": [code]},
        }
        steps.add(system("updateauth", active, name))
    bring_fees(steps)
    steps.add(rex("deposit", A, "900000.0000 SYS"), rex("buyrex", A, "800000.0000 SYS"))
    bring_fees(steps)
    steps.append(dump())
    for skip in (13 * HOUR, 8 * DAY, 31 * DAY):
        steps.blocks(skip=skip)
        bring_fees(steps)
        steps.add(rex("rexexec", A, 9))
        steps.append(dump())
    # everybody sells: fees stay where they are
    steps.add(rex("sellrex", A, shares(800_000_0000 * 10_000)))
    bring_fees(steps)
    for name in PRODUCERS[:21:5]:
        steps.add(system("unregprod", {"producer": name}, name))
    bring_fees(steps)
    return steps + [dump()]


def bring_fees(steps):
    """Everything that costs a fee, and what is sent to those who pass it on."""
    steps.add(buy_ram(A, B, 7_0000))
    steps.add(system("sellram", {"account": A, "bytes": 1000}, A))
    steps.add(rex("rentcpu", A, C, "11.0000 SYS", "0.0000 SYS"))
    steps.add(system("bidname", {"bidder": A, "newname": "fee", "bid": "1000.0000 SYS"}, A))
    for taker in ("eosio.fees", "eosio.bpay"):
        for amount in (1, 20, 21, 100_0000, 123_4567):
            for giver in (A, "eosio"):
                steps.add(transfer(giver, taker, amount, "for all"))
        steps.add(transfer(taker, B, 1))
        steps.add(transfer(taker, taker, 1))
    for name in (PRODUCERS[0], PRODUCERS[20], PRODUCERS[25], A):
        for actor in (name, B):
            steps.add(act("eosio.bpay", "claimrewards", {"owner": name}, actor))
    for actor in ("eosio.fees", A):
        steps.add(act("eosio.fees", "noop", {}, actor))


def uninitialized(steps):
    """Before anybody bought REX."""
    one, share = "1.0000 SYS", "1.0000 REX"
    for action in (
        rex("updaterex", A),
        rex("rexexec", A, 2),
        rex("consolidate", A),
        rex("mvtosavings", A, share),
        rex("mvfrsavings", A, share),
        rex("closerex", A),
        rex("donatetorex", A, one, "m"),
        rex("setrex", one, actor="eosio"),
        rex("sellrex", A, share),
        rex("cnclrexorder", A),
        rex("rentcpu", A, A, one, one),
        rex("rentnet", A, A, one, one),
        rex("fundcpuloan", A, 1, one),
        rex("defnetloan", A, 1, one),
        rex("buyrex", A, one),
        rex("withdraw", A, one),
    ):
        steps.add(action)


def funds(steps):
    for amount in ("0.0000 SYS", "-1.0000 SYS", EOS, "1.000 SYS", "100000000000.0000 SYS", "1000000.0000 SYS"):
        steps.add(rex("deposit", A, amount))
    for name in (B, C, D, E):
        steps.add(rex("deposit", name, "900000.0000 SYS"))
    for amount in ("0.0000 SYS", "-1.0000 SYS", EOS, "10000000.0000 SYS", "10.0000 SYS"):
        steps.add(rex("withdraw", A, amount))
    steps.add(rex("withdraw", A, "1.0000 SYS", actor=B))
    steps.add(rex("deposit", "nobody", "1.0000 SYS"))
    steps.add(rex("withdraw", "eosio.stake", "1.0000 SYS"))


def shares_bought(steps):
    for amount in (
        "0.0000 SYS",
        EOS,
        "-1.0000 SYS",
        "99000000.0000 SYS",
        "50000.0000 SYS",
        "0.0001 SYS",
        "1234.5678 SYS",
    ):
        steps.add(rex("buyrex", A, amount))
    for name, amount in ((B, "100000.0000 SYS"), (C, "7.7777 SYS"), (D, "300000.0000 SYS")):
        steps.add(rex("buyrex", name, amount))
    for owner, receiver, net, cpu in (
        (A, A, "1.0000 SYS", "2.0000 SYS"),
        (A, B, "1.0000 SYS", "0.0000 SYS"),
        (A, A, "0.0000 SYS", "0.0000 SYS"),
        (A, A, "-1.0000 SYS", "2.0000 SYS"),
        (A, A, EOS, "2.0000 SYS"),
        (A, A, "900000000.0000 SYS", "0.0000 SYS"),
        (A, A, "0.0000 SYS", "900000000.0000 SYS"),
    ):
        steps.add(rex("unstaketorex", owner, receiver, net, cpu))
    steps.add(delegate(A, E, 5_0000, 5_0000))
    steps.add(rex("unstaketorex", A, E, "5.0000 SYS", "5.0000 SYS"))
    steps.add(rex("unstaketorex", A, E, "5.0000 SYS", "5.0000 SYS"))
    steps.add(rex("setrex", "2000.0000 SYS", actor="eosio"))
    steps.add(rex("setrex", "0.0000 SYS", actor="eosio"))
    steps.add(rex("setrex", EOS, actor="eosio"))
    steps.add(rex("setrex", "2000.0000 SYS", actor=A))


def loans(steps):
    for kind, fund, defund in (("rentcpu", "fundcpuloan", "defcpuloan"), ("rentnet", "fundnetloan", "defnetloan")):
        for payment, balance in (
            ("10.0000 SYS", "0.0000 SYS"),
            ("25.0000 SYS", "100.0000 SYS"),
            ("0.0000 SYS", "1.0000 SYS"),
            ("1.0000 SYS", "-1.0000 SYS"),
            (EOS, "1.0000 SYS"),
            ("1.0000 SYS", EOS),
            ("90000000.0000 SYS", "0.0000 SYS"),
            ("3000.0000 SYS", "0.0000 SYS"),
        ):
            steps.add(rex(kind, B, C, payment, balance))
        steps.add(rex(kind, B, "eosio.token", "10.0000 SYS", "0.0000 SYS"))
        steps.add(rex(kind, B, "nobody", "10.0000 SYS", "0.0000 SYS"))
        for number in (1, 2, 3, 4, 5, 99):
            for amount in ("1.0000 SYS", "0.0000 SYS", "-1.0000 SYS", EOS, "90000000.0000 SYS"):
                steps.add(rex(fund, B, number, amount))
                steps.add(rex(defund, B, number, amount))
        steps.add(rex(fund, A, 2, "1.0000 SYS"))
        steps.add(rex(defund, A, 2, "1.0000 SYS"))
    steps.add(system("setacctcpu", {"account": E, "cpu_weight": 5}, "eosio"))
    steps.add(rex("rentcpu", B, E, "3.0000 SYS", "0.0000 SYS"))
    steps.add(rex("rentnet", B, E, "3.0000 SYS", "6.0000 SYS"))
    steps.add(system("setacctcpu", {"account": E, "cpu_weight": None}, "eosio"))
    steps.add(rex("closerex", B))


def renewals(steps):
    """Thirty days on, again and again: those with a fund are renewed until it is used up."""
    for count in (0, 1, 2, 5, 65535):
        steps.blocks(skip=30 * DAY)
        steps.add(rex("rexexec", A, count))
        steps.append(dump())
    steps.blocks(skip=30 * DAY)
    steps.add(rex("rentcpu", B, C, "25.0000 SYS", "26.0000 SYS"))
    steps.add(rex("rexexec", A, 100))


def sales(steps):
    steps.add(rex("sellrex", A, shares(10_0000)))
    for amount in (
        shares(0),
        shares(-1),
        "1.0000 SYS",
        "1.000 REX",
        shares(10**17),
        shares(1),
        shares(999),
        shares(100_0000_0000),
    ):
        steps.add(rex("sellrex", A, amount))
    steps.add(rex("sellrex", E, shares(1)))
    # nearly all is lent: sales wait, and no more loans are given
    steps.add(rex("setrex", "100.0000 SYS", actor="eosio"))
    for _ in range(6):
        steps.add(rex("rentcpu", B, C, "90.0000 SYS", "0.0000 SYS"))
    steps.append(dump())
    for name, amount in (
        (D, 300_000_0000 * 9000),
        (D, 1_0000),
        (A, 10_000_0000 * 9000),
        (A, 40_000_0000 * 9000),
        (C, 7_0000 * 9000),
        (D, 10**15),
    ):
        steps.add(rex("sellrex", name, shares(amount)))
    steps.add(rex("rentcpu", B, C, "1.0000 SYS", "0.0000 SYS"))
    steps.add(rex("cnclrexorder", A))
    steps.add(rex("cnclrexorder", A))
    steps.append(dump())
    steps.add(rex("buyrex", E, "800000.0000 SYS"))
    steps.append(dump())
    for name in (A, B, C, D):
        steps.add(rex("updaterex", name))
        steps.add(rex("cnclrexorder", name))
    steps.add(rex("sellrex", D, shares(5_0000_0000)))
    steps.blocks(skip=31 * DAY)
    steps.add(rex("rexexec", A, 10))
    for name in (A, B, C, D):
        steps.add(rex("withdraw", name, "1.0000 SYS"))
        steps.add(rex("consolidate", name))
    steps.add(rex("consolidate", "eosio.stake"))


def savings(steps):
    for move, amounts in (
        ("mvtosavings", (0, -1, 10**17, 1, 10**9, 3 * 10**9)),
        ("mvfrsavings", (0, -1, 10**17, 1, 10**8, 5 * 10**8)),
    ):
        for amount in amounts:
            steps.add(rex(move, A, shares(amount)))
            steps.add(rex(move, E, shares(amount)))
            steps.add(rex("buyrex", A, "10.0000 SYS"))
        steps.add(rex(move, A, "1.0000 SYS"))
        steps.add(rex(move, "nobody", shares(1)))
        steps.add(rex(move, "eosio.stake", shares(1)))
        steps.blocks(skip=3 * DAY)
    steps.add(rex("consolidate", A))
    steps.add(rex("mvtosavings", A, shares(10**12)))
    steps.blocks(skip=9 * DAY)
    steps.add(rex("sellrex", A, shares(10**9)))
    steps.add(rex("consolidate", E))


def maturity(steps):
    for days in (None, 0, 1, 30, 31):
        for sold in (None, True, False):
            steps.add(rex("setrexmature", days, sold, None, actor="eosio"))
    steps.add(rex("setrexmature", 3, None, None, actor=A))
    for days, sold, saved in ((3, False, True), (1, True, False), (2, True, True), (5, False, False)):
        steps.add(rex("setrexmature", days, sold, saved, actor="eosio"))
        for name in (A, E):
            steps.add(rex("buyrex", name, "100.0000 SYS"))
            steps.add(rex("unstaketorex", name, name, "0.0001 SYS", "0.0001 SYS"))
            steps.add(rex("sellrex", name, shares(10**7)))
        steps.blocks(skip=4 * DAY)
        for name in (A, E):
            steps.add(rex("buyrex", name, "10.0000 SYS"))
            steps.add(rex("sellrex", name, shares(10**7)))
        steps.append(dump())


def votes(steps):
    steps.add(vote(D, PRODUCERS[:21]))
    steps.add(vote(E, PRODUCERS[:3]))
    steps.add(rex("buyrex", E, "10.0000 SYS"))
    steps.add(rex("voteupdate", E))
    steps.add(rex("voteupdate", A))
    steps.blocks(skip=8 * DAY)
    for name in (A, D, E):
        steps.add(rex("updaterex", name))
        steps.add(rex("voteupdate", name))
        steps.add(vote(name, PRODUCERS[2:24]))
    steps.add(undelegate(E, E, 1, 1))
    steps.add(delegate(E, E, 3, 3))
    steps.add(rex("voteupdate", E, actor=A))
    steps.add(rex("voteupdate", "nobody"))


def donations(steps):
    give = lambda amount, memo="gift": steps.add(rex("donatetorex", A, amount, memo))
    for amount in ("0.0000 SYS", "-1.0000 SYS", EOS, "90000000.0000 SYS"):
        give(amount)
    give("1.0000 SYS", "m" * 257)
    for skip in (HOUR, 13 * HOUR, 10 * 60_000, 599_000, DAY, 7 * DAY, 12 * HOUR, 31 * DAY, 29 * DAY, 70 * DAY):
        give("4321.0987 SYS")
        give("0.0001 SYS")
        steps.blocks(skip=skip)
        steps.add(rex("rexexec", A, 1))
        steps.append(dump())
    give("4321.0987 SYS")  # a part of the return that begins and ends in one look: the row grows and shrinks
    steps.blocks(skip=40 * DAY)
    steps.add(rex("rexexec", A, 0))


def endings(steps):
    """Everybody sells everything; then somebody begins anew."""
    steps.blocks(skip=31 * DAY)
    steps.add(rex("rexexec", A, 100))
    for name in (A, B, C, D, E):
        steps.add(rex("closerex", name))
        steps.add(rex("mvfrsavings", name, shares(10**9)))
        steps.add(rex("consolidate", name))
    steps.blocks(skip=8 * DAY)
    for name in (A, B, C, D, E):
        for exponent in range(16, 0, -1):
            for _ in range(3):
                steps.add(rex("sellrex", name, shares(3 * 10**exponent)))
        steps.add(rex("updaterex", name))
        steps.add(rex("closerex", name))
    steps.add(rex("buyrex", A, "100.0000 SYS"))
    steps.add(rex("closerex", A))


def hostile(steps):
    """The account `b1`, whose sales do not wait, and actions for others."""
    steps.add(rex("updaterex", B, actor=A))
    for name in ("closerex", "consolidate", "cnclrexorder"):
        steps.add(rex(name, B, actor=A))
    steps.add(rex("sellrex", B, shares(1), actor=A))
    steps.add(rex("rentcpu", B, C, "1.0000 SYS", "0.0000 SYS", actor=A))
    steps.add(rex("donatetorex", B, "1.0000 SYS", "", actor=A))


def powerups(steps):
    steps.add(powerup(A, B, WHOLE // 100, WHOLE // 100))
    steps.add(system("powerupexec", {"user": A, "max": 2}, A))
    steps.add(configure(market(), actor=A))
    nothing = dict.fromkeys(market())
    for changed in (
        {"current_weight_ratio": 0},
        {"current_weight_ratio": WHOLE + 1},
        {"target_weight_ratio": 0},
        {"target_weight_ratio": WHOLE},
        {"assumed_stake_weight": 0},
        {"assumed_stake_weight": 2**62},
        {"target_weight_ratio": 1},
        {"exponent": 0.5},
        {"exponent": 1.0},
        {"decay_secs": 0},
        {"max_price": EOS},
        {"max_price": "0.0000 SYS"},
        {"min_price": EOS},
        {"min_price": "-1.0000 SYS"},
        {"min_price": "1000001.0000 SYS"},
        {"assumed_stake_weight": None},
        {"max_price": None},
        {"target_weight_ratio": WHOLE // 1000, "target_timestamp": "2019-01-01T00:00:00"},
    ):
        steps.add(configure({**market(), **changed}))
    steps.add(configure(market(), days=0))
    steps.add(configure(market(), fee="0.0000 SYS"))
    steps.add(configure(market(), fee=EOS))
    steps.add(configure(market(), fee=None))
    steps.add(configure(nothing))
    steps.add(configure(market()))
    steps.add(buy_ram(A, "eosio.reserv", 10_0000))  # its limits begin with the market: it needs RAM for what it is
    steps.add(system("setacctcpu", {"account": "eosio.reserv", "cpu_weight": 5}, "eosio"))
    steps.add(configure(market()))
    steps.add(system("setacctcpu", {"account": "eosio.reserv", "cpu_weight": None}, "eosio"))
    for ratio in (
        {"current_weight_ratio": 0},
        {"current_weight_ratio": WHOLE + 1},
        {"target_weight_ratio": 0},
        {"target_weight_ratio": WHOLE},
    ):
        steps.add(configure({**market(until="2026-06-01T00:00:00"), **ratio}))
    first = market(WHOLE, WHOLE // 100, until="2026-06-01T00:00:00", decay=200_000, least="100.0000 SYS")
    steps.add(configure({**first, "min_price": None, "decay_secs": None, "exponent": None}, first, days=None))
    steps.append(dump())
    steps.add(powerup(A, B, WHOLE // 100, WHOLE // 100))
    steps.add(configure(market(least="1.0000 SYS"), market(exponent=3.5, most="77777.7777 SYS"), days=10))
    for net, cpu in (
        (0, 0),
        (WHOLE // 100, 0),
        (0, WHOLE // 50),
        (WHOLE // 3, WHOLE // 7),
        (1, 1),
        (-1, 0),
        (0, -1),
        (WHOLE + 1, 0),
        (0, WHOLE + 1),
        (WHOLE, WHOLE),
        (123_456_789, 987_654_321_987),
    ):
        steps.add(powerup(A, B, net, cpu, days=10))
    steps.add(powerup(A, B, WHOLE // 100, WHOLE // 100, days=30))
    steps.add(powerup(A, B, WHOLE // 100, WHOLE // 100, days=10, most="0.0001 SYS"))
    steps.add(powerup(A, B, WHOLE // 100, WHOLE // 100, days=10, most=EOS))
    steps.add(powerup(A, "nobody", WHOLE // 100, WHOLE // 100, days=10))
    steps.add(powerup(A, "eosio.token", WHOLE // 100, WHOLE // 100, days=10))
    steps.add(powerup(A, C, WHOLE // 10, WHOLE // 10, days=10, actor=B))
    steps.append(dump())
    for skip in (HOUR, DAY, 4 * DAY, 5 * DAY, DAY):
        steps.blocks(skip=skip)
        steps.add(powerup(C, D, WHOLE // 20, WHOLE // 30, days=10))
        steps.append(dump())
    steps.add(system("setacctnet", {"account": E, "net_weight": 5}, "eosio"))
    steps.add(powerup(A, E, WHOLE // 100, WHOLE // 100, days=10))
    steps.add(system("setacctnet", {"account": E, "net_weight": None}, "eosio"))
    for count in (0, 1, 3, 65535):
        steps.add(system("powerupexec", {"user": B, "max": count}, B))
        steps.add(powerup(B, B, WHOLE // 9, WHOLE // 11, days=10))
    # the market shrinks to less than is sold, and its ratio shrinks with time
    steps.add(configure({**nothing, "assumed_stake_weight": 10**6}, nothing, days=None, fee=None))
    steps.add(
        configure(
            {**nothing, "target_weight_ratio": WHOLE // 1000, "target_timestamp": "2026-01-01T00:00:00"},
            nothing,
            days=None,
            fee="0.0100 SYS",
        )
    )
    for skip in (DAY, 9 * DAY, 30 * DAY, 100 * DAY, 900 * DAY):
        steps.blocks(skip=skip)
        steps.add(powerup(C, D, WHOLE // 20, WHOLE // 30, days=10))
        steps.add(system("powerupexec", {"user": B, "max": 100}, B))
        steps.append(dump())
    steps.add(powerup(C, D, 1, 1, days=10))
    steps.add(transfer(C, D, 1))
