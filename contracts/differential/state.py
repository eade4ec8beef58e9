"""The database of an in-process nodeos as plain values: every row of every table, and what the chain holds for accounts."""

import struct

# Kinds of objects, as nodeos numbers them.
ACCOUNT_METADATA, KEY_VALUE, GLOBAL_PROPERTY, DYNAMIC_GLOBAL_PROPERTY, TABLE_ID, RESOURCE_LIMITS, RESOURCE_USAGE = (
    2,
    7,
    13,
    14,
    30,
    31,
    32,
)
# Secondary indexes, with the bytes of their keys.
INDEXES = {8: ("u64", 8), 9: ("u128", 16), 10: ("u256", 32), 11: ("f64", 8), 12: ("f128", 16)}
PRIVILEGED = 1


def text_of(number):
    """A name's text."""
    letters = [".12345abcdefghijklmnopqrstuvwxyz"[(number >> (59 - 5 * at)) & 31] for at in range(12)]
    return "".join(letters + [".12345abcdefghij"[number & 15]]).rstrip(".")


def number_of(text):
    """A name of at most 12 letters as a number."""
    return sum(".12345abcdefghijklmnopqrstuvwxyz".index(letter) << (59 - 5 * at) for at, letter in enumerate(text))


def walk(database, kind):
    """Every object of a kind, packed."""
    found = []

    def keep(_kind, data, _custom):
        found.append(data)
        return 1

    database.walk(kind, 0, keep, None)
    return found


def vector(data, at):
    """A byte string behind its length."""
    length = shift = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return data[at : at + length]


def tables(database):
    """All rows with their payers, primary keys and secondary keys, by `code/table/scope`."""
    named, found = {}, {}
    for data in walk(database, TABLE_ID):
        identity, code, scope, table, payer, count = struct.unpack("<q4QI", data)
        key = "/".join(text_of(part) for part in (code, table, scope))
        named[identity] = key
        found[key] = {"payer": text_of(payer), "count": count, "rows": []}
    for data in walk(database, KEY_VALUE):
        _, table, primary, payer = struct.unpack_from("<qqQQ", data)
        found[named[table]]["rows"].append([f"{primary:016x}", text_of(payer), vector(data, 32).hex()])
    for kind, (name, size) in INDEXES.items():
        for data in walk(database, kind):
            _, table, primary, payer = struct.unpack_from("<qqQQ", data)
            found[named[table]]["rows"].append(
                [f"{primary:016x}", text_of(payer), f"{name} {data[32 : 32 + size].hex()}"]
            )
    for table in found.values():
        table["rows"].sort()
    return found


def accounts(database):
    """Limits, RAM in use, sequences and privileges of every account."""
    found = {}
    for data in walk(database, ACCOUNT_METADATA):
        name, received, authorized = struct.unpack_from("<QQQ", data, 8)
        flags = struct.unpack_from("<I", data, len(data) - 6)[0]
        found[text_of(name)] = {"received": received, "authorized": authorized, "privileged": flags & PRIVILEGED}
    for data in walk(database, RESOURCE_LIMITS):
        owner, pending, net, cpu, ram = struct.unpack_from("<QBqqq", data, 8)
        found[text_of(owner)]["pending limits" if pending else "limits"] = [ram, net, cpu]
    for data in walk(database, RESOURCE_USAGE):
        owner, used = struct.unpack_from("<Q40xQ", data, 8)
        found[text_of(owner)]["ram used"] = used
    return found


def chain(database):
    """Configuration, proposed schedule and the number of actions so far."""
    sequence = struct.unpack_from("<Q", walk(database, DYNAMIC_GLOBAL_PROPERTY)[0], 8)[0]
    return {"global property": walk(database, GLOBAL_PROPERTY)[0].hex(), "actions": sequence}


def dump(database, base):
    """Everything, with counters counted from `base`, an earlier dump: contracts differ in size and in how they were deployed."""
    now = {"tables": tables(database), "accounts": accounts(database), "chain": chain(database)}
    if base:
        now["chain"]["actions"] -= base["chain"]["actions"]
        for name, account in base["accounts"].items():
            for counter in ("received", "authorized", "ram used"):
                now["accounts"][name][counter] -= account[counter]
    return now
