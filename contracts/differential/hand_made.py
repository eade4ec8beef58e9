"""Every action of the system contract in its plain form, and its faults one by one."""

from steps import (
    BLOCK,
    DAY,
    HOUR,
    KEYS,
    PARAMETERS,
    PRODUCERS,
    USERS,
    authority,
    buy_ram,
    delegate,
    dump,
    new_account,
    new_account_with_ram,
    push,
    setup,
    sys,
    system,
    transfer,
    undelegate,
    vote,
)

A, B, C, D = USERS[:4]
P, Q, R = PRODUCERS[:3]
EOS = "1.0000 EOS"


class Steps(list):
    """A list of steps that grows."""

    def add(self, *actions):
        self.append(push(*actions))

    def blocks(self, count=1, skip=0):
        self.append({"block": skip})
        self.extend([BLOCK] * (count - 1))


def system_contract():
    """All sections on one chain, with the whole database after each."""
    steps = Steps(setup(activate=False))
    for section in (
        activation,
        staking,
        ram,
        limits,
        producers,
        votes,
        proxies,
        pay,
        inflation,
        names,
        settings,
        permissions,
        logs,
        first_holder,
        bad_data,
    ):
        section(steps)
        steps.blocks()
        steps.append(dump())
    return steps


def activation(steps):
    steps.add(undelegate(A, A, 1, 1))
    steps.add(system("claimrewards", {"owner": P}, P))
    steps.add(vote(D, [P]))
    for name in (A, B, C):
        steps.add(transfer("eosio", name, 100_000_000_0000))
        steps.add(delegate(name, name, 30_000_000_0000, 30_000_000_0000))
        steps.add(vote(name, PRODUCERS[:21]))
        steps.blocks()
    steps.blocks(130)


def staking(steps):
    steps.add(delegate(A, B, 5_0000, 7_0000))
    steps.add(delegate(A, B, 3_0000, 3_0000, True))
    steps.add(delegate(A, A, 3_0000, 3_0000, True))
    steps.add(delegate(A, B, 0, 0))
    steps.add(delegate(A, B, -1, 2))
    steps.add(delegate(A, B, 2, -1))
    steps.add(delegate(A, "nobody", 1, 1))
    steps.add(delegate(A, B, 200_000_000_0000, 1))
    for net, cpu in ((EOS, "1.0000 SYS"), ("1.0000 SYS", EOS), ("1.000 SYS", "1.0000 SYS"), (EOS, EOS)):
        staked = {"from": A, "receiver": B, "stake_net_quantity": net, "stake_cpu_quantity": cpu, "transfer": False}
        steps.add(system("delegatebw", staked, A))
        steps.add(
            system(
                "undelegatebw", {"from": A, "receiver": B, "unstake_net_quantity": net, "unstake_cpu_quantity": cpu}, A
            )
        )
    steps.add(
        system("delegatebw", {**staked, "stake_net_quantity": "1.0000 SYS", "stake_cpu_quantity": "1.0000 SYS"}, B)
    )
    for net, cpu in ((2**62 - 1, 1), (2**62 - 1, 2**62 - 1), (2**61, 2**61)):
        steps.add(delegate(A, B, net, cpu))
        steps.add(undelegate(A, B, net, cpu))
    steps.add(delegate("eosio.stake", A, 1_0000, 1_0000))
    steps.add(undelegate("eosio.stake", A, 1_0000, 1_0000))
    steps.add(delegate(A, "eosio.token", 1_0000, 1_0000))
    steps.add(undelegate(A, "eosio.token", 1_0000, 1_0000))
    steps.add(undelegate(A, B, 2_0000, 3_0000))
    steps.add(undelegate(A, B, 100_0000, 3_0000))
    steps.add(undelegate(A, C, 1_0000, 1_0000))
    steps.add(undelegate(A, B, 0, 0))
    steps.add(undelegate(A, B, -5, 10))
    steps.add(undelegate(A, A, 100_0000, 50_0000))
    steps.add(delegate(A, A, 60_0000, 10_0000))
    steps.add(delegate(A, A, 60_0000, 100_0000))
    steps.add(undelegate(A, B, 3_0000, 4_0000))
    steps.add(system("refund", {"owner": A}, A))
    steps.add(system("refund", {"owner": B}, B))
    steps.blocks(skip=3 * DAY - 10_000)
    steps.add(system("refund", {"owner": A}, A))
    steps.blocks(skip=20_000)
    steps.add(system("refund", {"owner": A}, B))
    steps.add(system("refund", {"owner": A}, A))
    steps.add(system("refund", {"owner": A}, A))


def ram(steps):
    steps.add(buy_ram(A, B, 10_0000))
    steps.add(buy_ram(A, A, 1))
    steps.add(buy_ram(A, A, 0))
    steps.add(buy_ram(A, A, -1))
    steps.add(buy_ram(A, "nobody", 10_0000))
    steps.add(buy_ram(A, A, 900_000_000_0000))
    steps.add(system("buyram", {"payer": A, "receiver": A, "quant": "1.0000 EOS"}, A))
    for count in (0, 1, 2, 4096, 2**32 - 1):
        steps.add(system("buyrambytes", {"payer": A, "receiver": B, "bytes": count}, A))
        steps.add(system("sellram", {"account": B, "bytes": count}, B))
    for count in (-1, 3, 1024, 2**62):
        steps.add(system("sellram", {"account": A, "bytes": count}, A))
        steps.add(system("ramtransfer", {"from": A, "to": C, "bytes": count, "memo": "gift"}, A))
        steps.add(system("ramburn", {"owner": A, "bytes": count, "memo": "gone"}, A))
    steps.add(system("ramtransfer", {"from": A, "to": "nobody", "bytes": 10, "memo": ""}, A))
    steps.add(system("ramtransfer", {"from": A, "to": B, "bytes": 10, "memo": "x" * 257}, A))
    steps.add(system("ramtransfer", {"from": A, "to": A, "bytes": 10, "memo": ""}, A))
    steps.add(system("ramtransfer", {"from": A, "to": "eosio.token", "bytes": 10, "memo": "to one without a row"}, A))
    steps.add(system("ramtransfer", {"from": A, "to": "eosio.token", "bytes": 10, "memo": "again"}, A))
    for account in (A, "eosio", "nobody"):
        steps.add(system("buyramself", {"account": account, "quant": "5.0000 SYS"}, A))
    for quantity in ("5.0000 SYS", "0.0001 SYS", "0.0000 SYS", EOS):
        steps.add(system("buyramburn", {"payer": A, "quantity": quantity, "memo": "burnt"}, A))
    steps.add(system("buyramburn", {"payer": A, "quantity": "5.0000 SYS", "memo": "x" * 257}, A))
    steps.add(system("buyramburn", {"payer": A, "quantity": "5.0000 SYS", "memo": ""}, B))
    steps.add(buy_ram(A, "eosio.null", 5_0000))
    steps.add(system("sellram", {"account": "eosio.stake", "bytes": 10}, "eosio.stake"))
    steps.add(system("setramrate", {"bytes_per_block": 1000}, "eosio"))
    steps.blocks(skip=HOUR)
    steps.add(buy_ram(A, B, 10_0000))
    for size in (1, 64 * 2**30, 70 * 2**30, 2**50, 2**63):
        steps.add(system("setram", {"max_ram_size": size}, "eosio"))
    steps.add(system("setram", {"max_ram_size": 80 * 2**30}, A))
    steps.add(buy_ram(A, B, 10_0000))


def limits(steps):
    for name, value in (("setacctram", "ram_bytes"), ("setacctnet", "net_weight"), ("setacctcpu", "cpu_weight")):
        for number in (None, -2, -1, 0, 123_456, None):
            steps.add(system(name, {"account": C, value: number}, "eosio"))
            steps.add(delegate(A, C, 1_0000, 1_0000))
        steps.add(system(name, {"account": "nobody", value: 1}, "eosio"))
        steps.add(system(name, {"account": C, value: 1}, C))
    steps.add(system("setalimits", {"account": C, "ram_bytes": 1, "net_weight": 1, "cpu_weight": 1}, "eosio"))
    steps.add(
        system(
            "setalimits", {"account": "eosio.token", "ram_bytes": 10_000_000, "net_weight": 1, "cpu_weight": 1}, "eosio"
        )
    )
    steps.add(system("setpriv", {"account": D, "is_priv": 1}, "eosio"))
    steps.add(system("setpriv", {"account": D, "is_priv": 0}, D))


def producers(steps):
    steps.add(system("regproducer", {"producer": D, "producer_key": KEYS[1], "url": "u" * 512, "location": 0}, D))
    steps.add(system("regproducer", {"producer": D, "producer_key": KEYS[1], "url": "u" * 511, "location": 0}, D))
    two = [
        "block_signing_authority_v0",
        {"threshold": 2, "keys": [{"key": KEYS[1], "weight": 1}, {"key": KEYS[2], "weight": 1}]},
    ]
    steps.add(system("regproducer2", {"producer": D, "producer_authority": two, "url": "two", "location": 7}, D))
    for threshold, weights in ((0, [1, 1]), (3, [1, 1]), (1, [])):
        keys = [{"key": key, "weight": weight} for key, weight in zip(KEYS, weights)]
        bad = ["block_signing_authority_v0", {"threshold": threshold, "keys": keys}]
        steps.add(system("regproducer2", {"producer": D, "producer_authority": bad, "url": "bad", "location": 7}, D))
    same = [
        "block_signing_authority_v0",
        {"threshold": 1, "keys": [{"key": KEYS[1], "weight": 1}, {"key": KEYS[1], "weight": 1}]},
    ]
    steps.add(system("regproducer2", {"producer": D, "producer_authority": same, "url": "same", "location": 7}, D))
    steps.add(
        system("regproducer", {"producer": "nobody", "producer_key": KEYS[1], "url": "", "location": 0}, "nobody")
    )
    steps.add(system("regproducer2", {"producer": D, "producer_authority": two, "url": "u" * 512, "location": 7}, D))
    steps.add(system("regproducer2", {"producer": D, "producer_authority": two, "url": "", "location": 7}, A))


def votes(steps):
    steps.add(vote(D, [D]))
    steps.add(system("unregprod", {"producer": R}, R))
    steps.add(system("unregprod", {"producer": A}, A))
    steps.add(system("unregprod", {"producer": R}, A))
    steps.add(system("rmvproducer", {"producer": Q}, "eosio"))
    steps.add(system("rmvproducer", {"producer": "nobody"}, "eosio"))
    steps.add(vote(A, [Q]))
    steps.add(vote(A, ["nobody"]))
    steps.add(system("voteproducer", {"voter": A, "proxy": "", "producers": [R, P]}, A))
    steps.add(system("voteproducer", {"voter": A, "proxy": "", "producers": [P, P]}, A))
    steps.add(vote(A, [f"prodlimit{x}{y}" for x in "abcdef" for y in "abcdef"][:31]))
    steps.add(vote("nobody", [P]))
    steps.add(vote("eosio.stake", [P]))
    steps.add(vote(A, []))
    steps.add(vote(A, PRODUCERS[3:25]))
    steps.add(vote(A, PRODUCERS[3:25], "nobody"))
    steps.add(system("voteproducer", {"voter": A, "proxy": "", "producers": PRODUCERS[:3]}, B))
    steps.blocks(130)


def proxies(steps):
    steps.add(system("regproxy", {"proxy": D, "isproxy": True}, D))
    steps.add(system("regproxy", {"proxy": D, "isproxy": True}, D))
    steps.add(system("regproxy", {"proxy": "eosio.names", "isproxy": True}, "eosio.names"))
    steps.add(vote(B, (), D))
    steps.add(vote(B, [P], D))
    steps.add(vote(B, (), B))
    steps.add(vote(B, (), C))
    steps.add(vote(B, (), "nobody"))
    steps.add(system("regproxy", {"proxy": B, "isproxy": True}, B))
    steps.add(vote(D, (), "eosio.names"))
    steps.add(vote(D, PRODUCERS[5:15]))
    steps.add(delegate(B, B, 100_0000, 100_0000))
    steps.add(system("regproxy", {"proxy": D, "isproxy": False}, D))
    steps.add(delegate(B, B, 100_0000, 100_0000))
    steps.add(vote(D, (), "eosio.names"))
    steps.add(delegate(B, B, 100_0000, 100_0000))
    steps.add(vote(B, PRODUCERS[5:15]))
    steps.blocks(2, skip=8 * DAY)
    steps.add(vote(B, PRODUCERS[5:15]))


def pay(steps):
    for name in PRODUCERS[:12]:
        steps.add(system("claimrewards", {"owner": name}, name))
    steps.add(system("claimrewards", {"owner": A}, A))
    steps.add(system("updtrevision", {"revision": 2}, "eosio"))
    steps.add(system("updtrevision", {"revision": 1}, "eosio"))
    steps.add(system("updtrevision", {"revision": 2}, "eosio"))
    for skip in (DAY, DAY // 2, DAY, 4 * DAY):
        steps.blocks(11, skip)
        for name in PRODUCERS[:12]:
            steps.add(system("claimrewards", {"owner": name}, name))
        steps.add(vote(C, PRODUCERS[4:20]))


def inflation(steps):
    claim = lambda name: steps.add(system("claimrewards", {"owner": name}, name))
    for rate, share, factor in (
        (-1, 10_000, 10_000),
        (100, 9_999, 10_000),
        (100, 10_000, 9_999),
        (200, 20_000, 30_000),
    ):
        changed = {"annual_rate": rate, "inflation_pay_factor": share, "votepay_factor": factor}
        steps.add(system("setinflation", changed, "eosio"))
        steps.add(system("setinflation", changed, A))
        steps.add(system("setpayfactor", {"inflation_pay_factor": share, "votepay_factor": factor}, "eosio"))
    steps.blocks(skip=2 * DAY)
    claim(PRODUCERS[6])
    schedule = lambda when, rate, actor="eosio": steps.add(
        system("setschedule", {"start_time": when, "continuous_rate": rate}, actor)
    )
    for when, rate in (
        ("2020-01-01T00:00:00", 0.5),
        ("2020-06-01T00:00:00", 0.25),
        ("2020-06-01T00:00:00", 0.125),
        ("2021-01-01T00:00:00", 1.5),
        ("2021-01-01T00:00:00", -0.5),
        ("2021-01-01T00:00:00", 1.0),
        ("2022-01-01T00:00:00", 0.0),
    ):
        schedule(when, rate)
    schedule("2022-01-01T00:00:00", 0.1, A)
    steps.add(system("delschedule", {"start_time": "2022-01-01T00:00:00"}, A))
    steps.add(system("delschedule", {"start_time": "2022-01-01T00:00:01"}, "eosio"))
    steps.add(system("delschedule", {"start_time": "2022-01-01T00:00:00"}, "eosio"))
    steps.append(dump())
    steps.add(system("execschedule", {}, A))
    steps.add(system("execschedule", {}, A))
    claim(PRODUCERS[7])
    steps.blocks(skip=160 * DAY)
    claim(PRODUCERS[8])
    claim(PRODUCERS[8])
    # what is issued when no more may be: the system's own balance
    supply = lambda most: steps.add(
        ["eosio.token", "setmaxsupply", {"issuer": "eosio", "maximum_supply": most}, ["eosio@active"]]
    )
    supply("1100000000.0000 SYS")
    steps.blocks(skip=300 * DAY)
    schedule("2021-01-01T00:00:00", 1.0)
    claim(PRODUCERS[9])
    steps.blocks(skip=700 * DAY)
    claim(PRODUCERS[10])
    supply("10000000000.0000 SYS")
    steps.add(
        system(
            "setinflation", {"annual_rate": 2**62, "inflation_pay_factor": 10_000, "votepay_factor": 10_000}, "eosio"
        )
    )
    claim(PRODUCERS[10])
    steps.add(
        system("setinflation", {"annual_rate": 0, "inflation_pay_factor": 10_000, "votepay_factor": 2**62}, "eosio")
    )
    claim(PRODUCERS[11])
    steps.add(
        system("setinflation", {"annual_rate": 500, "inflation_pay_factor": 50_000, "votepay_factor": 40_000}, "eosio")
    )


def names(steps):
    bid = lambda bidder, name, amount: steps.add(
        system("bidname", {"bidder": bidder, "newname": name, "bid": sys(amount)}, bidder)
    )
    for name in ("", "a.b", "aaaaaaaaaaaa", "aaaaaaaaaaaaj", A, "eosio", "sho", "ho"):
        bid(A, name, 3_0000)
    for bidder, amount in (
        (B, 3_2999),
        (B, 3_3000),
        (B, 3_3001),
        (B, 9_0000),
        (C, 10_0000),
        (B, 20_0000),
        (A, 30_0000),
    ):
        bid(bidder, "sho", amount)
    bid(A, "sho", 0)
    bid(A, "sho", 1_000_000_000_0000)
    steps.add(system("bidname", {"bidder": A, "newname": "sho", "bid": "9.0000 EOS"}, A))
    steps.add(system("bidrefund", {"bidder": B, "newname": "sho"}, A))
    steps.add(system("bidrefund", {"bidder": B, "newname": "sho"}, A))
    steps.add(*new_account_with_ram("sho", A))
    steps.blocks(skip=12 * HOUR)
    steps.blocks(2, skip=61_000)
    steps.add(*new_account_with_ram("sho", A))
    steps.blocks(skip=15 * DAY)
    steps.blocks(3, skip=61_000)
    steps.append(dump())
    steps.add(*new_account_with_ram("sho", B))
    bid(B, "sho", 100_0000)
    steps.add(*new_account_with_ram("sho", A))
    steps.add(*new_account_with_ram("a.sho", A))
    steps.add(transfer(A, "sho", 100_0000))
    steps.add(*new_account_with_ram("a.sho", "sho"))
    steps.add(*new_account_with_ram("ho", A))
    steps.blocks(skip=DAY)
    steps.blocks(2, skip=61_000)


def settings(steps):
    for name in ("high", "low", "default", "other", ""):
        steps.add(system("wasmcfg", {"settings": name}, "eosio"))
    for changed in (
        {"max_inline_action_depth": 9},
        {"max_authority_depth": 2},
        {"max_action_return_value_size": 512},
        {"max_block_net_usage": 0},
        {},
    ):
        steps.add(system("setparams", {"params": {**PARAMETERS, **changed}}, "eosio"))
        steps.add(system("setparams", {"params": {**PARAMETERS, **changed}}, A))
        steps.append(dump())
    for version, core, actor in ((0, "4,SYS", "eosio"), (1, "4,SYS", "eosio"), (0, "4,EOS", "eosio"), (0, "4,SYS", A)):
        steps.add(system("init", {"version": version, "core": core}, actor))
    steps.add(system("activate", {"feature_digest": "ab" * 32}, "eosio"))
    steps.add(system("activate", {"feature_digest": "ab" * 32}, A))
    for revision in (0, 1, 2, 255):
        steps.add(system("updtrevision", {"revision": revision}, "eosio"))
    steps.add(system("updtrevision", {"revision": 2}, A))
    for name, args in (
        ("setram", {"max_ram_size": 2**41}),
        ("setramrate", {"bytes_per_block": 1}),
        ("setpriv", {"account": A, "is_priv": 1}),
        ("setalimits", {"account": A, "ram_bytes": -1, "net_weight": -1, "cpu_weight": -1}),
        ("rmvproducer", {"producer": P}),
        ("setpayfactor", {"inflation_pay_factor": 50_000, "votepay_factor": 40_000}),
        ("wasmcfg", {"settings": "high"}),
    ):
        steps.add(system(name, args, A))
    steps.add(system("setpriv", {"account": "nobody", "is_priv": 1}, "eosio"))
    steps.add(system("setpriv", {"account": A, "is_priv": 2}, "eosio"))
    steps.append(dump())
    steps.add(system("setpriv", {"account": A, "is_priv": 0}, "eosio"))
    steps.add(system("setalimits", {"account": "nobody", "ram_bytes": 1, "net_weight": 1, "cpu_weight": 1}, "eosio"))
    steps.add(
        system("setalimits", {"account": "eosio.fees", "ram_bytes": -2, "net_weight": 1, "cpu_weight": 1}, "eosio")
    )
    steps.add(system("setacctnet", {"account": "eosio.fees", "net_weight": 1}, "eosio"))
    steps.add(
        system("setalimits", {"account": "eosio.fees", "ram_bytes": -1, "net_weight": -1, "cpu_weight": -1}, "eosio")
    )
    for kind, value in (("abi", ""), ("abi", "00"), ("code", "")):
        account = (
            {"account": A, "abi": value}
            if kind == "abi"
            else {"account": A, "vmtype": 0, "vmversion": 0, "code": value}
        )
        for memo in ({}, {"memo": "why"}):
            steps.add(system("set" + kind, {**account, **memo}, A))
            steps.blocks()
    steps.add(system("canceldelay", {"canceling_auth": {"actor": A, "permission": "active"}, "trx_id": "00" * 32}, A))
    for name in (
        "aaaaaaaaaaaa",
        "aaaaaaaaaaab",
        "aaaaaaaaaaaa",
        "aaaaaaaaaaaaj",
        "short",
        "dot.short",
        "eosio.new",
        "a.b.c",
    ):
        steps.add(*new_account_with_ram(name, A))
        steps.add(*new_account_with_ram(name, "eosio"))
    steps.add(new_account("withoutramab", A))


def permissions(steps):
    trading = {"account": A, "permission": "trading", "parent": "active", "auth": authority(KEYS[1])}
    steps.add(system("updateauth", trading, A))
    steps.add(system("limitauthchg", {"account": A, "allow_perms": ["owner"], "disallow_perms": ["trading"]}, A))
    steps.add(system("limitauthchg", {"account": A, "allow_perms": ["active"], "disallow_perms": []}, A))
    steps.add(system("limitauthchg", {"account": A, "allow_perms": [], "disallow_perms": ["owner"]}, A))
    steps.add(system("limitauthchg", {"account": A, "allow_perms": ["owner"], "disallow_perms": []}, A))
    steps.add(system("updateauth", trading, A))
    steps.add(system("updateauth", {**trading, "authorized_by": "active"}, A))
    steps.add(system("updateauth", {**trading, "authorized_by": "owner"}, A + "@owner"))
    steps.add(
        system("linkauth", {"account": A, "code": "eosio.token", "type": "transfer", "requirement": "trading"}, A)
    )
    steps.add(system("limitauthchg", {"account": A, "allow_perms": [], "disallow_perms": ["active"]}, A))
    link = {"account": A, "code": "eosio.token", "type": "transfer", "requirement": "trading"}
    steps.add(system("linkauth", {**link, "authorized_by": "active"}, A))
    steps.add(system("linkauth", {**link, "authorized_by": "owner"}, A + "@owner"))
    steps.add(system("limitauthchg", {"account": A, "allow_perms": [], "disallow_perms": []}, A))
    steps.add(system("unlinkauth", {"account": A, "code": "eosio.token", "type": "transfer"}, A))
    steps.add(system("deleteauth", {"account": A, "permission": "trading"}, A))
    for allow, disallow in (([], ["active"]), ([], []), (["owner", "active"], []), ([], [])):
        steps.add(system("limitauthchg", {"account": A, "allow_perms": allow, "disallow_perms": disallow}, A))
        steps.append(dump())
    steps.add(system("limitauthchg", {"account": A, "allow_perms": [], "disallow_perms": []}, B))
    for by in ("active", "trading", "nobody"):
        steps.add(system("updateauth", {**trading, "authorized_by": by}, A))


LOGS = {
    "logbuyram": {"payer": A, "receiver": B, "quantity": "1.0000 SYS", "bytes": 1, "ram_bytes": 1, "fee": "1.0000 SYS"},
    "logsellram": {"account": A, "quantity": "1.0000 SYS", "bytes": 1, "ram_bytes": 1, "fee": "1.0000 SYS"},
    "logramchange": {"owner": A, "bytes": 1, "ram_bytes": 1},
    "logsystemfee": {"protocol": A, "fee": "1.0000 SYS", "memo": "m"},
}


def logs(steps):
    """Logs are told by the contract alone."""
    for name, args in LOGS.items():
        for actor in (A, "eosio"):
            steps.add(system(name, args, actor))
    steps.add(system("onerror", {"sender_id": "0", "sent_trx": ""}, "eosio"))
    steps.add(system("onerror", {"sender_id": "0", "sent_trx": ""}, A))
    header = {
        "timestamp": 1,
        "producer": A,
        "confirmed": 0,
        "previous": "00" * 32,
        "transaction_mroot": "00" * 32,
        "action_mroot": "00" * 32,
        "schedule_version": 0,
        "new_producers": None,
    }
    steps.add(system("onblock", {"header": header}, A))


def first_holder(steps):
    """The account `b1`, which may take back only what it has earned."""
    steps.add(*new_account_with_ram("b1", "eosio"))
    steps.add(transfer("eosio", "b1", 10_000_000_0000))
    steps.add(delegate("eosio", "b1", 40_000_000_0000, 40_000_000_0000, True))
    for actor in ("b1", "eosio"):
        steps.add(system("voteproducer", {"voter": "b1", "proxy": "", "producers": PRODUCERS[3:6]}, actor))
    for net, cpu in (
        (1_0000, 1_0000),
        (5_000_000_0000, 5_000_000_0000),
        (10_000_000_0000, 10_000_000_0000),
        (30_000_000_0000, 0),
    ):
        steps.add(undelegate("b1", "b1", net, cpu))
    unvest = lambda account, net, cpu, actor="eosio": steps.add(
        system("unvest", {"account": account, "unvest_net_quantity": net, "unvest_cpu_quantity": cpu}, actor)
    )
    unvest("b1", "1.0000 SYS", "1.0000 SYS", "b1")
    unvest(A, "1.0000 SYS", "1.0000 SYS")
    unvest("b1", "-1.0000 SYS", "1.0000 SYS")
    unvest("b1", "1.0000 SYS", "-1.0000 SYS")
    unvest("b1", "1.0000 SYS", EOS)
    unvest("b1", EOS, EOS)
    unvest("b1", "64670348.7485 SYS", "0.0001 SYS")
    unvest("b1", "90000000.0000 SYS", "0.0000 SYS")
    unvest("b1", "30000000.0000 SYS", "30000000.0000 SYS")
    unvest("b1", "0.0000 SYS", "0.0000 SYS")
    steps.add(undelegate("b1", "b1", 1_0000, 1_0000))
    steps.blocks(skip=4 * DAY)
    steps.add(system("refund", {"owner": "b1"}, "b1"))


def bad_data(steps):
    """Arguments cut short, with more behind them, and with one byte changed."""
    examples = [
        transfer(A, B, 1_0000, "memo"),
        delegate(A, B, 1_0000, 1_0000),
        undelegate(A, B, 1, 1),
        buy_ram(A, B, 1_0000),
        vote(A, PRODUCERS[3:6]),
        system("regproducer", {"producer": P, "producer_key": KEYS[0], "url": "url", "location": 1}, P),
        new_account("aaaaaaaaaaad", "eosio"),
        system("setacctram", {"account": C, "ram_bytes": 1}, "eosio"),
        system("bidname", {"bidder": A, "newname": "xy", "bid": "1.0000 SYS"}, A),
        system("limitauthchg", {"account": A, "allow_perms": [], "disallow_perms": []}, A),
        system("setpriv", {"account": A, "is_priv": 0}, "eosio"),
        system("refund", {"owner": A}, A),
        system("ramtransfer", {"from": A, "to": B, "bytes": 1, "memo": "m"}, A),
        system("updateauth", {"account": A, "permission": "spending", "parent": "active", "auth": authority()}, A),
        system("setabi", {"account": A, "abi": ""}, A),
        system("setinflation", {"annual_rate": 500, "inflation_pay_factor": 50_000, "votepay_factor": 40_000}, "eosio"),
        system("logsystemfee", LOGS["logsystemfee"], "eosio"),
        system("init", {"version": 0, "core": "4,SYS"}, "eosio"),
        system("setparams", {"params": {**PARAMETERS, "max_action_return_value_size": 256}}, "eosio"),
    ]
    for example in examples:
        for cut in (1, 2, 4, 8, 9, 16, 1000):
            steps.add([*example, ["cut", cut]])
        steps.add([*example, ["add", "00"]])
        steps.add([*example, ["add", "ff" * 40]])
        for at in range(8, 90, 9):
            steps.add([*example, ["flip", [at, 0x81]]])
