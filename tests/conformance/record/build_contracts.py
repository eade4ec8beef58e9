"""Writes the generated sources of the exerciser contracts and builds every .wasm of ../contracts.

Needs clang with the wasm32 target, wasm-ld and wat2wasm (Debian: clang lld wabt).
"""

import os
import shutil
import subprocess
import sys

import numeric
from hosts import HOSTS

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRACTS = os.path.join(HERE, "..", "contracts")
C_TYPE = {"i": "unsigned", "I": "u64", "f": "float", "d": "double", "v": "void"}

# Probe modules by what may be imported when they are deployed: a module that imports more is refused.
PROBES = {
    "probe0": {"genesis"},
    "probe1": {"genesis", "PREACTIVATE_FEATURE"},
    "probe2": {row[5] for row in HOSTS},
}


def dispatch(available):
    """The C text that declares the host functions and calls number `fn` with arguments `a`."""
    out, cases = [], []
    for number, (name, _, parameters, result, _, since) in enumerate(HOSTS):
        if since not in available:
            continue
        types = ", ".join(C_TYPE[letter] for letter in parameters) or "void"
        out.append(
            '__attribute__((import_module("env"), import_name("%s"))) %s h_%s(%s);'
            % (name, C_TYPE[result], name, types)
        )
        read = {"i": "(unsigned)a[%d]", "I": "a[%d]", "f": "*(float *)&a[%d]", "d": "*(double *)&a[%d]"}
        arguments = ", ".join(read[letter] % position for position, letter in enumerate(parameters))
        keep = {
            "v": "h_%s(%s);",
            "i": "*r = h_%s(%s);",
            "I": "*r = h_%s(%s);",
            "f": "*(float *)r = h_%s(%s);",
            "d": "*(double *)r = h_%s(%s);",
        }[result]
        cases.append("    case %d: %s return %d;" % (number, keep % (name, arguments), result != "v"))
    return (
        "\n".join(out)
        + "\nstatic int host(unsigned fn, u64 *a, u64 *r) {\n  switch (fn) {\n"
        + "\n".join(cases)
        + (
            "\n    default: __builtin_trap();\n  }\n}\nstatic const unsigned char arity[] = {%s};\n"
            % ",".join(str(len(row[2])) for row in HOSTS)
        )
    )


def build(name, command):
    """Runs a compiler; the module takes its place when it is whole."""
    draft = os.path.join(sys.argv[1], name + ".wasm")
    try:
        subprocess.run([*command, "-o", draft], check=True)
    except subprocess.CalledProcessError as cause:
        sys.exit("%s.wasm could not be built (%s); the one that was there stays" % (name, cause))
    shutil.move(draft, os.path.join(CONTRACTS, name + ".wasm"))


def main():
    work = sys.argv[1]
    missing = [program for program in ("clang", "wasm-ld", "wat2wasm") if not shutil.which(program)]
    if missing:
        sys.exit(
            "%s: not found. apt-get install clang lld wabt, or set KEEP_CONTRACTS=1 to record with the modules that are there"
            % ", ".join(missing)
        )
    os.makedirs(work, exist_ok=True)
    for probe, available in PROBES.items():
        folder = os.path.join(work, probe)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "hosts.inc"), "w") as out:
            out.write(dispatch(available))
        returns = ["-DRETURN_VALUES"] if "ACTION_RETURN_VALUE" in available else []
        build(
            probe,
            [
                "clang",
                "--target=wasm32",
                "-mcpu=mvp",
                "-Os",
                "-fno-builtin",
                "-fno-strict-aliasing",
                "-nostdlib",
                "-ffreestanding",
                "-I" + folder,
                *returns,
                "-Wl,--no-entry",
                "-Wl,--stack-first",
                "-Wl,-zstack-size=8192",
                "-Wl,--initial-memory=131072",
                "-Wl,--strip-all",
                os.path.join(CONTRACTS, "probe.c"),
            ],
        )
    with open(os.path.join(work, "numeric.wat"), "w") as out:
        out.write(numeric.module())
    build("numeric", ["wat2wasm", os.path.join(work, "numeric.wat")])


if __name__ == "__main__":
    main()
