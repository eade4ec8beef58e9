"""Differences that are wanted, each with its reason; all else must be equal."""

import re

from state import number_of

# The hash of an ABI is of the contract's own: these accounts have contracts in both worlds, but not the same.
OWN_ABIS = {f"{number_of(name):016x}" for name in ("eosio", "eosio.token", "eosio.msig", "eosio.wrap", "eosio.bpay")}


def without_own_hashes(dump):
    for row in dump["tables"].get("eosio/abihash/eosio", {"rows": []})["rows"]:
        if row[0] in OWN_ABIS:
            row[2] = "the hash of its ABI"


# Contracts differ in size: how much an account with one needs, when it is given a limit below it, differs as well.
NEEDS = re.compile(r"account (eosio[.a-z]*) has insufficient ram; needs \d+ bytes")


def without_size_of_code(fault):
    return NEEDS.sub(r"account \1 has insufficient ram; needs some bytes", fault) if fault else fault


# The first RAM that an account without a row gets: the reference reads the new sum from a row that is not there and tells
# 0; we tell the sum, which is what was given. Where the two numbers stand, in hexadecimal digits:
GIVEN_AND_SUM = {
    "eosio::logramchange": ("data", 16, 32),
    "eosio::logbuyram": ("data", 64, 80),
    "eosio::ramtransfer": ("returned", 32, 64),
    "eosio::ramburn": ("returned", 32, 64),
    "eosio::buyram": ("returned", 64, 80),
    "eosio::buyrambytes": ("returned", 64, 80),
    "eosio::buyramself": ("returned", 64, 80),
    "eosio::buyramburn": ("returned", 64, 80),
}
NUMBER = 16


def without_null_sum(theirs, mine):
    if theirs["action"] in GIVEN_AND_SUM:
        part, given, total = GIVEN_AND_SUM[theirs["action"]]
        one, other = theirs[part], mine[part]
        if (
            one[total : total + NUMBER] == "0" * NUMBER
            and other[total : total + NUMBER] == other[given : given + NUMBER]
        ):
            theirs[part] = one[:total] + other[total : total + NUMBER] + one[total + NUMBER :]


# A length that claims more than there is: the reference asks for so much memory first, we read what is there.
OUT_OF_MEMORY = ("3050003 assertion failure with message: failed to allocate pages", "3050008 abort() called")
UNREADABLE = tuple(
    f"3050003 assertion failure with message: {why}"
    for why in ("datastream attempted to read past the end", "get", "invalid variant index")
)


def without_greed(theirs, mine, where):
    one, other = theirs.get(where) or "", mine.get(where) or ""
    if one.startswith(OUT_OF_MEMORY) and other.startswith(UNREADABLE):
        theirs[where] = other


def alike(step, reference, ours):
    """Both results without what may differ."""
    for result in (reference, ours):
        if "dump" in step:
            without_own_hashes(result)
            result["tables"].pop("eosio/chainparams/eosio", None)  # our parameters in place of constants
        if "failed" in result:
            result["failed"] = without_size_of_code(result["failed"])
    without_greed(reference, ours, "failed")
    for kind in ("traces", "partial"):
        for theirs, mine in zip(reference.get(kind, []), ours.get(kind, [])):
            without_null_sum(theirs, mine)
            without_greed(theirs, mine, "fault")
    return reference, ours
