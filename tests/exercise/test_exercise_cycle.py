"""The exercise end to end: every block rule keeps somebody out, nobody kept out sits, the draws
verify on a machine without the product, and the printed report names all six districts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from app import installation
from app.accounts import queries as accounts
from app.accounts.models import Account
from app.aggregation.models import Run
from app.cli.demo import demo
from app.domain.draw import chain
from app.draw.facts import expert_facts, subject_facts
from app.draw.models import Draw
from app.exercise import cycle
from app.exercise.county import BY_CODE, DISTRICTS
from app.exercise.cycle import Exercise, build_exercise
from app.home.waits import waits
from app.ledger import prove
from app.panel.models import Challenge, Sitting
from app.programme.models import FormVersion, Round
from app.programme.queries import rules_of
from app.registry.models import Expert
from app.report.models import Report, Signature
from app.scoring.models import Sheet
from app.scoring.queries import computed_beside
from tests.exercise.beside import on_postgresql
from tests.report.paper import Paper, disagreements

ROOT = Path(__file__).parents[2]


@dataclass
class Played:
    """The exercise, played once for all tests of this file."""

    parts: installation.Installation
    made: Exercise
    said: list[str]  # progress, a line each
    shown: str = ""  # all that `mingjian demo` printed (on SQLite)


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, pg_server: str | None, schema: str
) -> Iterator[Played]:
    """By `mingjian demo --no-serve`; on PostgreSQL, which the demonstration does not use, beside it."""
    home = tmp_path_factory.mktemp("exercise") / "home"
    if pg_server is None:
        found = demonstrated(home)
        yield found
        found.parts.close()
        return
    with on_postgresql(home, pg_server, schema, "exercise") as parts:
        said: list[str] = []
        made = build_exercise(parts, said.append)
        yield Played(parts, made, said)


def demonstrated(home: Path) -> Played:
    """What the command made, and what it said."""
    made: list[Exercise] = []
    said: list[str] = []

    def build(parts: installation.Installation, tell: Callable[[str], None]) -> Exercise:
        made.append(build_exercise(parts, lambda line: (said.append(line), tell(line))[1]))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.setenv("MINGJIAN_PUBLIC_URL", "http://127.0.0.1:8000")
        patch.setattr(cycle, "build_exercise", build)
        done = CliRunner().invoke(demo, ["--home", str(home), "--no-serve"])
        assert done.exit_code == 0, (done.output, done.exception)
        return Played(installation.open_existing(home), made[0], said, done.output)


def test_the_command_says_what_it_made(played: Played, pg_server: str | None) -> None:
    if pg_server is not None:
        pytest.skip("the demonstration uses its own SQLite database")
    home, shown = played.parts.settings.home, played.shown
    assert "every invariant holds" in shown
    assert (home / "DEMO").is_file()
    for name in ("report.pdf", "report-en.pdf"):
        assert (home / name).read_bytes().startswith(b"%PDF")
        assert str(home / name) in shown
    for login in ("admin", "supervisor", "office", "keeper", "presenter-110108"):
        assert re.search(rf"^  {login} ", shown, re.MULTILINE)
    assert len(re.findall(r"http://127\.0\.0\.1:8000/enter/[0-9A-Z]{28}\b", shown)) == 3
    assert re.search(r"mj1:\d+:[0-9a-f]{64}", shown)


def _text(path: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def test_ledger_verifies_and_covers_every_row(played: Played) -> None:
    with played.parts.database.read() as session:
        report = prove.verify(session, played.parts.keys)
    assert report.faults == []
    assert report.events > 1000 and report.rows > 3000 and report.checkpoints >= 4


def test_every_computed_block_rule_excludes_somebody_and_none_of_them_sits(played: Played) -> None:
    hit: set[str] = set()
    with played.parts.database.read() as session:
        draws = session.scalars(select(Draw).where(Draw.state != "draft")).all()
        assert len(draws) == 4
        for draw in draws:
            kept_out = {c.expert_id for c in draw.candidates if c.exclusions}
            hit |= {row["rule"] for c in draw.candidates for row in c.exclusions}
            seated = {seat.expert_id for seat in draw.seats}
            assert not seated & kept_out
            assert draw.state == "committed" or len(seated) >= 7
            assert all(row["zh"] and row["en"] for c in draw.candidates for row in c.exclusions)
        rules = rules_of(draws[0].round)
        expected = {
            rule.id
            for rule in rules
            if rule.computed and rule.effect == "block" and rule.alternative_to is None
        }
    assert expected <= hit, expected - hit
    assert {"P-01", "P-03", "C-01", "C-09", "C-14", "D-15", "D-16"} <= expected


def test_the_registers_of_the_recusal_rules_are_filled_and_read(played: Played) -> None:
    """C-03, C-04 and C-06 answer for every county and everybody, and each keeps somebody out by a
    contractor, a head and the supervising body."""
    with played.parts.database.read() as session:
        draw = session.get_one(Draw, played.made.draws["desk"])
        for county in subject_facts(session, draw.round):
            assert county.contractor_ids is not None and county.supervised_by
            assert county.leader_ids and len(county.leader_ids) >= 2
        everybody = expert_facts(session, draw.round.review_on)
        for candidate in draw.candidates:
            facts = everybody[candidate.expert_id]
            assert facts.kin is not None and facts.ties is not None and facts.holdings_declared
        said: dict[str, str] = {}
        for candidate in draw.candidates:
            for row in candidate.exclusions:
                said[row["rule"]] = said.get(row["rule"], "") + row["zh"]
    assert "承担丰台区申报工作" in said["C-03"] and "本人为平谷区负责人" in said["C-04"]
    assert "任职于监督单位演练虚构监督局" in said["C-06"]


def test_the_pool_is_large_invented_and_on_every_employer(played: Played) -> None:
    with played.parts.database.read() as session:
        experts = session.scalars(select(Expert)).all()
        assert len(experts) >= 300
        assert all("拟" in expert.person.name for expert in experts)
        assert all(expert.person.id_number is None for expert in experts)
        keys = played.parts.keys
        phones = [keys.decrypt(e.person.phone) for e in experts if e.person.phone]
        assert len(phones) > 300 and all(phone.startswith("100000") for phone in phones)
        employers = {post.organisation_id for e in experts for post in e.person.employments}
        assert len(employers) >= 104


def test_place_rule_exempts_central_employers_by_the_recorded_decision(played: Played) -> None:
    with played.parts.database.read() as session:
        round_ = session.get_one(Round, played.made.round_id)
        decision = rules_of(round_).central_exempt
        assert decision is not None and "演练" in decision.decided_by
        draw = session.get_one(Draw, played.made.draws["desk"])
        by_rule = [c for c in draw.candidates if any(x["rule"] == "C-09" for x in c.exclusions)]
        assert by_rule
        for candidate in by_rule:  # all of them at employers of the municipality itself
            posts = [p for p in candidate.expert.person.employments if p.until is None]
            assert not any(post.organisation.central for post in posts)


@pytest.mark.parametrize("stage", ["desk", "site"])
def test_transcript_verifies_elsewhere_and_a_change_is_rejected(
    played: Played, stage: str, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "app" / "verify.py", tmp_path / "verify.py")
    shutil.copy(played.made.transcripts[stage], tmp_path / "t.zip")

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "verify.py", "t.zip", "--json"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = verify()
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["kind"]) == (0, True, "drill"), done.stdout
    with played.parts.database.read() as session:
        draw = session.get_one(Draw, played.made.draws[stage])
        assert report["commitment_hash"] == draw.commitment_hash
        assert len(draw.acts) == (1 if stage == "desk" else 0)
        assert len([s for s in draw.seats if s.active]) == 7
        key = str(draw.key).encode()
    data = (tmp_path / "t.zip").read_bytes()
    changed = data.replace(key, b"0" * 64)
    assert changed != data
    (tmp_path / "t.zip").write_bytes(changed)
    assert verify().returncode != 0


def test_sheets_tell_of_a_recusal_an_absence_a_correction_and_an_outlier(played: Played) -> None:
    with played.parts.database.read() as session:
        states = dict(
            session.execute(select(Sheet.state, func.count()).group_by(Sheet.state)).all()
        )
        assert states["recused"] == 1 and states["absent"] == 1 and states["superseded"] == 1
        assert states["sealed"] >= 2 * 42 - 2
        sheets = session.scalars(select(Sheet).where(Sheet.state == "sealed")).all()
        by_county: dict[str, list[Sheet]] = {}
        for sheet in sheets:
            if (
                sheet.sitting.panel.stage == "desk"
                and sheet.sitting.panel.round_id == played.made.round_id
            ):
                by_county.setdefault(sheet.sitting.subject.region_code, []).append(sheet)
        assert set(by_county) == set(BY_CODE)
        pinggu = sorted(sheet.marked or 0 for sheet in by_county["110117"])
        assert pinggu[1] - pinggu[0] > 3 * (pinggu[-1] - pinggu[1]) / 5
        assert session.scalar(select(func.count(Challenge.id))) == 1


def test_the_result_ranks_every_county_within_its_class(played: Played) -> None:
    with played.parts.database.read() as session:
        run = session.get_one(Run, played.made.run_id)
        rows = run.results["scores"]["subjects"]
    ranks: dict[str, list[int]] = {}
    for code, row in rows.items():
        assert row["group"] == BY_CODE[code].region_class
        ranks.setdefault(row["group"], []).append(row["rank"])
    assert sorted(ranks["I"]) == [1, 2, 3, 4, 5] and ranks["II"] == [1]


def test_report_is_final_with_a_dissent_and_prints_the_six_districts(played: Played) -> None:
    with played.parts.database.read() as session:
        report = session.get_one(Report, played.made.report_id)
        assert report.state == "final"
        signed = [
            row.state
            for row in session.scalars(select(Signature).where(Signature.report_id == report.id))
        ]
    assert signed.count("dissent") == 1 and signed.count("signed") >= 7
    chinese, english = _text(played.made.report_zh), _text(played.made.report_en)
    for district in DISTRICTS:
        assert district.name in chinese
    for name in ("Dongcheng", "Haidian", "Fengtai", "Shunyi", "Pinggu", "Huairou"):
        assert name in english
    assert "演练" in chinese


def test_a_reader_of_the_printed_report_finds_every_figure_of_it_again(played: Played) -> None:
    assert disagreements(Paper(played.made.report_zh.read_bytes())) == []


def test_everything_is_a_drill(played: Played) -> None:
    with played.parts.database.read() as session:
        rounds = session.scalars(select(Round)).all()
        assert {r.slug for r in rounds} == {"bj2012-exercise", "bj2012-live"}
        assert all(r.kind == "drill" and "485" in r.note and "演练" in r.title_zh for r in rounds)
        assert {d.kind for d in session.scalars(select(Draw))} == {"drill"}


def test_one_thing_waits_for_each_role(played: Played) -> None:
    expected = {
        "admin": ["forms"],
        "keeper": ["index", "index"],  # a candidate to screen; and who is overdue for review
        "supervisor": ["show"],
        # The statement of the live round, and the released result of the exercise.
        f"presenter-{DISTRICTS[1].code}": ["sitting", "county_result"],
    }
    with played.parts.database.read() as session:
        for login, ends in expected.items():
            found = waits(session, accounts.viewer_by_login(session, login))
            assert [wait.endpoint.split(".")[1] for wait in found] == ends, login
        office = waits(session, accounts.viewer_by_login(session, "office"))
        assert [w.n for w in office if w.endpoint == "programme.figures"] == [1]
        assert played.made.live is not None
        # Items that no expert gives: of the live round alone, since the other one has its report.
        given = [w.round.id for w in office if w.endpoint == "scoring.given_round" and w.round]
        assert given == [played.made.live.round_id]
        for viewer in played.made.live.experts:
            assert [w.endpoint for w in waits(session, viewer)] == ["scoring.index"]
        unsigned = session.scalars(select(FormVersion).where(FormVersion.signed_at.is_(None)))
        assert {version.form_id for version in unsigned} == {"bj12-material", "expert-duty"}


def test_the_printed_codes_fit_the_draw_that_waits(played: Played) -> None:
    live = played.made.live
    assert live is not None and set(live.codes) == {"office", "supervisor"}
    with played.parts.database.read() as session:
        draw = session.get_one(Draw, live.draw_id)
        assert draw.state == "committed" and len(draw.request["fixed"]["dice"]) == 50
        for party in draw.parties:
            assert chain(bytes.fromhex(live.codes[party.name]), 1).hex() == party.commitment


def test_logins_and_links_work(played: Played) -> None:
    roles = {role for _, role, _ in played.made.logins}
    assert roles == {"admin", "supervisor", "office", "keeper", "expert", "presenter"}
    assert len(played.made.links) == 3
    with played.parts.database.read() as session:
        for login, role, _ in played.made.logins:
            assert accounts.viewer_by_login(session, login).role == role
        for _, url in played.made.links:
            token = url.rsplit("/", 1)[1]
            invitation = accounts.open_invitation(session, token)
            assert invitation is not None and invitation.purpose == "enter"
        assert session.scalar(select(func.count(Account.id))) >= 20
    assert played.said and all(" s  " in line for line in played.said)


def test_figures_stand_beside_the_items_on_a_sheet(played: Played) -> None:
    """A desk sheet shows the computed items read-only, with value, year and source."""
    with played.parts.database.read() as session:
        sheet = session.scalars(
            select(Sheet)
            .join(Sitting, Sheet.sitting_id == Sitting.id)
            .where(Sheet.state == "sealed", Sitting.with_statement.is_(False))
        ).first()
        assert sheet is not None
        rows = computed_beside(session, sheet)
        assert {row["item"]["scorer"] for row in rows} == {"formula"}
        for row in rows:
            assert row["points"] is None or 0 <= row["points"] <= row["maximum"]
            assert row["inputs"] and all(f["source"] and f["year"] for f in row["inputs"])
