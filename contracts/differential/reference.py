#!/usr/bin/env python3
"""Gathers the reference's modules, built by CDT, from public repositories into a folder like `dist`.

    reference.py FOLDER

COPIES says where git repositories are, for those who keep copies of them: `/copies/{owner}/{name}.git`.
What is compared with what:
    eosio.system  3.5.0, the newest that has no finality of another chain version
    eosio.token   of the same time; eosio.msig and eosio.wrap 3.3.0, unchanged since
    eosio.bpay    deployed together with that system contract
    eosio.boot    of Spring's own tests
    eosio.bios    of Leap's own tests, which needs eosio.boot before it
    older.msig    1.2.1, whose proposals today's contract must still serve
"""

import hashlib
import os
import subprocess
import sys
import urllib.request

COPIES = os.environ.get("COPIES")
FILES = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
# Repository, commit, path without its ending, and what git calls the module and the ABI.
SOURCES = {
    "eosio.system": (
        "EOS-Nation/eos-rex-2.0",
        "2bcb1f221a364f8aa08da2054785c60d3163d1f2",
        "build/contracts/eosio.system/eosio.system",
        "188ea50425e80c7904d51455cdbe618cf766266f",
        "b2b227e2d8b3855676f5bc32eff4e199205794ba",
    ),
    "eosio.bpay": (
        "EOS-Nation/eos-rex-2.0",
        "2bcb1f221a364f8aa08da2054785c60d3163d1f2",
        "build/contracts/eosio.bpay/eosio.bpay",
        "70d98d35c38c92392dee346c7eed90b3346fa091",
        "d9a69807565882709b85156d863aa9d40844488a",
    ),
    "eosio.token": (
        "EOS-Nation/eos-tokenomics",
        "51d858f20589b3fb3cd80395042bcb39fdcc6c16",
        "build/contracts/eosio.token/eosio.token",
        "667a9ca257d970c5b956fbb91cf45be9cb5443d5",
        "fd9f938117e2e307ecedfd73d47fa0da2676dee5",
    ),
    "eosio.msig": (
        "EOS-Nation/v3.3.0-upgrade",
        "86fec088faa3305e9ed41bbae3c26b17315202fc",
        "build/contracts/eosio.msig/eosio.msig",
        "23b3520f3cc7dd9d0692871fd6e77845bc238bdf",
        "fdd2ed0a60fa42837638436fd04f32dfea659364",
    ),
    "eosio.wrap": (
        "EOS-Nation/v3.3.0-upgrade",
        "86fec088faa3305e9ed41bbae3c26b17315202fc",
        "build/contracts/eosio.wrap/eosio.wrap",
        "2e811a744546c29b598f58577d3990949233827e",
        "b990f1903e9852ce1845fa894751d8cd2980b0c5",
    ),
    "eosio.bios": (
        "AntelopeIO/leap",
        "92b6fec5e949660bae78e90ebf555fe71ab06940",
        "libraries/testing/contracts/eosio.bios/eosio.bios",
        "4f684c0a62bd1f4e39a7640e424f20276fc0e8e2",
        "02c3449d2ecb2fdeffcc62d66afbf834a6e345ad",
    ),
    "eosio.boot": (
        "AntelopeIO/spring",
        "17ed17f6826409a998332b94074dace2cb1fdb47",
        "unittests/contracts/eosio.boot/eosio.boot",
        "0da4b8c9838bad3f3f00a8e3746c51058c196e52",
        "fa76e884865d8314f2c8048880334e55e3a92d52",
    ),
    "older.msig": (
        "AntelopeIO/reference-contracts",
        "c526479a48370981a1e9f0ac6b3bb0e4f737afa2",
        "tests/test_contracts/old_versions/v1.2.1/eosio.msig/eosio.msig",
        "4c07755757c2e30bbeb5b562de4a43ae894ab160",
        "9fcf8a957ccb12975f58e0dd47fbbbe1f0d947ce",
    ),
}


def read(repository, commit, path):
    """The bytes of one file of a commit."""
    if COPIES:
        owner, _, name = repository.partition("/")
        command = ["git", f"--git-dir={COPIES.format(owner=owner, name=name)}", "show", f"{commit}:{path}"]
        return subprocess.run(command, check=True, capture_output=True).stdout
    with urllib.request.urlopen(FILES.format(repository=repository, commit=commit, path=path), timeout=60) as answer:
        return answer.read()


def git_hash(data):
    """What git calls these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def gather(folder):
    for name, (repository, commit, path, *hashes) in SOURCES.items():
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        for kind, wanted in zip(("wasm", "abi"), hashes):
            data = read(repository, commit, f"{path}.{kind}")
            if git_hash(data)[: len(wanted)] != wanted:
                sys.exit(f"{repository} {path}.{kind} is not what it was: {git_hash(data)}, not {wanted}")
            with open(os.path.join(folder, name, f"{name}.{kind}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        gather(sys.argv[1])
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd)} failed: {error.stderr.decode().strip()}")
    except OSError as error:
        sys.exit(f"cannot fetch the reference's modules: {error}; COPIES names where copies of the repositories are")
