"""A chain of contracts whose ABIs are not perfect: a row, an action and a delayed action of each. See ../odd_abis.py."""

import odd_abis
from probe import AT, call, poke, run
from wire import action, n
from world import World, setabi, setcode, wasm

# Accounts that one block takes in.
PER_BLOCK = 20
ROW = bytes([1, 2, 0x61, 0xE9, 5, 6, 7, 8]) + bytes(range(1, 60))


def record_odd_abis(folder):
    chain = World("odd_abis", "contracts whose ABIs are short, cut off, not UTF-8, circular, deep or refused")
    chain.everything()
    code = wasm("probe2")
    for number, (account, data) in enumerate(odd_abis.accounts()):
        chain.accounts(account)
        chain.good(setcode(account, code))
        chain.good(setabi(account, data))
        for scope in (account, "scope"):
            chain.good(
                action(
                    account,
                    "run",
                    account,
                    run(poke(AT, ROW), call("db_store_i64", n(scope), n("tt"), n(account), 7, AT, len(ROW))),
                )
            )
        chain.good(
            [
                action(account, "go", account, ROW[:1]),
                action(account, "go", account, ROW),
                action(account, "other", account, b""),
            ]
        )
        if number % PER_BLOCK == PER_BLOCK - 1:
            chain.block()
    chain.finish(folder)


__all__ = ["record_odd_abis"]
