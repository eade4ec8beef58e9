"""Asks a node about recorded chains and writes down what it says: `answers.py RECORDINGS OUT [NAME...]`.

A fresh node that does not produce gets the blocks of a recording over /v1/chain/push_block, then every question of
questions.py. NODEOS names the node (nodeos, or boreasd to see its answers in the same form), PORT the first of two
ports. OUT gets one NAME.answers.jsonl.gz for each chain: `{"path", "body", "status", "answer"}` a line; a body that is
no UTF-8 is in `hex` instead. Nothing in an answer is left out: all of it depends on the recording alone. A question that
the node does not survive has `"ended"` instead of an answer: the code of the exception that it logs.
"""

import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import questions

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 30
# What is not answered within this waits for a block, and is left out.
ANSWER_SECONDS = 10
# A block of a chain may take longer, on a machine that has other things to do.
BLOCK_SECONDS = 120
# A node that dies more often has another problem than a few bad questions.
DEATHS_MAX = 200


class Node:
    """A node process that is told nothing but its blocks."""

    def __init__(self, folder, port, arguments):
        self.port = port
        command = [
            os.environ["NODEOS"],
            "--data-dir",
            folder,
            "--config-dir",
            folder + "/config",
            "--http-server-address",
            "127.0.0.1:%d" % port,
            "--p2p-listen-endpoint",
            "127.0.0.1:%d" % (port + 1),
            "--max-body-size",
            "33554432",
            "--http-max-response-time-ms",
            "30000",
            "--abi-serializer-max-time-ms",
            "30000",
            "--verbose-http-errors",
            "--plugin",
            "eosio::chain_api_plugin",
            "--plugin",
            "eosio::producer_api_plugin",
            "--resource-monitor-not-shutdown-on-threshold-exceeded",
            *arguments,
        ]
        self.log = open(folder + ".log", "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        begin = time.time()
        while True:
            try:
                self.ask("/v1/chain/get_info", b"")
                break
            except OSError:
                if time.time() - begin > START_SECONDS or self.process.poll() is not None:
                    raise RuntimeError("the node does not start, see %s.log" % folder) from None
                time.sleep(0.1)

    def ask(self, path, body, method="POST", headers=None, seconds=ANSWER_SECONDS):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text

    def get(self, path, body):
        status, text = self.ask(path, json.dumps(body).encode(), seconds=BLOCK_SECONDS)
        if status not in (200, 201, 202):
            raise RuntimeError("%s %s: %s" % (path, body, text))
        return json.loads(text)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def blocks_of(log, work, port):
    """The blocks of a log in the form in which push_block takes them: nodeos reads its own format."""
    folder = work + "/reader"
    os.makedirs(folder + "/blocks")
    with gzip.open(log) as packed:
        data = packed.read()
    with open(folder + "/blocks/blocks.log", "wb") as out:
        out.write(data)
    # Each block is followed by its own position; nodeos wants them all in a file of their own.
    positions, end = [], len(data)
    while int.from_bytes(data[end - 8 : end], "little") < 1 << 63:
        positions.append(data[end - 8 : end])
        end = int.from_bytes(data[end - 8 : end], "little")
    with open(folder + "/blocks/blocks.index", "wb") as out:
        out.write(b"".join(reversed(positions)))
    # boreasd reads no blocks.log: nodeos does it for both.
    node = Node(folder, port, ["--replay-blockchain", "--eos-vm-oc-enable", "none"])
    head = node.get("/v1/chain/get_info", {})["head_block_num"]
    blocks = [node.get("/v1/chain/get_raw_block", {"block_num_or_id": number}) for number in range(2, head + 1)]
    node.stop()
    return blocks


SERVING = [
    "--plugin",
    "eosio::trace_api_plugin",
    "--trace-no-abis",
    "--plugin",
    "eosio::db_size_api_plugin",
    "--enable-account-queries",
    "true",
    "--transaction-finality-status-max-storage-size-gb",
    "1",
    "--http-validate-host",
    "false",
]


def fresh(recordings, title, work, blocks, port):
    """A node that knows the blocks and nothing else."""
    folder = work + "/node"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    node = Node(folder, port, ["--genesis-json", "%s/%s.genesis.json" % (recordings, title), *SERVING])
    for block in blocks:
        node.get("/v1/chain/push_block", block)
    head = node.get("/v1/chain/get_info", {})["head_block_num"]
    if head != len(blocks) + 1:
        raise RuntimeError("the node stands at block %d of %d, see %s.log" % (head, len(blocks) + 1, folder))
    return node


def reason_of(log):
    """The code of the exception that ended a node."""
    with open(log, errors="replace") as file:
        found = re.findall(r"Exception in http thread pool, exiting: (\d+) ", file.read())
    return int(found[-1]) if found else None


def record(recordings, out, title, port):
    work = tempfile.mkdtemp(prefix="answers-")
    kept = os.environ.get("BLOCKS_CACHE")
    cache = "%s/%s.blocks.json" % (kept, title) if kept else None
    if cache and os.path.exists(cache):
        with open(cache) as file:
            blocks = json.load(file)
    else:
        blocks = blocks_of("%s/%s.blocks.log.gz" % (recordings, title), work, port)
        if cache:
            with open(cache, "w") as file:
                json.dump(blocks, file)
    lines, deaths = [], 0
    node = fresh(recordings, title, work, blocks, port)

    def ask(path, body):
        nonlocal node, deaths
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            status, answer = node.ask(path, data)
        except TimeoutError:
            print("%s: the node does not answer %s %s" % (title, path, data[:300]))
            return None
        except (http.client.HTTPException, OSError):
            # This nodeos has a few questions that it does not survive: only the reason can be agreed with.
            print("%s: the node does not survive %s %s" % (title, path, data[:300]))
            node.stop()
            deaths += 1
            if deaths > DEATHS_MAX:
                raise RuntimeError("the node dies too often") from None
            reason = reason_of(work + "/node.log")
            if reason:
                lines.append({"path": path, "body": data.decode(), "ended": reason})
            node = Node(work + "/node", port, SERVING) if reason else fresh(recordings, title, work, blocks, port)
            return None
        line = {"path": path}
        try:
            line["body"] = data.decode()
        except UnicodeDecodeError:
            line["hex"] = data.hex()
        lines.append({**line, "status": status, "answer": answer})
        try:
            return json.loads(answer)
        except ValueError:
            return None

    try:
        questions.ask_all(ask, title, blocks)
    finally:
        node.stop()
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    with open("%s/%s.answers.jsonl.gz" % (out, title), "wb") as file:
        file.write(gzip.compress(text.encode(), 9, mtime=0))
    print("%-14s %5d answers %8d bytes" % (title, len(lines), len(text)))
    shutil.rmtree(work)
    os.remove(work + "/node.log") if os.path.exists(work + "/node.log") else None


def main():
    recordings, out, titles = sys.argv[1], sys.argv[2], sys.argv[3:]
    for title in titles or questions.CHAINS:
        record(recordings, out, title, int(os.environ.get("PORT", "9080")))


if __name__ == "__main__":
    main()
