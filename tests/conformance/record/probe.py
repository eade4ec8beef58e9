"""Programs for the probe contract (../contracts/probe.c): little lists of host calls sent as action data.

    run(call("db_store_i64", n("probe"), n("t"), n("probe"), 1, AT, 4, to=0), call("db_get_i64", r(0), AT, 4), row(1))

Memory from AT (65536) up to END (131072) is free for arguments.
"""

import struct

from hosts import HOSTS, NUMBER
from wire import n, u8, u16, u32, u64

AT, END = 65536, 131072
MAGIC = b"\xb0\x5a"
QUIET = 255


class r(int):
    """A register used as an argument. 13, 14 and 15 hold receiver, code and action."""


def bits(value, letter):
    if isinstance(value, float):
        return (
            struct.unpack("<I", struct.pack("<f", value))[0]
            if letter == "f"
            else struct.unpack("<Q", struct.pack("<d", value))[0]
        )
    return value


class Part(bytes):
    """A piece of a program that remembers which host functions it calls."""

    calls = ()


def call(function, *arguments, to=0, log=True):
    """Calls a host function; the result goes to register `to` and (unless log=False) to the output."""
    number = NUMBER[function]
    letters = HOSTS[number][2]
    assert len(arguments) == len(letters), (function, arguments, letters)
    out = u8(2) + u8(number) + u8(to | (0 if log else 0x80))
    for letter, argument in zip(letters, arguments):
        out += (
            u8(1) + u8(int(argument))
            if isinstance(argument, r)
            else u8(0) + u64(bits(argument if not isinstance(argument, str) else n(argument), letter))
        )
    part = Part(out)
    part.calls = (function,)
    return part


def poke(address, data):
    return u8(1) + u32(address) + u32(len(data)) + data


def peek(address, length):
    """Appends memory to the output."""
    return u8(3) + u32(address) + u32(length)


def row(key=None):
    """Writes the output to table `out` of the receiver, under `key` (or one more than the last row)."""
    return u8(4) + u8(0) + u64(-1 if key is None else key)


def printed():
    return u8(4) + u8(1) + u64(0)


def returned():
    return u8(4) + u8(2) + u64(0)


def let(register, value):
    return u8(5) + u8(register) + u64(value)


def repeat(count, *parts):
    body = b"".join(parts)
    out = Part(u8(6) + u32(count) + u16(len(body)) + body)
    out.calls = tuple(one for part in parts for one in getattr(part, "calls", ()))
    return out


def grow(pages):
    return u8(7) + u32(pages)


def trap():
    return u8(8)


def plus(register, value):
    return u8(9) + u8(register) + u64(value)


def burn(turns):
    return u8(10) + u32(turns)


def store_register(address, register):
    return u8(11) + u32(address) + u8(register)


def when(register, *parts):
    """Runs the parts only if the register, as i32, is not negative (an iterator that points to a row)."""
    return _branch(12, register, parts)


def unless(register, *parts):
    """Runs the parts only if the register, as i32, is negative."""
    return _branch(13, register, parts)


def _branch(code, register, parts):
    body = b"".join(parts)
    out = Part(u8(code) + u8(register) + u16(len(body)) + body)
    out.calls = tuple(one for part in parts for one in getattr(part, "calls", ()))
    return out


class Program(bytes):
    calls = ()


def run(*parts, receiver=0):
    """Action data with one program, for any receiver (or the one named)."""
    return sections({receiver: parts})


def sections(by_receiver):
    """Action data with one program for each receiver; 0 stands for the others and comes last."""
    out, calls = MAGIC + u8(len(by_receiver)), []
    for receiver, parts in by_receiver.items():
        parts = [parts] if isinstance(parts, bytes) else parts
        body = b"".join(parts)
        calls += [one for part in parts for one in getattr(part, "calls", ())]
        out += u64(n(receiver)) + u16(len(body)) + body
    program = Program(out)
    program.calls = tuple(dict.fromkeys(calls))
    return program
