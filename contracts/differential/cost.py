"""CPU of common actions with the contracts of one folder, on the in-process nodeos: median and least microseconds.

    run cost.py CONTRACTS
"""
import os
import statistics
import sys

import lending
import steps
import worker

ROUNDS = 200


def times(world, title, action):
    seen = []
    for at in range(ROUNDS):
        real = world.chain.push_transaction
        elapsed = []

        def push(*args, **named):
            trace = real(*args, **named)
            elapsed.append(sum(act["elapsed"] for act in trace["action_traces"]))
            return trace

        world.chain.push_transaction = push
        result = world.push(action(at))
        world.chain.push_transaction = real
        assert "traces" in result, (title, result)
        seen += elapsed
        if at % 40 == 39:
            world.block()
    print(f"{title:14} median {statistics.median(seen):6.0f} us, least {min(seen):4} us", flush=True)


world = worker.World(sys.argv[1])
for step in steps.setup():
    world.step(step)
a, b = steps.USERS[:2]
times(world, "transfer", lambda at: [steps.transfer(a, b, 1 + at)])
times(world, "delegatebw", lambda at: [steps.delegate(a, b, 1 + at, 2)])
times(world, "voteproducer", lambda at: [steps.vote(b, steps.PRODUCERS[at % 5 : at % 5 + 20])])
times(world, "buyram", lambda at: [steps.buy_ram(a, b, 10_000 + at)])


def newcomer(at):
    name = "new" + "abcdefghijklmno"[at % 15] + "abcdefghijklmno"[at // 15] + "aaaaaaa"
    ram = steps.system("buyrambytes", {"payer": "eosio", "receiver": name, "bytes": 5000}, "eosio")
    return [steps.new_account(name), ram]


times(world, "newaccount+ram", newcomer)
world.must(lending.rex("deposit", a, "1000000.0000 SYS"))
world.must(lending.rex("buyrex", a, "500000.0000 SYS"))
world.must(steps.buy_ram(a, "eosio.reserv", 10_0000), steps.buy_ram(a, a, 100_0000))
world.must(lending.configure(lending.market()))
times(world, "buyrex", lambda at: [lending.rex("buyrex", a, steps.sys(1_0000 + at))])
times(world, "rentcpu", lambda at: [lending.rex("rentcpu", a, b, steps.sys(1_0000 + at), "0.0000 SYS")])
times(world, "powerup", lambda at: [lending.powerup(a, b, lending.WHOLE // 1000, lending.WHOLE // 1000 + at)])
os._exit(0)
