"""The parts that lists of steps for worker.py are made of: actions, transactions, and a chain with users and producers."""

from state import number_of

USERS = [f"user{letter * 3}aaaaa" for letter in "abcdefghijkl"]
PRODUCERS = [f"prod{letter * 3}aaaaa" for letter in "abcdefghijklmnopqrstuvwxyz"]
KEYS = [
    "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV",
    "EOS6Xpu5horujB8Udvt8geztj61xveQzL2GhrBS4ztWzHbXLWrLRM",
    "EOS6qoo1vVBiPhBJCSEJf5hWtim6tMuo467whXrQewe54juPXbaau",
    "EOS6FpxJG461RwPXEm72EeK29fQz5SaZCAxUt8TKETsy1FLjKYFZe",
]
BLOCK = {"block": 0}
HOUR = 3_600_000
DAY = 24 * HOUR
# The configuration that chains begin with: large limits, so that steps do not depend on the machine.
PARAMETERS = {
    "max_block_net_usage": 1048576,
    "target_block_net_usage_pct": 1000,
    "max_transaction_net_usage": 524288,
    "base_per_transaction_net_usage": 12,
    "net_usage_leeway": 500,
    "context_free_discount_net_usage_num": 20,
    "context_free_discount_net_usage_den": 100,
    "max_block_cpu_usage": 100000000,
    "target_block_cpu_usage_pct": 10000,
    "max_transaction_cpu_usage": 50000000,
    "min_transaction_cpu_usage": 1,
    "max_transaction_lifetime": 1000000,
    "deferred_trx_expiration_window": 600,
    "max_transaction_delay": 3888000,
    "max_inline_action_size": 524288,
    "max_inline_action_depth": 10,
    "max_authority_depth": 6,
}


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
    return [
        new_account(name, creator),
        system("buyrambytes", {"payer": creator, "receiver": name, "bytes": 8000}, creator),
    ]


def transfer(giver, taker, amount, memo=""):
    return act("eosio.token", "transfer", {"from": giver, "to": taker, "quantity": sys(amount), "memo": memo}, giver)


def delegate(giver, taker, net, cpu, gift=False):
    args = {
        "from": giver,
        "receiver": taker,
        "stake_net_quantity": sys(net),
        "stake_cpu_quantity": sys(cpu),
        "transfer": gift,
    }
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
        steps.append(
            push(
                new_account(name),
                system("buyrambytes", bytes_bought, "eosio"),
                delegate("eosio", name, 100_000, 100_000, True),
            )
        )
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
    return {"dump": []}


def packed_transfer(giver, taker, amount=10_000):
    """`transfer(giver, taker, amount, "")`, as a transaction inside an action carries it."""
    number = lambda name: number_of(name).to_bytes(8, "little").hex()
    return number(giver) + number(taker) + amount.to_bytes(8, "little").hex() + "0453595300000000" + "00"


def transaction(*actions, expiration="2030-01-01T00:00:00", delay=0, context_free=()):
    packed = lambda list_of: [
        {
            "account": c,
            "name": n,
            "authorization": [dict(zip(("actor", "permission"), level.split("@"))) for level in levels],
            "data": data,
        }
        for c, n, data, levels in list_of
    ]
    return {
        "expiration": expiration,
        "ref_block_num": 0,
        "ref_block_prefix": 0,
        "max_net_usage_words": 0,
        "max_cpu_usage_ms": 0,
        "delay_sec": delay,
        "context_free_actions": packed(context_free),
        "actions": packed(actions),
        "transaction_extensions": [],
    }
