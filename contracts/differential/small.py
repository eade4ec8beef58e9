"""The token, the wrapper and the bios contract alone: plain forms and faults."""

from steps import (
    BLOCK,
    KEYS,
    PARAMETERS,
    USERS,
    act,
    authority,
    dump,
    new_account,
    packed_transfer,
    push,
    setup,
    system,
    transaction,
)


def token():
    """The token alone."""
    a, b = USERS[:2]
    steps = [
        push(new_account(name), system("buyrambytes", {"payer": "eosio", "receiver": name, "bytes": 9000}, "eosio"))
        for name in USERS[:3]
    ]
    add = lambda action, args, *actors: steps.append(push(act("eosio.token", action, args, *actors)))
    for supply in ("0.0000 ABC", "-1.0000 ABC", "100.0000 ABC", "50.00 ABC", "461168601842738.7903 BIG"):
        add("create", {"issuer": a, "maximum_supply": supply}, "eosio.token")
    add("create", {"issuer": a, "maximum_supply": "1.0000 XYZ"}, a)
    for to, quantity in (
        (a, "50.0000 ABC"),
        (b, "1.0000 ABC"),
        (a, "50.0001 ABC"),
        (a, "0.0000 ABC"),
        (a, "1.000 ABC"),
        (a, "1.0000 NON"),
        (a, "461168601842738.7903 BIG"),
        (a, "0.0001 BIG"),
        (a, "-1.0000 ABC"),
    ):
        for actor in (a, b):
            add("issue", {"to": to, "quantity": quantity, "memo": "m"}, actor)
    add("issue", {"to": a, "quantity": "1.0000 ABC", "memo": "m" * 257}, a)
    for giver, taker, quantity, memo in (
        (a, b, "10.0000 ABC", ""),
        (a, a, "1.0000 ABC", ""),
        (a, "nobody", "1.0000 ABC", ""),
        (b, a, "10.0001 ABC", ""),
        (a, b, "0.0000 ABC", ""),
        (a, b, "-1.0000 ABC", ""),
        (a, b, "1.00 ABC", ""),
        (a, b, "1.0000 NON", ""),
        (a, b, "1.0000 ABC", "m" * 256),
        (a, b, "1.0000 ABC", "m" * 257),
        (USERS[2], b, "1.0000 ABC", ""),
    ):
        add("transfer", {"from": giver, "to": taker, "quantity": quantity, "memo": memo}, giver)
        add("transfer", {"from": giver, "to": taker, "quantity": quantity, "memo": memo}, giver, b)
    add("transfer", {"from": a, "to": b, "quantity": "1.0000 ABC", "memo": ""}, b)
    for supply in (
        "60.0000 ABC",
        "60.0000 ABC",
        "50.0000 ABC",
        "60.00 ABC",
        "60.0000 NON",
        "100.0001 ABC",
        "-1.0000 ABC",
    ):
        for actor in (a, b):
            add("issuefixed", {"to": a, "supply": supply, "memo": "fixed"}, actor)
            add("setmaxsupply", {"issuer": a, "maximum_supply": supply}, actor)
        add("issuefixed", {"to": b, "supply": supply, "memo": ""}, a)
        add("setmaxsupply", {"issuer": b, "maximum_supply": supply}, b)
    for supply in ("0.0000 ABC", "100.0000 ABC", "461168601842738.7903 ABC", "70.0000 ABC"):
        add("setmaxsupply", {"issuer": a, "maximum_supply": supply}, a)
        add("issuefixed", {"to": a, "supply": supply, "memo": "m" * 257}, a)
    for quantity in ("1.0000 ABC", "0.0000 ABC", "100.0000 ABC", "-1.0000 ABC", "1.00 ABC", "1.0000 NON"):
        add("retire", {"quantity": quantity, "memo": ""}, a)
        add("retire", {"quantity": quantity, "memo": ""}, b)
    for owner, symbol in (
        (USERS[2], "4,ABC"),
        (USERS[2], "4,ABC"),
        (USERS[2], "2,ABC"),
        (USERS[2], "4,NON"),
        ("nobody", "4,ABC"),
    ):
        add("open", {"owner": owner, "symbol": symbol, "ram_payer": a}, a)
        add("open", {"owner": owner, "symbol": symbol, "ram_payer": a}, b)
    for owner, symbol in ((USERS[2], "4,ABC"), (USERS[2], "4,ABC"), (a, "4,ABC"), (a, "4,NON")):
        add("close", {"owner": owner, "symbol": symbol}, owner)
    for contract in ("eosio.token", "eosio", "eosio.msig", "eosio.wrap", a):
        steps.append(push([contract, "nosuchthing", {"hex": ""}, [a + "@active"]]))
    raw = "0000000000000000"
    for code in (raw + raw, raw * 3, "", "ff" * 8, "00" * 16 + "ff" * 8 + "0441424300000000" + "00"):
        steps.append(push(["eosio.token", "transfer", {"hex": code}, [a + "@active"]]))
    return steps + [BLOCK, dump()]


def wrap():
    """A wrapped transaction needs nobody's leave but the wrapper's."""
    a, b, c = USERS[:3]
    steps = setup()

    def run(*actions, executer=a, actors=("eosio.wrap", a), mutation=None, **options):
        args = {"executer": executer, "trx": transaction(*actions, **options)}
        wrapped = act("eosio.wrap", "exec", args, *actors)
        steps.append(push([*wrapped, mutation] if mutation else wrapped))

    paid = ("eosio.token", "transfer", packed_transfer(b, c), [b + "@active"])
    overdrawn = ("eosio.token", "transfer", packed_transfer(b, c, 10**17), [b + "@active"])
    run(paid)
    run(paid, paid)
    run()
    run(paid, actors=("eosio.wrap",))
    run(paid, actors=(a,))
    run(paid, executer=b)
    run(paid, executer="nobody")
    run(paid, overdrawn)
    run(("eosio.token", "nosuch", "", [b + "@active"]))
    run(("nobody", "transfer", packed_transfer(b, c), [b + "@active"]))
    run(paid, expiration="2000-01-01T00:00:00")
    run(paid, delay=60)
    run(paid, context_free=[("eosio.null", "nonce", "", [])])
    for cut in (1, 2, 3, 20, 60, 90, 100, 1000):
        run(paid, mutation=["cut", cut])
    run(paid, mutation=["add", "00"])
    run(paid, mutation=["add", "ff" * 9])
    for at in range(8, 60, 3):
        run(paid, mutation=["flip", [at, 0x41]])
    return steps + [BLOCK, dump()]


def bios():
    """The bios contract, on a chain that has no system yet."""
    a, b = USERS[:2]
    steps = [{"world": "bios"}] + [push(new_account(name)) for name in (a, b)]
    add = lambda action, args, *actors: steps.append(push(system(action, args, *actors)))
    key = lambda at: {
        "producer_name": (a, b)[at],
        "authority": ["block_signing_authority_v0", {"threshold": 1, "keys": [{"key": KEYS[at], "weight": 1}]}],
    }
    for actor in ("eosio", a):
        for name, args in (
            ("setpriv", {"account": b, "is_priv": 1}),
            ("setpriv", {"account": "nobody", "is_priv": 1}),
            ("setpriv", {"account": b, "is_priv": 0}),
            ("setalimits", {"account": a, "ram_bytes": 100_000, "net_weight": 5, "cpu_weight": 7}),
            ("setalimits", {"account": "nobody", "ram_bytes": -1, "net_weight": -1, "cpu_weight": -1}),
            ("setalimits", {"account": b, "ram_bytes": 1, "net_weight": -1, "cpu_weight": -1}),
            ("setparams", {"params": {**PARAMETERS, "max_inline_action_depth": 9}}),
            ("setparams", {"params": {**PARAMETERS, "max_block_net_usage": 0}}),
            ("activate", {"feature_digest": "ab" * 32}),
            ("reqactivated", {"feature_digest": "ab" * 32}),
            ("reqactivated", {"feature_digest": "1a99a59d87e06e09ec5b028a9cbb7749b4a5ad8819004365d02dc4379a8b7241"}),
            ("onerror", {"sender_id": "0", "sent_trx": ""}),
            ("reqauth", {"from": a}),
            ("setabi", {"account": a, "abi": "00"}),
            ("setabi", {"account": a, "abi": ""}),
            ("updateauth", {"account": a, "permission": "spending", "parent": "active", "auth": authority()}),
            ("linkauth", {"account": a, "code": "eosio", "type": "reqauth", "requirement": "spending"}),
            ("unlinkauth", {"account": a, "code": "eosio", "type": "reqauth"}),
            ("deleteauth", {"account": a, "permission": "spending"}),
            ("setprods", {"schedule": []}),
            ("setprods", {"schedule": [key(0), key(0)]}),
            ("setprods", {"schedule": [key(0), key(1)]}),
        ):
            add(name, args, actor)
            steps.append(dump())
    return steps + [BLOCK] * 6 + [dump()]
