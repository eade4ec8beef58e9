"""deltas.py CHAINS: has nodeos replay the recorded chains in the folder CHAINS with its state history, and writes beside
each what its table deltas hash to: a line for each block, the first 16 digits of SHA-256."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

# A history that has not grown for so long has the last block of the chain.
QUIET_SECONDS = 3
REPLAY_SECONDS = 120
STOP_SECONDS = 20
# What stands before the packed deltas of a block in nodeos' log: a magic number, the block's id, the length of the rest;
# and after them the entry's own position.
MAGIC, ID, LENGTH, POSITION = 8, 32, 8, 8


def number(data, size):
    return int.from_bytes(data[:size], "little")


def index_of(log):
    """Each block is followed by its own position; nodeos wants them all in a file of their own."""
    positions, end = [], len(log)
    while number(log[end - POSITION : end], POSITION) < 1 << 63:
        positions.append(log[end - POSITION : end])
        end = number(log[end - POSITION : end], POSITION)
    return b"".join(reversed(positions))


def entries(history):
    """Number and packed deltas of each block."""
    data = history.read_bytes()
    while data:
        head, data = data[: MAGIC + ID + LENGTH], data[MAGIC + ID + LENGTH :]
        length = number(head[MAGIC + ID :], LENGTH)
        payload, data = data[:length], data[length + POSITION :]
        # A length of 1 says that the real one follows with eight bytes.
        packed = payload[12:] if number(payload, 4) == 1 else payload[4 : 4 + number(payload, 4)]
        yield int.from_bytes(head[MAGIC : MAGIC + 4], "big"), zlib.decompress(packed)


def history_of(log, work):
    """nodeos' history of the state for the blocks of a log."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "blocks").mkdir(parents=True)
    (work / "blocks" / "blocks.log").write_bytes(log)
    (work / "blocks" / "blocks.index").write_bytes(index_of(log))
    arguments = "--http-server-address 127.0.0.1:9080 --p2p-listen-endpoint 127.0.0.1:9081 --eos-vm-oc-enable none"
    arguments += " --replay-blockchain --disable-replay-opts --plugin eosio::state_history_plugin --chain-state-history"
    arguments += " --state-history-endpoint 127.0.0.1:9082 --resource-monitor-not-shutdown-on-threshold-exceeded"
    folders = ["--data-dir", str(work), "--config-dir", str(work / "config")]
    with open(work / "node.log", "w") as said:
        command = os.environ["NODEOS"].split() + folders + arguments.split()
        node = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    history = work / "state-history" / "chain_state_history.log"
    begin = grown = time.monotonic()
    size = 0
    while node.poll() is None and time.monotonic() - begin < REPLAY_SECONDS:
        time.sleep(0.2)
        now = history.stat().st_size if history.exists() else 0
        if now != size:
            size, grown = now, time.monotonic()
        elif size and time.monotonic() - grown > QUIET_SECONDS:
            break
    node.terminate()
    try:
        node.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    if not size:
        sys.exit(f"nodeos wrote no history, see {work / 'node.log'}")
    return history


def main():
    chains, work = Path(sys.argv[1]), Path(os.environ["CONFORMANCE_WORK"]) / "deltas"
    for log in sorted(chains.glob("*.blocks.log.gz")):
        name = log.name.removesuffix(".blocks.log.gz")
        lines = []
        for block, packed in entries(history_of(gzip.decompress(log.read_bytes()), work)):
            # The first block that is told of has all rows.
            assert block == len(lines) + 2, f"{name}: block {block} after {len(lines) + 1}"
            lines.append(hashlib.sha256(packed).hexdigest()[:16] + "\n")
        (chains / f"{name}.deltas.txt").write_text("".join(lines))
        print(f"{name}: deltas of {len(lines)} blocks", flush=True)
    shutil.rmtree(work, ignore_errors=True)


main()
