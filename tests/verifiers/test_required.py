"""A commitment that requires a cosignature: whatever is cut out of its transcript, both verifiers stop
at the cosignature; transcripts without the field are judged as before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app import verify
from app.domain.draw import read_transcript
from app.draw import ceremony
from app.verify import verify_transcript
from tests.draw.builders import Staff, completed, make_pool, make_round, request
from tests.vectors import engine, make_cosigned, make_pdraw
from tests.vectors.make_pdraw import expanded, expectation
from tests.vectors.second_generator import generate
from tests.verifiers.agreement import Judge, any_judge
from tests.verifiers.cuts import CUTS, opened, packed
from tests.verifiers.witness import witness

VECTORS = [json.loads(line) for line in make_cosigned.FILE.read_text("utf-8").split("\n") if line]
DRAWS = [v for v in VECTORS if "key" in v["expect"]]
REFUSED = [v for v in VECTORS if "refused" in v["expect"]]
OLD = "de97be38a5b73c8b8b361e294c36086dc514ccde9df8684dd5e0854cbfa80451"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with any_judge() as found:
        yield found


def test_the_older_vectors_are_as_they_were_frozen() -> None:
    assert hashlib.sha256(make_pdraw.FILE.read_bytes()).hexdigest() == OLD
    assert "requires_cosignature" not in make_pdraw.FILE.read_text("utf-8")


def test_made_again_they_are_byte_equal() -> None:
    made = make_cosigned.text(lambda data: verify_transcript(data).failed)
    assert made == make_cosigned.FILE.read_text("utf-8")
    assert (len(DRAWS), len(REFUSED)) == (24, 5)


@pytest.mark.parametrize("vector", DRAWS, ids=lambda v: v["name"])
def test_the_engine_draws_the_same(vector: dict[str, Any]) -> None:
    asked = expanded(vector["request"])
    second = generate(asked, witness)
    assert {k: v for k, v in vector["expect"].items() if k != "cut"} == expectation(second)
    first = engine.drawn(asked, second["commitment"])
    same = ("hash", "key", "tickets", "result", "acts")
    assert {k: first[k] for k in same} == {k: second[k] for k in same}
    notes = witness(second["hash"], second["acts"])
    assert packed({**opened(first["zip"]), **notes}) == second["zip"]
    without = generate({k: v for k, v in asked.items() if k != "requires_cosignature"}, witness)
    assert without["hash"] != second["hash"]  # the field is bound by the commitment


def test_both_verifiers_name_the_step_for_every_cut(judge: Judge) -> None:
    items, wanted = [], []
    for vector in DRAWS:
        data = generate(expanded(vector["request"]), witness)["zip"]
        for cut, work in CUTS.items():
            items.append((work(data), ""))
            wanted.append((vector["name"], cut, vector["expect"]["cut"][cut]))
    for (name, cut, step), (data, _), said in zip(wanted, items, judge(items), strict=True):
        mine = verify_transcript(data)
        assert (mine.failed, said["step"]) == (step, step), (name, cut, mine.en, said["en"])
        assert mine.steps == said["steps"] and mine.cosigned == said["cosigned"]
        assert (mine.zh, mine.en) == (said["zh"], said["en"]) or cut == "files"
        has_acts = "acts" in name
        assert step == (
            "" if cut == "nothing" or (cut == "acts" and not has_acts) else "cosignature"
        )
    said = verify_transcript(CUTS["ledger"](items[0][0]))
    assert said.en == "the commitment requires it; it is not there"


def test_without_the_field_the_same_cuts_are_judged_as_before(judge: Judge) -> None:
    """The negative control: what the field is there for."""
    asked = {k: v for k, v in DRAWS[0]["request"].items() if k != "requires_cosignature"}
    data = generate(expanded(asked), witness)["zip"]
    steps = {cut: verify_transcript(work(data)).failed for cut, work in CUTS.items()}
    assert steps == {
        "nothing": "", "notes": "", "devices": "", "ledger": "", "acts": "", "files": "cosignature",
    }  # fmt: skip
    said = judge([(work(data), "") for work in CUTS.values()])
    assert [s["step"] for s in said] == list(steps.values())


@pytest.mark.parametrize("vector", REFUSED, ids=lambda v: v["name"])
def test_other_values_are_refused(vector: dict[str, Any], judge: Judge) -> None:
    data = generate(expanded(vector["request"]), witness)["zip"]
    assert verify_transcript(data).failed == vector["expect"]["refused"]
    assert judge([(data, "")])[0]["step"] == vector["expect"]["refused"]


def test_the_field_cannot_be_taken_out(judge: Judge) -> None:
    """The key follows from the commitment: without the field it is another draw."""
    files = opened(generate(expanded(DRAWS[0]["request"]), witness)["zip"])
    commitment = json.loads(files["commitment.json"])
    del commitment["requires_cosignature"]
    result = {**json.loads(files["result.json"]), "commitment": verify.leaf(commitment)}
    changed = {
        **{n: b for n, b in files.items() if not n.endswith(".txt") and n != "anchor.json"},
        "commitment.json": verify.jcs(commitment), "result.json": verify.jcs(result),
    }  # fmt: skip
    data = packed(changed)
    assert verify_transcript(data).failed == judge([(data, "")])[0]["step"] == "key"


@pytest.mark.parametrize("kind", ["drill", "real"])
def test_every_draw_of_the_application_requires_it(
    session: Any, make: Any, judge: Judge, kind: str
) -> None:
    staff = Staff(session, make)
    make_pool(session, 90)
    draw = completed(session, staff, request(session, staff, make_round(session, kind=kind), 5))
    assert draw.commitment["requires_cosignature"] == 1
    data = ceremony.transcript_of(draw)
    assert verify_transcript(data).cosigned
    assert read_transcript(data)["commitment.json"] == draw.commitment
    items = [(CUTS[cut](data), "") for cut in ("notes", "devices", "ledger")]
    for item, said in zip(items, judge(items), strict=True):
        assert verify_transcript(item[0]).failed == said["step"] == "cosignature"
