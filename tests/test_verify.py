"""The offline verifier: published vectors, every single change rejected, anchors checked."""

from __future__ import annotations

import ast
import base64
import copy
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app import verify
from app.domain.draw import (
    Candidate,
    Commitment,
    PanelSpec,
    Removal,
    replace,
    select,
    write_transcript,
)
from app.domain.draw.transcript import pack
from app.verify import STEPS, ed25519_verify, inclusion_root, verify_transcript
from tests.domain.draw.pools import codes, commit, exclusion, key_of, people, throw

VECTORS = Path(__file__).parent / "vectors"
QUOTAS = {"g": {"g0": (1, 3), "g1": (1, 3)}}


def transcript(shape: str, **more: Any) -> bytes:
    """Shapes: lottery; tickets, with parties and two acts; batch, with restarts and dates."""
    roster = people(14, {"g": 2, "o": 8}, shape)
    out = [exclusion("A", "E0001"), exclusion("A", "E0002", "kin")]
    acts: list[Any] = []
    if shape == "batch":
        roster = [
            Candidate(c.id, {"g": "g0" if i < 2 else "g1", "o": c.facts["o"]}, c.salt)
            for i, c in enumerate(roster)
        ]
        panels = [
            PanelSpec("A", 4, ("a",), ("d1",), {"g": {"g0": (0, 2), "g1": (0, 4)}}, {"o": 2}),
            PanelSpec("B", 2, ("b",), ("d1",), {"g": {"g0": (1, 1), "g1": (1, 1)}}),
            PanelSpec("C", 2, ("c",), ("d2",), {"g": {"g0": (1, 1), "g1": (1, 1)}}),
        ]
        out = [exclusion("A", "E0003"), exclusion("C", "E0000")]
    else:
        mode: Any = "lottery" if shape == "lottery" else "tickets"
        limits = {} if shape == "lottery" else {"o": 1}
        panels = [PanelSpec("A", 4, ("a",), ("d1",), QUOTAS, limits, mode)]
    commitment = commit(
        panels,
        roster,
        out,
        load_cap=1 if shape == "batch" else None,
        with_parties=shape == "tickets",
    )
    name = 0
    while True:
        key = key_of(commitment, name)
        result = select(commitment, roster, out, key)
        if shape != "batch" or (result.restarts and not any(p.short for p in result.panels)):
            break
        name += 1
    if shape == "tickets":
        standing: Any = result
        for act in (2, 3):
            who = standing.panel("A").seats[0].expert if act == 2 else standing.members("A")[1]
            removal = [Removal("A", who, "ill", "cd" * 32, 5)]
            standing = replace(commitment, roster, out, key, standing, removal, codes(act), act)
            acts.append(standing)
    return write_transcript(
        commitment=commitment, roster=roster, exclusions=out, source_values={"dice": throw(name)},
        codes=codes(1) if commitment.parties else {}, key=key, result=result, acts=acts, **more,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["lottery", "tickets", "batch"])
def whole(request: pytest.FixtureRequest) -> bytes:
    return transcript(request.param)


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changes(value: Any) -> Iterator[Any]:
    """Every document that differs from `value` in one place: a value, a missing or doubled item."""
    if isinstance(value, dict):
        for key in value:
            for other in changes(value[key]):
                yield {**value, key: other}
            yield {k: v for k, v in value.items() if k != key}
        yield {**value, "extra": 1}
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for other in changes(item):
                yield [*value[:place], other, *value[place + 1 :]]
            yield value[:place] + value[place + 1 :]
        if value:
            yield [*value, value[-1]]
            if value[::-1] != value:
                yield value[::-1]
    elif isinstance(value, str):
        yield value + "0"
        yield ("1" if value[:1] != "1" else "2") + value[1:]
    else:
        yield value + 1
        yield value - 1
        yield str(value)


def remade(files: dict[str, bytes], name: str, document: Any) -> bytes:
    """The transcript with one file changed, and an honest manifest: the harder forgery."""
    changed = {**files, name: verify.jcs(document)}
    if name != "manifest.json":
        sums = [
            [n, hashlib.sha256(changed[n]).hexdigest()]
            for n in sorted(changed)
            if n != "manifest.json"
        ]
        changed["manifest.json"] = verify.jcs(sums)
    return pack(changed)


def test_whole_transcript_verifies(whole: bytes) -> None:
    report = verify_transcript(whole)
    assert report.ok, (report.failed, report.en)
    assert report.kind == "drill" and not report.anchored
    assert "not anchored" in "\n".join(report.lines()) and "drill" in "\n".join(report.lines())


@pytest.mark.parametrize("shape", ["lottery", "tickets", "batch"])
def test_every_single_change_is_rejected(shape: str) -> None:
    files = opened(transcript(shape))
    tried = 0
    seen: set[str] = set()
    for name in files:
        for number, document in enumerate(changes(json.loads(files[name]))):
            if name in ("tickets.json", "roster.json") and number % 7:
                continue  # hundreds of alike rows
            if name == "acts.json" and document == json.loads(files[name])[:-1]:
                continue  # the honest transcript of the act before: only a ledger head tells
            report = verify_transcript(remade(files, name, document))
            assert not report.ok, (name, number, document)
            assert report.failed in STEPS and report.zh and report.en
            seen.add(report.failed)
            tried += 1
    assert tried > 300
    assert {"roster", "exclusions", "seed", "tickets", "selection"} <= seen


def test_each_kind_of_forgery_names_its_step(whole: bytes) -> None:
    files = opened(whole)
    data = {n: json.loads(b) for n, b in files.items()}
    cases: list[tuple[str, str, Any]] = []
    roster = copy.deepcopy(data["roster.json"])
    roster[0]["facts"][0][1] = "g9"
    cases.append(("roster", "roster.json", roster))
    cases.append(("exclusions", "exclusions.json", data["exclusions.json"][1:]))
    seed = copy.deepcopy(data["seed.json"])
    seed["sources"][0][1][0] = 1 + seed["sources"][0][1][0] % 6
    cases.append(("key", "seed.json", seed))
    result = copy.deepcopy(data["result.json"])
    excluded = next(e for e in data["exclusions.json"] if e["panel"] == "A")["expert"]
    result["panels"][0]["seats"][0][0] = excluded
    cases.append(("selection", "result.json", result))
    promoted = copy.deepcopy(data["commitment.json"])
    promoted["kind"] = "real"
    cases.append(("key", "commitment.json", promoted))
    labelled = [["u000000000000", "x"]]
    cases.append(("labels", "labels.json", labelled))
    for step, name, document in cases:
        assert verify_transcript(remade(files, name, document)).failed == step, name
    plain = {**files, "result.json": verify.jcs(result)}
    assert verify_transcript(pack(plain)).failed == "manifest"
    spaced = {**files, "seed.json": files["seed.json"] + b" "}
    assert verify_transcript(pack(spaced)).failed == "canonical"
    assert verify_transcript(pack({**files, "other.txt": b""})).failed == "archive"
    assert verify_transcript(whole + b"x").failed == "archive"
    assert verify_transcript(b"not a zip").failed == "archive"
    assert verify_transcript("/nonexistent.zip").failed == "archive"


def test_bytes_of_the_archive(whole: bytes) -> None:
    for place in range(0, len(whole), max(1, len(whole) // 300)):
        bent = bytearray(whole)
        bent[place] ^= 1
        assert not verify_transcript(bytes(bent)).ok, place


def test_expected_head(whole: bytes) -> None:
    digest = verify_transcript(whole).commitment_hash
    assert verify_transcript(whole, digest).ok and verify_transcript(whole, digest[:16]).ok
    assert verify_transcript(whole, digest[:15]).failed == "head"
    assert verify_transcript(whole, "0" * 64).failed == "head"


def test_command_line(whole: bytes, tmp_path: Path) -> None:
    """The file runs by itself, without the product on its path."""
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(whole)
    bad.write_bytes(whole[:-1])
    script = tmp_path / "verify.py"
    script.write_bytes(Path(verify.__file__).read_bytes())

    def call(*args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(script), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    done = call(good)
    assert done.returncode == 0 and "verified" in done.stdout and "核验通过" in done.stdout
    assert call(bad).returncode == 1 and "archive" in call(bad).stdout
    assert json.loads(call(good, "--json").stdout)["ok"] is True
    assert call(good, "--head", "0" * 64).returncode == 1
    assert call().returncode == 2


def test_standard_library_only() -> None:
    tree = ast.parse(Path(verify.__file__).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        assert all(n.split(".")[0] in sys.stdlib_module_names for n in names), names


@pytest.mark.parametrize("case", json.loads((VECTORS / "draw" / "rfc.json").read_text())["ed25519"])
def test_ed25519_of_rfc_8032(case: dict[str, str]) -> None:
    public, message, signature = (
        bytes.fromhex(case[k]) for k in ("public", "message", "signature")
    )
    assert ed25519_verify(public, message, signature)
    assert not ed25519_verify(public, message + b"x", signature)
    for place in (0, 31, 32, 63):
        bent = bytearray(signature)
        bent[place] ^= 1
        assert not ed25519_verify(public, message, bytes(bent))
    above = int.from_bytes(signature[32:], "little") + verify.L
    assert not ed25519_verify(public, message, signature[:32] + above.to_bytes(32, "little"))


def test_inclusion_proofs_of_rfc_6962() -> None:
    cases = json.loads((VECTORS / "rfc6962_merkle.json").read_text())["inclusion_cases"]
    assert len(cases) > 90
    for case in cases:
        proof = [base64.b64decode(p) for p in case["proof"] or []]
        made = inclusion_root(
            base64.b64decode(case["leafHash"] or ""), case["leafIdx"], case["treeSize"], proof
        )
        assert (made == base64.b64decode(case["root"] or "")) != case["wantErr"], case["desc"]


def vkey(name: str, key: Ed25519PrivateKey, kind: int) -> tuple[str, bytes]:
    raw = bytes([kind]) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    tag = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    return f"{name}+{tag.hex()}+{base64.b64encode(raw).decode()}", tag


def anchored(commitment_hash: str) -> tuple[str, dict[str, Any]]:
    """A ledger of five events, its checkpoint signed by the log and cosigned by a supervisor."""
    event = verify.jcs({"kind": "draw.committed", "body": {"commitment": commitment_hash}})
    leaves = [hashlib.sha256(b"\0" + e).digest() for e in (b"a", b"b", event, b"d", b"e")]
    node = lambda a, b: hashlib.sha256(b"\1" + a + b).digest()  # noqa: E731
    left = node(leaves[0], leaves[1])
    root = node(node(left, node(leaves[2], leaves[3])), leaves[4])
    text = f"example.test/log\n5\n{base64.b64encode(root).decode()}\n"
    log, witness = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (7, 8))
    log_key, log_tag = vkey("log", log, 1)
    witness_key, witness_tag = vkey("supervisor", witness, 4)
    stamp = (1_700_000_000).to_bytes(8, "big")
    cosigned = witness.sign(f"cosignature/v1\ntime 1700000000\n{text}".encode())
    lines = [
        f"— log {base64.b64encode(log_tag + log.sign(text.encode())).decode()}",
        f"— supervisor {base64.b64encode(witness_tag + stamp + cosigned).decode()}",
    ]
    anchor = {
        "event": event.decode(),
        "index": 2,
        "keys": [log_key, witness_key],
        "proof": [h.hex() for h in (leaves[3], left, leaves[4])],
    }
    return text + "\n" + "\n".join(lines) + "\n", anchor


def test_anchor() -> None:
    digest = verify_transcript(transcript("tickets")).commitment_hash
    note, anchor = anchored(digest)
    good = transcript("tickets", checkpoint=note, anchor=anchor)
    report = verify_transcript(good)
    assert report.ok and report.anchored and report.signers == ["log", "supervisor"]
    size, root = note.split("\n")[1:3]
    for head in (note, root, f"{size}:{root}", base64.b64decode(root).hex()):
        assert verify_transcript(good, head).ok
    assert verify_transcript(good, f"6:{root}").failed == "head"
    other, _ = anchored("0" * 64)
    bad: list[dict[str, Any]] = [
        {"checkpoint": note, "anchor": None},
        {"checkpoint": None, "anchor": anchor},
        {"checkpoint": other, "anchor": anchor},
        {"checkpoint": note.replace("\n5\n", "\n6\n"), "anchor": anchor},
        {"checkpoint": note, "anchor": {**anchor, "index": 3}},
        {"checkpoint": note, "anchor": {**anchor, "proof": anchor["proof"][:-1]}},
        {"checkpoint": note, "anchor": {**anchor, "keys": []}},
        {"checkpoint": note, "anchor": {**anchor, "event": anchor["event"].replace("1", "2")}},
    ]
    for files in bad:
        assert verify_transcript(transcript("tickets", **files)).failed == "anchor"
    for line in (3, 5, 6):  # any signature bent
        lines = note.split("\n")
        if len(lines[line]) > 20:
            lines[line] = (
                lines[line][:-9] + ("A" if lines[line][-9] != "A" else "B") + lines[line][-8:]
            )
            bent = transcript("tickets", checkpoint="\n".join(lines), anchor=anchor)
            assert verify_transcript(bent).failed == "anchor"


def test_commitments_read_back_to_the_same_bytes() -> None:
    files = opened(transcript("lottery"))
    document = json.loads(files["commitment.json"])
    again = Commitment(document, {t["panel"]: t for t in json.loads(files["lotteries.json"])})
    assert again.holds_lotteries()
    assert again.hash == verify_transcript(transcript("lottery")).commitment_hash
