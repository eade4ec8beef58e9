"""Words the scenarios are written in: native actions, contract deployment, feature activation."""

import os
import random

import probe
from features import DIGEST
from recorder import Chain
from wire import DEV, action, auth, authority, blob, many, n, name, sole, u8, u16, u32, u64, varuint  # noqa: F401

CONTRACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "contracts")


def dice(base):
    """A source of chance that is the same in every recording; SEED in the environment gives other ones."""
    return random.Random(base + 1000 * int(os.environ.get("SEED", 0)))


def wasm(title):
    with open(os.path.join(CONTRACTS, title + ".wasm"), "rb") as file:
        return file.read()


def wat(text):
    """Assembles a small module on the spot."""
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/a.wat", "w") as out:
            out.write(text)
        subprocess.run(
            ["wat2wasm", "--no-check", folder + "/a.wat", "-o", folder + "/a.wasm"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        with open(folder + "/a.wasm", "rb") as file:
            return file.read()


def newaccount(creator, account, owner=None, active=None, level=None):
    owner = sole(DEV) if owner is None else owner
    active = sole(DEV) if active is None else active
    return action("eosio", "newaccount", level or creator, name(creator) + name(account) + owner + active)


def setcode(account, code, kind=0, version=0, level=None):
    return action("eosio", "setcode", level or account, name(account) + u8(kind) + u8(version) + blob(code))


def setabi(account, abi, level=None):
    return action("eosio", "setabi", level or account, name(account) + blob(abi))


def updateauth(account, permission, parent, packed_authority, level=None):
    return action(
        "eosio", "updateauth", level or account, name(account) + name(permission) + name(parent) + packed_authority
    )


def deleteauth(account, permission, level=None):
    return action("eosio", "deleteauth", level or account, name(account) + name(permission))


def linkauth(account, code, kind, requirement, level=None):
    return action("eosio", "linkauth", level or account, name(account) + name(code) + name(kind) + name(requirement))


def unlinkauth(account, code, kind, level=None):
    return action("eosio", "unlinkauth", level or account, name(account) + name(code) + name(kind))


def canceldelay(account, permission, identity, level=None):
    return action("eosio", "canceldelay", level or account, name(account) + name(permission) + identity)


def abi(version="eosio::abi/1.1"):
    """An ABI with nothing in it."""
    return blob(version) + b"\0" * 8


class World(Chain):
    """A chain on which every account can be given the probe contract."""

    def accounts(self, *names):
        for one in names:
            self.good(newaccount("eosio", one))

    def deploy(self, account, title):
        return self.good(setcode(account, wasm(title)))

    def probe(self, account, *parts, level=None, what="run", ok=None, also=(), code=None, **rest):
        """Runs a program on `account`; ok=True/False insists on the outcome."""
        data = parts[0] if len(parts) == 1 and isinstance(parts[0], probe.Program) else probe.run(*parts)
        send = {True: self.good, False: self.bad, None: self.push}[ok if code is None else False]
        if code:
            rest["code"] = code
        return send([action(account, what, level or account, data), *also], covers=data.calls, **rest)

    def native(self, act, covers, ok=True, **rest):
        """Pushes one native action; a surprise about `ok` is reported but recorded all the same: nodeos decides."""
        step = self.push(act, covers=[covers], **rest)
        if ok != ("fault" not in step["trace"]):
            import sys

            print(
                "surprise in %s at %s:" % (self.title, sys._getframe(2).f_lineno),
                covers,
                step["trace"].get("fault") or "passed",
            )
        return step

    def activate(self, *features):
        """Preactivates (the probe is deployed on eosio with the intrinsics it takes) and activates in the next block."""
        for feature in features:
            self.probe(
                "eosio",
                probe.poke(probe.AT, bytes.fromhex(DIGEST[feature])),
                probe.call("preactivate_feature", probe.AT),
                ok=True,
            )
        self.block(features=features)

    def everything(self):
        """All features, and the probe with all imports on eosio."""
        self.deploy("eosio", "probe1")
        rest = [feature for feature in DIGEST if feature != "PREACTIVATE_FEATURE"]
        self.activate(*rest)
        self.deploy("eosio", "probe2")
