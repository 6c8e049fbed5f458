"""The exercise at national scale: the ladder's 148 counties as data, a small one played end to end."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text

from app import installation
from app.aggregation.models import Run
from app.cli.demo import check, demo
from app.directory import snapshot
from app.domain.types import DomainError
from app.draw.models import Draw
from app.exercise import nation, national
from app.exercise.watching import Bars
from app.ledger import prove
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from app.registry.models import Expert
from app.scoring.models import Sheet
from app.verify import verify_transcript
from tests.exercise.beside import on_postgresql

COUNTIES, EXPERTS, PANELS = 6, 81, 2
SEALED = 2 * COUNTIES * 7 - 2  # one member stands aside, one is absent


@dataclass
class Played:
    parts: installation.Installation
    made: national.National
    shown: str = ""  # what the command printed (on SQLite)
    progress: str = ""


# ---------- data


def test_the_ladder_gives_148_places_and_every_province_its_step() -> None:
    quotas = nation.quotas()
    assert len(quotas) == 31 and sum(quotas.values()) == 148
    assert {n: list(quotas.values()).count(n) for n in (3, 4, 5, 6)} == {3: 6, 4: 6, 5: 8, 6: 11}
    # 16, 37 and 183 counties in the snapshot
    assert (quotas["110000"], quotas["500000"], quotas["510000"]) == (3, 3, 6)


def test_the_counties_come_from_the_snapshot_by_rule_alone() -> None:
    found = nation.districts(148)
    known = {code: (name, kind) for code, name, kind, _ in snapshot.regions()}
    assert len({d.code for d in found}) == 148 and found == nation.districts(148)
    assert Counter(d.code[:2] + "0000" for d in found) == nation.quotas()
    for district in found:
        name, kind = known[district.code]
        assert district.name == name
        assert district.region_class == ("II" if kind == "市辖区" else "I")
        assert district.presenter[1] == "拟" and not district.guides
    assert nation.spaced(list("abcdefghij"), 3) == ["b", "f", "i"]


def test_no_invented_figure_strikes_a_veto_or_falls_short_of_the_sample() -> None:
    for district in nation.districts(148):
        figures = district.figures
        assert float(figures["illegal_arable_mu"]) < 100
        assert float(figures["illegal_arable_ratio"]) < 0.10
        assert int(figures["respondents"]) >= 400
        assert ("mines_assessed" in figures) == district.has_mines


def test_panels_take_neighbours_in_even_numbers() -> None:
    batch = nation.batches(nation.districts(148), 30)
    assert sorted(Counter(len(codes) for codes in batch).items()) == [(4, 2), (5, 28)]
    assert [code for codes in batch for code in codes] == [d.code for d in nation.districts(148)]


def test_experts_and_panels_shrink_with_the_counties() -> None:
    assert national.sized(148) == (2000, 30)
    assert national.sized(COUNTIES) == (EXPERTS, PANELS)


# ---------- progress


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_says_what_how_many_and_the_seconds_left() -> None:
    now = [0.0]
    screen, file = _Screen(), io.StringIO()
    for out in (screen, file):
        now[0] = 0.0
        for _ in Bars(out, lambda: now[0]).each("sheets", range(4)):
            now[0] += 5.0
    lines = re.split(r"\r\x1b\[K|\n", screen.getvalue())
    assert [line[29:] for line in lines if line] == [
        "sheets: 1 of 4, 15 s left", "sheets: 2 of 4, 10 s left", "sheets: 3 of 4, 5 s left",
        "sheets: 4 of 4, 20.0 s",
    ]  # fmt: skip
    assert [line[29:] for line in file.getvalue().splitlines()] == [
        "sheets: 2 of 4, 10 s left", "sheets: 4 of 4, 20.0 s"
    ]  # fmt: skip
    assert "[######------------------] sheets: 1 of 4" in screen.getvalue()


def test_the_end_of_a_thing_is_shown_once() -> None:
    out = io.StringIO()
    bars = Bars(out, lambda: 0.0)
    bars.begin()
    for done in (0, 1, 1):
        bars.show("parts", done, 1)
    assert out.getvalue().count("parts") == 1
    bars.begin()
    bars.show("parts", 1, 1)
    assert out.getvalue().count("parts") == 2


def test_an_unfinished_line_is_cleared_from_a_terminal_alone() -> None:
    screen, file = _Screen(), io.StringIO()
    for out in (screen, file):
        now = iter((0.0, 20.0))
        bars = Bars(out, lambda now=now: next(now))  # type: ignore[misc]
        bars.begin()
        bars.show("parts", 1, 2)
        bars.clear()
        bars.clear()
    assert screen.getvalue().endswith("parts: 1 of 2, 20 s left\r\x1b[K")
    assert file.getvalue().endswith("parts: 1 of 2, 20 s left\n")


# ---------- the cycle


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, pg_server: str | None, schema: str
) -> Iterator[Played]:
    """By the command; on PostgreSQL, which the demonstration does not use, beside it."""
    home = tmp_path_factory.mktemp("national") / "home"
    if pg_server is not None:
        with on_postgresql(home, pg_server, schema, "national") as parts:
            bars = Bars(io.StringIO())
            made = national.build_national(
                parts, lambda line: None, bars, counties=COUNTIES, experts=EXPERTS, panels=PANELS
            )
            assert check(parts).ok
            yield Played(parts, made)
        return
    found: list[national.National] = []
    build = national.build_national

    def kept(*args: object, **options: object) -> national.National:
        found.append(build(*args, **options))  # type: ignore[arg-type]
        return found[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.setenv("MINGJIAN_PUBLIC_URL", "http://127.0.0.1:8000")
        patch.setattr(national, "build_national", kept)
        words = f"--home {home} --no-serve --scale national --counties {COUNTIES}"
        done = CliRunner().invoke(demo, words.split())
        assert done.exit_code == 0, (done.stdout, done.stderr, done.exception)
        parts = installation.open_existing(home)
    yield Played(parts, found[0], done.stdout, done.stderr)
    parts.close()


def test_the_command_sums_up_what_it_made(played: Played, pg_server: str | None) -> None:
    if pg_server is not None:
        pytest.skip("the demonstration uses its own SQLite database")
    shown, progress = played.shown, played.progress
    assert "the ledger verifies, every invariant holds" in shown
    assert f"{COUNTIES} counties, 28 seats, {SEALED} sheets sealed" in shown
    with played.parts.database.read() as session:
        proved = prove.verify(session, played.parts.keys)
    assert proved.faults == []
    assert f"{proved.rows} rows under {proved.events} ledger entries" in shown
    assert (
        shown.count("s  desk: 2 panels formed, declarations signed\n") == 2
    )  # done, and summed up
    assert re.search(r"  \d+ MiB at most in this process", shown)
    assert f"desk sittings: {COUNTIES} of {COUNTIES}, " in progress
    assert "checks: " in progress and "desk sittings" not in shown


def test_each_stage_is_one_draw_of_all_its_panels(played: Played) -> None:
    with played.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Expert)) == EXPERTS
        round_ = session.scalars(select(Round)).one()
        assert (round_.kind, len(round_.subjects)) == ("drill", COUNTIES)
        draws = session.scalars(select(Draw).order_by(Draw.stage)).all()
        assert [draw.stage for draw in draws] == ["desk", "site"]
        for draw in draws:
            asked = draw.request["panels"]
            assert [panel["mode"] for panel in asked] == ["tickets"] * PANELS
            assert {panel["mode_reason"] for panel in asked} == {"batch"}
            covered = [subject for panel in asked for subject in panel["subjects"]]
            assert sorted(covered) == sorted(subject.id for subject in round_.subjects)
            per_panel = Counter(seat.panel for seat in draw.seats)
            assert per_panel == {f"{draw.stage.upper()}-{n:02d}": 7 for n in (1, 2)}
            assert len({seat.expert_id for seat in draw.seats}) == 14  # nobody on two panels
        assert session.scalar(select(func.count()).select_from(Panel)) == 2 * PANELS


def test_both_transcripts_verify_without_the_product(played: Played) -> None:
    for path in played.made.transcripts.values():
        assert verify_transcript(path).ok
        whole = path.read_bytes()
        assert not verify_transcript(whole[:-100]).ok


def test_every_county_is_scored_ranked_and_named_in_the_report(played: Played) -> None:
    with played.parts.database.read() as session:
        phases = session.scalars(select(Sitting.phase)).all()
        assert phases == ["closed"] * (2 * COUNTIES)
        states = Counter(session.scalars(select(Sheet.state)).all())
        scores = session.scalars(select(Run)).one().results["scores"]["subjects"]
    assert states == {"sealed": SEALED, "superseded": 1, "recused": 1, "absent": 1}
    found = {district.code: district for district in nation.districts(COUNTIES)}
    assert set(scores) == set(found)
    for group in ("I", "II"):
        ranks = sorted(row["rank"] for row in scores.values() if row["group"] == group)
        assert ranks == list(range(1, len(ranks) + 1))
    pages = pypdf.PdfReader(played.made.report_zh).pages
    printed = "".join("".join(page.extract_text().split()) for page in pages)
    assert "演练" in printed
    for district in found.values():
        assert district.name in printed


def test_a_row_changed_past_the_ledger_is_named_and_fails_the_check(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    change = "UPDATE subject SET name_zh = name_zh || :tail WHERE position = 1"
    with played.parts.database.engine.begin() as connection:
        connection.execute(text(change), {"tail": "改"})
    try:
        assert not check(played.parts).ok
    finally:
        undo = "UPDATE subject SET name_zh = replace(name_zh, :tail, '') WHERE position = 1"
        with played.parts.database.engine.begin() as connection:
            connection.execute(text(undo), {"tail": "改"})
    assert "BROKEN" in capsys.readouterr().err


def test_counties_are_for_the_national_scale(tmp_path: Path) -> None:
    done = CliRunner().invoke(demo, ["--home", str(tmp_path / "d"), "--counties", "8"])
    assert isinstance(done.exception, DomainError)
    assert "--scale national only" in str(done.exception)
    assert not (tmp_path / "d").exists()


def test_fewer_than_six_counties_are_refused(tmp_path: Path) -> None:
    words = ["--home", str(tmp_path / "d"), "--scale", "national", "--counties", "5"]
    done = CliRunner().invoke(demo, words)
    assert done.exit_code == 2 and "6<=x<=148" in done.output
    assert not (tmp_path / "d").exists()
