"""Asking for a draw on the screen: each bad request has one clear error beside its field."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.types import DomainError
from app.draw import form_data, operations, operations_templates
from app.draw.models import Draw
from app.draw.models_request import RequestTemplate
from app.draw.requests import asked_again, checked_request
from app.draw.sources import checked_sources, instant_of, is_outside
from app.ledger.models import Event
from app.programme.models import Round, Subject
from app.programme.queries import rules_of
from tests.draw.builders import Staff, make_pool, make_round, request

BASE = "/r/r1/draws"
FORM = {
    "stage": "desk", "split": "one", "seats": "5", "mode": "tickets", "mode_reason": "",
    "load_cap": "0", "replacement": "act", "dice": "50", "accept_high": "", "accept_zero": "",
}  # fmt: skip


@pytest.fixture
def counties(write: Any, people: Staff) -> list[str]:
    with write() as session:
        return list(session.scalars(select(Subject.id).order_by(Subject.position)))


def errors(answer: Any) -> list[str]:
    """The texts of the errors that stand in the page below the summary."""
    body = answer.text.split('class="stack"', 1)[1]
    found = re.findall(r'<p class="error"[^>]*>(.*?)</p>', body, flags=re.S)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in found]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"seats": "0"}, "seats", "1"),
        ({"seats": ""}, "seats", "请填写这一项"),
        ({"seats": "6"}, "seats", "规则 D-03：评审组须为 5 人以上单数，现为 6 人"),
        ({"seats": "3"}, "seats", "规则 D-03"),
        ({"min_discipline_law": "4", "min_discipline_land": "3"}, None, "“专业”的下限合计超过席位数 5"),
        ({"min_discipline_law": "3", "max_discipline_law": "2"}, "min_discipline_law", "“专业：法律”的下限须不大于上限"),
        ({"min_kind_management": "3"}, None, "规则 D-04"),
        ({"pair_employer": "2"}, None, "规则 C-10：同一单位最多 1 人"),
        ({"mode": "lottery", "mode_reason": "batch"}, "mode_reason", "不适用于这种抽取方式"),
        ({"extra-0-value": "employer:nosuchbody", "extra-0-least": "1"}, None, "“单位”没有值“nosuchbody”"),
        ({"dice": "0"}, "dice", "至少要有一个随机来源"),
        ({"other_name": "fc3d"}, "other_count", "个数、最小值和最大值"),
        ({"other_name": "fc3d", "other_count": "3", "other_low": "0", "other_high": "9"}, None, "须写明期号"),
        ({"other_name": "x", "other_kind": "set", "other_count": "7", "other_low": "1", "other_high": "6",
          "other_when": "1"}, None, "要取 7 个不重复的数，但范围内只有 6 个"),
        ({"other_name": "x", "other_count": "7", "other_low": "9", "other_high": "6", "other_when": "1"},
         None, "最小值须小于最大值"),
        ({"fixed": "1 2 3"}, None, "“六面骰子”须恰好 50 个值"),
        ({"split": "each", "mode": "lottery"}, "mode", "与其他组同日"),
    ],
)  # fmt: skip
def test_a_bad_request_has_one_error_beside_its_field(
    office: Any, write: Any, counties: list[str], change: dict[str, str],
    field: str | None, words: str,
) -> None:  # fmt: skip
    answer = office.post(f"{BASE}/new", data={**FORM, "subjects": counties, **change})
    assert answer.status_code == 422
    found = errors(answer)
    assert len(found) == 1 and words in found[0], found
    if field is not None:
        assert f'id="{field}-error"' in answer.text
    for name, value in change.items():
        if value and name not in (
            "split",
            "mode",
            "mode_reason",
            "other_kind",
            "extra-0-value",
            "fixed",
        ):
            assert f'name="{name}"' in answer.text and f'value="{value}"' in answer.text
    with write() as session:
        assert session.scalar(select(func.count(Draw.id))) == 0


def test_unknown_counties_are_refused(office: Any, counties: list[str]) -> None:
    answer = office.post(f"{BASE}/new", data={**FORM, "subjects": ["0" * 16]})
    assert answer.status_code == 422 and len(errors(answer)) == 1
    none = office.post(f"{BASE}/new", data=FORM)
    assert none.status_code == 422 and "请选择本届中未被否决" in errors(none)[0]


def groups(counties: list[str], **more: str) -> dict[str, Any]:
    return {
        **FORM, "subjects": counties, "split": "groups",
        "panels-0-name": "A", "panels-1-name": "B", "panels-1-size": "7",
        f"of_{counties[0]}": "0", f"of_{counties[1]}": "1", **more,
    }  # fmt: skip


def test_a_batch_is_put_together_on_the_screen(
    office: Any, write: Any, counties: list[str]
) -> None:
    more = {
        "panels-1-own": "y", "panels-1-min_discipline_law": "1",
        "panels-1-on": "2012-11-21", "min_discipline_land": "1", "load_cap": "1",
    }  # fmt: skip
    answer = office.post(f"{BASE}/new", data=groups(counties, **more))
    assert answer.status_code == 302, errors(answer)
    with write() as session:
        draw = session.scalar(select(Draw))
        a, b = draw.request["panels"]
        assert (a["id"], a["seats"], a["subjects"], a["dates"]) == (
            "A",
            5,
            counties[:1],
            ["2012-11-20"],
        )
        assert (b["id"], b["seats"], b["subjects"], b["dates"]) == (
            "B",
            7,
            counties[1:],
            ["2012-11-21"],
        )
        assert a["quotas"]["discipline"]["land"] == [1, 5]
        assert b["quotas"]["discipline"]["law"] == [1, 7]
        assert b["quotas"]["discipline"]["land"] == [0, 7]
        assert draw.request["load_cap"] == 1 and a["mode_reason"] == "batch"
        key = draw.id
    page = office.get(f"{BASE}/{key}/edit").text
    assert 'name="panels-1-size" value="7"' in page and 'value="2012-11-21"' in page
    assert 'name="panels-1-min_discipline_law" value="1"' in page
    assert office.post(f"{BASE}/{key}/edit", data=groups(counties, **more)).status_code == 302
    with write() as session:
        assert session.scalar(select(Draw)).request["panels"] == [a, b]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"panels-1-name": "A"}, "评审组编号“A”出现两次"),
        ({"panels-1-name": "组二"}, "评审组编号只能用字母"),
        ({"panels-1-size": "8"}, "评审组“B”：规则 D-03"),
        ({"panels-0-own": "y", "panels-0-min_source_company": "6"}, "评审组“A”"),
    ],
)
def test_a_bad_panel_of_a_batch_is_named(
    office: Any, counties: list[str], change: dict[str, str], words: str
) -> None:
    answer = office.post(f"{BASE}/new", data=groups(counties, **change))
    assert answer.status_code == 422
    assert len(errors(answer)) == 1 and words in errors(answer)[0], errors(answer)


def test_rows_are_added_without_saving_and_nothing_typed_is_lost(
    office: Any, write: Any, counties: list[str]
) -> None:
    form = groups(counties, row="add_panel", seats="9")
    answer = office.post(f"{BASE}/new", data=form)
    assert answer.status_code == 200
    assert 'name="panels-2-name"' in answer.text and 'value="9"' in answer.text
    assert 'name="panels-0-name" value="A"' in answer.text
    with write() as session:
        assert session.scalar(select(func.count(Draw.id))) == 0


def test_public_lotteries_are_named_with_their_draw(
    office: Any, write: Any, counties: list[str]
) -> None:
    form = {**FORM, "subjects": counties, "ssq": "2012136 2012-11-18T21:15+08:00", "dlt": "12136"}
    assert office.post(f"{BASE}/new", data=form).status_code == 302
    with write() as session:
        draw = session.scalar(select(Draw))
        assert [
            (s["name"], s["kind"], s["count"], s["low"], s["high"]) for s in draw.request["sources"]
        ] == [
            ("dice", "sequence", 50, 1, 6),
            ("ssq-red", "set", 6, 1, 33),
            ("ssq-blue", "sequence", 1, 1, 16),
            ("dlt-front", "set", 5, 1, 35),
            ("dlt-back", "set", 2, 1, 12),
        ]
        assert instant_of(draw.request["sources"][1]).isoformat() == "2012-11-18T13:15:00+00:00"
        assert instant_of(draw.request["sources"][3]) is None
        assert [is_outside(s) for s in draw.request["sources"]] == [False, True, True, True, True]
        key = draw.id
    shown = office.get(f"{BASE}/{key}").text
    assert "福彩双色球·红球：6 个，1–33，不计顺序，2012136" in shown
    assert 'name="dlt" placeholder="12136" type="text" value="12136"' in office.get(
        f"{BASE}/{key}/edit"
    ).text.replace('maxlength="80" ', "")


def test_employer_and_region_quotas_come_back_into_the_form(
    office: Any, write: Any, counties: list[str]
) -> None:
    page = office.get(f"{BASE}/new").text
    body = re.search(r'value="(employer:[0-9a-f]{16})">测试研究院00<', page)
    assert body and 'value="region:420000">湖北<' in page
    form = {
        **FORM, "subjects": counties, "extra-0-value": body.group(1), "extra-0-most": "0",
        "extra-1-value": "region:420000", "extra-1-least": "2", "pair_region": "4",
    }  # fmt: skip
    assert office.post(f"{BASE}/new", data=form).status_code == 302
    with write() as session:
        draw = session.scalar(select(Draw))
        (panel,) = draw.request["panels"]
        assert panel["quotas"]["employer"] == {body.group(1).partition(":")[2]: [0, 0]}
        assert panel["quotas"]["region"] == {"420000": [2, 5]}
        assert panel["pair_limits"] == {"employer": 1, "region": 4}
        again = checked_request(
            draw.round, rules_of(draw.round), stage="desk", **asked_again(draw.request)
        )
        assert again == draw.request
        key = draw.id
    shown = office.get(f"{BASE}/{key}").text
    assert "测试研究院00 0–0" in shown and "湖北 2–5" in shown


def test_one_panel_of_a_batch_may_have_its_own_quota_of_employers_and_regions(
    office: Any, write: Any, counties: list[str]
) -> None:
    page = office.get(f"{BASE}/new").text
    body, other = re.findall(r'value="(employer:[0-9a-f]{16})">测试研究院0[01]<', page)[:2]
    rows = {
        "extra-0-of": "", "extra-0-value": "region:420000", "extra-0-least": "1",
        "extra-1-of": "1", "extra-1-value": body, "extra-1-most": "0",
        "extra-2-of": "1", "extra-2-value": "region:420000", "extra-2-least": "3",
        "extra-3-of": "0", "extra-3-value": other, "extra-3-least": "1",
        "panels-1-own": "y", "panels-1-min_discipline_law": "1",
    }  # fmt: skip
    alone = {**groups(counties, **rows), "split": "each", "mode": "tickets"}
    refused = office.post(f"{BASE}/new", data=alone)
    assert refused.status_code == 422 and "只用于“分成几个组”" in errors(refused)[0]
    form = {**groups(counties, **rows), "mode": "tickets"}
    wrong = office.post(f"{BASE}/new", data={**form, "extra-1-least": "9"})
    assert wrong.status_code == 422 and errors(wrong)[0].count("评审组“B”：") == 1
    assert office.post(f"{BASE}/new", data=form).status_code == 302
    with write() as session:
        draw = session.scalar(select(Draw))
        first, second = draw.request["panels"]
        assert first["quotas"]["employer"] == {other.partition(":")[2]: [1, 5]}
        assert first["quotas"]["region"] == {"420000": [1, 5]}
        assert second["quotas"]["employer"] == {body.partition(":")[2]: [0, 0]}
        assert second["quotas"]["region"] == {"420000": [3, 7]}
        assert second["quotas"]["discipline"]["law"] == [1, 7]
        assert "discipline" not in first["quotas"]
        key, asked = draw.id, draw.request
    # The form brings it back, and saving it unchanged changes nothing.
    edit = office.get(f"{BASE}/{key}/edit").text
    assert len(re.findall(r'<option value="1" selected>B</option>', edit)) >= 3
    back = form_data.filled_in(asked, "desk")["extra"]
    assert {(row["of"], row["value"], row["least"], row["most"]) for row in back} == {
        ("0", other, 1, None), ("1", body, 0, 0),
        ("0", "region:420000", 1, None), ("1", "region:420000", 3, None),
    }  # fmt: skip
    again = {k: v for k, v in form.items() if not k.startswith("extra")}
    for n, row in enumerate(back):
        again |= {f"extra-{n}-{k}": "" if v is None else str(v) for k, v in row.items()}
    assert office.post(f"{BASE}/{key}/edit", data=again).status_code == 302
    with write() as session:
        assert session.get(Draw, key).request == asked


def test_quotas_that_all_panels_share_come_back_as_one_row() -> None:
    panel = {"seats": 5, "mode": "tickets", "pair_limits": {}, "subjects": []}
    request = {
        "panels": [
            {**panel, "id": "A", "quotas": {"region": {"420000": [1, 5]}}},
            {**panel, "id": "B", "seats": 7, "quotas": {"region": {"420000": [1, 7]}}},
        ],
        "load_cap": 0, "replacement": "act", "parties": [], "sources": [],
    }  # fmt: skip
    assert form_data.filled_in(request, None)["extra"] == [
        {"of": "", "value": "region:420000", "least": 1, "most": None}
    ]


def test_a_template_serves_the_whole_office(
    office: Any, write: Any, counties: list[str], people: Staff
) -> None:
    form = {**FORM, "subjects": counties, "seats": "7", "min_discipline_law": "1", "ssq": "2012136"}
    page = office.post(f"{BASE}/new", data=form).headers["Location"]
    blank = office.post(f"{page}/template", data={"name": " "})
    assert blank.status_code == 422
    for _ in range(2):
        assert office.post(f"{page}/template", data={"name": "七人  一组"}).status_code == 302
    with write() as session:
        (row,) = session.scalars(select(RequestTemplate))
        assert row.name == "七人 一组" and row.saved_by == people.office.id
        assert [s["name"] for s in row.body["sources"]] == ["dice"]
        assert "subjects" not in row.body["panels"][0]
        kinds = [e for e in session.scalars(select(Event.payload)) if "template_saved" in e]
        assert len(kinds) == 2
        key = row.id
    assert "七人 一组" in office.get(f"{BASE}/new").text
    filled = office.get(f"{BASE}/new?template={key}").text
    assert 'name="min_discipline_law" value="1"' in filled
    assert re.search(r'name="seats"[^>]*value="7"', filled)
    assert office.get(f"{BASE}/new?template={'0' * 16}").status_code == 404


def test_only_the_office_saves_templates(session: Any, make: Any) -> None:
    staff = Staff(session, make)
    make_pool(session)
    draw = request(session, staff, make_round(session))
    with pytest.raises(DomainError):
        operations_templates.save_template(session, staff.office, draw, "x" * 201)
    with pytest.raises(Exception, match=r".") as caught:
        operations_templates.save_template(session, staff.supervisor, draw, "x")
    assert type(caught.value).__name__ == "Forbidden"


def test_sources_are_in_shape_whoever_asks(session: Any, make: Any) -> None:
    staff = Staff(session, make)
    make_pool(session)
    round_ = make_round(session)
    for bad, words in (
        ({"name": "a b"}, "letters, digits"),
        ({"kind": "bag"}, "sequence or a set"),
        ({"count": 0}, "1 to 1000"),
        ({"name": "lotto", "when": "期"}, "ASCII"),
    ):
        with pytest.raises(DomainError, match=words) as caught:
            request(session, staff, round_, sources=[bad])
        assert caught.value.field == "sources"
    with pytest.raises(DomainError, match="occurs twice"):
        checked_sources([{}, {}])
    assert session.scalar(select(func.count(Round.id))) == 1
    assert operations.request_draw is not None
