"""What the home page and the progress page say about given items, case files and their sheets."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import event

from app.accounts.viewer import Viewer
from app.home.waits import waits
from app.home.waits_figures import missing_figure_waits
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.programme import casefiles
from app.programme import operations as programme
from app.programme import queries as programme_queries
from app.scoring import operations as scoring
from app.scoring import queries
from tests.aggregation import builders as scored
from tests.conftest import Make
from tests.programme.conftest import EXEMPTION
from tests.schemes import builders
from tests.schemes.builders import figures, full, give, seal, small
from tests.schemes.test_new_pages import client_of, words

GIVEN, CASES = "scoring.given_round", "programme.cases"


def told(session: Any, viewer: Viewer, endpoint: str) -> list[tuple[int | None, str]]:
    session.flush()
    return [(w.n, w.what.en) for w in waits(session, viewer) if w.endpoint == endpoint]


def test_given_items_wait_for_entry_then_for_the_second_person(session: Any, make: Any) -> None:
    made = small(session, make, "jiangsu-enforcement-2022", counties=2)
    office, second = made.scored.office, made.scored.second
    # J12 and J13 of two counties; bonuses are claimed or not, nobody waits for them.
    assert told(session, office, GIVEN) == [(4, "non-expert items still to be entered")]
    give(made, 0, "assess", "J13", {"mark": "5.0"}, confirm=False)
    assert [n for n, _ in told(session, office, GIVEN)] == [3]
    assert told(session, second, GIVEN)[1] == (
        1,
        "entered items await confirmation by a second person",
    )
    for place, item in ((0, "J12"), (1, "J12")):
        give(made, place, "assess", item, {"cases": "0"})
    give(made, 1, "assess", "J13", {"mark": "5.0"})
    assert told(session, office, GIVEN) == []
    assert [n for n, _ in told(session, second, GIVEN)] == [1]


def test_nothing_is_awaited_of_a_county_that_a_veto_took_out(session: Any, make: Any) -> None:
    made = small(session, make, "luohe-2010")
    office = made.scored.office
    before = told(session, office, GIVEN)[0][0]
    assert before and before > 1
    struck = {"vetoed": "yes", "vetoes": ["LV1"], "reason": "查实", "evidence": "测试决定书"}
    give(made, 0, "selfcheck", "L5", struck, evidence="")
    assert told(session, office, GIVEN) == []


def test_missing_figures_are_counted_and_lead_to_the_import(session: Any, make: Any) -> None:
    made = small(session, make, "luohe-2010", counties=3)
    office, second = made.scored.office, made.scored.second

    def missing(viewer: Viewer) -> list[tuple[int | None, str]]:
        return told(session, viewer, "programme.figure_file")

    # Without mines a county needs its land index alone.
    assert missing(office) == [(3, "figures are still missing: fill in the table and import it")]
    figures(made, 0, {"land_index": "0.8"})
    assert [n for n, _ in missing(second)] == [2] and missing(made.scored.supervisor) == []
    programme.withdraw_subject(session, office, made.subjects[2], "退出")
    assert [n for n, _ in missing(office)] == [1]
    figures(made, 1, {"land_index": "0.9"})
    assert missing(office) == []


def test_missing_figures_take_one_query_whatever_the_number_of_rounds(
    session: Any, make: Any
) -> None:
    made = small(session, make, "luohe-2010", counties=2)
    office, rounds = made.scored.office, [made.round]
    for slug in ("two", "three"):
        other = programme.create_round(
            session, office, slug=slug, scheme_id="luohe-2010", title_zh=f"演练{slug}",
            title_en=f"Drill {slug}", kind="drill", review_on=date(2012, 12, 1),
            rule_overrides=EXEMPTION,
        )  # fmt: skip
        programme.pin_latest(session, office, other)
        facts = dict.fromkeys(programme_queries.facts_asked(other), False)
        programme.add_subject(
            session, office, other, region_code="110101", region_class="", class_basis="测试认定",
            facts=facts,
        )  # fmt: skip
        programme.open_round(session, office, other)
        rounds.append(other)
    bind, asked = session.get_bind(), []

    def counted(group: Any) -> tuple[list[int | None], int]:
        missing_figure_waits(session, group)  # rounds, pins and counties are at hand after this
        asked.clear()
        found = missing_figure_waits(session, group)
        return [found[r.id].n for r in group if r.id in found], len(asked)

    def note(*args: Any) -> None:
        asked.append(args[2])

    event.listen(bind, "before_cursor_execute", note)
    one, all_three = counted(rounds[:1]), counted(rounds)
    rounds[2].phase = "preparing"  # not open: not due yet
    append(session, None, "test.phase")
    early = counted(rounds)
    event.remove(bind, "before_cursor_execute", note)
    assert (one, all_three, early) == (([2], 1), ([2, 1, 1], 1), ([2, 1], 1))


def lawful(session: Any, make: Any) -> builders.Small:
    """A county with two registered licences."""
    made = small(session, make, "mlr-rule-of-law-2008")
    for n in (1, 2):
        casefiles.add_case(
            session, made.scored.office, made.subjects[0], kind="licence", number=f"许{n}",
            title="测试许可", on=date(2008, 3, n),
        )  # fmt: skip
    return made


def sampled(made: builders.Small) -> None:
    office, county = made.scored.office, made.subjects[0]
    casefiles.close_list(made.session, office, county)
    casefiles.draw_sample(made.session, office, county, seed="1 2 3 4 5 6", seed_source="测试骰子")


def scoring_opened(made: builders.Small) -> Any:
    """The sitting of the only county, every seat signed in and scoring opened."""
    session, office = made.session, made.scored.office
    panel = scored._panel(session, made.scored, "mutual", made.scored.experts)
    session.refresh(panel)
    sitting = panel.sittings[0]
    panels.open_sitting(session, office, sitting=sitting)
    for seat in panel_queries.seats(session, panel):
        panels.sign_in(session, office, sitting=sitting, seat=seat)
    panels.open_scoring(session, office, sitting=sitting)
    return sitting


def test_lists_of_case_files_wait_to_be_closed_then_sampled(session: Any, make: Any) -> None:
    made = lawful(session, make)
    office, county = made.scored.office, made.subjects[0]
    assert told(session, office, CASES) == [(1, "lists of case files still to be closed")]
    casefiles.close_list(session, office, county)
    assert told(session, office, CASES) == [
        (1, "lists of case files closed and still to be sampled")
    ]
    casefiles.draw_sample(session, office, county, seed="1 2 3 4 5 6", seed_source="测试骰子")
    assert told(session, office, CASES) == []


def test_an_expert_is_told_how_many_case_files_are_left_and_the_office_counts_them(
    session: Any, make: Any
) -> None:
    made = lawful(session, make)
    sampled(made)
    sitting = scoring_opened(made)
    viewer = made.scored.experts[0][1]

    def left() -> list[int]:
        return [w.n for w in waits(session, viewer) if w.n is not None]

    assert left() == [2]
    files = casefiles.case_state(session, made.subjects[0]).sampled
    row = scoring.start_case_sheet(session, viewer, sitting=sitting, case=files[0])
    assert left() == [2]  # begun is not sealed
    seal(made, viewer, row, full(row.instrument))
    assert left() == [1]
    counts = [r.cases for r in queries.progress(session, made.scored.office, sitting)]
    assert counts == [(1, 2), (0, 2), (0, 2), (0, 2), (0, 2)]
    hidden = queries.progress(session, made.scored.supervisor, sitting)
    assert {r.cases for r in hidden} == {None}
    row = scoring.start_case_sheet(session, viewer, sitting=sitting, case=files[1])
    seal(made, viewer, row, full(row.instrument))
    assert left() == []


def test_the_progress_page_shows_the_count_to_the_office_alone(app: Any, database: Any) -> None:
    with database.write() as session:
        made = lawful(session, Make())
        sampled(made)
        sitting = scoring_opened(made).id
        office, supervisor = made.scored.office, made.scored.supervisor
    url = f"/r/small/sittings/{sitting}/progress"
    assert "0/2" in words(client_of(app, database, office).get(url))
    shown = words(client_of(app, database, office, "en").get(url))
    assert "Case-file sheets sealed" in shown
    other = words(client_of(app, database, supervisor, "en").get(url))
    assert "Case-file sheets sealed" not in other and "0/2" not in other
