"""Bytes as nodeos packs them, and keys that sign: all the recorder needs to know of the binary format."""

import base64
import hashlib
import hmac
import struct
import zlib

from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi, lib

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def n(text):
    """A name's number; numbers pass through."""
    if isinstance(text, int):
        return text
    value = 0
    for position in range(13):
        letter = text[position] if position < len(text) else "."
        digit = 0 if letter == "." else ord(letter) - 91 if letter >= "a" else ord(letter) - 48
        value = value << 5 | digit if position < 12 else value << 4 | digit
    return value


def name(text):
    return struct.pack("<Q", n(text))


def varuint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def blob(data):
    data = data.encode() if isinstance(data, str) else data
    return varuint(len(data)) + data


def many(items):
    items = list(items)
    return varuint(len(items)) + b"".join(items)


def u8(value):
    return struct.pack("<B", value & 0xFF)


def u16(value):
    return struct.pack("<H", value & 0xFFFF)


def u32(value):
    return struct.pack("<I", value & 0xFFFFFFFF)


def u64(value):
    return struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF)


def u128(value):
    return (value & (1 << 128) - 1).to_bytes(16, "little")


def sha256(data):
    return hashlib.sha256(data).digest()


# --- keys -------------------------------------------------------------------------------------------------------------


class K1:
    """A secp256k1 key made from a seed."""

    tag = 0

    def __init__(self, seed=None, secret=None):
        self.secret = secret or sha256(b"boreas conformance k1 " + str(seed).encode())
        self.key = PrivateKey(self.secret)
        self.public = b"\0" + self.key.public_key.format(True)

    def sign(self, digest):
        """A packed signature that satisfies the canonical rule, found by counting up the extra nonce data."""
        signature, out, recovery = (
            ffi.new("secp256k1_ecdsa_recoverable_signature *"),
            ffi.new("unsigned char[64]"),
            ffi.new("int *"),
        )
        attempt = 0
        while True:
            extra = ffi.new("unsigned char[32]", attempt.to_bytes(32, "little")) if attempt else ffi.NULL
            assert lib.secp256k1_ecdsa_sign_recoverable(
                self.key.context.ctx, signature, digest, self.secret, ffi.NULL, extra
            )
            lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(self.key.context.ctx, out, recovery, signature)
            raw = bytes(ffi.buffer(out, 64))
            low = lambda half: half[0] < 0x80 and not (half[0] == 0 and half[1] < 0x80)
            if low(raw[:32]) and low(raw[32:]):
                return b"\0" + bytes([31 + recovery[0]]) + raw
            attempt += 1

    def wif(self):
        data = b"\x80" + self.secret
        return base58(data + sha256(sha256(data))[:4])

    def text(self):
        raw = self.public[1:]
        return "EOS" + base58(raw + hashlib.new("ripemd160", raw).digest()[:4])


P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
A = P - 3
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    total = None
    while k:
        if k & 1:
            total = add(total, p)
        p, k = add(p, p), k >> 1
    return total


class R1:
    """A secp256r1 key made from a seed, with plain arithmetic: slow, exact, repeatable."""

    def __init__(self, seed):
        self.secret = int.from_bytes(sha256(b"boreas conformance r1 " + str(seed).encode()), "big") % ORDER
        self.point = times(self.secret, G)
        self.public = b"\1" + self.compressed()

    def compressed(self):
        return bytes([2 + (self.point[1] & 1)]) + self.point[0].to_bytes(32, "big")

    def compact(self, digest, low=True):
        """65 bytes: 31 + recovery number, r, s (the lower s unless told otherwise)."""
        attempt = 0
        while True:
            nonce = (
                int.from_bytes(
                    hmac.new(self.secret.to_bytes(32, "big"), digest + bytes([attempt]), "sha256").digest(), "big"
                )
                % ORDER
            )
            point = times(nonce, G)
            r = point[0] % ORDER
            s = pow(nonce, -1, ORDER) * (int.from_bytes(digest, "big") + r * self.secret) % ORDER
            attempt += 1
            if r == 0 or s == 0 or point[0] >= ORDER:
                continue
            recovery = point[1] & 1
            if (s > ORDER // 2) == low:
                s, recovery = ORDER - s, recovery ^ 1
            return bytes([31 + recovery]) + r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def sign(self, digest):
        return b"\1" + self.compact(digest)


class WebAuthn(R1):
    """A WebAuthn key: a secp256r1 key, the presence it demands (0 none, 1 present, 2 verified) and a site."""

    def __init__(self, seed, site="boreas.example", presence=1):
        super().__init__("wa" + str(seed))
        self.site, self.presence = site, presence
        self.public = b"\2" + self.compressed() + bytes([presence]) + blob(site)

    def sign(self, digest, flags=None, kind="webauthn.get", origin=None, rpid=None, extra="", challenge=None):
        flags = {0: 0, 1: 1, 2: 5}[self.presence] if flags is None else flags
        data = sha256((rpid or self.site).encode()) + bytes([flags]) + b"\0\0\0\7"
        asked = base64.urlsafe_b64encode(challenge or digest).decode().rstrip("=")
        client = '{"type":"%s","challenge":"%s","origin":"%s"%s}' % (
            kind,
            asked,
            origin or "https://" + self.site,
            extra,
        )
        signed = sha256(data + sha256(client.encode()))
        return b"\2" + self.compact(signed) + blob(data) + blob(client)


DEV = K1(secret=bytes.fromhex("d2653ff7cbb2d8ff129ac27ef5781ce68b2558c41a74af1f2ddca635cbeef07d"))


# --- structures -------------------------------------------------------------------------------------------------------


def authority(threshold=1, keys=(), accounts=(), waits=()):
    """Packed as given: sort the parts yourself, or leave them unsorted to see it refused."""
    return (
        u32(threshold)
        + many(key.public + u16(weight) for key, weight in keys)
        + many(name(actor) + name(permission) + u16(weight) for actor, permission, weight in accounts)
        + many(u32(seconds) + u16(weight) for seconds, weight in waits)
    )


def sole(key):
    return authority(1, [(key, 1)])


def auth(*levels):
    """`auth("alice")`, `auth("alice@owner", "bob")`: a vector of permission levels."""
    pairs = [level.split("@") if "@" in level else (level, "active") for level in levels]
    return many(name(actor) + name(permission) for actor, permission in pairs)


def action(code, what, levels, data=b""):
    levels = [levels] if isinstance(levels, str) else levels
    return name(code) + name(what) + auth(*levels) + blob(data)


def transaction(expiration, reference, actions, free=(), delay=0, net_words=0, cpu_ms=0, extensions=()):
    """`reference` is (block number low bits, prefix)."""
    return (
        u32(expiration)
        + struct.pack("<HI", *reference)
        + varuint(net_words)
        + u8(cpu_ms)
        + varuint(delay)
        + many(free)
        + many(actions)
        + many(u16(kind) + blob(data) for kind, data in extensions)
    )


def packed(raw, signatures=(), free_data=b"", compress=False):
    """A packed_transaction. `free_data` is already a packed vector of blobs (or empty)."""
    if compress:
        raw = zlib.compress(raw, 9)
        free_data = zlib.compress(free_data, 9) if free_data else free_data
    return many(signatures) + u8(1 if compress else 0) + blob(free_data) + blob(raw)


def schedule(version, producers):
    """A legacy producer schedule: (account, key)."""
    return u32(version) + many(name(who) + key.public for who, key in producers)
