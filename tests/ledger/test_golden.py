"""The format never changes: ledgers written by earlier versions verify for ever.

Twice: with today's code, and by a stranger who has only docs/ledger-format.md and the standard
library.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from app.db import Database
from app.domain.ledger import checkpoint as notes
from app.domain.ledger import merkle
from app.domain.ledger.canonical import canonical, digest
from app.keys import verify_signature
from app.ledger import prove
from app.ledger.models import Event, Head, Secret, SignedHead
from app.verify import ed25519_verify
from tests.ledger.golden import BEGAN, KEYS, build

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("ledger-*"))
FILES = ("events", "secrets", "checkpoints", "rows", "head")


def read(directory: Path) -> dict[str, Any]:
    return {name: json.loads((directory / f"{name}.json").read_text("utf-8")) for name in FILES}


@pytest.fixture(params=GOLDEN, ids=lambda path: path.name)
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_there_is_one_and_it_was_not_written_again() -> None:
    """The digests of the files as they were first committed."""
    written = {
        f"{directory.name}/{name}.json": hashlib.sha256(
            (directory / f"{name}.json").read_bytes()
        ).hexdigest()[:16]
        for directory in GOLDEN
        for name in FILES
    }
    assert written == {
        "ledger-1/events.json": "f1eb6bb7499b9343",
        "ledger-1/secrets.json": "9fa3f38850c8777c",
        "ledger-1/checkpoints.json": "3d645acf05117899",
        "ledger-1/rows.json": "bf0d2d8ca7d69eb8",
        "ledger-1/head.json": "b85a2c260ac17479",
    }


def test_leaves_root_and_signatures_with_todays_code(golden: dict[str, Any]) -> None:
    edge: list[bytes] = []
    roots = {}
    for number, event in enumerate(golden["events"]):
        leaf = merkle.leaf_hash(event["payload"].encode())
        assert (event["seq"], event["leaf"]) == (number, leaf.hex())
        assert canonical(json.loads(event["payload"])).decode() == event["payload"]
        size = merkle.push(edge, number, leaf)
        roots[size] = merkle.root_of_edge(edge)
    head = prove.TreeHead.parse(golden["head"]["head"])
    assert (head.size, head.root) == (len(golden["events"]), merkle.root_of_edge(edge))
    public = bytes.fromhex(golden["head"]["public_key"])
    assert len(golden["checkpoints"]) == 2
    for row in golden["checkpoints"]:
        note = notes.parse(row["note"])
        assert (note.size, note.root) == (row["size"], roots[row["size"]])
        (line,) = note.signatures
        assert line.name == golden["head"]["key_name"]
        assert line.key_id == notes.key_id(line.name, public)
        assert verify_signature(public, note.body, line.value)


def test_openings_and_row_digests_with_todays_code(golden: dict[str, Any]) -> None:
    bodies = {event["seq"]: json.loads(event["payload"]) for event in golden["events"]}
    sealed = {seq for seq, body in bodies.items() if body["kind"] == "sealed"}
    assert sealed == {secret["seq"] for secret in golden["secrets"]} and len(sealed) == 3
    for secret in golden["secrets"]:
        opened = json.loads(secret["body"])
        assert (
            hashlib.sha256(secret["body"].encode()).hexdigest() == bodies[secret["seq"]]["digest"]
        )
        bodies[secret["seq"]] = opened
    latest = {(t, i): d for _, body in sorted(bodies.items()) for t, i, d in body["rows"]}
    assert latest == {(r["table"], r["view"]["id"]): digest(r["view"]) for r in golden["rows"]}
    assert len(latest) == 4


def test_the_full_check_of_today_accepts_it(golden: dict[str, Any], database: Database) -> None:
    """In a database of today; only the business rows, whose columns may have grown, are left out."""
    with database.write() as session:
        session.info["mode"] = "raw"
        edge: list[bytes] = []
        for event in golden["events"]:
            leaf = bytes.fromhex(event["leaf"])
            session.add(Event(seq=event["seq"], payload=event["payload"], leaf=leaf))
            merkle.push(edge, event["seq"], leaf)
        session.flush()
        session.add_all([Secret(**secret) for secret in golden["secrets"]])
        session.add_all([SignedHead(made_at=BEGAN, **row) for row in golden["checkpoints"]])
        root = merkle.root_of_edge(edge)
        session.add(
            Head(id=1, size=len(golden["events"]), edge=b"".join(edge), root=root, at=BEGAN)
        )
        session.flush()
        report = prove.verify(session, KEYS, prove.TreeHead.parse(golden["head"]["head"]))
        assert report.checkpoints == 2 and str(report.head) == golden["head"]["head"]
        assert len(report.faults) == 4
        assert all(fault.en.endswith("is gone") for fault in report.faults)


# ---------- the stranger


def stranger(golden: dict[str, Any]) -> str:
    """Verify an export as docs/ledger-format.md says, without the product; the first fault or ""."""

    def tree(hashes: list[bytes]) -> bytes:
        if len(hashes) == 1:
            return hashes[0]
        half = 1
        while half * 2 < len(hashes):
            half *= 2
        return hashlib.sha256(b"\1" + tree(hashes[:half]) + tree(hashes[half:])).digest()

    def plain(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    leaves, bodies = [], {}
    for number, event in enumerate(golden["events"]):
        data = event["payload"].encode()
        leaves.append(hashlib.sha256(b"\0" + data).digest())
        bodies[number] = json.loads(data)
        if event["seq"] != number or leaves[-1].hex() != event["leaf"]:
            return f"leaf {number}"
        if plain(bodies[number]) != data:
            return f"form {number}"
    for secret in golden["secrets"]:
        body = bodies[secret["seq"]]
        told = hashlib.sha256(secret["body"].encode()).hexdigest()
        if body["kind"] != "sealed" or body["digest"] != told:
            return f"opening {secret['seq']}"
        bodies[secret["seq"]] = json.loads(secret["body"])
    mark, size, root = golden["head"]["head"].split(":")
    if (mark, int(size), root) != ("mj1", len(leaves), tree(leaves).hex()):
        return "head"
    public = bytes.fromhex(golden["head"]["public_key"])
    name = golden["head"]["key_name"]
    if name != "mingjian-" + hashlib.sha256(public).hexdigest()[:8]:
        return "key name"
    for row in golden["checkpoints"]:
        text, _, lines = row["note"].partition("\n\n")
        origin, told_size, told_root = text.split("\n")
        dash, signer, blob = lines.rstrip("\n").split(" ")
        raw = base64.b64decode(blob, validate=True)
        tag = hashlib.sha256(name.encode() + b"\n\1" + public).digest()[:4]
        good = (
            (origin, dash, signer, raw[:4]) == ("mingjian", "\u2014", name, tag)
            and int(told_size) == row["size"]
            and base64.b64decode(told_root) == tree(leaves[: row["size"]])
            and ed25519_verify(public, (text + "\n").encode(), raw[4:])
        )
        if not good:
            return f"checkpoint {row['size']}"
    latest = {}
    for _, body in sorted(bodies.items()):
        for table, key, told in body.get("rows", []):
            latest[table, key] = told
    for row in golden["rows"]:
        if latest.pop((row["table"], row["view"]["id"]), "") != hashlib.sha256(plain(row["view"])).hexdigest():  # fmt: skip
            return f"row {row['table']} {row['view']['id']}"
    return f"gone {next(iter(latest))}" if latest else ""


def test_a_stranger_with_the_document_alone_verifies_it(golden: dict[str, Any]) -> None:
    assert stranger(golden) == ""


def test_the_stranger_finds_every_change(golden: dict[str, Any]) -> None:
    """One character changed anywhere in the export is found."""
    tried = 0
    for name in ("events", "secrets", "checkpoints", "rows"):
        for place, entry in enumerate(golden[name]):
            flat = entry["view"] if name == "rows" else entry
            for field, value in flat.items():
                if name == "checkpoints" and field == "reason":
                    continue  # a remark beside the note, which nothing signs
                changed = json.loads(json.dumps(golden))
                target = changed[name][place]["view"] if name == "rows" else changed[name][place]
                target[field] = value + 1 if isinstance(value, int) else f"{value or ''}0"
                try:
                    found = stranger(changed)
                except (ValueError, KeyError):
                    found = "unreadable"
                assert found, (name, place, field)
                tried += 1
    assert tried > 60
    assert stranger({**golden, "events": golden["events"][:-1]}) == "head"


def test_the_same_story_told_today_gives_the_same_entries(tmp_path: Path) -> None:
    """Leaves, openings and signatures come out byte by byte, as long as the models are those of
    ledger-1; a model that gained a column changes row digests and nothing else."""
    build(tmp_path)
    now, then = read(tmp_path), read(GOLDEN[0])
    for new, old in zip(now["events"], then["events"], strict=True):
        a, b = json.loads(new["payload"]), json.loads(old["payload"])
        if "rows" in a:
            a["rows"], b["rows"] = ([row[:2] for row in body["rows"]] for body in (a, b))
        a.pop("digest", None), b.pop("digest", None)
        assert a == b
    for new, old in zip(now["secrets"], then["secrets"], strict=True):
        a, b = json.loads(new["body"]), json.loads(old["body"])
        a.pop("rows"), b.pop("rows")
        assert a == b
