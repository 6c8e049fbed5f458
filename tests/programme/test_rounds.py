"""Forms, rounds, counties: what is copied, what is refused, what opening freezes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.directory.models import Person
from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.append import append
from app.programme import operations, queries
from app.programme.copying import copy_round
from app.programme.instruments import required_pins
from app.programme.invariants import INVARIANTS
from app.programme.models import FormVersion
from app.programme.rounds import missing_pins
from app.programme.versions import form_of

from .conftest import add_districts, add_regions


def test_library_becomes_versions_once(session, people):
    first = operations.load_forms(session, people["office"])
    ids = [version.form_id for version in first]
    assert {"mlr15-qual", "mlr15-desk-I", "mlr15-desk-II", "mlr15-site"} <= set(ids)
    assert [v.id for v in operations.load_forms(session, people["office"])] == [v.id for v in first]


def test_changed_form_is_a_new_version_and_a_comment_is_not(session, people):
    version = next(v for v in operations.load_forms(session, None) if v.form_id == "mlr15-site")
    same = operations.add_form_version(session, None, "# a remark\n" + version.source)
    assert same.id == version.id
    edited = version.source.replace("实地考核评分表", "实地考核评分表（改）")
    newer = operations.add_form_version(session, people["office"], edited)
    assert newer.id != version.id and newer.title_zh == "实地考核评分表（改）"
    assert session.get(FormVersion, version.id).title_zh == "实地考核评分表"
    assert queries.latest_version(session, "mlr15-site").id == newer.id


def test_broken_form_file_is_named_and_nothing_loaded(session, people, tmp_path, says):
    (tmp_path / "forms").mkdir()
    good = next(v for v in operations.load_forms(session, None) if v.form_id == "mlr15-site")
    before = len(queries.form_versions(session))
    changed = good.source.replace("实地考核评分表", "别的表")
    (tmp_path / "forms" / "a.yaml").write_text(changed, encoding="utf-8")
    (tmp_path / "forms" / "b.yaml").write_text("schema: mingjian-form/1\nid: b\n", encoding="utf-8")
    with pytest.raises(DomainError) as caught:
        operations.load_forms(session, people["office"], tmp_path)
    assert "forms/b.yaml" in says(caught)
    assert len(queries.form_versions(session)) == before


def test_administrator_alone_confirms_defaults(session, people):
    version = next(v for v in operations.load_forms(session, None) if v.form_id == "mlr15-desk-I")
    waiting = queries.to_confirm(version)
    assert "A1" in waiting and "A6" not in waiting  # A6 has its bands from a real sheet
    instrument = compile_form(form_of(version), FormContext({"has_mines": True}))
    assert list(waiting) == [item["id"] for item in instrument["items"] if item["to_confirm"]]
    with pytest.raises(Forbidden):
        operations.sign_form_version(session, people["office"], version)
    operations.sign_form_version(session, people["admin"], version)
    assert queries.to_confirm(version) == ()
    assert version.signed_by == people["admin"].id
    with pytest.raises(Conflict):
        operations.sign_form_version(session, people["admin"], version)


def test_round_copies_scheme_and_rules_with_digests(session, people, round_):
    assert queries.scheme_of(round_).title.zh == "北京市第二届国土资源节约集约模范县（市）评选"
    rules, rule = queries.rules_of(round_), queries.score_rule_of(round_)
    assert rules.digest() == round_.rules_digest
    assert rules.central_exempt is not None and rules.central_exempt.decided_by == "测试办公室"
    assert rule.digest() == round_.score_rule_digest
    assert rule.modules == {"desk": Decimal("0.70"), "site": Decimal("0.30")}
    assert rule.ties == ("unrounded", "module:site", "top_item", "spread", "shared")
    assert rule.rank_within == "group"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Bad Slug"}, "slug"),
        ({"slug": "a/b"}, "slug"),
        ({"slug": "bj-2"}, "slug"),
        ({"scheme_id": "unknown"}, "scheme_id"),
        ({"kind": "test"}, "kind"),
        ({"title_zh": " "}, "title_zh"),
        ({"title_en": "x" * 201}, "title_en"),
    ],
)
def test_round_refuses_bad_input_by_field(session, people, round_, change, field):
    good = {
        "slug": "other",
        "scheme_id": "beijing-2012-2nd",
        "title_zh": "届",
        "title_en": "Round",
        "kind": "real",
        "review_on": date(2012, 11, 1),
    }
    with pytest.raises(DomainError) as caught:
        operations.create_round(session, people["office"], **{**good, **change})
    assert caught.value.field == field


def test_a_round_without_an_english_title_bears_the_chinese_one(session, people, round_):
    given = {"kind": "real", "review_on": date(2012, 11, 1)}
    made = operations.create_round(
        session, people["office"], slug="bare", scheme_id="beijing-2012-2nd", title_zh=" 测试届 ",
        title_en=" ", **given,
    )  # fmt: skip
    assert (made.title.zh, made.title.en) == ("测试届", "测试届")
    copy = copy_round(
        session, people["office"], round_, slug="copy", title_zh="复制届", title_en="", **given
    ).round  # fmt: skip
    assert (copy.title.zh, copy.title.en) == ("复制届", "复制届")
    assert round_.title.en == "Second selection, drill"


@pytest.mark.parametrize("role", ["keeper", "supervisor", "expert", "presenter", "admin"])
def test_only_the_office_makes_rounds(session, people, role):
    with pytest.raises(Forbidden):
        operations.create_round(
            session,
            people[role],
            slug="x",
            scheme_id="beijing-2012-2nd",
            title_zh="届",
            title_en="Round",
            kind="real",
            review_on=date(2012, 11, 1),
        )


def test_counties_take_name_and_class_from_recorded_acts(session, people, round_, districts):
    assert [s.name_zh for s in queries.subjects(session, round_)][:2] == ["东城区", "海淀区"]
    assert districts["东城区"].name_en == "Dongcheng District"
    assert districts["东城区"].region_class == "II" and districts["海淀区"].region_class == "I"
    for change, field in (
        ({"region_code": "110108"}, "region_code"),  # twice
        ({"region_code": "999999"}, "region_code"),
        ({"region_code": "110103"}, "region_code"),  # abolished in 2010
        ({"region_class": "III", "region_code": "110101"}, "region_code"),
    ):
        given = {"region_code": "110108", "region_class": "I", "class_basis": "测试"} | change
        with pytest.raises(DomainError) as caught:
            operations.add_subject(session, people["office"], round_, **given)
        assert caught.value.field == field


def test_class_needs_a_recorded_act_and_a_class_of_the_scheme(session, people, round_):
    for change, field in (
        ({"region_class": "III"}, "region_class"),
        ({"class_basis": " "}, "class_basis"),
    ):
        given = {"region_code": "110108", "region_class": "I", "class_basis": "测试"} | change
        with pytest.raises(DomainError) as caught:
            operations.add_subject(session, people["office"], round_, **given)
        assert caught.value.field == field
    assert queries.subjects(session, round_) == []


def test_opening_is_refused_while_a_pin_is_missing(session, people, says):
    add_regions(session)
    operations.load_forms(session, None)
    bare = operations.create_round(
        session,
        people["office"],
        slug="bare",
        scheme_id="beijing-2012-2nd",
        title_zh="届",
        title_en="Round",
        kind="real",
        review_on=date(2012, 11, 1),
    )
    with pytest.raises(Conflict) as caught:
        operations.open_round(session, people["office"], bare)
    assert "区县" in says(caught)
    add_districts(session, people["office"], bare)
    assert set(required_pins(bare)) == {
        (stage, cls) for stage in ("qualification", "desk", "site") for cls in ("I", "II")
    }
    for form_id, stage, cls in (
        ("mlr15-qual", "qualification", ""),
        ("mlr15-site", "site", ""),
        ("mlr15-desk-I", "desk", "I"),
    ):
        version = queries.latest_version(session, form_id)
        operations.pin_form(session, people["office"], bare, stage, cls, version)
    assert missing_pins(bare) == [("desk", "II")]
    with pytest.raises(Conflict) as caught:
        operations.open_round(session, people["office"], bare)
    assert "desk II" in says(caught) and bare.phase == "preparing"
    version = queries.latest_version(session, "mlr15-desk-II")
    operations.pin_form(session, people["office"], bare, "desk", "II", version)
    assert operations.open_round(session, people["office"], bare).phase == "open"


def test_a_form_goes_only_where_it_belongs(session, people, round_):
    desk_2 = queries.latest_version(session, "mlr15-desk-II")
    foreign = queries.latest_version(session, "js22-13")
    for stage, cls, version in (
        ("desk", "I", desk_2),
        ("site", "II", desk_2),
        ("assess", "", foreign),
    ):
        with pytest.raises(DomainError):
            operations.pin_form(session, people["office"], round_, stage, cls, version)


def test_opening_is_refused_by_a_form_that_does_not_lint(session, people, round_, districts, says):
    site = queries.latest_version(session, "mlr15-site")
    broken = operations.add_form_version(
        session, None, site.source.replace("total: 100", "total: 101")
    )
    operations.pin_form(session, people["office"], round_, "site", "", broken)
    with pytest.raises(Conflict) as caught:
        operations.open_round(session, people["office"], round_)
    assert "101" in says(caught) and round_.phase == "preparing"


def test_opening_is_refused_by_an_unanswered_fact(session, people, round_, says):
    operations.add_subject(
        session,
        people["office"],
        round_,
        region_code="110108",
        region_class="I",
        class_basis="测试",
    )
    subject = round_.subjects[0]
    assert len(queries.unanswered_facts(round_)[subject.id]) == 2  # mines, prefecture
    with pytest.raises(Conflict) as caught:
        operations.open_round(session, people["office"], round_)
    assert "海淀区" in says(caught)
    with pytest.raises(DomainError):
        operations.set_facts(session, people["office"], subject, {"no_such_fact": True})
    answers = dict.fromkeys(queries.facts_asked(round_), False)
    operations.set_facts(session, people["office"], subject, answers)
    assert operations.open_round(session, people["office"], round_).phase == "open"


def test_after_opening_what_decides_is_frozen(session, people, opened, districts, unit):
    office = people["office"]
    site = queries.latest_version(session, "mlr15-site")
    frozen = {(pin.stage, pin.region_class): pin.instrument_digest for pin in opened.pins}
    assert all(len(digest) == 64 for digest in frozen.values())
    haidian = districts["海淀区"]
    for attempt in (
        lambda: operations.pin_form(session, office, opened, "site", "", site),
        lambda: operations.add_subject(
            session, office, opened, region_code="110101", region_class="I", class_basis="测试"
        ),
        lambda: operations.set_class(
            session, office, haidian, region_class="II", class_basis="测试"
        ),
        lambda: operations.set_facts(session, office, haidian, {"has_mines": True}),
        lambda: operations.open_round(session, office, opened),
    ):
        with pytest.raises(Conflict):
            attempt()
    assert haidian.region_class == "I" and haidian.facts["has_mines"] is False
    edited = site.source.replace("实地考核评分表", "实地考核评分表（改）")
    operations.add_form_version(session, office, edited)
    version, instrument = queries.instrument_for(session, opened, haidian, "site")
    assert version.id == site.id and instrument["title"]["zh"] == "实地考核评分表"
    operations.set_guidance(session, office, opened, haidian, unit, "S1 四")
    assert [g.organisation.name for g in queries.guidance_of(session, opened)] == ["测试指导处"]


def test_instruments_differ_by_class_and_by_fact(session, people, round_, districts):
    _, first = queries.instrument_for(session, round_, districts["海淀区"], "desk")
    _, second = queries.instrument_for(session, round_, districts["东城区"], "desk")
    assert (first["form"], second["form"]) == ("mlr15-desk-I", "mlr15-desk-II")
    sections = {row["id"]: row["effective_max"] for row in first["sections"]}
    assert sections["A"] == "60" and sections["B"] == "0"  # no mines: 15 points move from B to A
    operations.set_facts(session, people["office"], districts["海淀区"], {"has_mines": True})
    _, mining = queries.instrument_for(session, round_, districts["海淀区"], "desk")
    assert {row["id"]: row["effective_max"] for row in mining["sections"]}["A"] == "45"
    assert mining["digest"] != first["digest"] and mining["form_digest"] == first["form_digest"]
    with pytest.raises(NotFound):
        queries.instrument_for(session, round_, districts["海淀区"], "survey")


def test_ends_of_a_round(session, people, opened, districts):
    with pytest.raises(DomainError) as caught:
        operations.cancel_round(session, people["office"], opened, "  ")
    assert caught.value.field == "reason"
    operations.withdraw_subject(session, people["office"], districts["平谷区"], "主动退出")
    assert districts["平谷区"].status == "withdrawn"
    operations.close_round(session, people["office"], opened)
    assert opened.phase == "closed" and opened.ended_at is not None
    for attempt in (
        lambda: operations.close_round(session, people["office"], opened),
        lambda: operations.cancel_round(session, people["office"], opened, "理由"),
        lambda: operations.set_presenter(session, people["office"], districts["海淀区"], None),
    ):
        with pytest.raises(Conflict):
            attempt()


def test_who_sees_which_round(session, people, round_, districts):
    def sees(role):
        return [r.slug for r in queries.rounds_for(session, people[role])]

    assert sees("office") == sees("supervisor") == sees("admin") == ["bj-2"]
    assert sees("expert") == sees("presenter") == []
    person = session.get(Person, people["presenter"].person_id)
    operations.set_presenter(session, people["office"], districts["海淀区"], person)
    assert sees("presenter") == ["bj-2"]
    for viewer in (people["expert"], None):
        with pytest.raises(NotFound):
            queries.round_by_slug(session, viewer, "bj-2")
    own = queries.round_by_slug(session, people["presenter"], "bj-2")
    haidian, fengtai = districts["海淀区"].id, districts["丰台区"].id
    assert queries.subject(session, people["presenter"], own, haidian).name_zh == "海淀区"
    for viewer, subject_id in (
        (people["presenter"], fengtai),
        (people["expert"], haidian),
        (people["admin"], haidian),
        (people["office"], "0" * 16),
    ):
        with pytest.raises(NotFound):
            queries.subject(session, viewer, own, subject_id)
    operations.open_round(session, people["office"], round_)
    assert sees("expert") == ["bj-2"]
    assert queries.round_by_slug(session, None, "bj-2").id == round_.id
    with pytest.raises(NotFound):
        queries.round_by_slug(session, people["office"], "none")


def test_invariants_hold_and_each_notices_a_break(session, people, opened, districts):
    assert {name: check(session) for name, check in INVARIANTS} == {
        name: [] for name, _ in INVARIANTS
    }
    checks = dict(INVARIANTS)
    pin = opened.pins[0]
    pin.instrument_digest = "0" * 64
    districts["海淀区"].status = "vetoed"
    opened.score_rule = {**opened.score_rule, "quorum": 3}
    version = session.scalar(select(FormVersion).where(FormVersion.form_id == "js22-13"))
    version.source = version.source.replace("total: 100", "total: 99")
    append(session, None, "test.break")
    assert len(checks["programme.pins_are_frozen"](session)) == 1
    assert "海淀区" in checks["programme.vetoes_have_an_opinion"](session)[0].zh
    assert "bj-2" in checks["programme.rounds_keep_their_rules"](session)[0].en
    assert "js22-13" in checks["programme.versions_say_their_digest"](session)[0].en
