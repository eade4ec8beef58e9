"""Compares two portable snapshots section by section: `snapshot_diff.py OURS NODEOS`. Prints where each first differs."""

import struct
import sys


def sections(path):
    data = open(path, "rb").read()
    at, out = 8, {}
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        if size == 2**64 - 1:
            break
        (rows,) = struct.unpack_from("<Q", data, at + 8)
        end = data.index(b"\0", at + 16)
        out[data[at + 16 : end].decode()] = rows, data[end + 1 : at + 8 + size]
        at += 8 + size
    return out


def main():
    ours, theirs = sections(sys.argv[1]), sections(sys.argv[2])
    for title in sorted({*ours, *theirs}):
        a, b = ours.get(title), theirs.get(title)
        if a == b:
            continue
        if a is None or b is None:
            print(title, "only in", "ours" if b is None else "nodeos")
            continue
        at = next((one for one, (x, y) in enumerate(zip(a[1], b[1])) if x != y), min(len(a[1]), len(b[1])))
        count = sum(x != y for x, y in zip(a[1], b[1]))
        print(
            "%s: rows %d / %d, bytes %d / %d, first difference at %d, %d bytes differ"
            % (title, a[0], b[0], len(a[1]), len(b[1]), at, count)
        )
        for who, data in ("ours", a[1]), ("nodeos", b[1]):
            print("  %-6s %s | %s" % (who, data[max(0, at - 48) : at].hex(), data[at : at + 64].hex()))


main()
