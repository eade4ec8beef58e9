"""Authority shapes: weights, nesting, cycles, depth, waits, eosio.code, R1 and WebAuthn keys, and checks by contracts."""

import wire
from probe import AT, END, call, poke, row
from wire import (
    DEV,
    K1,
    R1,
    WebAuthn,
    action,
    authority,
    blob,
    many,
    n,
    name,
    packed,
    sha256,
    sole,
    u16,
)
from world import World, linkauth, newaccount, setcode, updateauth, wasm

KEYS = sorted((K1("a%d" % number) for number in range(12)), key=lambda key: key.public)
A, B, C, D, E, F = KEYS[:6]


def record_authorities(folder):
    chain = World("authorities", "authority shapes, delays and checks of authority by contracts, without features")
    play(chain, "probe0")
    chain.finish(folder)


def record_authorities_all(folder):
    chain = World("authorities_all", "the same with every feature, R1 and WebAuthn keys")
    chain.everything()
    play(chain, "probe2")
    webauthn(chain)
    chain.finish(folder)


def play(chain, probe):
    chain.accounts("one", "two", "three", "base")
    chain.good(setcode("one", wasm(probe)))
    hit = lambda who, keys, **rest: chain.push(action("base", "hit", who), keys=keys, **rest)

    # Weights and thresholds.
    chain.good(updateauth("two", "active", "owner", authority(3, [(A, 1), (B, 2), (C, 3)])))
    for keys in ([A], [B], [C], [A, B], [A, C], [A, B, C], [B, C], [D], [], [A, B, D], [DEV]):
        hit("two", keys)
        hit("two@owner", keys)
    hit("two", [B, A])
    hit("two", [A, A, B])
    # Accounts in authorities.
    chain.good(
        updateauth("three", "active", "owner", authority(2, [(D, 1)], [("two", "active", 1), ("two", "owner", 2)]))
    )
    for keys in ([C, D], [DEV], [D], [A, B, D], [D, DEV], [C], [A, D], [C, D, E]):
        hit("three", keys)
    hit(["two", "three"], [C, D])
    hit(["three", "two"], [D, C])
    hit(["two@owner", "three"], [DEV])
    # Nesting down to the depth limit and past it.
    line = ["la", "lb", "lc", "ld", "le", "lf", "lg", "lh"]
    chain.accounts(*line)
    for lower, upper in zip(line, line[1:]):
        chain.good(updateauth(upper, "active", "owner", authority(1, [(E, 1)], [(lower, "active", 1)])))
    chain.good(updateauth("la", "active", "owner", sole(F)))
    for one in line:
        hit(one, [F])
        hit(one, [E])
    # Cycles.
    chain.accounts("ca", "cb", "cc")
    chain.good(updateauth("ca", "active", "owner", authority(1, [(A, 1)], [("cb", "active", 1)])))
    chain.good(updateauth("cb", "active", "owner", authority(1, [(B, 1)], [("cc", "active", 1)])))
    chain.good(updateauth("cc", "active", "owner", authority(1, [(C, 1)], [("ca", "active", 1)])))
    for keys in ([A], [B], [C], [D]):
        for one in ("ca", "cb", "cc"):
            hit(one, keys)
    # The same key reached on two ways; the same account twice.
    chain.accounts("da", "db")
    chain.good(updateauth("da", "active", "owner", authority(2, [(A, 1)], [("db", "active", 1)])))
    chain.good(updateauth("db", "active", "owner", sole(A)))
    hit("da", [A])
    hit("da", [A, B])
    # Parents stand for children.
    chain.good(updateauth("base", "pub", "active", sole(A)))
    chain.good(updateauth("base", "sub", "pub", sole(B)))
    chain.good(linkauth("base", "base", "hit", "sub"))
    for level in ("base@sub", "base@pub", "base@active", "base@owner"):
        for keys in ([A], [B], [DEV], [A, B]):
            hit(level, keys)
    chain.good(linkauth("base", "base", "", "pub"))
    for level in ("base@sub", "base@pub", "base@active"):
        chain.push(action("base", "other", level), keys=[B])
        chain.push(action("base", "other", level), keys=[A])
    chain.block()
    # Waits.
    chain.accounts("wa", "wb")
    chain.good(updateauth("wa", "active", "owner", authority(2, [(A, 1)], [], [(2, 1), (10, 2)])))
    chain.good(updateauth("wb", "active", "owner", authority(2, [(B, 1)], [("wa", "active", 1)], [(5, 1)])))
    for delay in (0, 1, 2, 3, 10, 11):
        hit("wa", [A], delay=delay)
        hit("wa", [], delay=delay)
        hit("wb", [B], delay=delay)
        hit("wb", [A, B], delay=delay)
        hit("wb", [A], delay=delay)
    hit(["wa", "wb"], [A, B], delay=5)
    chain.good(updateauth("wa", "slow", "active", authority(1, [(C, 1)], [], []), level="wa@owner"))
    chain.good(linkauth("wa", "base", "hit", "slow", level="wa@owner"))
    hit("wa@slow", [C], delay=4)
    chain.block(slots=3)
    chain.run_due()
    chain.block(slots=10)
    chain.run_due()
    # A delayed transaction whose authority has changed by the time it runs still runs.
    hit("wa@slow", [C], delay=6)
    chain.good(action("base", "gone", "wa@owner"), delay=6)
    chain.good(updateauth("wa", "owner", "", sole(D), level="wa@owner"))
    chain.block(slots=20)
    chain.run_due()
    # Many signatures.
    chain.good(newaccount("one", "many", authority(12, [(key, 1) for key in KEYS]), sole(DEV)))
    hit("many@owner", KEYS)
    hit("many@owner", KEYS[:11])
    hit("many@owner", list(reversed(KEYS)))
    chain.block()
    checks(chain)
    chain.block()
    r1(chain)
    chain.block(2)


def checks(chain):
    """check_transaction_authorization, check_permission_authorization, last use and creation times."""

    def go(*parts, **rest):
        chain.probe("one", *parts, **rest)

    def permission(account, level, keys=b"", levels=b"", delay=0):
        return (
            poke(AT, keys),
            poke(AT + 1024, levels),
            call("check_permission_authorization", n(account), n(level), AT, len(keys), AT + 1024, len(levels), delay),
        )

    def keys(*all_keys):
        return many(key.public for key in sorted(all_keys, key=lambda key: key.public))

    levels = lambda *pairs: many(name(actor) + name(level) for actor, level in pairs)
    for held in (keys(A), keys(B), keys(A, B), keys(C), keys(A, B, C), keys(D), keys(), b""):
        go(*permission("two", "active", held), row())
        go(*permission("three", "active", held), row())
    go(*permission("three", "active", keys(D), levels(("two", "active"))), row())
    go(*permission("three", "active", keys(), levels(("two", "owner"))), row())
    go(*permission("three", "active", keys(D), levels(("two", ""))), row())
    go(*permission("three", "active", keys(D), levels(("", "active"))), row())
    go(*permission("three", "active", keys(D), levels(("", ""))), row())
    go(*permission("two", "active", keys(), levels(("two", "owner"))), row())
    go(*permission("two", "active", keys(), levels(("two", "active"))), row())
    for delay in (0, 1_999_999, 2_000_000, 10_000_000, 1 << 62, (1 << 64) - 1):
        go(*permission("wa", "active", keys(A), b"", delay), row())
    go(*permission("nobody", "active", keys(A)))
    go(*permission("two", "none", keys(A)))
    go(*permission("two", "active", keys(A)[:-1]))
    go(*permission("two", "active", keys(A) + b"tail"))
    go(*permission("two", "active", many([A.public, A.public])), row())
    go(*permission("two", "active", many([C.public, A.public])), row())
    go(poke(AT, keys(A)), call("check_permission_authorization", n("two"), n("active"), END - 4, 30, 0, 0, 0))
    go(*permission("two", "active", b"\x00"), row())

    def transaction(trx, held=b"", by=b""):
        return (
            poke(AT, trx),
            poke(AT + 4096, held),
            poke(AT + 8192, by),
            call("check_transaction_authorization", AT, len(trx), AT + 4096, len(held), AT + 8192, len(by)),
        )

    make = lambda *acts, **rest: wire.transaction(0, (0, 0), list(acts), **rest)
    for held in (keys(A), keys(C), keys(A, B), keys(C, D), b""):
        go(*transaction(make(action("base", "hit", "two")), held), row())
        go(*transaction(make(action("base", "hit", "two"), action("base", "hit", "three")), held), row())
    go(*transaction(make(action("base", "hit", "two")), keys(), levels(("two", "active"))), row())
    go(*transaction(make(action("base", "hit", [])), keys()), row())
    go(*transaction(make(), keys()), row())
    go(*transaction(make(action("base", "hit", "wa@slow"), delay=10), keys(C)), row())
    go(*transaction(make(action("base", "hit", "wa"), delay=2), keys(A)), row())
    go(*transaction(make(action("base", "hit", "nobody")), keys(A)), row())
    go(*transaction(make(action("base", "hit", "two@none")), keys(A)), row())
    go(*transaction(make(updateauth("two", "active", "owner", sole(A))), keys(C)), row())
    go(*transaction(b"rubbish", keys(C)))
    go(*transaction(make(action("base", "hit", "two")) + b"tail", keys(C)), row())
    used = lambda account, level: call("get_permission_last_used", n(account), n(level))
    go(used("two", "active"), used("two", "owner"), used("one", "active"), used("base", "sub"), row())
    go(used("nobody", "active"))
    go(used("two", "none"))
    go(*[call("get_account_creation_time", n(one)) for one in ("one", "two", "eosio", "many")], row())
    go(call("get_account_creation_time", n("nobody")))


def r1(chain):
    key, other = R1("auth"), R1("other")
    chain.good(
        newaccount(
            "one",
            "rr",
            sole(key),
            authority(2, sorted([(key, 1), (A, 1), (other, 1)], key=lambda pair: pair[0].public)),
        )
    )
    hit = lambda who, keys: chain.push(action("base", "hit", who), keys=keys)
    for keys in ([key], [other], [A], [key, A], [A, other], [key, other], [key, other, A], [A, A]):
        hit("rr", keys)
        hit("rr@owner", keys)
    raw = wire.transaction(chain.now() + 700, chain.reference(), [action("base", "hit", "rr@owner")])
    digest = sha256(chain.id + raw + bytes(32))
    high = b"\1" + key.compact(digest, low=False)
    chain.send(packed(raw, [high]))
    chain.send(packed(raw, [b"\1" + bytes(65)]))
    good = key.sign(digest)
    chain.send(packed(raw, [good[:1] + bytes([27 + good[1] - 31]) + good[2:]]))
    for first in (0, 26, 35, 255):
        chain.send(packed(raw, [good[:1] + bytes([first]) + good[2:]]))
    chain.send(packed(raw, [good]))


def webauthn(chain):
    keys = {presence: WebAuthn("auth%d" % presence, presence=presence) for presence in (0, 1, 2)}
    far = WebAuthn("far", site="other.example")
    for presence, key in keys.items():
        chain.good(newaccount("one", "w%d" % (presence + 1), sole(key), sole(key)), covers=["newaccount"])
    chain.good(
        newaccount(
            "one",
            "wmix",
            sole(DEV),
            authority(2, sorted([(keys[1], 1), (far, 1), (A, 1)], key=lambda pair: pair[0].public)),
        ),
        covers=["newaccount"],
    )
    chain.push(
        newaccount(
            "one",
            "wbad",
            b"\1\0\0\0\1" + b"\2" + keys[1].compressed() + b"\3" + blob("site") + u16(1) + b"\0\0",
            sole(DEV),
        )
    )
    chain.push(
        newaccount(
            "one",
            "wbadder",
            b"\1\0\0\0\1" + b"\2" + keys[1].compressed() + b"\1" + blob("") + u16(1) + b"\0\0",
            sole(DEV),
        )
    )
    hit = lambda who, held: chain.push(action("base", "hit", who), keys=held)
    for presence, key in keys.items():
        hit("w%d" % (presence + 1), [key])
    hit("w1", [keys[1]])
    hit("wmix", [keys[1], far])
    hit("wmix", [far, A])
    hit("wmix", [far])
    key = keys[1]
    count = [0]

    def odd(who="w2", key=key, packer=None, **change):
        count[0] += 1
        raw = wire.transaction(chain.now() + 900 + count[0], chain.reference(), [action("base", "hit", who)])
        digest = sha256(chain.id + raw + bytes(32))
        signature = key.sign(digest, **change)
        chain.send(packed(raw, [packer(signature) if packer else signature]))

    odd()
    for flags in (0, 1, 4, 5, 0x41, 0xFF):
        odd(flags=flags)
        odd("w3", keys[2], flags=flags)
        odd("w1", keys[0], flags=flags)
    odd(kind="webauthn.create")
    odd(origin="http://boreas.example")
    odd(origin="https://boreas.example:8443")
    odd(origin="https://boreas.example:")
    odd(origin="https://sub.boreas.example")
    odd(origin="https://other.example")
    odd(origin="https://boreas.example/path")
    odd(rpid="other.example")
    odd(challenge=bytes(32))
    odd(extra=',"crossOrigin":false')
    odd(extra=',"type":"webauthn.get"')
    odd(extra=',"deep":{"type":"x","list":[1,2,{"challenge":"y"}]}')
    odd(extra=',"bad":')
    odd(extra=',"number":1e5,"nul":null,"text":"\\u00e9"')
    odd(packer=lambda signature: signature + b"")
    odd(packer=lambda signature: signature[:1] + bytes([27 + signature[1] - 31]) + signature[2:])
    odd(packer=lambda signature: signature[:66] + signature[67:])
    odd(packer=lambda signature: signature[:66] + blob(bytes(36)) + signature[66 + 38 :])
    odd(packer=lambda signature: signature[:66] + blob(signature[67:100]) + signature[67 + 37 :])
    odd(extra=',"padding":"' + "p" * 3000 + '"')
    odd(extra=',"padding":"' + "p" * 17000 + '"')
    chain.block(2)
