"""A county's given items as one form: what is filled in is entered together, what is ticked confirmed together."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.domain.types import DomainError, Forbidden, NotFound
from app.ledger.models import Event
from app.programme.ticks import tick_of
from app.scoring import given, given_lines
from app.scoring.given_lines import Line, LinesRefused
from app.scoring.models import GivenMark
from tests.conftest import Make
from tests.schemes.builders import give, small
from tests.schemes.test_new_pages import client_of, words

KEY = ("assess", "J13")


@pytest.fixture
def office_app(app: Any) -> Any:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def told(session: Any, kind: str) -> int:
    session.flush()
    return session.query(Event).filter(Event.payload.contains(f'"{kind}"')).count()


def test_lines_are_entered_together_with_one_basis_and_one_ledger_entry_each(
    session: Any, make: Any
) -> None:
    made = small(session, make, "jiangsu-enforcement-2022")
    county, office, before = made.subjects[0], made.scored.office, told(session, "given.enter")
    lines = {
        ("assess", "J12"): Line({"cases": "1", "reason": "一处"}),
        ("assess", "J13"): Line({"mark": "4.5"}, "省厅〔2022〕3号"),
    }
    done = given_lines.enter_lines(session, office, county, lines, basis="自查报告")
    assert {m.item: (m.evidence, m.entered_by, m.confirmed_at) for m in done} == {
        "J12": ("自查报告", office.id, None), "J13": ("省厅〔2022〕3号", office.id, None),
    }  # fmt: skip
    assert told(session, "given.enter") - before == 2
    rows = {row.id: row for row in given.given_of(session, made.round)[county.id]}
    assert (str(rows["J12"].points.points), str(rows["J13"].points.points)) == ("5", "4.5")
    assert rows["JB1"].mark is None  # left empty: as it was


def test_one_line_that_cannot_stand_keeps_all_open(session: Any, make: Any) -> None:
    made = small(session, make, "jiangsu-enforcement-2022")
    county, office = made.subjects[0], made.scored.office

    def refused(lines: Any, basis: str = "") -> dict[Any, Any]:
        with pytest.raises(LinesRefused) as caught:
            given_lines.enter_lines(session, office, county, lines, basis=basis)
        assert session.query(GivenMark).count() == 0 and not session.new
        return {key[1]: (fault.text.zh, fault.field) for key, fault in caught.value.faults.items()}

    good, j12 = Line({"mark": "4.5"}), ("assess", "J12")
    faults = refused({KEY: good, j12: Line({"cases": "1"})}, "自查")
    assert faults == {"J12": ("须写明理由", "")}
    no_basis = refused({KEY: good, j12: Line({"cases": "0"}, "案卷")})
    assert list(no_basis) == ["J13"] and no_basis["J13"][1] == "basis"
    assert list(refused({KEY: Line({"mark": "4.26"})}, "自查")) == ["J13"]
    assert list(refused({KEY: Line({}, "写了依据，没有分")}, "自查")) == ["J13"]
    with pytest.raises(DomainError, match="没有登记"):
        given_lines.enter_lines(session, office, county, {KEY: Line({"mark": " "})}, basis="自查")
    with pytest.raises(Forbidden):
        viewer = made.scored.supervisor
        given_lines.enter_lines(session, viewer, county, {KEY: good}, basis="自查")
    give(made, 0, "assess", "J13", {"mark": "5.0"}, confirm=False)
    with pytest.raises(LinesRefused) as caught:  # somebody was faster: his entry stands
        given_lines.enter_lines(session, office, county, {KEY: good}, basis="自查")
    assert "刚被他人改过" in caught.value.faults[KEY].text.zh
    assert session.query(GivenMark).one().entry["value"]["mark"] == "5.0"


def test_ticked_lines_are_confirmed_all_or_none_and_never_by_who_entered_one(
    session: Any, make: Any
) -> None:
    made = small(session, make, "jiangsu-enforcement-2022", counties=2)
    office, second, county = made.scored.office, made.scored.second, made.subjects[0]
    one = give(made, 0, "assess", "J12", {"cases": "0"}, confirm=False)
    two = give(made, 0, "assess", "J13", {"mark": "5.0"}, confirm=False)
    other = give(made, 1, "assess", "J13", {"mark": "5.0"}, confirm=False)
    ticks, before = [tick_of(one), tick_of(two)], told(session, "given.confirm")

    def refused(actor: Any, kind: type[DomainError], sent: list[str], match: str) -> None:
        with pytest.raises(kind, match=match):
            given_lines.confirm_lines(session, actor, county, sent)
        assert (one.confirmed_at, two.confirmed_at, other.confirmed_at) == (None, None, None)

    refused(office, Forbidden, ticks, "J12")
    refused(made.scored.supervisor, Forbidden, ticks, ".")
    refused(second, NotFound, [*ticks, tick_of(other)], "没有这个条目")  # another county's
    refused(second, DomainError, [], "没有打勾")
    given.enter_given(
        session, office, county, place="assess", item="J13", fields={"mark": "4.0"},
        evidence="更正",
    )  # fmt: skip
    refused(second, DomainError, ticks, "J13.*被改过")  # he has not seen the 4.0
    done = given_lines.confirm_lines(session, second, county, [tick_of(one), tick_of(two)])
    assert [m.item for m in done] == ["J12", "J13"]
    assert {m.confirmed_by for m in done} == {second.id}
    assert told(session, "given.confirm") - before == 2
    with pytest.raises(DomainError, match="J12.*已由他人确认"):
        given_lines.confirm_lines(session, second, county, [tick_of(one)])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_county_page_is_the_form_and_loses_nothing(
    office_app: Any, database: Any, language: str
) -> None:
    with database.write() as session:
        made = small(session, Make(), "luohe-2010", counties=2)
        county, office = made.subjects[0].id, made.scored.office
        second = made.scored.second
    client = client_of(office_app, database, office, language)
    base = f"/r/small/given/{county}"
    shown = words(client.get(base))
    assert ("登记所填" if language == "zh" else "Record what is filled in") in shown
    assert re.findall(r'name="([^"]+)\.(mark|vetoed)"', shown) == [
        ("select.LC1", "mark"), ("selfcheck.L5", "vetoed"),
    ]  # fmt: skip
    assert len(re.findall(r'name="selfcheck\.L\d\.pass" value="yes"', shown)) == 4
    assert made.subjects[1].id in shown  # one step to the next county
    sent = {
        "basis": "自查报告", "select.LC1.mark": "６．５", "selfcheck.L1.pass": "yes",
        "selfcheck.L2.pass": "", "selfcheck.L3.pass": "yes", "selfcheck.L3.basis": "批文 <3>",
        "selfcheck.L5.vetoed": "no",
    }  # fmt: skip
    kept = words(client.post(base, data=sent | {"select.LC1.mark": "99"}), 422)
    assert 'value="99"' in kept and "批文 &lt;3&gt;</textarea>" in kept and "自查报告" in kept
    assert 'name="selfcheck.L1.pass" value="yes" checked' in kept
    line = kept.split('id="line-select-LC1"')[1].split("</tr>")[0]
    assert 'class="error"' in line and kept.count('class="error"') == 1
    assert 'aria-invalid="true" aria-describedby="select-LC1-error"' in line
    assert "#line-select-LC1" in kept
    assert ("有 1 行不能登记" if language == "zh" else "1 line(s) cannot stand") in kept
    with database.read() as session:
        assert session.query(GivenMark).count() == 0
    assert client.post(base, data=sent).status_code == 302
    shown = words(client.get(base))
    assert set(re.findall(r'id="line-[^"]+-(\w+)"', shown)) == {"L2", "L4"}  # still open
    assert 'name="tick"' not in shown  # not by who entered
    again = words(client.post(base, data=sent), 422)  # the same form from another window
    assert again.count('class="error"') == 4 and "批文 &lt;3&gt;</textarea>" in again
    other = client_of(office_app, database, second, language)
    page = words(other.get(base))
    ticks = re.findall(r'<input type="checkbox" name="tick" value="([^"]+)"([^>]*)>', page)
    assert len(ticks) == 4 and not any("checked" in rest for _, rest in ticks)
    values = [value for value, _ in ticks]
    none = words(other.post(f"{base}/confirm", data={}), 422)
    assert ("没有打勾" if language == "zh" else "Nothing was ticked") in none
    done = words(other.post(f"{base}/confirm", data={"tick": values}, follow_redirects=True))
    assert ("已确认 4 项" if language == "zh" else "4 item(s) confirmed") in done
    late = words(other.post(f"{base}/confirm", data={"tick": values}), 409)
    assert ("已由他人确认" if language == "zh" else "is confirmed already") in late
    with database.read() as session:
        rows = {m.item: m for m in session.query(GivenMark)}
        assert set(rows) == {"LC1", "L1", "L3", "L5"}
        assert (rows["LC1"].entry["value"]["mark"], rows["LC1"].evidence) == ("6.5", "自查报告")
        assert rows["L3"].evidence == "批文 <3>"
        assert {m.confirmed_by for m in rows.values()} == {second.id}


def test_a_veto_and_a_bonus_lead_to_their_own_pages(office_app: Any, database: Any) -> None:
    with database.write() as session:
        made = small(session, Make(), "luohe-2010", facts={0: {"veto_level_violation": True}})
        county, office = made.subjects[0].id, made.scored.office
    client = client_of(office_app, database, office)
    shown = words(client.get(f"/r/small/given/{county}"))
    line = shown.split('id="line-selfcheck-L5"')[1].split("</tr>")[0]
    assert "按数据触发否决" in line and f"/given/{county}/selfcheck/L5" in line
    assert "selfcheck.L5.vetoes" not in shown
    # A veto sent to the line anyway names no veto: it cannot stand.
    sent = {"basis": "查实", "selfcheck.L5.vetoed": "yes"}
    assert "一行也没有登记" in words(client.post(f"/r/small/given/{county}", data=sent), 422)
