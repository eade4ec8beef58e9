"""How actions reach contracts: inline, notifications, context-free, ordinals, depth, return values, transaction headers."""

import wire
from probe import AT, END, call, peek, poke, printed, row, run, sections, trap
from wire import DEV, K1, action, authority, blob, many, n, name, packed, sha256, sole, u8
from world import World, abi, setcode, updateauth, wasm

KEY = K1("dispatch")


def inline(act, kind="send_inline", at=AT):
    return poke(at, act), call(kind, at, len(act))


def record_dispatch(folder):
    chain = World(
        "dispatch", "inline actions, notifications, context-free actions, depth and ordinals, without features"
    )
    setup(chain, "probe0")
    dispatch(chain)
    chain.finish(folder)


def record_dispatch_all(folder):
    chain = World("dispatch_all", "the same with every feature, and return values, get_sender and code hashes")
    chain.everything()
    setup(chain, "probe2")
    dispatch(chain)
    late(chain)
    chain.finish(folder)


def setup(chain, probe):
    chain.accounts("one", "two", "three", "empty", "plain")
    for account in ("one", "two", "three"):
        chain.deploy(account, probe)
    if probe == "probe0":
        chain.deploy("eosio", "probe0")
    chain.good(
        updateauth(
            "two", "active", "owner", authority(1, [(DEV, 1)], [("one", "eosio.code", 1), ("two", "eosio.code", 1)])
        )
    )
    chain.good(updateauth("one", "side", "active", sole(KEY)))
    chain.block()


def dispatch(chain):
    # No contract, no account, no such action.
    chain.push(action("empty", "anything", "empty", b"data"))
    chain.push(action("nobody", "anything", "empty"))
    chain.push(action("empty", "anything", []))
    chain.push(action("empty", "", "empty"))
    chain.push(action("empty", "anything", "empty@none"))
    chain.push(action("empty", "anything", ["empty", "empty"]))
    chain.push(action("empty", "anything", ["empty", "empty@owner"]))
    chain.push(action("eosio", "onblock", "eosio"))
    chain.push(action("eosio", "onerror", "eosio"))
    chain.push([action("empty", "a", "empty"), action("empty", "b", []), action("empty", "c", "plain")])

    # Notifications.
    note = lambda who: call("require_recipient", n(who))
    echo = (call("current_receiver"), row())
    chain.probe(
        "one", sections({"one": [note("two"), note("three"), note("two"), note("one"), *echo], "": [*echo]}), also=()
    )
    chain.probe(
        "one",
        sections({"one": [note("two")], "two": [note("three"), *echo], "three": [note("empty"), note("one"), *echo]}),
    )
    chain.probe("one", note("nobody"))
    chain.probe("one", note(""))
    chain.probe("one", sections({"one": [note("two")], "two": [call("require_auth", n("two"))]}))
    chain.probe("one", sections({"one": [note("two")], "two": [call("require_auth", n("one")), *echo]}))
    chain.probe(
        "one", sections({"one": [note("two")], "two": [call("has_auth", n("one")), call("has_auth", n("two")), *echo]})
    )
    chain.probe(
        "one",
        call("require_auth2", n("one"), n("active")),
        call("has_auth", n("one")),
        call("has_auth", n("two")),
        *echo,
    )
    chain.probe("one", call("require_auth2", n("one"), n("owner")))
    chain.probe("one", call("is_account", n("one")), call("is_account", n("nobody")), call("is_account", 0), *echo)
    chain.probe(
        "one", sections({"one": [note("two")], "two": [call("db_store_i64", n("s"), n("t"), n("one"), 7, AT, 8)]})
    )
    chain.probe(
        "one", sections({"one": [note("two")], "two": [call("db_store_i64", n("s"), n("t"), n("two"), 7, AT, 8)]})
    )

    # Inline actions.
    def go(code, act, kind="send_inline", caller="one", **rest):
        chain.probe(caller, *inline(act, kind), **rest)

    hello = run(*echo)
    go("one", action("one", "run", "one", run(call("current_receiver"), row())))
    go("one", action("two", "run", "one@active", hello))  # one has no eosio.code on its active
    go("one", action("two", "run", "two", run(call("current_receiver"), row())))
    go("one", action("two", "run", "two@owner", hello))
    go("one", action("two", "run", "three", hello))
    go("one", action("nobody", "run", "one", hello))
    go("one", action("two", "run", "nobody", hello))
    go("one", action("two", "run", "one@none", hello))
    go("one", action("two", "run", [], run(call("current_receiver"), row())))
    go("one", action("two", "run", "one@side", hello))
    go("one", action("eosio", "onerror", "one", hello))
    go("one", b"short")
    go("one", action("two", "run", "two", run(call("current_receiver"), row())) + b"trailing")
    go("two", action("one", "run", "two", run(call("current_receiver"), row())), caller="two")
    go(
        "eosio", action("one", "run", "three", run(call("current_receiver"), row())), caller="eosio"
    )  # privileged: no check
    chain.push(
        action("one", "run", "two", run(*inline(action("two", "run", "two", run(call("current_receiver"), row())))))
    )
    chain.push(action("one", "run", ["two", "three"], run(*inline(action("empty", "x", ["two", "three"], b"data")))))
    chain.push(
        action("one", "run", ["one", "three@owner"], run(*inline(action("empty", "x", ["one", "three"], b"data"))))
    )
    chain.probe("one", call("send_inline", END - 4, 8))
    chain.probe("one", call("send_inline", AT, 0))
    chain.probe("one", call("send_inline", AT, 600000))
    big = action("empty", "x", [], b"z" * 4200)
    chain.probe("one", poke(AT, big), call("send_inline", AT, len(big)))
    chain.probe("eosio", poke(AT, big), call("send_inline", AT, len(big)))
    limit = action("empty", "x", [], b"")
    chain.probe("eosio", poke(AT, limit), call("send_inline", AT, 60000))

    # The order of many, their ordinals and creators.
    leaf = lambda: run(call("current_receiver"), row())
    mixed = sections(
        {
            "one": [
                *inline(
                    action(
                        "two",
                        "run",
                        "two",
                        sections(
                            {
                                "two": [note("three"), *inline(action("empty", "deep", "two", b"d"))],
                                "three": [*inline(action("empty", "deeper", [], b"e"))],
                            }
                        ),
                    )
                ),
                note("three"),
                note("two"),
                *inline(action("empty", "second", [], b"s"), "send_context_free_inline"),
                *inline(action("three", "run", [], sections({"three": [note("empty"), note("one")], "": [*echo]}))),
            ],
            "three": [*inline(action("empty", "fromnote", [], b"n")), note("plain")],
            "two": [note("empty"), *inline(action("empty", "fromtwo", "two", b"n"))],
        }
    )
    chain.probe("one", mixed)

    # Depth: an action that sends itself again.
    def nest(levels):
        data = leaf()
        for _ in range(levels):
            data = run(*inline(action("two", "run", [], data)))
        return data

    for levels in (1, 3, 4, 5):
        chain.push(action("two", "run", "two", nest(levels)), note="%d levels" % levels)
    # Notifications chained, each by the one before.
    chain.accounts("na", "nb", "nc", "nd", "ne", "nf")
    for one in ("na", "nb", "nc", "nd", "ne", "nf"):
        chain.good(setcode(one, wasm("probe0")))
    line = ["na", "nb", "nc", "nd", "ne", "nf"]
    chain.probe("na", sections({a: [note(b)] for a, b in zip(line, line[1:])}))

    # Context-free actions.
    free = action(
        "one",
        "run",
        [],
        run(
            call("get_context_free_data", 0, AT, 16),
            call("get_context_free_data", 1, AT + 32, 4),
            call("get_context_free_data", 2, AT, 4),
            call("get_context_free_data", 0, AT, 0),
            peek(AT, 16),
            peek(AT + 32, 4),
            printed(),
        ),
    )
    paid = action("empty", "pay", "one", b"")
    chain.push([paid], free=[free], free_data=[b"first context free data", b"second"], covers=["get_context_free_data"])
    chain.push([paid], free=[free, free], free_data=[b"a"])
    chain.push([paid], free=[free])
    chain.push([paid], free_data=[b"alone"])
    chain.push([], free=[free], free_data=[b"x"])
    chain.push([paid], free=[action("one", "run", "one", run(printed()))], free_data=[b"x"])
    for function in ("current_time", "publication_time"):
        chain.push([paid], free=[action("one", "run", [], run(call(function)))], covers=[function])
    chain.push([paid], free=[action("one", "run", [], run(call("require_auth", n("one"))))], covers=["require_auth"])
    chain.push(
        [paid],
        free=[action("one", "run", [], run(call("db_find_i64", n("one"), n("one"), n("t"), 1)))],
        covers=["db_find_i64"],
    )
    chain.push([paid], free=[action("one", "run", [], run(call("is_account", n("one"))))], covers=["is_account"])
    chain.push(
        [paid], free=[action("one", "run", [], run(call("require_recipient", n("two"))))], covers=["require_recipient"]
    )
    chain.push(
        [paid], free=[action("one", "run", [], run(*inline(action("empty", "x", [], b""))))], covers=["send_inline"]
    )
    chain.push(
        [paid],
        free=[action("one", "run", [], run(*inline(action("empty", "x", [], b""), "send_context_free_inline")))],
        covers=["send_context_free_inline"],
    )
    chain.push([paid], free=[action("one", "run", [], run(call("is_privileged", n("one"))))], covers=["is_privileged"])
    chain.push(
        [paid],
        free=[
            action(
                "one",
                "run",
                [],
                run(
                    call("transaction_size"),
                    call("expiration"),
                    call("tapos_block_num"),
                    call("tapos_block_prefix"),
                    call("get_action", 0, 0, AT, 64),
                    peek(AT, 32),
                    call("get_action", 1, 0, AT, 64),
                    peek(AT, 32),
                    call("action_data_size"),
                    call("current_receiver"),
                    printed(),
                ),
            )
        ],
    )
    chain.push([paid], free=[action("empty", "x", [], b"free")])
    chain.push([paid], free=[action("eosio", "setabi", [], name("one") + blob(abi()))])
    chain.push([paid], free=[action("nobody", "x", [], b"free")])
    chain.probe("one", call("get_context_free_data", 0, AT, 16))
    chain.probe(
        "one", *inline(action("two", "run", [], run(call("current_receiver"), printed())), "send_context_free_inline")
    )
    chain.probe("one", *inline(action("two", "run", "one", run(printed())), "send_context_free_inline"))
    chain.probe(
        "one", *inline(action("two", "run", [], run(call("require_auth", n("one")))), "send_context_free_inline")
    )
    chain.probe(
        "one",
        *inline(
            action("two", "run", [], run(call("get_context_free_data", 0, AT, 4), printed())),
            "send_context_free_inline",
        ),
    )
    chain.probe("one", *inline(action("nobody", "run", [], b""), "send_context_free_inline"))
    chain.probe("one", *inline(b"short", "send_context_free_inline"))

    # The transaction as the contract sees it.
    chain.probe(
        "one",
        call("read_transaction", AT, 0),
        call("transaction_size"),
        call("read_transaction", AT, 48),
        peek(AT, 48),
        call("expiration"),
        call("tapos_block_num"),
        call("tapos_block_prefix"),
        call("get_action", 1, 0, AT, 30),
        peek(AT, 30),
        call("get_action", 1, 0, AT, 0),
        call("get_action", 1, 5, AT, 30),
        call("current_time"),
        call("publication_time"),
        row(),
    )
    for kind, index in ((0, 0), (0, 1), (1, 1), (1, 5), (1, 0xFFFFFFFF), (2, 0), (0x80000000, 0)):
        chain.probe("one", call("get_action", kind, index, AT, 30), row())
    chain.probe("one", call("get_action", 1, 0, END - 4, 30))
    chain.probe(
        "one",
        call("transaction_size"),
        call("expiration"),
        call("tapos_block_num"),
        call("tapos_block_prefix"),
        call("current_time"),
        call("publication_time"),
        call("action_data_size"),
        row(),
    )
    chain.probe("one", call("get_action", 3, 0, AT, 30))
    chain.probe("one", call("get_action", 0xFFFFFFFF, 0, AT, 30))
    chain.probe("one", call("read_transaction", END - 2, 48))
    chain.probe("one", call("read_transaction", END, 48))
    chain.probe("one", call("read_action_data", END - 2, 48))
    chain.probe(
        "one",
        call("read_action_data", AT, 8),
        peek(AT, 8),
        call("read_action_data", AT, 0),
        call("read_action_data", AT, 100000),
        row(),
    )

    # Leaving early, and failing in words.
    chain.probe("one", call("eosio_exit", 0), trap())
    chain.probe("one", call("db_store_i64", n("s"), n("ex"), n("one"), 7, AT, 8), call("eosio_exit", 5))
    chain.probe("one", sections({"one": [note("two"), call("eosio_exit", 1)], "two": [*echo]}))
    chain.probe("one", call("abort"))
    chain.probe("one", trap())
    chain.probe("one", poke(AT, b"a message\0rest"), call("eosio_assert", 0, AT))
    chain.probe("one", poke(AT, b"a message\0rest"), call("eosio_assert", 1, AT))
    chain.probe("one", poke(AT, b"\0"), call("eosio_assert", 0, AT))
    chain.probe("one", poke(AT, b"\xff\xfe bad utf8 \x01\x02\0"), call("eosio_assert", 0, AT))
    chain.probe("one", poke(AT, "gr\u00fc\u00df dich \u2603 \U0001f600\0".encode()), call("eosio_assert", 0, AT))
    chain.probe("one", poke(AT, b"m" * 3000 + b"\0"), call("eosio_assert", 0, AT))
    chain.probe("one", poke(AT, b"a ${message} with $ signs\0"), call("eosio_assert", 0, AT))
    chain.probe("one", call("eosio_assert", 0, END))
    chain.probe("one", call("eosio_assert", 1, END + 5))
    chain.probe("one", poke(END - 4, b"mmmm"), call("eosio_assert", 0, END - 4))
    chain.probe("one", poke(AT, b"with length"), call("eosio_assert_message", 0, AT, 11))
    chain.probe("one", poke(AT, b"with\0length"), call("eosio_assert_message", 0, AT, 11))
    chain.probe("one", poke(AT, b"with\xff\xfflength"), call("eosio_assert_message", 0, AT, 12))
    chain.probe("one", call("eosio_assert_message", 0, AT, 0))
    chain.probe("one", poke(AT, b"l" * 2000), call("eosio_assert_message", 0, AT, 2000))
    chain.probe("one", call("eosio_assert_message", 1, AT, 100))
    chain.probe("one", call("eosio_assert_message", 1, END, 100))
    chain.probe("one", call("eosio_assert_message", 0, END, 100))
    chain.probe("one", call("eosio_assert_code", 0, 7))
    chain.probe("one", call("eosio_assert_code", 0, 8000000000000000000))
    chain.probe("one", call("eosio_assert_code", 0, 9999999999999999999))
    chain.probe("one", call("eosio_assert_code", 0, 10000000000000000000))
    chain.probe("one", call("eosio_assert_code", 0, 0xFFFFFFFFFFFFFFFF))
    chain.probe("one", call("eosio_assert_code", 1, 7))
    chain.probe("one", sections({"one": [note("two")], "two": [poke(AT, b"in a note\0"), call("eosio_assert", 0, AT)]}))
    chain.probe(
        "two", *inline(action("three", "run", "two", run(poke(AT, b"in an inline\0"), call("eosio_assert", 0, AT))))
    )
    chain.probe("two", poke(AT, b"said before\0"), call("prints", AT), call("eosio_assert_code", 0, 77))
    chain.block(2)


def late(chain):
    """What exists only with features."""
    chain.probe("one", poke(AT, b"returned value"), call("set_action_return_value", AT, 14))
    chain.probe(
        "one",
        poke(AT, b"returned value"),
        call("set_action_return_value", AT, 14),
        call("set_action_return_value", AT, 4),
    )
    chain.probe("one", call("set_action_return_value", AT, 0))
    chain.probe("one", call("set_action_return_value", AT, 256))
    chain.probe("one", call("set_action_return_value", AT, 257))
    chain.probe("one", call("set_action_return_value", END - 5, 10))
    chain.probe("one", call("set_action_return_value", AT, 100000))
    sender = run(call("get_sender"), call("current_receiver"), row())
    chain.push(action("two", "run", "two", sender), covers=["get_sender"])
    chain.probe("two", *inline(action("three", "run", "two", run(call("get_sender"), row()))))
    chain.probe(
        "one",
        sections(
            {
                "one": [call("require_recipient", n("two"))],
                "two": [
                    call("get_sender"),
                    row(),
                    *inline(action("three", "run", "two", run(call("get_sender"), row()))),
                ],
            }
        ),
    )
    chain.probe(
        "two",
        *inline(
            action(
                "three",
                "run",
                "two",
                sections(
                    {
                        "three": [call("require_recipient", n("one")), call("get_sender"), row()],
                        "one": [call("get_sender"), row()],
                    }
                ),
            )
        ),
    )
    chain.push(
        [action("empty", "pay", "one", b"")],
        free=[action("one", "run", [], run(call("get_sender")))],
        covers=["get_sender"],
    )
    chain.push(
        [action("empty", "pay", "one", b"")],
        free=[action("one", "run", [], run(call("set_action_return_value", AT, 3)))],
        covers=["set_action_return_value"],
    )
    chain.push(
        [action("empty", "pay", "one", b"")],
        free=[action("one", "run", [], run(call("get_block_num"), printed()))],
        covers=["get_block_num"],
    )
    chain.probe("one", call("get_block_num"), row())
    for account in ("one", "empty", "nobody", "eosio", "na"):
        chain.probe(
            "one",
            call("get_code_hash", n(account), 0, AT, 0),
            call("get_code_hash", n(account), 0, AT, 43),
            peek(AT, 43),
            row(),
        )
    chain.probe("one", call("get_code_hash", n("one"), 1, AT, 64), peek(AT, 43), row())
    chain.probe("one", call("get_code_hash", n("one"), 0xFFFFFFFF, AT, 42), peek(AT, 43), row())
    chain.probe("one", call("get_code_hash", n("one"), 0, END - 10, 43))
    chain.block()


def record_headers(folder):
    chain = World(
        "headers", "transaction headers: expiry, TaPoS, duplicates, compression, signatures, extensions, limits"
    )
    chain.accounts("one", "two")
    chain.block(5)
    act = lambda text=b"": action("one", "hi", "one", text)
    go = chain.push
    go(act(), expires=chain.now())
    go(act(), expires=chain.now() - 1)
    go(act(), expires=chain.now() + 1)
    go(act(), expires=chain.now() + 3600)
    go(act(), expires=chain.now() + 3601)
    go(act(), expires=0)
    go(act(), expires=0xFFFFFFFF)
    go(act(b"tapos"), reference=(0, 0))
    go(act(b"tapos"), reference=(1, 7))
    go(act(b"tapos"), reference=(60000, 0))
    go(act(b"tapos"), reference=chain.reference(1))
    go(act(b"tapos"), reference=chain.reference(3))
    again = chain.build([act(b"again")])
    chain.send(again)
    chain.send(again)
    chain.block()
    chain.send(again)
    small = chain.build([act(b"soon")], expires=chain.now() + 2)
    chain.send(small)
    chain.block(2)
    chain.send(small)
    chain.block(3)
    chain.send(small)
    go(act(b"z" * 300), compress=True)
    go([act(b"z" * 300)], compress=True, free=[action("one", "f", [], b"")], free_data=[b"data" * 100])
    go(act(b"z" * 300), compress=False)
    raw = wire.transaction(chain.now() + 60, chain.reference(), [act(b"raw")])
    sign = lambda data, key=DEV, extra=bytes(32): key.sign(sha256(chain.id + data + extra))
    other = K1("other")
    chain.send(packed(raw))  # no signature
    chain.send(packed(raw, [sign(raw, other)]))
    chain.send(packed(raw, [sign(raw), sign(raw, other)]))
    chain.send(packed(raw, [sign(raw), sign(raw)]))
    chain.send(packed(raw + b"tail", [sign(raw)]))
    chain.send(packed(raw + b"tail", [sign(raw + b"tail")]))
    chain.send(packed(raw[:-1], [sign(raw)]))
    chain.send(packed(b"", [sign(raw)]))
    good = sign(raw)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (
        bytes([good[0], (good[1] - 31 ^ 1) + 31])
        + good[2:34]
        + (order - int.from_bytes(good[34:], "big")).to_bytes(32, "big")
    )
    chain.send(packed(raw, [high]))
    chain.send(packed(raw, [good[:1] + bytes([27 + good[1] - 31]) + good[2:]]))
    chain.send(packed(raw, [good[:1] + bytes([good[1] ^ 1]) + good[2:]]))
    chain.send(packed(raw, [good[:1] + b"\0" + good[2:]]))
    chain.send(packed(raw, [good[:1] + b"\xff" + good[2:]]))
    chain.send(packed(raw, [good[:2] + bytes(64)]))
    chain.send(packed(raw, [b"\3" + good[1:]]))
    chain.send(packed(raw, [good]))
    chain.send(packed(raw, [good]))
    squeezed = packed(raw, [good], compress=True)
    chain.send(squeezed)
    fresh = wire.transaction(chain.now() + 61, chain.reference(), [act(b"fresh")])
    ok = sign(fresh)
    chain.send(many([ok]) + u8(1) + blob(b"") + blob(b"not zlib"))
    chain.send(many([ok]) + u8(2) + blob(b"") + blob(fresh))
    chain.send(many([ok]) + u8(1) + blob(b"") + blob(wire.zlib.compress(fresh)[:-3]))
    chain.send(many([ok]) + u8(1) + blob(b"") + blob(wire.zlib.compress(fresh) + b"after"))
    chain.send(many([ok]) + u8(1) + blob(b"") + blob(wire.zlib.compress(bytes(2 << 20), 9)))
    chain.send(many([ok]) + u8(0) + blob(b"\5ab") + blob(fresh))
    for kind, data in ((0, b""), (1, b"x"), (9, b"y")):
        go(act(b"extension"), extensions=[(kind, data)])
    go(act(b"words"), net_words=1)
    go(act(b"words"), net_words=100)
    go(act(b"words"), net_words=0xFFFFFFFF)
    go(act(b"ms"), cpu_ms=1, cpu=900)
    go(act(b"ms"), cpu_ms=1, cpu=1001)
    go(act(b"ms"), cpu_ms=255, cpu=200)
    go(act(b"ms"), cpu=50)
    go(act(b"ms"), cpu=0)
    go(act(b"ms"), cpu=150000)
    go(act(b"ms"), cpu=150001)
    go(act(b"delay"), delay=1)
    go(act(b"delay"), delay=3888000)
    go(act(b"delay"), delay=3888001)
    go([], delay=0)
    go([action("one", "hi", [])])
    go([act(b"a" * 100000), act(b"b" * 100000)])
    go([act(b"a" * 600000)])
    go([act(b"a" * 524000)])
    go([act(str(number).encode()) for number in range(100)])
    chain.block(2)
    chain.finish(folder)
