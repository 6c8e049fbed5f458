"""What must always hold for runs: they compute again, digit for digit, from what they keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation import holds, queries
from app.aggregation.flags_invariants import INVARIANTS as FLAGS
from app.aggregation.inputs import collect, same_inputs
from app.aggregation.models import Run
from app.aggregation.models_corrections import MarkCorrection
from app.aggregation.models_release import ResultRelease
from app.aggregation.places import given_places
from app.aggregation.results import marks_of
from app.aggregation.ties import open_ties, orders_of
from app.domain.ledger.canonical import digest
from app.domain.statistics import replay
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.types import DomainError, Text
from app.programme.models import Round

_SETTLED = {
    "places": Text("名额", "the places"),
    "open_ties": Text("待抽签的并列", "the open ties"),
}


def _last_runs(session: Session) -> Iterator[Run]:
    for round_ in session.scalars(select(Round).order_by(Round.slug)):
        found = queries.last_run(session, round_)
        if found is not None:
            yield found


def _of(run: Run, zh: str, en: str) -> Text:
    head = Text("{r} 第 {n} 次汇总：", "{r}, run {n}: ").format(r=run.round.slug, n=run.number)
    return Text(head.zh + zh, head.en + en)


def digests_fit(session: Session) -> list[Text]:
    """Rule, inputs and results of every run still have the digests that the ledger received."""
    faults = []
    for run in session.scalars(select(Run)):
        stored = (
            (ScoreRule.parse(run.rule).digest(), run.rule_digest, Text("规则", "the rule")),
            (digest(run.inputs), run.inputs_digest, Text("输入", "the inputs")),
            (digest(run.results), run.results_digest, Text("结果", "the results")),
        )
        for now, then, what in stored:
            if now != then:
                faults.append(_of(run, f"{what.zh}与摘要不符", f"{what.en} differ from the digest"))
    return faults


def last_runs_replay(session: Session) -> list[Text]:
    """The last run of each round, computed again from its stored inputs and redone step by step: scores,
    ranks, places, open ties."""
    faults = []
    for run in _last_runs(session):
        rule, marks = ScoreRule.parse(run.rule), marks_of(run.inputs)
        scores = score_round(rule, marks, orders_of(run.inputs))
        again = scores.to_json()
        if again != run.results["scores"]:
            faults.append(
                _of(run, "按存储的输入重算，得分不同", "computed again, the scores differ")
            )
        settled = {
            **open_ties(rule, again, run.inputs),
            # A run of before the rules held tiers kept no places.
            **(given_places(rule, run.inputs, scores) if "places" in run.results else {}),
        }
        for key, what in _SETTLED.items():
            if settled.get(key) != run.results.get(key):
                faults.append(
                    _of(
                        run, f"按存储的输入重算，{what.zh}不同", f"computed again, {what.en} differ"
                    )
                )
        for subject in run.results["scores"]["subjects"].values():
            for text in replay.differences(subject):
                faults.append(_of(run, text.zh, text.en))
    return faults


def inputs_are_current(session: Session) -> list[Text]:
    """The sheets, figures and gates are still those that the last run was computed from."""
    faults = []
    for run in _last_runs(session):
        try:
            now = collect(session, run.round)
        except DomainError as error:
            faults.append(_of(run, error.text.zh, error.text.en))
            continue
        if not same_inputs(run.inputs, now):
            faults.append(
                _of(
                    run,
                    "汇总之后评分表、数据或资格有变化，请重新汇总",
                    "sheets, figures or gates have changed since; compute a new run",
                )
            )
    return faults


def corrections_have_two_people(session: Session) -> list[Text]:
    """Every correction that a run took was confirmed, and not by who asked for it."""
    faults = []
    for row in session.scalars(
        select(MarkCorrection).where(MarkCorrection.used_run_id.is_not(None))
    ):
        own = row.asked_by is not None and row.asked_by == row.confirmed_by
        if row.confirmed_at is None or own:
            faults.append(
                Text(
                    "{c}：汇总采用的更正没有另一人确认",
                    "{c}: a run took a correction that no second person confirmed",
                ).format(c=row.subject.name)
            )
    return faults


def held_results_are_kept_back(session: Session) -> list[Text]:
    """No run was released while a hold bound it."""
    faults = []
    for release in session.scalars(
        select(ResultRelease).where(ResultRelease.confirmed_at.is_not(None))
    ):
        run, at = release.run, release.confirmed_at
        if at is not None and any(
            row.kind == "hold"
            and row.run.number <= run.number
            and row.placed_at <= at
            and (row.lifted_at is None or row.lifted_at > at)
            for row in holds.of_round(session, run.round)
        ):
            faults.append(
                _of(run, "暂缓期间发布给了区县", "released to the counties while under a hold")
            )
    return faults


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("runs fit their digests", digests_fit),
    ("the last run of a round computes again digit for digit", last_runs_replay),
    ("the last run of a round rests on the sheets as they are", inputs_are_current),
    ("corrections after totals have two people", corrections_have_two_people),
    ("no held result was released", held_results_are_kept_back),
    *FLAGS,
)
