#!/usr/bin/env python3
"""compare.py BINARIES PEER : boreas beside the real cleos.

BINARIES is the folder of boreas and boreasd, PEER the one that tests/peer/install made. Compared are what the help of
each command of cleos says (its arguments, options and commands), and what both print for the command lines of
samples.txt: cleos with nodeos, boreas with boreasd, each on the chain that nodeos recorded. Of messages only the exit
status is compared: what they say is meant to differ.

Prints what differs, with the reason that differences.txt gives. Fails where one has no reason, and where a line of
differences.txt fits nothing any more."""

import difflib
import fnmatch
import gzip
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from usage import Boreas, Cleos, run

HERE = Path(__file__).resolve().parent
BLOCKS = HERE.parent / "conformance/recorded/boot.blocks.log.gz"
PLUGINS = ("chain_api", "producer_api", "net_api", "trace_api")
# Until a node answers: it replays 144 blocks.
START_SECONDS = 60
# Programs that run at the same time.
AT_ONCE = 4
KEY = re.compile(r"\b(?:5[1-9A-HJ-NP-Za-km-z]{50}|(?:EOS|PUB_R1_|PVT_R1_)[1-9A-HJ-NP-Za-km-z]{49,51})\b")


class Node:
    """A node on the recorded chain that makes no blocks."""

    def __init__(self, command, folder):
        port = free_port()
        self.url, self.log = f"http://127.0.0.1:{port}", folder / "log"
        plugins = [word for name in PLUGINS for word in ("--plugin", f"eosio::{name}_plugin")]
        command = [
            *command, "--data-dir", folder, "--config-dir", folder, *plugins, "--trace-no-abis",
            "--http-server-address", f"127.0.0.1:{port}", "--p2p-listen-endpoint", f"127.0.0.1:{free_port()}",
        ]  # fmt: skip
        with open(self.log, "wb") as log:
            # In a group of its own: nodeos is started by a script.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self, cleos):
        for _ in range(START_SECONDS * 10):
            if run(cleos, ["-u", self.url, "get", "block", "144"])[0] == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"a node does not answer:\n{self.log.read_text()[-4000:]}")

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def nodes(binaries, peer, folder):
    """nodeos and boreasd, from one block log."""
    theirs, ours = folder / "nodeos", folder / "boreasd"
    (theirs / "blocks").mkdir(parents=True)
    log = theirs / "blocks/blocks.log"
    log.write_bytes(gzip.decompress(BLOCKS.read_bytes()))
    status, told, errors = run(binaries / "boreasd", ["replay", "--blocks-log", log, "--data-dir", ours])
    if status:
        sys.exit(f"boreasd does not replay the chain:\n{told}{errors}")
    nodeos = [peer / "bin/nodeos", "--hard-replay-blockchain", "--eos-vm-oc-enable", "none"]
    # nodeos would end soon after its start on a disk that is nearly full.
    nodeos += ["--resource-monitor-not-shutdown-on-threshold-exceeded"]
    # Again, with what keeps traces.
    return Node(nodeos, theirs), Node([binaries / "boreasd", "--replay-blockchain"], ours)


def compared_help(cleos, boreas, words, pool):
    """What differs in the help of a command and of those below it, as (command, what)."""
    theirs, ours = pool.submit(cleos.command, words), pool.submit(boreas.command, words)
    theirs, ours = theirs.result(), ours.result()
    command = " ".join(words) or "."
    if ours is None:
        return [(command, "is missing")], ()
    found = []
    if theirs.arguments != ours.arguments:
        found.append((command, f"arguments {theirs.arguments}, not {ours.arguments}"))
    known, met = {name: option for option in ours.options for name in option.names}, set()
    for option in theirs.options:
        if "--help" in option.names or "--help-all" in option.names:
            continue
        for name in option.names:
            own = known.get(name)
            if own is None:
                shown = "hidden" if boreas.takes(words, name, option.value) else "missing"
                found.append((command, f"option {name} {shown}"))
                continue
            met.add(own)
            if own.value != option.value:
                found.append((command, f"option {name} {'takes a' if own.value else 'has no'} value"))
            if own.required != option.required:
                found.append((command, f"option {name} required: {own.required}"))
    more = [option for option in ours.options if option not in met and "--help" not in option.names]
    found += [(command, f"option {option.names[-1]} added") for option in more]
    found += [(command, f"command {name} added") for name in ours.commands if name not in theirs.commands]
    found += [(command, f"command {name} hidden") for name in theirs.commands if name not in ours.commands]
    return found, theirs.commands


def all_help(cleos, boreas):
    """The same of all commands, and how many there are."""
    found, waiting, count = [], [[]], 0
    with ThreadPoolExecutor(AT_ONCE) as walkers, ThreadPoolExecutor(AT_ONCE) as pool:
        while waiting:
            count += len(waiting)
            results = list(walkers.map(lambda words: compared_help(cleos, boreas, words, pool), waiting))
            found += [difference for differences, _ in results for difference in differences]
            waiting = [[*words, name] for words, (_, names) in zip(waiting, results) for name in names]
    return found, count


def compared_sample(line, programs, folder, pool):
    """What differs in what two programs print for a line, as (line, what): the first word of each line that differs."""

    def printed(name, program, node):
        own = folder / name
        own.mkdir(exist_ok=True)
        status, output, _ = run(program, ["-u", node.url, *shlex.split(line)], own)
        return status, KEY.sub("KEY", output).splitlines()

    (their_status, theirs), (our_status, ours) = pool.map(printed, *zip(*programs))
    found = [] if their_status == our_status else [f"status {our_status}, not {their_status}"]
    changed = [
        text[1:]
        for text in difflib.unified_diff(theirs, ours, n=0, lineterm="")
        if not re.match(r"---|\+\+\+|@@", text)
    ]
    for text in changed:
        word = "prints " + (re.findall(r"[\w.:/-]+", text) or [text.strip()])[0]
        found += [word] if word not in found else []
    return [(line, what) for what in found]


def all_samples(cleos, boreas, binaries, peer):
    """The same of all lines, and how many there are."""
    lines = [line for line in (HERE / "samples.txt").read_text().splitlines() if line and line[0] not in "#-"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        nodeos, boreasd = nodes(binaries, peer, folder)
        try:
            nodeos.wait(cleos)
            boreasd.wait(cleos)
            programs = (("cleos", cleos, nodeos), ("boreas", boreas, boreasd))
            with ThreadPoolExecutor(AT_ONCE) as pool:
                results = [compared_sample(line, programs, folder, pool) for line in lines]
        finally:
            nodeos.stop()
            boreasd.stop()
    return [difference for differences in results for difference in differences], len(lines)


def reasons():
    """The lines of differences.txt: patterns of commands and of what differs, and why."""
    lines = (HERE / "differences.txt").read_text().splitlines()
    return [tuple(part.strip() for part in line.split("|")) for line in lines if line and not line.startswith("#")]


def main():
    binaries, peer = (Path(word).resolve() for word in sys.argv[1:3])
    cleos, boreas = peer / "bin/cleos", binaries / "boreas"
    in_help, commands = all_help(Cleos(cleos), Boreas(boreas))
    in_samples, samples = all_samples(cleos, boreas, binaries, peer)
    rows, used, unexplained = reasons(), set(), 0
    for command, what in in_help + in_samples:
        fits = [row for row in rows if fnmatch.fnmatchcase(command, row[0]) and fnmatch.fnmatchcase(what, row[1])]
        used.update(fits)
        unexplained += not fits
        print(f"{command}: {what}: {fits[0][2] if fits else 'NO REASON'}")
    idle = [row for row in rows if row not in used]
    for row in idle:
        print(f"differences.txt: fits nothing: {' | '.join(row)}")
    print(
        f"{commands} commands, {samples} samples: {unexplained} differences without a reason, {len(idle)} reasons without a difference"
    )
    return 1 if unexplained or idle else 0


if __name__ == "__main__":
    sys.exit(main())
