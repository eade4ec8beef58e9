"""The native actions with all their failures, with features off and on."""

from wire import DEV, K1, R1, WebAuthn, action, authority, name, sole
from world import (
    World,
    abi,
    canceldelay,
    deleteauth,
    linkauth,
    newaccount,
    setabi,
    setcode,
    unlinkauth,
    updateauth,
    wasm,
)

KEYS = sorted((K1(number) for number in range(12)), key=lambda key: key.public)
TINY = bytes.fromhex(
    "0061736d010000000108016000036e7e7e7e00".replace("6000036e7e7e7e00", "60037e7e7e00").replace("0108", "0107")
    + "030201000709010561 70706c790000".replace(" ", "")
    + "0a040102000b"
)


def record_natives(folder):
    chain = World("natives", "native actions and their failures, without any feature")
    natives(chain)
    chain.finish(folder)


def record_natives_all(folder):
    chain = World("natives_all", "native actions and their failures, with every feature active")
    chain.everything()
    chain.block()
    natives(chain)
    chain.finish(folder)


def natives(chain):
    newaccounts(chain)
    chain.block()
    codes(chain)
    chain.block()
    permissions(chain)
    chain.block()
    links(chain)
    chain.block()
    delays(chain)
    chain.block(3)


def newaccounts(chain):
    def go(act, ok=True, **rest):
        chain.native(act, "newaccount", ok, **rest)

    go(newaccount("eosio", "alice"))
    go(newaccount("eosio", "bob", sole(KEYS[0]), sole(KEYS[1])))
    go(newaccount("alice", "carol"))
    go(newaccount("eosio", "abcdefghijkl"))
    go(newaccount("eosio", "a"))
    go(newaccount("eosio", "eosio.x"))
    go(newaccount("eosio", "dot.name.a"))
    go(newaccount("eosio", "alice"), False)
    go(newaccount("eosio", ""), False)
    go(newaccount("eosio", "abcdefghijklj"), False)  # 13 characters
    go(newaccount("alice", "eosio.y"), False)
    go(newaccount("alice", "a.b"))
    go(newaccount("alice", "x" * 12, authority(0, [(DEV, 1)])), False)
    go(newaccount("alice", "x" * 12, authority(2, [(DEV, 1)])), False)
    go(newaccount("alice", "x" * 12, sole(DEV), authority(2, [(DEV, 1)])), False)
    go(newaccount("alice", "x" * 12, authority(1)), False)
    go(newaccount("alice", "x" * 12, authority(1, [(KEYS[1], 1), (KEYS[0], 1)])), False)  # unsorted
    go(newaccount("alice", "x" * 12, authority(1, [(KEYS[0], 1), (KEYS[0], 1)])), False)  # twice
    go(newaccount("alice", "x" * 12, authority(1, [(KEYS[0], 1)], [("nobody", "active", 1)])), False)
    go(newaccount("alice", "x" * 12, authority(1, [(KEYS[0], 1)], [("bob", "none", 1)])), False)
    go(newaccount("alice", "x" * 12, authority(1, [], [("bob", "active", 1), ("alice", "active", 1)])), False)
    go(newaccount("alice", "wait.a" + "x" * 6, authority(2, [(KEYS[0], 1)], [], [(10, 1), (5, 1)])), False)
    go(newaccount("alice", "waits", authority(2, [(KEYS[0], 1)], [], [(5, 1), (10, 1)])))
    go(newaccount("alice", "zerowait", authority(2, [(KEYS[0], 1)], [], [(0, 1), (10, 1)])), False)
    go(newaccount("alice", "longwait", authority(2, [(KEYS[0], 1)], [], [(3888001, 1)])))
    go(newaccount("alice", "maxwait", authority(2, [(KEYS[0], 1)], [], [(3888000, 1)])))
    go(
        newaccount(
            "alice",
            "rich",
            authority(
                3, [(KEYS[0], 1), (KEYS[1], 2), (KEYS[2], 3)], [("alice", "active", 1), ("bob", "owner", 2)], [(60, 1)]
            ),
        )
    )
    go(newaccount("alice", "codes", authority(1, [(KEYS[0], 1)], [("codes", "eosio.code", 1)])))
    go(newaccount("alice", "codesx", authority(1, [(KEYS[0], 1)], [("rich", "eosio.code", 1)])))
    go(newaccount("alice", "selfref", authority(1, [(KEYS[0], 1)], [("selfref", "active", 1)])))
    go(newaccount("alice", "wide", authority(0xFFFFFFFF, [(KEYS[0], 0xFFFF)])), False)
    go(newaccount("alice", "zeroweight", authority(1, [(KEYS[0], 0), (KEYS[1], 1)])))
    go(newaccount("alice", "wrongauth", level="bob"), False)
    go(newaccount("alice", "noauths", level=["alice", "bob"]), False, keys=[DEV])
    go(newaccount("alice", "twoauths", level=["alice", "carol"]))
    go(action("eosio", "newaccount", "alice", name("alice") + name("short")), False)
    go(action("eosio", "newaccount", "alice", b""), False)
    go(action("eosio", "newaccount", "alice", name("alice") + name("extra") + sole(DEV) + sole(DEV) + b"extra bytes"))
    go(newaccount("nobody", "orphan"), False)
    go(newaccount("alice", "r1acc", sole(R1(1)), sole(R1(2))))
    go(newaccount("alice", "waacc", sole(WebAuthn(1)), sole(DEV)), ok=chain.title == "natives_all")


def codes(chain):
    def go(act, ok=True, **rest):
        chain.native(act, "setcode", ok, **rest)

    go(setcode("alice", TINY))
    go(setcode("alice", TINY), False)  # the same again
    go(setcode("alice", b""))
    go(setcode("alice", b""), False)
    go(setcode("alice", b"\0asm"), False)
    go(setcode("alice", b"rubbish"), False)
    go(setcode("alice", TINY, kind=1), False)
    go(setcode("alice", TINY, version=1), False)
    go(setcode("alice", b"", kind=1), False)
    go(setcode("nobody", TINY, level="alice"), False)
    go(setcode("bob", TINY, level="alice"), False)
    go(setcode("alice", wasm("probe0")))
    go(setcode("carol", wasm("probe0")))  # a second reference to the same code
    go(setcode("alice", b""))
    go(setcode("alice", wasm("numeric")))
    chain.good([setcode("a", TINY), setabi("a", abi())], covers=["setcode", "setabi"])
    chain.good([setcode("a", b""), setcode("a", TINY)], covers=["setcode"])

    def go(act, ok=True, **rest):
        chain.native(act, "setabi", ok, **rest)

    go(setabi("alice", abi()))
    go(setabi("alice", abi()))
    go(setabi("alice", b""))
    go(setabi("alice", b"not an abi at all"))
    go(setabi("alice", b"x" * 5000))
    go(setabi("alice", b"y" * 10))
    go(setabi("nobody", abi(), level="alice"), False)
    go(setabi("bob", abi(), level="alice"), False)
    go(action("eosio", "setabi", "alice", name("alice")), False)


def permissions(chain):
    def go(act, ok=True, **rest):
        chain.native(act, "updateauth", ok, **rest)

    key = sole(KEYS[3])
    go(updateauth("alice", "active", "owner", sole(DEV)))
    go(updateauth("alice", "trade", "active", key))
    go(updateauth("alice", "trade", "active", authority(2, [(KEYS[2], 1), (KEYS[3], 1)])))
    go(updateauth("alice", "child", "trade", key))
    go(updateauth("alice", "grand", "child", key))
    go(updateauth("alice", "sibling", "active", key))
    go(updateauth("alice", "trade", "owner", key), False)  # a parent cannot change
    go(updateauth("alice", "trade", "owner", key, level="alice@owner"), False)
    go(updateauth("alice", "newone", "nosuch", key), False)
    go(updateauth("alice", "newone", "", key), False)
    go(updateauth("alice", "", "active", key), False)
    go(updateauth("alice", "newone", "newone", key), False)
    go(updateauth("alice", "owner", "active", key, level="alice@owner"), False)
    go(updateauth("alice", "owner", "", sole(DEV), level="alice@owner"))
    go(updateauth("alice", "owner", "", sole(DEV)), False)  # active cannot change owner
    go(updateauth("alice", "active", "", sole(DEV)), False)
    go(updateauth("alice", "active", "trade", sole(DEV)), False)
    go(updateauth("alice", "eosio.bad", "active", key), False)
    go(updateauth("alice", "newone", "active", authority(0, [(DEV, 1)])), False)
    go(updateauth("alice", "newone", "active", authority(1, [], [("alice", "newone", 1)])), False)
    go(updateauth("alice", "newone", "active", authority(1, [], [("alice", "trade", 1)])))
    go(updateauth("alice", "newone", "active", authority(1, [(KEYS[0], 1)], [("nobody", "active", 1)])), False)
    go(updateauth("alice", "newone", "active", authority(1, [(KEYS[0], 1)], [("bob", "nosuch", 1)])), False)
    go(updateauth("alice", "newone", "active", authority(1, [(KEYS[0], 1)], [("bob", "eosio.code", 1)])))
    go(updateauth("alice", "newone", "active", authority(1, [(KEYS[0], 1)], [("nobody", "eosio.code", 1)])), False)
    go(updateauth("nobody", "newone", "active", key, level="alice"), False)
    go(updateauth("bob", "newone", "active", key, level="alice"), False)
    go(updateauth("alice", "newone", "active", key, level="alice@trade"), False, keys=[KEYS[3], KEYS[2]])
    go(updateauth("alice", "grand", "child", sole(KEYS[4]), level="alice@trade"), keys=[KEYS[3], KEYS[2]])
    go(updateauth("alice", "child", "trade", sole(KEYS[4]), level="alice@grand"), False, keys=[KEYS[4]])
    go(updateauth("alice", "fresh", "trade", sole(KEYS[4]), level="alice@trade"), keys=[KEYS[3], KEYS[2]])
    go(updateauth("alice", "fresher", "trade", sole(KEYS[4]), level="alice@fresh"), False, keys=[KEYS[4]])
    go(
        updateauth("alice", "trade", "active", authority(1, [(one, 1) for one in KEYS]), level=["alice", "bob"]),
        False,
        keys=[DEV, KEYS[1]],
    )
    go(action("eosio", "updateauth", "alice", name("alice") + name("trade") + name("active")), False)

    def go(act, ok=True, **rest):
        chain.native(act, "deleteauth", ok, **rest)

    go(deleteauth("alice", "trade"), False)  # has children
    go(deleteauth("alice", "active"), False)
    go(deleteauth("alice", "owner"), False)
    go(deleteauth("alice", "owner", level="alice@owner"), False)
    go(deleteauth("alice", "nosuch"), False)
    go(deleteauth("alice", ""), False)
    go(deleteauth("bob", "active", level="alice"), False)
    go(deleteauth("alice", "grand", level="alice@sibling"), False, keys=[KEYS[3]])
    go(deleteauth("alice", "grand", level="alice@grand"), False, keys=[KEYS[4]])  # its use can no longer be noted
    go(deleteauth("alice", "grand"))
    go(deleteauth("alice", "child"))
    go(deleteauth("alice", "fresh"))
    go(linkauth("alice", "bob", "doit", "trade"))
    go(deleteauth("alice", "trade"), False)  # linked
    go(unlinkauth("alice", "bob", "doit"))
    go(deleteauth("alice", "newone", level=["alice", "bob"]), False, keys=[DEV, KEYS[1]])
    go(deleteauth("alice", "newone"))
    go(deleteauth("alice", "trade"))


def links(chain):
    def go(act, ok=True, **rest):
        chain.native(act, "linkauth", ok, **rest)

    chain.good(updateauth("carol", "low", "active", sole(KEYS[5])))
    chain.good(updateauth("carol", "lower", "low", sole(KEYS[6])))
    go(linkauth("carol", "bob", "act", "low"))
    go(linkauth("carol", "bob", "act", "low"), False)  # no change
    go(linkauth("carol", "bob", "act", "lower"))
    go(linkauth("carol", "bob", "act", "active"))
    go(linkauth("carol", "bob", "act", "owner"))
    go(linkauth("carol", "bob", "", "low"))
    go(linkauth("carol", "bob", "any", "eosio.any"))
    go(linkauth("carol", "alice", "nosuch", "nosuch"), False)
    go(linkauth("carol", "nobody", "act", "low"), False)
    go(linkauth("carol", "bob", "act", ""), False)
    go(linkauth("carol", "eosio", "updateauth", "low"), False)
    go(linkauth("carol", "eosio", "deleteauth", "low"), False)
    go(linkauth("carol", "eosio", "linkauth", "low"), False)
    go(linkauth("carol", "eosio", "unlinkauth", "low"), False)
    go(linkauth("carol", "eosio", "canceldelay", "low"), False)
    fixed = chain.title == "natives_all"
    go(linkauth("carol", "bob", "updateauth", "low"), fixed)  # FIX_LINKAUTH_RESTRICTION
    go(linkauth("carol", "eosio", "setabi", "low"))
    go(linkauth("carol", "eosio", "", "lower"))
    go(linkauth("alice", "bob", "act", "low"), fixed is False)  # ONLY_LINK_TO_EXISTING_PERMISSION decides the message
    go(linkauth("nobody", "bob", "act", "active", level="carol"), False)
    go(linkauth("bob", "alice", "act", "active", level="carol"), False)
    go(linkauth("carol", "alice", "act", "lower", level="carol@low"), False, keys=[KEYS[5]])
    go(linkauth("carol", "alice", "act", "lower", level=["carol", "bob"]), False, keys=[DEV, KEYS[1]])
    go(action("eosio", "linkauth", "carol", name("carol")), False)
    chain.good(setabi("carol", abi(), level="carol@low"), keys=[KEYS[5]], covers=["setabi"])
    chain.bad(setabi("carol", abi(), level="carol@lower"), keys=[KEYS[6]])
    chain.good(setcode("carol", TINY, level="carol@lower"), keys=[KEYS[6]], covers=["setcode"])
    chain.good(action("bob", "any", "carol@lower"), keys=[KEYS[6]])
    chain.bad(action("bob", "act", "carol@active"))
    chain.good(action("bob", "other", "carol@low"), keys=[KEYS[5]])
    chain.bad(action("bob", "other", "carol@lower"), keys=[KEYS[6]])

    def go(act, ok=True, **rest):
        chain.native(act, "unlinkauth", ok, **rest)

    go(unlinkauth("carol", "bob", "act", level="carol@low"), False, keys=[KEYS[5]])
    go(unlinkauth("carol", "bob", "act"), False)  # linked to owner
    go(unlinkauth("carol", "bob", "act", level="carol@owner"))
    go(unlinkauth("carol", "bob", "act"), False)
    go(unlinkauth("carol", "bob", "nosuch"), False)
    go(unlinkauth("carol", "nobody", "act"), False)
    go(unlinkauth("carol", "bob", "any", level="carol@low"), keys=[KEYS[5]])
    go(unlinkauth("carol", "bob", "any"), False)
    go(unlinkauth("carol", "bob", "", level="carol@low"), keys=[KEYS[5]])
    go(unlinkauth("carol", "eosio", ""))
    go(unlinkauth("carol", "eosio", "setabi"))
    go(unlinkauth("bob", "eosio", "setabi", level="carol"), False)
    go(action("eosio", "unlinkauth", "carol", name("carol")), False)
    go(deleteauth("carol", "lower"))
    go(deleteauth("carol", "low"), not fixed)
    if fixed:
        go(unlinkauth("carol", "bob", "updateauth"))
        go(deleteauth("carol", "low"))


def delays(chain):
    def go(act, ok=True, **rest):
        chain.native(act, "canceldelay", ok, **rest)

    def delayed(**rest):
        raw = chain.build([setabi("carol", b"later")], delay=10, **rest)
        step = chain.send(raw, covers=["setabi"])
        assert "fault" not in step["trace"], step
        return bytes.fromhex(step["trace"]["id"])

    first, second, third = delayed(), delayed(), delayed()
    go(canceldelay("carol", "active", bytes(32)), False)
    go(canceldelay("alice", "active", first, level="alice"), False)
    go(canceldelay("carol", "owner", first), False)
    go(canceldelay("carol", "owner", first, level="carol@owner"), False)
    go(canceldelay("carol", "nosuch", first), False)
    go(canceldelay("carol", "active", first, level="bob"), False, keys=[KEYS[1]])
    go(canceldelay("carol", "active", first, level="carol@owner"))
    go(canceldelay("carol", "active", first), False)
    go(canceldelay("carol", "active", second, level=["carol", "alice"]), False)
    go(canceldelay("carol", "active", second))
    go(action("eosio", "canceldelay", "carol", name("carol")), False)
    chain.block(slots=30)
    chain.run_due()
    go(canceldelay("carol", "active", third), False)
