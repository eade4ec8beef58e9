"""Generated transactions: deferred and delayed, executed, cancelled, replaced, expired, failed, with onerror handlers."""

import wire
from probe import AT, END, call, let, peek, poke, r, row, run
from wire import DEV, action, authority, n, name, u128
from world import World, canceldelay, setcode, updateauth, wasm


def record_deferred(folder):
    chain = World("deferred", "deferred transactions, before features")
    setup(chain, "probe0")
    play(chain)
    chain.finish(folder)


def record_deferred_all(folder):
    chain = World(
        "deferred_all", "deferred transactions with every feature (replacement, unique ids, restricted authority)"
    )
    chain.everything()
    setup(chain, "probe2")
    play(chain)
    chain.finish(folder)


def setup(chain, probe):
    chain.accounts("one", "two", "three", "plain")
    for account in ("one", "two"):
        chain.good(setcode(account, wasm(probe)))
    if probe == "probe0":
        chain.deploy("eosio", "probe0")
    chain.good(updateauth("two", "active", "owner", authority(1, [(DEV, 1)], [("two", "eosio.code", 1)])))
    chain.block()


def trx(*actions, delay=0, expires=0, reference=(0, 0), **rest):
    return wire.transaction(expires, reference, list(actions), delay=delay, **rest)


def send(raw, number=1, payer="one", replace=0):
    """Defers raw bytes under a 16-byte sender id."""
    return (poke(AT, u128(number)), poke(AT + 32, raw), call("send_deferred", AT, n(payer), AT + 32, len(raw), replace))


def cancel(number):
    return (poke(AT, u128(number)), call("cancel_deferred", AT))


ECHO = (
    call("current_receiver"),
    call("current_time"),
    call("publication_time"),
    call("expiration"),
    call("tapos_block_num"),
    call("tapos_block_prefix"),
    call("transaction_size"),
    row(),
)


def step(chain, slots=1, cpu=100):
    chain.block(slots=slots)
    return chain.run_due(cpu)


def play(chain):
    def go(*parts, who="one", **rest):
        return chain.probe(who, *parts, **rest)

    hello = action("two", "run", "two", run(*ECHO))
    mine = action("one", "run", "one", run(*ECHO))
    # Sent by an account without its own code in its authority, and with it.
    go(*send(trx(mine)))
    go(*send(trx(hello)), who="two")
    go(*send(trx(hello), payer="two"), who="two")
    step(chain)
    # One that runs after a delay, the same id twice, cancelled, cancelled again.
    go(*send(trx(hello, delay=3), 7, "two"), who="two")
    go(*send(trx(hello, delay=3), 7, "two"), who="two")
    go(*send(trx(hello, delay=5), 7, "two", 1), who="two")
    go(*send(trx(hello, delay=2), 8, "two", 1), who="two")
    go(*send(trx(hello, delay=2), 8, "two", 2), who="two")
    go(*cancel(9), row(), who="two")
    go(*cancel(8), row(), who="two")
    go(*cancel(8), row(), who="two")
    go(*cancel(7), row())  # somebody else's
    go(*send(trx(hello, delay=2), (1 << 128) - 1, "two"), who="two")
    go(*send(trx(hello, delay=2), 0, "two"), who="two")
    step(chain)
    step(chain, 8)
    step(chain, 4)
    # Who pays, who may.
    go(*send(trx(hello), 20, "one"), who="two")
    go(*send(trx(hello), 21, "plain"), who="two")
    chain.push(action("two", "run", ["two", "plain"], run(*send(trx(hello), 22, "plain"))), covers=["send_deferred"])
    go(*send(trx(hello), 23, "nobody"), who="two")
    go(*send(trx(hello), 24, ""), who="two")
    go(*send(trx(action("plain", "x", "plain", b"")), 25, "two"), who="two")
    go(*send(trx(action("plain", "x", "two@owner", b"")), 26, "two"), who="two")
    go(*send(trx(action("plain", "x", "two", b"")), 27, "two"), who="two")
    go(*send(trx(action("nobody", "x", "two", b"")), 28, "two"), who="two")
    go(*send(trx(action("two", "x", "nobody", b"")), 29, "two"), who="two")
    go(*send(trx(action("two", "x", "two@none", b"")), 30, "two"), who="two")
    go(*send(trx(action("two", "x", [], b"")), 31, "two"), who="two")
    go(*send(trx(), 32, "two"), who="two")
    go(*send(trx(hello, free=[action("two", "run", [], run(call("transaction_size")))]), 33, "two"), who="two")
    go(*send(trx(hello, free=[action("two", "run", "two", b"")]), 34, "two"), who="two")
    go(*send(trx(hello, delay=3888000), 35, "two"), who="two")
    go(*send(trx(hello, delay=3888001), 36, "two"), who="two")
    go(*send(trx(hello, extensions=[(0, u128(36) + name("two") + bytes(32))]), 37, "two"), who="two")
    go(*send(trx(hello, extensions=[(0, u128(1))]), 38, "two"), who="two")
    go(*send(trx(hello, extensions=[(5, b"x")]), 39, "two"), who="two")
    go(*send(trx(hello, net_words=1), 40, "two"), who="two")
    go(*send(trx(hello, net_words=40), 41, "two"), who="two")
    go(*send(trx(hello, cpu_ms=1), 42, "two"), who="two")
    go(*send(trx(hello) + b"tail", 43, "two"), who="two")
    go(*send(b"rubbish", 44, "two"), who="two")
    go(*send(trx(hello, expires=5, reference=(7, 9)), 45, "two"), who="two")
    go(poke(AT, u128(46)), call("send_deferred", AT, n("two"), END - 10, 50, 0), who="two")
    go(call("send_deferred", END - 8, n("two"), AT, 50, 0), who="two")
    go(call("cancel_deferred", END - 8), who="two")
    go(
        poke(AT + 1, u128(47)),
        poke(AT + 33, trx(hello)),
        call("send_deferred", AT + 1, n("two"), AT + 33, len(trx(hello)), 0),
        who="two",
    )
    go(*send(trx(mine), 48, "one"), who="eosio")
    chain.push(action("eosio", "run", ["eosio", "one"], run(*send(trx(mine), 49, "one"))), covers=["send_deferred"])
    go(*send(trx(mine, action("three", "x", "three")), 50, "eosio"), who="eosio")
    step(chain)
    step(chain)
    # Failing ones: no handler, a handler, a failing handler.
    fail = lambda text, who="two": action(who, "run", who, run(poke(AT, text + b"\0"), call("eosio_assert", 0, AT)))
    go(*send(trx(fail(b"soft")), 60, "two"), who="two")
    step(chain)
    hook = lambda who, program: chain.probe(
        who,
        poke(AT, program),
        call("db_find_i64", n(who), n(who), n("hook"), n("onerror")),
        call("db_store_i64", n(who), n("hook"), n(who), n("onerror"), AT, len(program)),
    )
    hook(
        "two",
        run(call("action_data_size"), call("read_action_data", AT, 16), peek(AT, 16), call("publication_time"), row()),
    )
    go(*send(trx(fail(b"handled")), 61, "two"), who="two")
    step(chain)
    go(*send(trx(hello, fail(b"second action fails")), 62, "two"), who="two")
    step(chain)
    chain.good(setcode("three", wasm("probe0")))
    chain.good(updateauth("three", "active", "owner", authority(1, [(DEV, 1)], [("three", "eosio.code", 1)])))
    hook("three", run(poke(AT, b"the handler fails too\0"), call("eosio_assert", 0, AT)))
    go(*send(trx(fail(b"twice", "three")), 63, "three"), who="three")
    step(chain)
    go(*send(trx(action("three", "run", "three", run(call("abort")))), 64, "three"), who="three")
    step(chain)
    chain.probe("two", call("db_find_i64", n("two"), n("two"), n("hook"), n("onerror")), call("db_remove_i64", r(0)))
    hook("two", run(*send(trx(action("two", "run", "two", run(*ECHO))), 70, "two")))
    go(*send(trx(fail(b"resend")), 65, "two"), who="two")
    step(chain)
    step(chain)
    chain.probe("two", call("db_find_i64", n("two"), n("two"), n("hook"), n("onerror")), call("db_remove_i64", r(0)))
    hook(
        "two",
        run(
            poke(AT, action("plain", "x", "two", b"")),
            call("send_inline", AT, len(action("plain", "x", "two", b""))),
            call("require_recipient", n("one")),
        ),
    )
    go(*send(trx(fail(b"inline from handler")), 66, "two"), who="two")
    step(chain)
    # Expired before it could run.
    go(*send(trx(hello), 80, "two"), who="two")
    chain.block(slots=1300)
    chain.run_due()
    # Executed from within: a deferred one that defers again, cancels itself, cancels another.
    inner = trx(hello)
    go(*send(trx(action("two", "run", "two", run(*send(inner, 91, "two")))), 90, "two"), who="two")
    step(chain)
    step(chain)
    go(*send(trx(action("two", "run", "two", run(*cancel(92), row()))), 92, "two"), who="two")
    step(chain)
    go(
        *send(trx(hello, delay=10), 94, "two"),
        *send(trx(action("two", "run", "two", run(*cancel(94), row()))), 93, "two"),
        who="two",
    )
    step(chain)
    # Several due at once, out of order, some left for later, more than one a block.
    for number in range(6):
        go(
            *send(
                trx(action("two", "run", "two", run(let(1, number), call("current_time"), row())), delay=number % 3),
                100 + number,
                "two",
            ),
            who="two",
        )
    chain.block(slots=5)
    ids = chain.due()
    chain.scheduled(ids[-1])
    chain.scheduled(ids[0])
    chain.block()
    chain.run_due(cpu=2000)
    go(*send(trx(hello, delay=30), 120, "two"), who="two")
    # A replaced one changes the RAM of its payer.
    go(*send(trx(hello, delay=30), 130, "two"), who="two")
    go(*send(trx(hello, action("plain", "x", "two", b"a longer one"), delay=30), 130, "two", 1), who="two")
    go(*send(trx(hello, delay=20), 130, "two", 1), who="two")
    chain.push(
        action("two", "run", ["two", "plain"], run(*send(trx(hello, delay=20), 130, "plain", 1))),
        covers=["send_deferred"],
    )
    go(*cancel(130), row(), who="two")
    # The same bytes as an input transaction and as a deferred one; two with the same bytes.
    same = trx(hello, expires=chain.now() + 100, reference=chain.reference())
    go(*send(same, 140, "two"), *send(same, 141, "two"), who="two")
    step(chain)
    # Delayed input transactions: executed, cancelled, failing (no handler: hard), and with free actions.
    chain.push(action("plain", "later", "plain"), delay=2)
    gone = chain.push(action("plain", "gone", "plain"), delay=4)
    chain.push(fail(b"late failure"), delay=2)
    chain.push(
        [action("plain", "later", "plain")],
        delay=2,
        free=[action("two", "run", [], run(call("get_context_free_data", 0, AT, 4)))],
        free_data=[b"free"],
    )
    chain.push(
        [action("plain", "later", "plain"), action("two", "run", "two", run(*ECHO))], delay=2, net_words=200, cpu_ms=20
    )
    if "id" in gone["trace"]:
        chain.push(canceldelay("plain", "active", bytes.fromhex(gone["trace"]["id"])), covers=["canceldelay"])
    step(chain, 6)
    step(chain, 6)
    # An input transaction that is pushed again while its delayed self waits.
    again = chain.build([action("plain", "again", "plain")], delay=3)
    chain.send(again)
    chain.send(again)
    step(chain, 8)
    chain.send(again)
    # Sender changes or loses its code before the transaction fails.
    go(*send(trx(fail(b"code gone")), 150, "two"), who="two")
    chain.good(setcode("two", b""))
    step(chain)
    step(chain)
    chain.block(2)
