"""Who may look at which page of the diagnostics, what stands on it, and that looking leaves no trace."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.aggregation import diagnostics, operations, queries, views_diagnostics
from app.aggregation.diagnostics import Cast, Diagnosis
from app.aggregation.diagnostics_checks import check_agreements
from app.aggregation.diagnostics_kept import kept
from app.aggregation.models import Run
from app.aggregation.results import compute
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.sensitivity import LeftOut
from app.ledger.append import append
from app.ledger.models import Event
from app.report.models import Report
from tests.aggregation import builders
from tests.aggregation.diagnostic_runs import APART, TWO, stored
from tests.aggregation.test_diagnostics_checks import check

PAGES = ("agreement", "ranks", "raters")


@pytest.fixture
def made(app: Any) -> builders.Scored:
    with app.extensions["mingjian.db"].read() as session:
        scored = builders.reload(session)
        scored.round.slug  # noqa: B018  (loaded while the session lives)
        session.expunge_all()
    return scored


@pytest.fixture
def run_made(app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        scored = builders.reload(session)
        operations.run(session, scored.office, round=scored.round)


def settled(page: str) -> str:
    """Without what differs between two looks whatever stands on the page: tokens, the ledger head."""
    page = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", page)
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "HASH", page)


def test_there_is_nothing_before_a_run(client_as: Any, made: builders.Scored) -> None:
    for viewer in (made.supervisor, made.office):
        client = client_as(viewer)
        for page in PAGES[:2]:
            assert client.get(f"/r/{made.round.slug}/runs/1/{page}").status_code == 404
    assert client_as(made.supervisor).get(f"/r/{made.round.slug}/runs/1/raters").status_code == 404


@pytest.mark.usefixtures("run_made")
def test_who_sees_what_and_nobody_leaves_a_trace(
    app: Any, client_as: Any, made: builders.Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"/r/{made.round.slug}/runs/1"
    supervisor, office = client_as(made.supervisor), client_as(made.office)
    others = [client_as(v) for v in (made.experts[0][1], made.presenter, made.admin)]

    def entries() -> int:
        with app.extensions["mingjian.db"].read() as session:
            return session.scalar(select(func.count()).select_from(Event)) or 0

    before = entries()
    for page in PAGES:
        for other in others:
            assert other.get(f"{base}/{page}").status_code == 403
    assert office.get(f"{base}/raters").status_code == 403
    first = {page: supervisor.get(f"{base}/{page}").text for page in PAGES}
    agreement, ranks, raters = (first[page] for page in PAGES)
    assert agreement.count("<svg xmlns") == 2 and "ICC(A,k)" in agreement
    assert "Krippendorff α（定距）" in agreement and "方差分量：专家宽严" in agreement
    assert ranks.count("<svg xmlns") == 2 and "影子名次" in ranks and "缩尾均值" in ranks
    assert raters.count("<svg xmlns") == 6 and "全体专家可以相互比较。" in raters
    line = raters[raters.index('class="round-line"') : raters.index("</nav>")]
    assert "汇总" in line and 'aria-current="step"' in line  # the round's stages, not the panels'
    assert "波动明显大于其他专家" in raters or "与其他专家相当" in raters
    assert settled(supervisor.get(f"{base}/ranks").text) == settled(ranks)  # two looks
    seen = office.get(f"{base}/ranks").text
    assert "入选概率" in seen and "影子" not in seen and "宽严校正" not in seen
    assert "查验" not in office.get(f"{base}/agreement").text
    rows = {"a": check("", "", "A"), "b": check("", "", ""), "c": check("", None, "")}
    monkeypatch.setattr(views_diagnostics, "check_agreements", lambda _: check_agreements(rows))
    checked = office.get(f"{base}/agreement").text
    assert (
        "77.8 %" in checked
        and "实地查验：结论是否一致" in checked
        and "A 项目A：Gwet AC1" in checked
    )
    names = [viewer.name for _, viewer in made.experts]
    for page in (*first.values(), seen):
        assert not any(name in page for name in names)
    assert entries() == before
    run_page = office.get(base).text
    assert f"{base}/agreement" in run_page and f"{base}/ranks" in run_page
    assert f"{base}/raters" not in run_page and f"{base}/raters" in supervisor.get(base).text
    # Anomalies first, for whoever supervises.
    for page, above in ((run_page, False), (supervisor.get(base).text, True)):
        assert (page.index("只供监督人员参考") < page.index("得分与排序")) is above


@pytest.mark.usefixtures("run_made")
def test_who_is_pivotal_is_told_to_the_supervisor_alone(
    client_as: Any, made: builders.Scored, monkeypatch: Any
) -> None:
    real = diagnostics.leave_one_out

    def planted(*given: Any) -> tuple[LeftOut, ...]:
        first, *rest = real(*given)
        return (LeftOut(first.rater, 6, ("110108",), ("110101",), 3), *rest)

    monkeypatch.setattr(diagnostics, "leave_one_out", planted)
    where = f"/r/{made.round.slug}/runs/1/ranks"
    page = client_as(made.supervisor).get(where).text
    named = [viewer.name for _, viewer in made.experts if viewer.name in page]
    assert len(named) == 1
    assert "进入：海淀区；退出：东城区" in page and "1 位是关键专家" in page
    told = client_as(made.office).get(where).text
    assert "1 位是关键专家" in told and "只对监督人员显示" in told
    assert named[0] not in told and "进入：海淀区" not in told


@pytest.mark.usefixtures("run_made")
def test_the_cut_line_can_be_moved_within_reason(client_as: Any, made: builders.Scored) -> None:
    client = client_as(made.office)
    base = f"/r/{made.round.slug}/runs/1/ranks"
    assert "前 2 名是您选定的试算" in client.get(f"{base}?top=2").text
    assert "先按前 1 名试算" in client.get(f"{base}?top=abc").text


@pytest.mark.usefixtures("run_made")
def test_severity_is_not_shown_where_panels_share_nobody(
    client_as: Any, made: builders.Scored, monkeypatch: Any
) -> None:
    run = stored({"desk": TWO}, panels=APART)
    client, where = client_as(made.supervisor), f"/r/{made.round.slug}/runs/1/raters"

    def shown(cast: Cast) -> str:
        monkeypatch.setattr(views_diagnostics, "diagnosis_of", lambda *_: Diagnosis(run, cast))
        answer = client.get(where)
        assert answer.status_code == 200
        return str(answer.text)

    apart = shown(Cast({}, {}))
    assert "分为 2 个互不相连的部分" in apart and "宽严无法跨组校正" in apart
    assert "<h3>宽严</h3>" not in apart and "标准误" not in apart.split("更多说明")[-1]
    linked = shown(Cast({"deskP1-5": "anna", "deskP2-5": "anna"}, {}))
    assert "<h3>宽严</h3>" in linked and "标准误" in linked
    assert "全体专家可以相互比较。" in linked and "互不相连" not in linked


def finished(session: Any, scored: builders.Scored) -> None:
    """A final report on the last run, written straight into its table: its life is tested elsewhere."""
    run = queries.last_run(session, scored.round)
    session.add(
        Report(
            round_id=scored.round.id,
            run_id=run.id,
            number=1,
            state="final",
            sections={},
            due_at=clock.now(),
            created_at=clock.now(),
            finished_at=clock.now(),
        )  # fmt: skip
    )
    append(session, None, "test.report")


def swapped(inputs: dict[str, Any], stage: str, one: str, two: str) -> dict[str, Any]:
    """The same round with two seats' marks exchanged in one stage, receipts and all else as it was."""
    made = copy.deepcopy(inputs)
    moving = ("state", "total", "items", "not_applicable", "carried", "reason")
    for row in made["subjects"]:
        a, b = (row["stages"][stage]["sheets"][label] for label in (one, two))
        for name in moving:
            a[name], b[name] = b[name], a[name]
    return made


@pytest.mark.usefixtures("run_made")
def test_an_experts_own_page_has_nothing_of_anybody_elses(
    app: Any, client_as: Any, made: builders.Scored
) -> None:
    database = app.extensions["mingjian.db"]
    expert, other = client_as(made.experts[0][1]), client_as(made.experts[1][1])
    where = f"/r/{made.round.slug}/reports/own"
    assert expert.get(where).status_code == 404
    with database.write() as session:
        finished(session, builders.reload(session))
    page = expert.get(where).text
    assert "我怎样评分" in page and "标准误" in page and "其他 6 位专家" in page
    assert not any(viewer.name in page for _, viewer in made.experts[1:])
    assert other.get(where).status_code == 200
    for viewer in (made.office, made.supervisor, made.presenter):
        assert client_as(viewer).get(where).status_code in (403, 404)
    # A second world: two colleagues gave each other's marks. Nobody but they can tell.
    with database.read() as session:
        run = session.scalars(select(Run)).one()
        key, rule, inputs = run.id, ScoreRule.parse(run.rule), run.inputs
        theirs = other.get(where).text
    world = swapped(inputs, "desk", "2", "6")
    assert world != inputs
    with database.engine.begin() as connection:
        table = Run.__table__
        connection.execute(
            update(table)
            .where(table.c.id == key)
            .values(inputs=world, results={**compute(rule, world), "changes": []})
        )
    assert settled(expert.get(where).text) == settled(page)
    assert settled(other.get(where).text) != settled(theirs)


@pytest.mark.usefixtures("run_made")
def test_a_second_look_computes_nothing_again(
    client_as: Any, made: builders.Scored, monkeypatch: Any
) -> None:
    """Ranks and severity take seconds in a large round: kept for one run and one cut line."""
    asked: list[object] = []
    certainty, all_raters = Diagnosis.certainty, Diagnosis.all_raters
    monkeypatch.setattr(
        Diagnosis, "certainty", lambda self, cut: (asked.append(cut.top), certainty(self, cut))[1]
    )
    monkeypatch.setattr(
        Diagnosis, "all_raters", lambda self: (asked.append("raters"), all_raters(self))[1]
    )
    base = f"/r/{made.round.slug}/runs/1"
    supervisor, office = client_as(made.supervisor), client_as(made.office)
    first = supervisor.get(f"{base}/ranks").text
    assert settled(supervisor.get(f"{base}/ranks").text) == settled(first)
    assert office.get(f"{base}/ranks").status_code == 200 and asked == [1]
    assert "前 2 名是您选定的试算" in office.get(f"{base}/ranks?top=2").text and asked == [1, 2]
    for _ in range(2):
        assert supervisor.get(f"{base}/raters").status_code == 200
    assert asked == [1, 2, "raters"]
    assert office.get(f"{base}/raters").status_code == 403


def test_what_is_kept_is_of_one_run_and_of_the_same_people() -> None:
    run = stored({"desk": TWO})
    looks = [Diagnosis(run), Diagnosis(run, Cast({"seat": "somebody"}, {}))]
    other = copy.copy(run)
    other.results_digest = "0" * 64
    looks.append(Diagnosis(other))
    found = [kept("test", look, 1, object) for look in looks]
    assert len({id(one) for one in found}) == 3
    assert kept("test", Diagnosis(run), 1, object) is found[0]
    assert kept("test", Diagnosis(run), 2, object) is not found[0]
