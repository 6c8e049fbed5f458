"""From public values and one-time codes to the draw key (docs/draw-protocol.md section 4).

HKDF is RFC 5869 with SHA-256. The serialisation of the sources and the one-time-code chain follow
draft-thomson-elegy-vrs (a seed of public values, salted with codes that were committed before).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from .objects import Party, Source, refuse

HEX64 = re.compile(r"[0-9a-f]{64}")
NO_PARTIES_SALT = bytes(32)


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    """RFC 5869 section 2.2 with SHA-256."""
    return hmac.new(salt, material, hashlib.sha256).digest()


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3 with SHA-256; length at most 255 * 32 bytes."""
    block, out = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out += block
    return out[:length]


def parse_values(text: str, source: Source) -> list[int]:
    """Values as people type them ("1 6 3 ..."; blanks, commas and 、 part them), checked."""
    parts = [p for p in re.split(r"[\s,，、;；]+", text.strip()) if p]
    values: list[int] = []
    for place, part in enumerate(parts, 1):
        if not re.fullmatch(r"[0-9]{1,15}", part):
            raise refuse(
                "来源“{s}”第 {n} 个值“{v}”不是非负整数",
                "source '{s}', value {n} '{v}' is not a non-negative integer",
                s=source.name,
                n=place,
                v=part,
            )
        values.append(int(part))
    return check_values(values, source)


def check_values(values: Sequence[int], source: Source) -> list[int]:
    """Exactly `count` values in range; a set without repeats, returned sorted as numbers."""
    if len(values) != source.count:
        raise refuse(
            "来源“{s}”须恰好 {n} 个值，现有 {k} 个",
            "source '{s}' needs exactly {n} values, {k} given",
            s=source.name,
            n=source.count,
            k=len(values),
        )
    for place, value in enumerate(values, 1):
        if not source.low <= value <= source.high:
            raise refuse(
                "来源“{s}”第 {n} 个值 {v} 不在 {a} 至 {b} 之间",
                "source '{s}', value {n} is {v}, not between {a} and {b}",
                s=source.name,
                n=place,
                v=value,
                a=source.low,
                b=source.high,
            )
    if source.kind == "set":
        if len(set(values)) != len(values):
            raise refuse(
                "来源“{s}”是集合，不得有重复值",
                "source '{s}' is a set and has a repeated value",
                s=source.name,
            )
        return sorted(values)
    return list(values)


def read_sources(
    sources: Sequence[Source],
    fallbacks: Mapping[str, Sequence[Source]],
    values: Mapping[str, Sequence[int]],
) -> list[tuple[int, Source]]:
    """What was read in the place of each source, in committed order: (0, the source itself) or
    (k, its k-th fallback). DomainError unless `values` has exactly one of them for every source."""
    found = [
        [(k, s) for k, s in enumerate((o, *fallbacks.get(o.name, ()))) if s.name in values]
        for o in sources
    ]
    read = [row[0] for row in found if len(row) == 1]
    if len(read) != len(sources) or {s.name for _, s in read} != set(values):
        raise refuse(
            "种子来源须与承诺书所列完全一致：{want}",
            "seed sources must be exactly those committed: {want}",
            want=", ".join(s.name for s in sources),
        )
    return read


def input_material(
    sources: Sequence[Source],
    values: Mapping[str, Sequence[int]],
    fallbacks: Mapping[str, Sequence[Source]] | None = None,
) -> bytes:
    """IKM: for each source in committed order its values, each followed by ".", then "/"; those of its
    k-th fallback stand after "~k:"."""
    return "".join(
        (f"~{place}:" if place else "")
        + "".join(f"{v}." for v in check_values(values[s.name], s))
        + "/"
        for place, s in read_sources(sources, fallbacks or {}, values)
    ).encode("ascii")


def chain(secret: bytes, times: int) -> bytes:
    """H applied `times` times to 32 bytes: the one-time-code chain of a party."""
    for _ in range(times):
        secret = hashlib.sha256(secret).digest()
    return secret


def codes_salt(parties: Sequence[Party], codes: Mapping[str, str], act: int) -> bytes:
    """SHA-256 over the codes of one act in committed order; 32 zero bytes when there are no parties.

    The code of act r, hashed r times, must give the party's commitment: DomainError otherwise.
    """
    if set(codes) != {p.name for p in parties}:
        raise refuse(
            "须由每一方各出示一个一次性口令：{want}",
            "every party reveals exactly one code: {want}",
            want=", ".join(p.name for p in parties) or "-",
        )
    if not parties:
        return NO_PARTIES_SALT
    joined = b""
    for party in parties:
        code = codes[party.name]
        if act >= party.index + 1 or not HEX64.fullmatch(code):
            raise refuse(
                "“{p}”的口令须为 64 位小写十六进制，且口令链尚未用完",
                "the code of '{p}' must be 64 lower-case hex digits of a chain not used up",
                p=party.name,
            )
        raw = bytes.fromhex(code)
        if chain(raw, act).hex() != party.commitment_hex:
            raise refuse(
                "“{p}”的口令与其承诺不符",
                "the code of '{p}' does not match its commitment",
                p=party.name,
            )
        joined += raw
    return hashlib.sha256(joined).digest()


def draw_key(
    commitment_hash: str,
    kind: str,
    sources: Sequence[Source],
    values: Mapping[str, Sequence[int]],
    parties: Sequence[Party],
    codes: Mapping[str, str],
    fallbacks: Mapping[str, Sequence[Source]] | None = None,
) -> str:
    """DRAWKEY, lower-case hex."""
    material = input_material(sources, values, fallbacks)
    prk = hkdf_extract(codes_salt(parties, codes, 1), material)
    return hkdf_expand(prk, f"pdraw/1|{kind}|{commitment_hash}".encode("ascii"), 32).hex()


def replacement_key(
    draw_key_hex: str,
    commitment_hash: str,
    kind: str,
    parties: Sequence[Party],
    codes: Mapping[str, str],
    act: int,
    removal_hash: str,
) -> str:
    """KEY_r of act r >= 2, lower-case hex: nobody knows it before the removals are fixed."""
    prk = hkdf_extract(codes_salt(parties, codes, act), bytes.fromhex(draw_key_hex))
    info = f"pdraw/1|replace|{kind}|{commitment_hash}|{act}|{removal_hash}"
    return hkdf_expand(prk, info.encode("ascii"), 32).hex()
