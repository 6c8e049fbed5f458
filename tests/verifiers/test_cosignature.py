"""The cosignature in a transcript and the file that opens names: what both verifiers say of them."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from app import verify
from app.cli.draw import verify_command
from app.domain.draw.transcript import pack
from app.draw import ceremony, edition, operations
from app.draw.device import fingerprint
from app.exercise import device
from app.verify import verify_transcript
from tests.draw.builders import Staff, completed, make_pool, make_round, request
from tests.test_verify import opened, remade
from tests.vectors import engine
from tests.vectors.second_generator import generate
from tests.verifiers import witness as ledger
from tests.verifiers.agreement import Item, Judge, any_judge
from tests.verifiers.forgeries import real_request, whole


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with any_judge() as found:
        yield found


@pytest.fixture
def staff(session: Session, make: Any) -> Staff:
    return Staff(session, make)


def sealed(files: dict[str, bytes]) -> bytes:
    """With an honest manifest."""
    rest = {n: b for n, b in files.items() if n != "manifest.json"}
    sums = [[n, verify.sha(rest[n]).hex()] for n in sorted(rest)]
    return pack({**rest, "manifest.json": verify.jcs(sums)})


def both(judge: Judge, *item: Any) -> tuple[str, str]:
    """The failing step of each verifier, "" for none; they must agree."""
    mine = verify_transcript(*item)
    said = judge([item])[0] if len(item) > 1 else judge([(item[0], "")])[0]
    assert (mine.ok, mine.failed, mine.steps) == (said["ok"], said["step"], said["steps"]), (
        item[1:], mine.en, said["en"],
    )  # fmt: skip
    assert (mine.cosigners, mine.seated) == (said["cosigners"], said["seated"]) or not mine.ok
    return mine.failed, said["step"]


def test_the_engine_and_the_second_generator_write_the_same_bytes() -> None:
    asked = real_request()
    second = generate(asked, ledger.witness)
    files = ledger.witness(second["hash"], second["acts"])
    first = engine.drawn(asked, second["commitment"])
    parts = opened(first["zip"])
    assert sealed({**parts, **files}) == second["zip"] == whole("real")
    notes = {n: b.decode() for n, b in files.items() if n.endswith(".txt")}
    assert set(notes) == {
        "checkpoint.txt", "cosignature.txt", "act-2-cosignature.txt", "act-3-cosignature.txt"
    }  # fmt: skip
    assert set(opened(second["zip"])) == set(parts) | set(files)


def test_fingerprints_are_those_of_the_card(judge: Judge) -> None:
    report = verify_transcript(whole("real"))
    assert report.ok and report.cosigned and report.kind == "real"
    assert report.cosigners == [
        [ledger.device_name(key), fingerprint(ledger.public(key).hex())]
        for key in (ledger.FIRST, ledger.SECOND)
    ]
    said = "\n".join(report.lines())
    assert all(f"fingerprint {print_}" in said for _, print_ in report.cosigners)
    plain = verify_transcript(whole("anchored"))
    assert plain.ok and not plain.cosigned and "not cosigned" in "\n".join(plain.lines())


def bare(files: dict[str, bytes], **changes: Any) -> bytes:
    """Without any note of a device; `anchor.json` changed."""
    kept = {n: b for n, b in files.items() if "cosignature" not in n}
    anchor = {**json.loads(kept["anchor.json"]), **changes}
    return remade(kept, "anchor.json", {k: v for k, v in anchor.items() if v is not None})


def test_a_real_draw_must_be_cosigned_and_a_drill_may_lack_it(judge: Judge) -> None:
    real, drill = opened(whole("real")), opened(whole("cosigned"))
    assert both(judge, bare(real, cosigners=[], acts=[]))[0] == "cosignature"
    assert both(judge, bare(drill, cosigners=[], acts=[]))[0] == ""
    # As transcripts were written before devices were registered: no list of cosigners at all.
    for files in (real, drill):
        old = bare(files, cosigners=None, acts=None)
        assert both(judge, old)[0] == "" and not verify_transcript(old).cosigned
    assert both(judge, bare(drill))[0] == "cosignature"  # listed, and did not sign


def test_each_forged_cosignature_is_named(judge: Judge) -> None:
    files = opened(whole("real"))
    anchor = json.loads(files["anchor.json"])
    text = files["checkpoint.txt"].decode().partition("\n\n")[0] + "\n"
    stranger = ledger.Ed25519PrivateKey.from_private_bytes(bytes([11]) * 32)
    name = ledger.device_name(stranger)

    def signed(key: Any, called: str, body: str = text) -> bytes:
        return files["checkpoint.txt"] + ledger.line(called, key, body).encode()

    def cosigners(*keys: str) -> bytes:
        return verify.jcs({**anchor, "cosigners": list(keys)})

    first, second = anchor["cosigners"]
    own = ledger.device_name(ledger.FIRST)
    other = "supervisor-00000000"
    log = f"supervisor-{verify.sha(ledger.public(ledger.LOG)).hex()[:8]}"
    cases = {
        "another's key": {"cosignature.txt": signed(stranger, name)},
        "another text": {"cosignature.txt": signed(ledger.FIRST, own, text + "x\n")},
        "another name": {
            "cosignature.txt": signed(ledger.FIRST, other),
            "anchor.json": cosigners(ledger.listed(other, ledger.FIRST), second),
        },
        "another role": {
            "cosignature.txt": signed(ledger.FIRST, own.replace("supervisor", "office0000")),
            "anchor.json": cosigners(first.replace("supervisor", "office0000"), second),
        },
        "the ledger's key": {
            "cosignature.txt": signed(ledger.LOG, log),
            "anchor.json": cosigners(ledger.listed(log, ledger.LOG), first, second),
        },
        "a key too many": {"anchor.json": cosigners(first, second, ledger.listed(name, stranger))},
        "a key twice": {"anchor.json": cosigners(first, first, second)},
        "a key too few": {"anchor.json": cosigners(first)},
        "keys in another order": {"anchor.json": cosigners(second, first)},
        "no key": {"anchor.json": cosigners()},
        "acts exchanged": {
            "act-2-cosignature.txt": files["act-3-cosignature.txt"],
            "act-3-cosignature.txt": files["act-2-cosignature.txt"],
        },
        "a further act": {"act-4-cosignature.txt": files["act-3-cosignature.txt"]},
        "without the ledger's line": {
            "act-2-cosignature.txt": b"\n\n".join(
                part if n == 0 else part.split(b"\n", 1)[1]
                for n, part in enumerate(files["act-2-cosignature.txt"].split(b"\n\n"))
            )
        },
        "another event": {
            "anchor.json": verify.jcs({**anchor, "acts": [
                {**anchor["acts"][0], "event": anchor["acts"][1]["event"]}, anchor["acts"][1]
            ]})
        },
    }  # fmt: skip
    assert both(judge, sealed(files))[0] == ""
    for what, changed in cases.items():
        assert both(judge, sealed({**files, **changed}))[0] == "cosignature", what
    for lost in ("cosignature.txt", "act-2-cosignature.txt", "act-3-cosignature.txt"):
        assert (
            both(judge, sealed({n: b for n, b in files.items() if n != lost}))[0] == "cosignature"
        )
    unknown = {**files, "act-1-cosignature.txt": files["act-2-cosignature.txt"]}
    assert both(judge, sealed(unknown))[0] == "archive"
    half = verify.jcs({k: v for k, v in anchor.items() if k != "cosigners"})
    assert both(judge, sealed({**files, "anchor.json": half}))[0] == "form"


def test_a_draw_of_the_application_carries_its_cosignatures_and_opens_its_names(
    session: Session, staff: Staff, judge: Judge, tmp_path: Path
) -> None:
    make_pool(session, 90)
    asked = request(session, staff, make_round(session, kind="real"), 5)
    draw = completed(session, staff, asked)
    for number in (2, 3):
        seat = next(s for s in draw.seats if s.active and s.number == number)
        act = operations.record_removals(
            session, staff.office, draw, [(seat, "health", "住院证明（测试）")]
        )
        device.cosign_removals(session, staff.supervisor, draw, act)
        for party in draw.parties:
            operations.reveal_act_code(
                session, staff.viewer(party.name), act, party.name,
                staff.code(party.name, act.number),
            )  # fmt: skip
        operations.complete_act(session, staff.office, act)
    data = ceremony.transcript_of(draw)
    card = fingerprint(device.public_of(staff.supervisor.id))
    report = verify_transcript(data)
    assert report.ok and report.cosigned and [c[1] for c in report.cosigners] == [card]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("cosignature.txt").decode() == ceremony.cosigned_note(draw)
        assert [a["act"] for a in json.loads(archive.read("anchor.json"))["acts"]] == [2, 3]
    document = edition.opened_names(session, draw, session.info["keys"])
    names = verify.jcs(document)
    assert both(judge, data, "", names)[0] == ""
    seated = verify_transcript(data, None, names).seated
    known = {c.pseudonym: c.expert.person.name for c in draw.candidates}
    active = {(s.panel, s.number): s.expert.person.name for s in draw.seats if s.active}
    assert {(panel, place): name for panel, place, _, name in seated} == active
    assert all(known[pseudonym] == name for _, _, pseudonym, name in seated)
    forged: list[Item] = []
    for path, value in (
        (("openings", 0, "identity", "name"), "冒名"),
        (("openings", 0, "identity", "salt"), "0" * 32),
        (("openings", 0, "identity", "facts", 0, 1), "other"),
        (("openings", 0, "leaf", "salt"), "0" * 32),
        (("openings", 0, "leaf", "expert"), document["openings"][1]["leaf"]["expert"]),
        (("openings", 0, "index"), -1),
        (("openings", 0, "index"), document["openings"][1]["index"]),
        (("openings", 0, "proof"), document["openings"][0]["proof"][:-1]),
        (("openings", 0, "proof", 0), "zz"),
        (("openings", 0, "extra"), "x"),
        (("openings", 1), document["openings"][0]),
        (("openings",), document["openings"][::-1]),
        (("roster_root",), "0" * 64),
        (("roster_size",), 91),
        (("commitment",), "0" * 64),
        (("spec",), "x"),
    ):
        changed: Any = copy.deepcopy(document)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        forged.append((data, "", verify.jcs(changed)))
    forged += [
        (data, "", text) for text in (b"", b"[]", b"null", names + b" ", b"\xff", names[:-1])
    ]
    forged.append((whole("real"), "", names))
    for item, said in zip(forged, judge(forged), strict=True):
        mine = verify_transcript(*item)
        assert mine.failed == said["step"] == "openings", (mine.en, said["en"], item[2][:80])
        assert mine.en == said["en"] or "malformed" in mine.en + said["en"]
    transcript, file = tmp_path / "t.zip", tmp_path / "names.json"
    transcript.write_bytes(data)
    file.write_bytes(names)
    done = CliRunner().invoke(verify_command, [str(transcript), "--openings", str(file)])
    assert done.exit_code == 0 and all(name in done.output for name in active.values())
    assert card in done.output
    file.write_bytes(names + b" ")
    done = CliRunner().invoke(verify_command, [str(transcript), "--openings", str(file)])
    assert done.exit_code == 1 and "openings of names" in done.output
