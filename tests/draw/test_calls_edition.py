"""The public edition shows pseudonyms and codes alone; openings prove names leaf by leaf."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw.objects import leaf_hash, merkle_root
from app.domain.draw.opening import check_openings
from app.domain.types import DomainError
from app.draw import ceremony, edition
from app.draw.models import Draw
from app.draw.models_calls import DrawOpening
from app.ledger.models import Event
from app.registry.models import DISCIPLINES, KINDS, SOURCES
from tests.draw.builders import Staff, completed, make_pool, make_round, request, verify


def drawn(session: Session, staff: Staff, count: int = 60) -> Draw:
    make_pool(session, count)
    panel = {
        "quotas": {"discipline": {"land": [2, 2], "law": [1, 2]}, "source": {"institute": [1, 5]}}
    }
    return completed(
        session, staff, request(session, staff, make_round(session, kind="real"), 5, panel=panel)
    )


def test_nothing_in_the_transcript_names_a_person_an_employer_or_an_attribute(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    draw = drawn(session, staff)
    data = ceremony.transcript_of(draw)
    assert json.loads(verify(data, tmp_path / "v").stdout)["ok"]
    archive = zipfile.ZipFile(io.BytesIO(data))
    text = "".join(archive.read(name).decode() for name in archive.namelist())
    people = [c.expert for c in draw.candidates]
    for word in (
        *(p.person.name for p in people), *(p.number for p in people), *(p.id for p in people),
        "测试研究院", *DISCIPLINES, *KINDS, *SOURCES, "420000",
    ):  # fmt: skip
        assert f'"{word}"' not in text and f'"{word}' not in text, word
    leaf = json.loads(archive.read("roster.json"))[0]
    facts = dict(leaf["facts"])
    assert set(facts) == {"kind", "discipline", "source", "employer", "identity"}
    assert len(facts["identity"]) == 64 and facts["discipline"][0] == "d"
    quotas = {(a, low, high) for a, v, low, high in draw.commitment["panels"][0]["quotas"]}
    assert ("discipline", 2, 2) in quotas


def test_codes_are_fresh_in_each_draw_and_open_to_values(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff, 60)
    table = {(a, code): value for a, code, value in edition.code_table(session, draw)}
    by_id = {c.pseudonym: c for c in draw.candidates}
    for candidate in by_id.values():
        facts = candidate.facts
        assert table["discipline", facts["discipline"]] == candidate.expert.discipline
        assert table["kind", facts["kind"]] == candidate.expert.kind
        assert (
            table["employer", facts["employer"]]
            == candidate.expert.person.employments[0].organisation.name
        )
    stored = session.scalar(select(DrawOpening))
    assert "测试专家" not in stored.identities and "测试研究院" not in str(stored.codes)
    event = session.scalar(select(Event).where(Event.payload.contains('"kind":"draw.frozen"')))
    # The opening is bound before the commitment: its digest stands in the entry before it.
    rows = {(table_, key): value for table_, key, value in json.loads(event.payload)["rows"]}
    assert rows["draw_opening", stored.id] == stored.ledger_digest()
    assert event.seq < draw.commitment_seq


def test_the_supervisor_receives_leaves_salts_tables_and_reasons(
    session: Session, staff: Staff
) -> None:
    draw = drawn(session, staff)
    archive = zipfile.ZipFile(io.BytesIO(edition.full_opening(session, draw)))
    files = {
        name: json.loads(archive.read(name)) for name in archive.namelist() if name[-4:] == "json"
    }
    assert set(files) == {
        "codes.json", "commitment.json", "exclusions.json", "lotteries.json", "reasons.json",
        "roster.json",
    }  # fmt: skip
    assert leaf_hash(files["commitment.json"]) == draw.commitment_hash
    for name, root in (("roster", "roster_root"), ("exclusions", "exclusions_root")):
        assert merkle_root(leaf_hash(x) for x in files[f"{name}.json"]) == draw.commitment[root]
    for row in files["reasons.json"]:
        evidence = {"evidence": json.loads(row["evidence"]), "nonce": row["nonce"]}
        assert leaf_hash(evidence) == row["evidence_hash"]
    assert "checkpoint.txt" in archive.namelist()
    assert "测试专家" not in str(files)


def test_openings_prove_names_and_every_change_is_refused(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    keys = session.info["keys"]
    document = edition.opened_names(session, draw, keys)
    found = check_openings(document, draw.commitment)
    known = {c.pseudonym: c.expert for c in draw.candidates}
    assert {row["pseudonym"]: row["name"] for row in found} == {
        c.pseudonym: c.expert.person.name
        for c in draw.candidates
        if c.expert_id in {s.expert_id for s in draw.seats}
    }
    for row in found:
        assert row["number"] == known[row["pseudonym"]].number
        assert dict(row["facts"])["discipline"] == known[row["pseudonym"]].discipline
    assert len(found) == 5

    def changed(path: list[Any], value: Any) -> dict[str, Any]:
        copied = copy.deepcopy(document)
        place: Any = copied
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return copied

    first = ["openings", 0]
    for path, value in (
        ([*first, "identity", "name"], "冒名"),
        ([*first, "identity", "number"], "E9999"),
        ([*first, "identity", "salt"], "0" * 32),
        ([*first, "identity", "facts", 0, 1], "other"),
        ([*first, "leaf", "salt"], "0" * 32),
        ([*first, "leaf", "expert"], found[1]["pseudonym"]),
        ([*first, "index"], 0 if document["openings"][0]["index"] else 1),
        ([*first, "proof"], document["openings"][0]["proof"][:-1]),
        (["roster_root"], "0" * 64),
        (["roster_size"], 59),
        (["commitment"], "0" * 64),
        (["spec"], "x"),
        (["openings", 1], document["openings"][0]),
    ):
        with pytest.raises(DomainError):
            check_openings(changed(path, value), draw.commitment)


def test_private_rules_stand_in_the_leaf_as_one_word(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    candidate = draw.candidates[0]
    row = {
        "panel": "P1", "rule": "C-04", "shown": "private", "evidence_hash": "0" * 64, "salt": "0" * 32,
        "decided_by": "rules", "when": 0,
    }  # fmt: skip
    assert edition.shown_rule(row) == "private"
    assert edition.shown_rule({"rule": "C-01"}) == "C-01"
    candidate.exclusions = [row]
    assert "private" in {e.rule for e in ceremony.exclusions_of(draw)}
    assert "C-04" not in {e.rule for e in ceremony.exclusions_of(draw)}
    session.expire(candidate)  # never stored: the commitment is made


def test_handing_over_the_opening_is_an_event_of_the_supervisor(
    app: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with app.extensions["mingjian.db"].write() as session:
        staff = Staff(session, make)
        draw = drawn(session, staff)
        page = f"/r/r1/draws/{draw.id}"
        before = session.scalar(select(Event.seq).order_by(Event.seq.desc()).limit(1))
    assert client_as(staff.office).post(f"{page}/opening").status_code == 403
    answer = client_as(staff.supervisor).post(f"{page}/opening")
    assert answer.status_code == 200 and answer.data[:2] == b"PK"
    with app.extensions["mingjian.db"].write() as session:
        payloads = session.scalars(select(Event.payload).where(Event.seq > before))
        assert sum('"kind":"draw.opening_delivered"' in text for text in payloads) == 1
