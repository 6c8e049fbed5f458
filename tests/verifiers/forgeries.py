"""Forged transcripts for both verifiers: every kind of change, sampled evenly, always the same ones.

A forger who keeps his papers in order: the manifest is honest, and where a root or a table is bound
by the commitment the binding is made anew, so that the checks behind it are reached.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from app import verify
from app.domain.draw import PanelSpec, select, write_transcript
from app.domain.draw.transcript import pack
from tests.domain.draw.pools import commit, exclusion, key_of, number, people, throw
from tests.test_verify import anchored, changes, opened, remade, transcript
from tests.vectors.make_pdraw import FILE, expanded
from tests.vectors.second_generator import generate
from tests.verifiers.cuts import CUTS
from tests.verifiers.witness import witness

SHAPES = ("lottery", "tickets", "batch", "uneven", "anchored", "cosigned", "real", "required")

COSIGNED = ("cosigned", "real", "required")


@cache
def real_request() -> dict[str, Any]:
    """A vector with two acts, asked for as a real draw."""
    lines = map(json.loads, FILE.read_text("utf-8").splitlines())
    request: dict[str, Any] = next(v for v in lines if v["name"] == "acts-02")["request"]
    return expanded({**request, "kind": "real"})


@cache
def whole(shape: str) -> bytes:
    """Those of tests/test_verify.py, a lottery of several levels, and an anchored draw."""
    if shape == "anchored":
        digest = verify.verify_transcript(transcript("tickets")).commitment_hash
        note, anchor = anchored(digest)
        return transcript("tickets", checkpoint=note, anchor=anchor)
    if shape == "cosigned":
        files = opened(transcript("tickets"))
        notes = witness(
            verify.leaf(json.loads(files["commitment.json"])), json.loads(files["acts.json"])
        )
        return remade(files | notes, "anchor.json", json.loads(notes["anchor.json"]))
    if shape == "real":
        return bytes(generate(real_request(), witness)["zip"])
    if shape == "required":  # a drill, which without the field might lack its cosignature
        asked = {**real_request(), "kind": "drill", "requires_cosignature": 1}
        return bytes(generate(asked, witness)["zip"])
    if shape != "uneven":
        return transcript(shape)
    roster = people(18, {"g": 3, "o": 6}, shape)
    quotas = {"g": {"g0": (2, 2), "g1": (1, 2), "g2": (0, 2)}}
    out = [exclusion("A", roster[3].id, "kin")]
    panel = PanelSpec("A", 4, ("a",), ("d1",), quotas, {"o": 1}, "lottery")
    commitment = commit([panel], roster, out)
    key = key_of(commitment)
    result = select(commitment, roster, out, key)
    return write_transcript(
        commitment=commitment, roster=roster, exclusions=out, source_values={"dice": throw("throw")},
        codes={}, key=key, result=result, labels={verify_label("甲"): "甲"},
    )  # fmt: skip


def verify_label(words: str) -> str:
    return "u" + verify.sha(words.encode()).hex()[:12]


def bound(files: dict[str, bytes], name: str, document: Any) -> bytes | None:
    """The change with the commitment's roots made to fit it; None where nothing binds the file."""
    commitment = json.loads(files["commitment.json"])
    try:
        if name in ("roster.json", "exclusions.json"):
            document = sorted(document, key=verify.leaf)
            commitment[name.removesuffix(".json") + "_root"] = verify.root(document)
            if name == "roster.json":
                commitment["roster_size"] = len(document)
        elif name == "lotteries.json":
            tables = iter(document)
            for panel in commitment["panels"]:
                if panel["mode"] == "lottery":
                    panel["lottery_root"] = verify.leaf(next(tables))
        else:
            return None
    except StopIteration:
        return None
    return remade({**files, "commitment.json": verify.jcs(commitment)}, name, document)


def texts(files: dict[str, bytes]) -> Iterator[bytes]:
    """Bytes that are no canonical JSON, or hardly."""
    seed = files["seed.json"]
    deep = b"[" * 17 + b"]" * 17
    bad = [
        seed + b" ", b"\xef\xbb\xbf" + seed, seed.decode().encode("utf-16"), seed[:-1], b"", b"null",
        seed.replace(b"[1,", b"[1.0,", 1), seed.replace(b"[", b"[-0,", 1), b"NaN", b"[true]", b"1e21",
        b"9007199254740993", b"9007199254740992", b'"\\ud800"', b'"\\u0061"', b'"\xff"', deep, b"[" * 5000,
        '{"é":1}'.encode(), b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'"\\/"', b'"\\u007f"',
        b"[" * 16 + b"]" * 16, b'"\x7f"', '["\U0001f600"]'.encode(), b'{"__proto__":1}', b"[]",
    ]  # fmt: skip
    for body in bad:
        changed = {**files, "seed.json": body}
        sums = [[n, verify.sha(changed[n]).hex()] for n in sorted(changed) if n != "manifest.json"]
        yield pack({**changed, "manifest.json": verify.jcs(sums)})
    yield pack({**files, "checkpoint.txt": b"\xff"})
    for manifest in (b"{}", b"[]", b"1", b'[["acts.json"]]'):
        yield pack({**files, "manifest.json": manifest})
    for name in files:
        yield pack({n: b for n, b in files.items() if n != name})
    yield pack({**files, "verify.py": b""})


def archives(data: bytes) -> Iterator[bytes]:
    """One bit of the ZIP, a cut, something before or behind it."""
    yield from (b"", b"PK", b"no archive", data + b"\0", b"\0" + data, data[:-1], data[:40])
    for place in range(0, len(data), max(1, len(data) // 60)):
        bent = bytearray(data)
        bent[place] ^= 1 << number("bit", place) % 8
        yield bytes(bent)


def honest(shape: str, name: str, document: Any, changed: Any) -> bool:
    """Changes that leave an honest transcript, of which only a ledger head tells more."""
    if name == "acts.json" and shape not in COSIGNED:
        return bool(changed == document[:-1])  # as it was one act earlier
    if name == "labels.json":
        return not changed  # without words for its codes
    if name == "anchor.json" and "keys" in changed and changed["keys"]:
        fewer = set(changed["keys"]) <= set(document["keys"])  # or in another order
        return fewer and len(set(changed["keys"])) == len(changed["keys"])
    return False


def forgeries(shape: str) -> Iterator[bytes]:
    """All forgeries of one shape: thousands."""
    data = whole(shape)
    files = opened(data)
    for name in files:
        if name.endswith(".txt"):
            text = files[name].decode()
            for place in range(0, len(text), 3):
                bent = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
                yield _note(files, name, bent)
            ends = shape in COSIGNED  # of a note without a device any further line is ignored
            for bent in (
                text[:-1],
                text + "\n",
                text + text.split("\n")[-2] + "\n",
                text.upper(),
                "",
            ) * ends:
                yield _note(files, name, bent)
            continue
        document = json.loads(files[name])
        for changed in changes(copy.deepcopy(document)):
            if honest(shape, name, document, changed):
                continue
            yield remade(files, name, changed)
            again = bound(files, name, changed) if isinstance(changed, list) else None
            if again is not None:
                yield again
    if shape == "required":
        yield from (work(data) for cut, work in CUTS.items() if cut != "nothing")
    yield from without(files)
    yield from texts(files)
    yield from archives(data)


def without(files: dict[str, bytes]) -> Iterator[bytes]:
    """A signed note left out or put where another belongs, with an honest manifest."""
    notes = [name for name in files if name.endswith(".txt")]
    for name in notes:
        yield _sealed({n: b for n, b in files.items() if n != name})
        for other in [*notes, "act-9-cosignature.txt", "act-1-cosignature.txt", "cosignature.txt"]:
            if files.get(other) != files[name]:
                yield _sealed({**files, other: files[name]})


def _note(files: dict[str, bytes], name: str, text: str) -> bytes:
    return _sealed({**files, name: text.encode()})


def _sealed(changed: dict[str, bytes]) -> bytes:
    sums = [[n, verify.sha(changed[n]).hex()] for n in sorted(changed) if n != "manifest.json"]
    return pack({**changed, "manifest.json": verify.jcs(sums)})


def sample(count: int) -> list[tuple[str, bytes]]:
    """`count` forgeries or a few more, evenly over all shapes and kinds: [(what, bytes), ...]."""
    out: list[tuple[str, bytes]] = []
    each = -(-count // len(SHAPES))
    for shape in SHAPES:
        found = [forged for forged in forgeries(shape) if forged != whole(shape)]
        step = max(1, len(found) // each)
        # The stride must not fall in step with the fields of a record.
        places = sorted({(n * step + number(shape, n) % step) % len(found) for n in range(each)})
        out += [(f"{shape} {place}", found[place]) for place in places]
    return out
