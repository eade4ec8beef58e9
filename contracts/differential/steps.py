"""Lists of steps for worker.py: a chain with users and producers, hand-made sequences, and random ones from a seed."""
import random

USERS = [f"user{letter * 3}aaaaa" for letter in "abcdefghijkl"]
PRODUCERS = [f"prod{letter * 3}aaaaa" for letter in "abcdefghijklmnopqrstuvwxyz"]
KEYS = ["EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV", "EOS6Xpu5horujB8Udvt8geztj61xveQzL2GhrBS4ztWzHbXLWrLRM",
        "EOS6qoo1vVBiPhBJCSEJf5hWtim6tMuo467whXrQewe54juPXbaau", "EOS6FpxJG461RwPXEm72EeK29fQz5SaZCAxUt8TKETsy1FLjKYFZe"]
CODES = ["eosio", "eosio.token", "eosio.msig"]
HOUR = 3_600_000
DAY = 24 * HOUR


def act(code, action, args, *actors):
    return [code, action, args, [actor if "@" in actor else actor + "@active" for actor in actors]]


def system(action, args, *actors):
    return act("eosio", action, args, *actors)


def push(*actions):
    return {"push": list(actions)}


def sys(amount):
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 10000}.{amount % 10000:04d} SYS"


def authority(key=KEYS[0]):
    return {"threshold": 1, "keys": [{"key": key, "weight": 1}], "accounts": [], "waits": []}


def new_account(name, creator="eosio"):
    args = {"creator": creator, "name": name, "owner": authority(), "active": authority()}
    return system("newaccount", args, creator)


def new_account_with_ram(name, creator):
    """An account must have RAM before its transaction ends."""
    return [new_account(name, creator), system("buyrambytes", {"payer": creator, "receiver": name, "bytes": 8000}, creator)]


def transfer(giver, taker, amount, memo=""):
    return act("eosio.token", "transfer", {"from": giver, "to": taker, "quantity": sys(amount), "memo": memo}, giver)


def delegate(giver, taker, net, cpu, gift=False):
    args = {"from": giver, "receiver": taker, "stake_net_quantity": sys(net), "stake_cpu_quantity": sys(cpu), "transfer": gift}
    return system("delegatebw", args, giver)


def undelegate(giver, taker, net, cpu):
    args = {"from": giver, "receiver": taker, "unstake_net_quantity": sys(net), "unstake_cpu_quantity": sys(cpu)}
    return system("undelegatebw", args, giver)


def buy_ram(payer, receiver, amount):
    return system("buyram", {"payer": payer, "receiver": receiver, "quant": sys(amount)}, payer)


def vote(voter, producers=(), proxy=""):
    return system("voteproducer", {"voter": voter, "proxy": proxy, "producers": sorted(producers)}, voter)


def setup(activate=True):
    """Accounts with RAM, stake and tokens; producers; and enough votes to activate the chain."""
    steps = []
    for name in USERS + PRODUCERS:
        bytes_bought = {"payer": "eosio", "receiver": name, "bytes": 100_000}
        steps.append(push(new_account(name), system("buyrambytes", bytes_bought, "eosio"), delegate("eosio", name, 100_000, 100_000, True)))
        steps.append(push(transfer("eosio", name, 10_000_000_0000, "start")))
    for at, name in enumerate(PRODUCERS):
        args = {"producer": name, "producer_key": KEYS[at % 4], "url": f"https://{name}", "location": at}
        steps.append(push(system("regproducer", args, name)))
        if at % 8 == 0:
            steps.append({"block": 0})
    if activate:
        for name in USERS[:3]:
            steps.append(push(transfer("eosio", name, 100_000_000_0000)))
            steps.append(push(delegate(name, name, 30_000_000_0000, 30_000_000_0000)))
            steps.append(push(vote(name, PRODUCERS[:21])))
            steps.append({"block": 0})
    steps += [{"block": 0}] * 3
    return steps


def dump():
    return {"dump": CODES}


def hand_made():
    """Every action in its plain form, and its faults one by one."""
    a, b, c, d = USERS[:4]
    p, q, r = PRODUCERS[:3]
    steps = setup(activate=False)
    add = lambda *actions: steps.append(push(*actions))
    # before the chain is activated
    add(undelegate(a, a, 1, 1))
    add(system("claimrewards", {"owner": p}, p))
    add(vote(d, [p]))
    for name in (a, b, c):
        add(transfer("eosio", name, 100_000_000_0000))
        add(delegate(name, name, 30_000_000_0000, 30_000_000_0000))
        add(vote(name, PRODUCERS[:21]))
        steps.append({"block": 0})
    steps += [{"block": 0}] * 130 + [dump()]
    # staking
    add(delegate(a, b, 5_0000, 7_0000))
    add(delegate(a, b, 3_0000, 3_0000, True))
    add(delegate(a, a, 3_0000, 3_0000, True))
    add(delegate(a, b, 0, 0))
    add(delegate(a, b, -1, 2))
    add(delegate(a, b, 2, -1))
    add(delegate(a, "nobody", 1, 1))
    add(delegate(a, b, 200_000_000_0000, 1))
    add(system("delegatebw", {"from": a, "receiver": b, "stake_net_quantity": "1.0000 EOS", "stake_cpu_quantity": "1.0000 SYS", "transfer": False}, a))
    add(system("delegatebw", {"from": a, "receiver": b, "stake_net_quantity": "1.000 SYS", "stake_cpu_quantity": "1.0000 SYS", "transfer": False}, a))
    add(system("delegatebw", {"from": a, "receiver": b, "stake_net_quantity": "1.0000 SYS", "stake_cpu_quantity": "1.0000 SYS", "transfer": False}, b))
    add(undelegate(a, b, 2_0000, 3_0000))
    add(undelegate(a, b, 100_0000, 3_0000))
    add(undelegate(a, c, 1_0000, 1_0000))
    add(undelegate(a, b, 0, 0))
    add(undelegate(a, b, -5, 10))
    add(undelegate(a, a, 100_0000, 50_0000))
    add(delegate(a, a, 60_0000, 10_0000))
    add(delegate(a, a, 60_0000, 100_0000))
    add(undelegate(a, b, 3_0000, 4_0000))
    add(system("refund", {"owner": a}, a))
    add(system("refund", {"owner": b}, b))
    steps.append({"block": 3 * DAY - 10_000})
    add(system("refund", {"owner": a}, a))
    steps.append({"block": 20_000})
    add(system("refund", {"owner": a}, b))
    add(system("refund", {"owner": a}, a))
    add(system("refund", {"owner": a}, a))
    steps += [{"block": 0}, dump()]
    # ram
    add(buy_ram(a, b, 10_0000))
    add(buy_ram(a, a, 1))
    add(buy_ram(a, a, 0))
    add(buy_ram(a, a, -1))
    add(buy_ram(a, "nobody", 10_0000))
    add(buy_ram(a, a, 900_000_000_0000))
    add(system("buyram", {"payer": a, "receiver": a, "quant": "1.0000 EOS"}, a))
    for count in (0, 1, 2, 4096, 2**32 - 1):
        add(system("buyrambytes", {"payer": a, "receiver": b, "bytes": count}, a))
        add(system("sellram", {"account": b, "bytes": count}, b))
    for count in (-1, 3, 1024, 2**62):
        add(system("sellram", {"account": a, "bytes": count}, a))
        add(system("ramtransfer", {"from": a, "to": c, "bytes": count, "memo": "gift"}, a))
        add(system("ramburn", {"owner": a, "bytes": count, "memo": "gone"}, a))
    add(system("ramtransfer", {"from": a, "to": "nobody", "bytes": 10, "memo": ""}, a))
    add(system("ramtransfer", {"from": a, "to": b, "bytes": 10, "memo": "x" * 257}, a))
    add(system("ramtransfer", {"from": a, "to": a, "bytes": 10, "memo": ""}, a))
    add(system("buyramself", {"account": a, "quant": "5.0000 SYS"}, a))
    add(system("setramrate", {"bytes_per_block": 1000}, "eosio"))
    steps += [{"block": HOUR}]
    add(buy_ram(a, b, 10_0000))
    for size in (1, 64 * 2**30, 70 * 2**30, 2**50, 2**63):
        add(system("setram", {"max_ram_size": size}, "eosio"))
    add(system("setram", {"max_ram_size": 80 * 2**30}, a))
    add(buy_ram(a, b, 10_0000))
    steps += [{"block": 0}, dump()]
    # limits
    for name, value in (("setacctram", "ram_bytes"), ("setacctnet", "net_weight"), ("setacctcpu", "cpu_weight")):
        for number in (None, -2, -1, 0, 123_456, None):
            add(system(name, {"account": c, value: number}, "eosio"))
            add(delegate(a, c, 1_0000, 1_0000))
        add(system(name, {"account": "nobody", value: 1}, "eosio"))
        add(system(name, {"account": c, value: 1}, c))
    add(system("setalimits", {"account": c, "ram_bytes": 1, "net_weight": 1, "cpu_weight": 1}, "eosio"))
    add(system("setalimits", {"account": "eosio.token", "ram_bytes": 10_000_000, "net_weight": 1, "cpu_weight": 1}, "eosio"))
    add(system("setpriv", {"account": d, "is_priv": 1}, "eosio"))
    add(system("setpriv", {"account": d, "is_priv": 0}, d))
    steps += [{"block": 0}, dump()]
    # producers
    add(system("regproducer", {"producer": d, "producer_key": KEYS[1], "url": "u" * 512, "location": 0}, d))
    add(system("regproducer", {"producer": d, "producer_key": KEYS[1], "url": "u" * 511, "location": 0}, d))
    two = ["block_signing_authority_v0", {"threshold": 2, "keys": [{"key": KEYS[1], "weight": 1}, {"key": KEYS[2], "weight": 1}]}]
    add(system("regproducer2", {"producer": d, "producer_authority": two, "url": "two", "location": 7}, d))
    for threshold, weights in ((0, [1, 1]), (3, [1, 1]), (1, [])):
        keys = [{"key": key, "weight": weight} for key, weight in zip(KEYS, weights)]
        bad = ["block_signing_authority_v0", {"threshold": threshold, "keys": keys}]
        add(system("regproducer2", {"producer": d, "producer_authority": bad, "url": "bad", "location": 7}, d))
    same = ["block_signing_authority_v0", {"threshold": 1, "keys": [{"key": KEYS[1], "weight": 1}, {"key": KEYS[1], "weight": 1}]}]
    add(system("regproducer2", {"producer": d, "producer_authority": same, "url": "same", "location": 7}, d))
    add(vote(d, [d]))
    add(system("unregprod", {"producer": r}, r))
    add(system("unregprod", {"producer": a}, a))
    add(system("unregprod", {"producer": r}, a))
    add(system("rmvproducer", {"producer": q}, "eosio"))
    add(system("rmvproducer", {"producer": "nobody"}, "eosio"))
    add(vote(a, [q]))
    add(vote(a, ["nobody"]))
    add(system("voteproducer", {"voter": a, "proxy": "", "producers": [r, p]}, a))
    add(system("voteproducer", {"voter": a, "proxy": "", "producers": [p, p]}, a))
    add(vote(a, [f"prodlimit{x}{y}" for x in "abcdef" for y in "abcdef"][:31]))
    add(vote("nobody", [p]))
    add(vote("eosio.stake", [p]))
    add(vote(a, PRODUCERS[3:25]))
    steps += [{"block": 0}] * 130 + [dump()]
    # proxies
    add(system("regproxy", {"proxy": d, "isproxy": True}, d))
    add(system("regproxy", {"proxy": d, "isproxy": True}, d))
    add(system("regproxy", {"proxy": "eosio.names", "isproxy": True}, "eosio.names"))
    add(vote(b, (), d))
    add(vote(b, [p], d))
    add(vote(b, (), b))
    add(vote(b, (), c))
    add(vote(b, (), "nobody"))
    add(system("regproxy", {"proxy": b, "isproxy": True}, b))
    add(vote(d, (), "eosio.names"))
    add(vote(d, PRODUCERS[5:15]))
    add(delegate(b, b, 100_0000, 100_0000))
    add(system("regproxy", {"proxy": d, "isproxy": False}, d))
    add(delegate(b, b, 100_0000, 100_0000))
    add(vote(d, (), "eosio.names"))
    add(delegate(b, b, 100_0000, 100_0000))
    add(vote(b, PRODUCERS[5:15]))
    steps += [{"block": 8 * DAY}, {"block": 0}]
    add(vote(b, PRODUCERS[5:15]))
    steps += [{"block": 0}, dump()]
    # pay
    for name in PRODUCERS[:12]:
        add(system("claimrewards", {"owner": name}, name))
    add(system("claimrewards", {"owner": a}, a))
    add(system("updtrevision", {"revision": 2}, "eosio"))
    add(system("updtrevision", {"revision": 1}, "eosio"))
    add(system("updtrevision", {"revision": 2}, "eosio"))
    for skip in (DAY, DAY // 2, DAY, 4 * DAY):
        steps += [{"block": skip}] + [{"block": 0}] * 10
        for name in PRODUCERS[:12]:
            add(system("claimrewards", {"owner": name}, name))
        add(vote(c, PRODUCERS[4:20]))
    for rate, share, factor in ((-1, 10_000, 10_000), (100, 9_999, 10_000), (100, 10_000, 9_999), (200, 20_000, 30_000)):
        add(system("setinflation", {"annual_rate": rate, "inflation_pay_factor": share, "votepay_factor": factor}, "eosio"))
    steps += [{"block": 2 * DAY}]
    add(system("claimrewards", {"owner": PRODUCERS[6]}, PRODUCERS[6]))
    steps += [{"block": 0}, dump()]
    # names
    bid = lambda bidder, name, amount: add(system("bidname", {"bidder": bidder, "newname": name, "bid": sys(amount)}, bidder))
    for name in ("", "a.b", "aaaaaaaaaaaa", "aaaaaaaaaaaaj", a, "eosio", "sho", "ho"):
        bid(a, name, 3_0000)
    for bidder, amount in ((b, 3_2999), (b, 3_3000), (b, 3_3001), (b, 9_0000), (c, 10_0000), (b, 20_0000), (a, 30_0000)):
        bid(bidder, "sho", amount)
    bid(a, "sho", 0)
    bid(a, "sho", 1_000_000_000_0000)
    add(system("bidname", {"bidder": a, "newname": "sho", "bid": "9.0000 EOS"}, a))
    add(system("bidrefund", {"bidder": b, "newname": "sho"}, a))
    add(system("bidrefund", {"bidder": b, "newname": "sho"}, a))
    add(*new_account_with_ram("sho", a))
    steps += [{"block": 12 * HOUR}, {"block": 61_000}, {"block": 0}]
    add(*new_account_with_ram("sho", a))
    steps += [{"block": 15 * DAY}, {"block": 61_000}, {"block": 0}, {"block": 0}, dump()]
    add(*new_account_with_ram("sho", b))
    bid(b, "sho", 100_0000)
    add(*new_account_with_ram("sho", a))
    add(*new_account_with_ram("a.sho", a))
    add(transfer(a, "sho", 100_0000))
    add(*new_account_with_ram("a.sho", "sho"))
    add(*new_account_with_ram("ho", a))
    steps += [{"block": DAY}, {"block": 61_000}, {"block": 0}, dump()]
    # the chain
    add(system("wasmcfg", {"settings": "high"}, "eosio"))
    add(system("wasmcfg", {"settings": "default"}, "eosio"))
    add(system("wasmcfg", {"settings": "other"}, "eosio"))
    add(system("init", {"version": 0, "core": "4,SYS"}, "eosio"))
    add(system("init", {"version": 1, "core": "4,SYS"}, "eosio"))
    add(system("onerror", {"sender_id": "0", "sent_trx": ""}, "eosio"))
    add(system("logramchange", {"owner": a, "bytes": 1, "ram_bytes": 1}, a))
    # permissions
    trading = {"account": a, "permission": "trading", "parent": "active", "auth": authority(KEYS[1])}
    add(system("updateauth", trading, a))
    add(system("limitauthchg", {"account": a, "allow_perms": ["owner"], "disallow_perms": ["trading"]}, a))
    add(system("limitauthchg", {"account": a, "allow_perms": ["active"], "disallow_perms": []}, a))
    add(system("limitauthchg", {"account": a, "allow_perms": [], "disallow_perms": ["owner"]}, a))
    add(system("limitauthchg", {"account": a, "allow_perms": ["owner"], "disallow_perms": []}, a))
    add(system("updateauth", trading, a))
    add(system("updateauth", {**trading, "authorized_by": "active"}, a))
    add(system("updateauth", {**trading, "authorized_by": "owner"}, a + "@owner"))
    add(system("linkauth", {"account": a, "code": "eosio.token", "type": "transfer", "requirement": "trading"}, a))
    add(system("limitauthchg", {"account": a, "allow_perms": [], "disallow_perms": ["active"]}, a))
    link = {"account": a, "code": "eosio.token", "type": "transfer", "requirement": "trading"}
    add(system("linkauth", {**link, "authorized_by": "active"}, a))
    add(system("linkauth", {**link, "authorized_by": "owner"}, a + "@owner"))
    add(system("limitauthchg", {"account": a, "allow_perms": [], "disallow_perms": []}, a))
    add(system("unlinkauth", {"account": a, "code": "eosio.token", "type": "transfer"}, a))
    add(system("deleteauth", {"account": a, "permission": "trading"}, a))
    steps += [{"block": 0}, dump()]
    return steps


def token():
    """The token alone: plain forms and faults."""
    a, b = USERS[:2]
    steps = [push(new_account(name), system("buyrambytes", {"payer": "eosio", "receiver": name, "bytes": 9000}, "eosio")) for name in USERS[:3]]
    add = lambda action, args, *actors: steps.append(push(act("eosio.token", action, args, *actors)))
    for supply in ("0.0000 ABC", "-1.0000 ABC", "100.0000 ABC", "50.00 ABC", "461168601842738.7903 BIG"):
        add("create", {"issuer": a, "maximum_supply": supply}, "eosio.token")
    add("create", {"issuer": a, "maximum_supply": "1.0000 XYZ"}, a)
    for to, quantity in ((a, "50.0000 ABC"), (b, "1.0000 ABC"), (a, "50.0001 ABC"), (a, "0.0000 ABC"), (a, "1.000 ABC"), (a, "1.0000 NON"),
                         (a, "461168601842738.7903 BIG"), (a, "0.0001 BIG"), (a, "-1.0000 ABC")):
        for actor in (a, b):
            add("issue", {"to": to, "quantity": quantity, "memo": "m"}, actor)
    add("issue", {"to": a, "quantity": "1.0000 ABC", "memo": "m" * 257}, a)
    for giver, taker, quantity, memo in ((a, b, "10.0000 ABC", ""), (a, a, "1.0000 ABC", ""), (a, "nobody", "1.0000 ABC", ""), (b, a, "10.0001 ABC", ""),
                                         (a, b, "0.0000 ABC", ""), (a, b, "-1.0000 ABC", ""), (a, b, "1.00 ABC", ""), (a, b, "1.0000 NON", ""),
                                         (a, b, "1.0000 ABC", "m" * 256), (a, b, "1.0000 ABC", "m" * 257), (USERS[2], b, "1.0000 ABC", "")):
        add("transfer", {"from": giver, "to": taker, "quantity": quantity, "memo": memo}, giver)
        add("transfer", {"from": giver, "to": taker, "quantity": quantity, "memo": memo}, giver, b)
    add("transfer", {"from": a, "to": b, "quantity": "1.0000 ABC", "memo": ""}, b)
    for quantity in ("1.0000 ABC", "0.0000 ABC", "100.0000 ABC", "-1.0000 ABC", "1.00 ABC", "1.0000 NON"):
        add("retire", {"quantity": quantity, "memo": ""}, a)
        add("retire", {"quantity": quantity, "memo": ""}, b)
    for owner, symbol in ((USERS[2], "4,ABC"), (USERS[2], "4,ABC"), (USERS[2], "2,ABC"), (USERS[2], "4,NON"), ("nobody", "4,ABC")):
        add("open", {"owner": owner, "symbol": symbol, "ram_payer": a}, a)
        add("open", {"owner": owner, "symbol": symbol, "ram_payer": a}, b)
    for owner, symbol in ((USERS[2], "4,ABC"), (USERS[2], "4,ABC"), (a, "4,ABC"), (a, "4,NON")):
        add("close", {"owner": owner, "symbol": symbol}, owner)
    raw = "0000000000000000"
    for code in (raw + raw, raw * 3, "", "ff" * 8, "00" * 16 + "ff" * 8 + "0441424300000000" + "00"):
        steps.append(push(["eosio.token", "transfer", {"hex": code}, [a + "@active"]]))
    return steps + [{"block": 0}, {"dump": ["eosio.token"]}]


def transaction(*actions, expiration="2030-01-01T00:00:00", delay=0, context_free=()):
    packed = lambda list_of: [{"account": c, "name": n, "authorization": [dict(zip(("actor", "permission"), l.split("@"))) for l in levels], "data": data}
                              for c, n, data, levels in list_of]
    return {"expiration": expiration, "ref_block_num": 0, "ref_block_prefix": 0, "max_net_usage_words": 0, "max_cpu_usage_ms": 0,
            "delay_sec": delay, "context_free_actions": packed(context_free), "actions": packed(actions), "transaction_extensions": []}


def msig(seed=0):
    """Proposals through all their fates, in random order."""
    rng = random.Random(seed)
    steps = setup()
    names = ["one", "two", "three", "four"]
    # transfer(from, to, 1.0000 SYS, ""): packed by hand, as a proposal carries it
    number = lambda name: sum(((".12345abcdefghijklmnopqrstuvwxyz".index(ch)) << (59 - 5 * at)) for at, ch in enumerate(name)).to_bytes(8, "little").hex()
    data = lambda giver, taker: number(giver) + number(taker) + (10_000).to_bytes(8, "little").hex() + "0453595300000000" + "00"
    pick = lambda: rng.choice(USERS[:4])
    level = lambda name: {"actor": name, "permission": "active"}
    for _ in range(150):
        proposer, name, who = pick(), rng.choice(names), pick()
        kind = rng.choice(["propose"] * 3 + ["approve"] * 6 + ["unapprove", "cancel", "exec", "exec", "invalidate", "block"])
        if kind == "propose":
            givers = rng.sample(USERS[:4], rng.randint(1, 3))
            actions = [("eosio.token", "transfer", data(giver, "usereeeaaaaa"), [giver + "@active"]) for giver in givers]
            asked = [level(giver) for giver in (givers if rng.random() < 0.9 else givers[1:])]
            options = {"delay": rng.choice([0, 0, 0, 5]), "expiration": rng.choice(["2030-01-01T00:00:00"] * 5 + ["2020-01-01T00:00:01"])}
            context_free = [("eosio.null", "nonce", "", [])] if rng.random() < 0.1 else []
            trx = transaction(*actions, context_free=context_free, **options)
            args = {"proposer": proposer, "proposal_name": name, "requested": asked, "trx": trx}
            steps.append(push(act("eosio.msig", "propose", args, proposer)))
        elif kind in ("approve", "unapprove"):
            args = {"proposer": proposer, "proposal_name": name, "level": level(who)}
            if kind == "approve" and rng.random() < 0.1:
                args["proposal_hash"] = "00" * 32
            steps.append(push(act("eosio.msig", kind, args, who)))
        elif kind == "cancel":
            steps.append(push(act("eosio.msig", kind, {"proposer": proposer, "proposal_name": name, "canceler": who}, who)))
        elif kind == "exec":
            steps.append(push(act("eosio.msig", kind, {"proposer": proposer, "proposal_name": name, "executer": who}, who)))
        elif kind == "invalidate":
            steps.append(push(act("eosio.msig", kind, {"account": who}, who)))
        else:
            steps.append({"block": rng.choice([0, 6000])})
        if rng.random() < 0.15:
            steps.append(dump())
    return steps + [{"block": 0}, dump()]


def random_system(seed, count):
    """`count` random actions of users and producers, with blocks and leaps of time between them."""
    rng = random.Random(seed)
    steps = setup()
    user = lambda: rng.choice(USERS if rng.random() < 0.95 else PRODUCERS + ["nobody"])
    producer = lambda: rng.choice(PRODUCERS if rng.random() < 0.97 else USERS)
    amount = lambda: rng.choice([0, 1, 2, 199, 200, 201, 10_000, rng.randint(1, 1_000_0000), rng.randint(1, 1_000_000_0000), 2**62 - 1, -1, -rng.randint(1, 10**9)]
                                if rng.random() < 0.3 else [rng.randint(1, 10_000_0000)])
    small_bytes = lambda: rng.choice([0, 1, 2, -1, 2**62] if rng.random() < 0.1 else [rng.randint(1, 5000)])
    names = ["ab", "cd", "ef", "ghi", "jkl"]

    def one():
        actor = user()
        kind = rng.choice(KINDS)
        if kind == "delegate":
            return delegate(actor, user(), amount(), amount(), rng.random() < 0.2)
        if kind == "delegate self":
            return delegate(actor, actor, amount(), amount())
        if kind == "undelegate":
            return undelegate(actor, rng.choice([actor, user()]), amount(), amount())
        if kind == "refund":
            return system("refund", {"owner": actor}, actor)
        if kind == "buyram":
            return buy_ram(actor, user(), amount())
        if kind == "buyrambytes":
            return system("buyrambytes", {"payer": actor, "receiver": user(), "bytes": max(0, min(small_bytes(), 2**32 - 1))}, actor)
        if kind == "sellram":
            return system("sellram", {"account": actor, "bytes": small_bytes()}, actor)
        if kind == "ramtransfer":
            return system("ramtransfer", {"from": actor, "to": user(), "bytes": small_bytes(), "memo": "m"}, actor)
        if kind == "ramburn":
            return system("ramburn", {"owner": actor, "bytes": small_bytes(), "memo": "m"}, actor)
        if kind == "vote":
            return vote(actor, rng.sample(PRODUCERS, rng.randint(0, 26)))
        if kind == "proxy":
            return vote(actor, (), user())
        if kind == "regproxy":
            return system("regproxy", {"proxy": actor, "isproxy": rng.random() < 0.7}, actor)
        if kind == "regproducer":
            name = producer()
            args = {"producer": name, "producer_key": rng.choice(KEYS), "url": "x" * rng.randint(0, 40), "location": rng.randint(0, 9)}
            return system("regproducer", args, name)
        if kind == "unregprod":
            name = producer()
            return system("unregprod", {"producer": name}, name)
        if kind == "claim":
            name = producer()
            return system("claimrewards", {"owner": name}, name)
        if kind == "bid":
            return system("bidname", {"bidder": actor, "newname": rng.choice(names), "bid": sys(amount())}, actor)
        if kind == "bidrefund":
            return system("bidrefund", {"bidder": user(), "newname": rng.choice(names)}, actor)
        if kind == "newname":
            return new_account_with_ram(rng.choice(names), actor)
        if kind == "manage":
            field = rng.choice([("setacctram", "ram_bytes"), ("setacctnet", "net_weight"), ("setacctcpu", "cpu_weight")])
            return system(field[0], {"account": actor, field[1]: rng.choice([None, -1, 0, 10**6, 10**9])}, "eosio")
        if kind == "setramrate":
            return system("setramrate", {"bytes_per_block": rng.randint(0, 1000)}, "eosio")
        if kind == "revision":
            return system("updtrevision", {"revision": rng.randint(0, 2)}, "eosio")
        return transfer(actor, user(), amount(), "t")

    for _ in range(count):
        roll = rng.random()
        if roll < 0.15:
            skip = rng.choice([0, 0, 0, 0, 60_500, HOUR, DAY, 3 * DAY, 8 * DAY] if roll < 0.06 else [0])
            steps.append({"block": skip})
        drawn = [one() for _ in range(1 if rng.random() < 0.9 else rng.randint(2, 3))]
        steps.append(push(*[action for part in drawn for action in (part if isinstance(part[0], list) else [part])]))
        if rng.random() < 0.02:
            steps += [{"block": 0}, dump()]
    return steps + [{"block": 0}, dump()]


KINDS = (["delegate", "delegate self", "undelegate", "buyram", "buyrambytes", "sellram", "vote"] * 4 +
         ["refund", "ramtransfer", "proxy", "regproxy", "claim", "bid", "transfer"] * 2 +
         ["ramburn", "regproducer", "unregprod", "bidrefund", "newname", "manage", "setramrate", "revision"])
