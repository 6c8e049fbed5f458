"""A round's score rule from a file: held against the round, compared, put on record, refused later."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.rule_file import load_rule
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.models import Event
from app.programme import invariants, operations, score_rules
from app.programme.models import Round
from app.programme.scheme import score_rule_of
from tests.programme.conftest import add_districts, add_regions, make_round

MEDIAN = "median"


def changed(round_: Round, **keys: Any) -> str:
    """The round's own rule as a file with some keys changed."""
    data = score_rule_of(round_).to_json()
    return str(yaml.safe_dump({**data, **keys}, allow_unicode=True, sort_keys=False))


def put(
    session: Any, actor: Any, round_: Round, text: str, reason: str = "省厅2012年规定第5条"
) -> Any:
    read = score_rules.seen(round_, score_rules.tried(round_, text))
    return score_rules.put_on_record(session, actor, round_, text=text, read=read, reason=reason)


def test_the_rule_in_force_is_a_file_that_reads_back(round_: Round) -> None:
    text = score_rules.as_yaml(score_rule_of(round_))
    assert load_rule(text).digest() == round_.score_rule_digest
    found = score_rules.tried(round_, text)
    assert (found.notes, found.differences) == ((), ())
    assert found.then is not None and found.then.total == found.now.total


def test_a_rule_goes_on_record_with_its_digest(session: Any, people: Any, round_: Round) -> None:
    before = round_.score_rule_digest
    row = put(session, people["office"], round_, changed(round_, estimator=MEDIAN, quorum=7))
    assert round_.score_rule_digest == row.after_digest == score_rule_of(round_).digest() != before
    entry = next(
        json.loads(e.payload)
        for e in session.scalars(select(Event).order_by(Event.seq.desc()))
        if json.loads(e.payload)["kind"] == "round.score_rule"
    )
    assert entry["data"] == {
        "round": round_.id, "number": 1, "before": before, "after": row.after_digest,
    }  # fmt: skip
    assert invariants.rounds_keep_their_rules(session) == []
    again = put(session, people["office"], round_, changed(round_, quorum=5))
    assert [c.number for c in score_rules.changes(session, round_)] == [2, 1]
    assert again.before_digest == row.after_digest


def test_what_is_refused(session: Any, people: Any, round_: Round) -> None:
    office, text = people["office"], changed(round_, quorum=7)
    with pytest.raises(Forbidden):
        put(session, people["supervisor"], round_, text)
    with pytest.raises(DomainError, match="Nothing was saved"):
        put(session, office, round_, text, reason=" ")
    with pytest.raises(DomainError, match="has already"):
        put(session, office, round_, changed(round_))
    with pytest.raises(DomainError, match=r"has 1 error"):
        put(session, office, round_, changed(round_, quorum="many"))
    read = score_rules.seen(round_, score_rules.tried(round_, text))
    other = changed(round_, quorum=3)
    with pytest.raises(Conflict, match="not the rule that was checked"):
        score_rules.put_on_record(session, office, round_, text=other, read=read, reason="理由充分")
    put(session, office, round_, other)
    with pytest.raises(Conflict):  # somebody changed the rule since the difference was read
        score_rules.put_on_record(session, office, round_, text=text, read=read, reason="理由充分")


def test_refused_once_the_round_is_open(session: Any, people: Any, opened: Round) -> None:
    before = opened.score_rule_digest
    with pytest.raises(Conflict, match="计分规则已经冻结"):
        put(session, people["office"], opened, changed(opened, quorum=7))
    assert opened.score_rule_digest == before
    assert score_rules.changes(session, opened) == []


def test_held_against_the_round(round_: Round, districts: Any) -> None:
    modules = score_rule_of(round_).to_json()["modules"]
    stray = dict(zip([*modules][:-1] + ["hearing"], modules.values(), strict=True))
    found = score_rules.tried(round_, changed(round_, modules=stray, ties=["unrounded"]))
    assert [n.key for n in found.notes if n.level == "error"] == ["modules.hearing"]
    none = score_rules.tried(round_, "quorum: 5\n")
    assert [n.key for n in none.notes] == ["modules"] and none.errors == 1
    items = score_rule_of(round_).to_json()["items"]
    gone = next(iter(items))
    rest = {**{k: v for k, v in items.items() if k != gone}, "ZZ": {"weight": "1"}}
    found = score_rules.tried(round_, changed(round_, items=rest))
    assert {(n.level, n.key) for n in found.notes} == {("warning", "items.ZZ"), ("error", "items")}
    assert gone in next(n.text.zh for n in found.notes if n.key == "items")
    adjust = {"110108": "1.00", "999999": "-1"}
    found = score_rules.tried(round_, changed(round_, adjust=adjust))
    assert [(n.level, n.key) for n in found.notes] == [
        ("warning", "adjust"),
        ("error", "adjust.999999"),
    ]
    assert {text.en for text in found.differences} == {
        "adjustment of 110108: new, 1", "adjustment of 999999: new, -1",
    }  # fmt: skip


def test_on_screen(app: Any, client_as: Any) -> None:
    office, supervisor = client_as("office"), client_as("supervisor")
    with app.extensions["mingjian.db"].write() as session:
        add_regions(session)
        round_ = make_round(session, office.viewer)
        add_districts(session, office.viewer, round_)
        wrong = changed(round_, quorum="many")
        right = changed(round_, estimator=MEDIAN)
        digest = round_.score_rule_digest
    url = "/r/bj-2/score-rule"
    page = supervisor.get(url).text
    assert "现行规则" in page and digest in page and "<textarea" not in page
    assert supervisor.post(url, data={"text": right, "do": "check"}).status_code == 403
    file = office.get(f"{url}.yaml")
    assert ScoreRule.parse(yaml.safe_load(file.data)).digest() == digest
    refused = office.post(url, data={"text": wrong, "do": "check"})
    line = wrong.splitlines().index("quorum: many") + 1
    assert refused.status_code == 422 and "有 1 处错误" in refused.text
    assert (
        f'<td class="num">{line}</td><td><code class="pre">quorum: many</code></td>' in refused.text
    )
    assert (
        refused.text.count("不是 1 到 1000 之间的整数") == 1 and "记录这一规则" not in refused.text
    )
    given = {"file": (BytesIO(right.encode()), "rule.yaml"), "example": "60 70 80 90 95 97 99", "do": "check"}  # fmt: skip
    checked = office.post(url, data=given, content_type="multipart/form-data")
    assert checked.status_code == 200
    assert "合成方法：原为 去掉两端后取算术平均，改为 中位数" in checked.text
    assert '<b class="num">86.40</b>' in checked.text and '<b class="num">90.00</b>' in checked.text
    seen = checked.text.split('name="seen" type="hidden" value="')[1].split('"')[0]
    done = {"text": right, "do": "record", "seen": seen, "reason": "省厅规定"}
    assert office.post(url, data={**done, "reason": ""}).status_code == 422
    assert "86.4" not in office.post(url, data={**done, "example": "a b"}).text
    assert office.post(url, data=done).headers["Location"].endswith(url)
    office.post("/language", data={"language": "en"})
    page = office.get(url).text
    assert "省厅规定" in page and digest in page
    with app.extensions["mingjian.db"].write() as session:
        round_ = session.scalar(select(Round))
        assert round_.score_rule["estimator"] == MEDIAN
        operations.open_round(session, office.viewer, round_)
    late = office.post(url, data={**done, "text": wrong})
    assert late.status_code == 409
    assert "已冻结" in supervisor.get(url).text or "Frozen" in supervisor.get(url).text
