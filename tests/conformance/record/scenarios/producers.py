"""Producer schedules: proposal, promotion, keys, weighted authorities with several signatures, confirmations."""

from probe import AT, END, call, peek, poke, row
from wire import K1, R1, WebAuthn, many, name, u16, u32, varuint
from world import World

KEYS = [K1("producer%d" % number) for number in range(8)]
NAMES = ["proda", "prodb", "prodc", "prodd", "prode"]


def legacy(*pairs):
    return many(name(who) + key.public for who, key in pairs)


def weighted(*entries):
    """(account, threshold, [(key, weight)]) with block signing authorities of variant 0."""
    return many(
        name(who) + varuint(0) + u32(threshold) + many(key.public + u16(weight) for key, weight in keys)
        for who, threshold, keys in entries
    )


def propose(chain, data, form=None, **rest):
    if form is None:
        return chain.probe("eosio", poke(AT, data), call("set_proposed_producers", AT, len(data)), row(), **rest)
    return chain.probe("eosio", poke(AT, data), call("set_proposed_producers_ex", form, AT, len(data)), row(), **rest)


def begin(title, about, full):
    chain = World(title, about)
    if full:
        chain.everything()
    else:
        chain.deploy("eosio", "probe0")
    chain.accounts(*NAMES)
    for key in KEYS:
        chain.knows(key)
    chain.block()
    return chain


def refusals(chain):
    a = (NAMES[0], KEYS[0])
    for data in (
        legacy(a, a),
        legacy(("nobody", KEYS[0])),
        legacy(("", KEYS[0])),
        b"",
        b"\1",
        legacy(a)[:-1],
        legacy(a) + b"tail",
        legacy((NAMES[0], R1("p"))),
        legacy(*[(NAMES[0], KEYS[0])] * 126),
        legacy((NAMES[0], WebAuthn("p"))),
        varuint(126),
    ):
        propose(chain, data)
    chain.probe("eosio", call("set_proposed_producers", END - 2, 40))


def record_schedules(folder):
    chain = begin(
        "schedules",
        "legacy schedules: one producer, five, changed keys, fewer; confirmations and irreversibility",
        False,
    )
    refusals(chain)
    propose(chain, legacy((NAMES[0], KEYS[0])))
    propose(chain, legacy((NAMES[0], KEYS[0])), note="the same again in the same block")
    propose(chain, legacy((NAMES[1], KEYS[1])), note="another in the same block")
    chain.block()
    propose(chain, legacy((NAMES[2], KEYS[2])), note="in a later block, while one is proposed")
    chain.rotate(6)
    propose(chain, legacy((NAMES[1], KEYS[1])), note="equal to the active one")
    propose(chain, legacy(*zip(NAMES, KEYS)))
    chain.rotate(150)
    chain.probe("eosio", call("get_active_producers", AT, 8 * 6), peek(AT, 48), row())
    propose(chain, legacy((NAMES[0], KEYS[5]), *list(zip(NAMES, KEYS))[1:3]))
    chain.rotate(140, slots=1)
    propose(chain, legacy((NAMES[0], KEYS[5])))
    chain.rotate(50, slots=7)
    chain.rotate(30, confirm=False)
    chain.finish(folder)


def record_schedules_all(folder):
    chain = begin(
        "schedules_all",
        "weighted block signing authorities, several signatures a block, R1 keys; empty schedules refused",
        True,
    )
    refusals(chain)
    one = lambda number: (NAMES[number], 1, [(KEYS[number], 1)])
    for form, data in (
        (0, legacy((NAMES[0], KEYS[0]))),
        (2, b""),
        (1, b""),
        (1, b"\0"),
        (0, b"\0"),
        (1, weighted((NAMES[0], 1, []))),
        (1, weighted((NAMES[0], 0, [(KEYS[0], 1)]))),
        (1, weighted((NAMES[0], 3, [(KEYS[0], 1), (KEYS[1], 1)]))),
        (1, weighted((NAMES[0], 1, [(KEYS[0], 1), (KEYS[0], 1)]))),
        (1, weighted((NAMES[0], 1, [(KEYS[0], 1)]), (NAMES[1], 1, [(KEYS[0], 1)]))),
        (1, weighted((NAMES[0], 1, [(KEYS[0], 0)]))),
        (1, weighted(one(0), one(0))),
        (1, weighted(("nobody", 1, [(KEYS[0], 1)]))),
        (1, weighted((NAMES[0], 1, [(key, 65535) for key in KEYS] * 1))),
        (1, many([name(NAMES[0]) + varuint(1) + u32(1)])),
        (1, weighted((NAMES[0], 1, [(WebAuthn("p"), 1)]))),
        (1 << 40, b""),
    ):
        propose(chain, data, form)
    data = weighted(
        (NAMES[0], 3, [(KEYS[0], 2), (KEYS[1], 1), (KEYS[2], 1)]),
        (NAMES[1], 1, [(KEYS[3], 1)]),
        (NAMES[2], 2, [(KEYS[4], 1), (KEYS[5], 1)]),
    )
    propose(chain, data, 1)
    chain.rotate(120)
    propose(chain, legacy(*zip(NAMES[:2], KEYS)))
    chain.rotate(80)
    propose(chain, legacy())
    propose(chain, b"\0", 1)
    propose(chain, legacy((NAMES[0], KEYS[0])))
    chain.rotate(60)
    chain.finish(folder)
