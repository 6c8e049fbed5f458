"""Fixing a headless draw: what speaks against it is said or refused, then everything is written at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.draw_files import fail, write_all
from app.cli.draw_guards import refuse_guarded, words
from app.domain.draw import (
    Candidate,
    Commitment,
    Exclusion,
    SearchTooLong,
    build_commitment,
    check_feasible,
    check_guards,
    drill_keys,
    exclusion_leaves,
    probabilities,
    rehearse,
    roster_leaves,
)
from app.domain.draw.objects import Kind, canonical
from app.domain.types import Text

REHEARSING = Text("用练习密钥试抽", "rehearsing with drill keys")
REHEARSALS = 200
NODES = 1_000_000


@dataclass(frozen=True)
class Names:
    """The files that errors speak of."""

    roster: str
    request: str


def refuse_used(directory: Path) -> None:
    """A commitment takes a directory of its own."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        fail(Text(f"{directory} 已存在且不为空", f"{directory} exists and is not empty"))


def committed(
    people: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    wanted: Any,
    codes: Any,
    names: Names,
    *,
    kind: Kind,
    tell: Any,
    purpose: Mapping[str, str | int] | None = None,
) -> Commitment:
    """The commitment to a `request.Request`, rehearsed; exit 2 where it cannot be met or a guard
    refuses, with the smallest relaxations."""
    relaxations = check_feasible(wanted.panels, people, exclusions)
    if relaxations:
        texts = [words(r.text, codes) for r in relaxations]
        fail(
            Text(
                f"{names.request} 的名额在 {names.roster} 中无法满足。"
                + "；".join(t.zh for t in texts),
                f"{names.request} cannot be met from {names.roster}: "
                + "; ".join(t.en for t in texts),
            )
        )
    commitment = build_commitment(
        kind=kind,
        purpose=dict(purpose or {"scheme": "headless"}),
        attempt=1,
        panels=wanted.panels,
        roster=people,
        exclusions=exclusions,
        load_cap=wanted.load_cap,
        replacement=wanted.replacement,
        sources=wanted.sources,
        parties=wanted.parties,
        rule_set_hash="",
        previous_head="",
        tell=tell,
        fallbacks=wanted.fallbacks,
    )
    # Few keys for a large batch: the rehearsal is there to find a search that would not end.
    tickets = [p for p in wanted.panels if p.mode == "tickets"]
    keys = drill_keys(
        max(2, min(REHEARSALS, 2_000_000 // (len(people) * len(tickets)))) if tickets else 0
    )
    try:
        rehearsed = rehearse(
            commitment.panels,
            people,
            exclusions,
            wanted.load_cap,
            commitment.lotteries,
            keys,
            NODES,
            lambda done: tell(done, REHEARSING),
        )
    except SearchTooLong:
        fail(
            Text(
                f"{names.request}：演练的搜索超过 {NODES} 步，请放宽名额或限制",
                f"{names.request}: a rehearsal needed more than {NODES} steps, loosen quotas or limits",
            )
        )
    if rehearsed and all(any(p.short for p in r.panels) for r in rehearsed):
        fail(
            Text(
                f"{names.request}：各组合在一起无法全部组成（日期或场次上限）",
                f"{names.request}: the panels cannot all be formed together (dates or load cap)",
            )
        )
    chances = probabilities(
        wanted.panels, people, exclusions, wanted.load_cap,
        lotteries=commitment.lotteries, tell=tell,
        draws=max(200, min(1_000, 2_000_000 // (len(people) * max(1, len(tickets))))),
    )  # fmt: skip
    # From too few drill draws a chance of zero or above one half would be luck.
    known = None if chances.rough else chances
    found = check_guards(wanted.panels, people, exclusions, wanted.load_cap, known)
    refuse_guarded(found, wanted.accepted, codes)
    return commitment


def keep(
    directory: Path,
    commitment: Commitment,
    people: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    labels: Mapping[str, str],
) -> None:
    """Write everything that a commitment rests on: what is public for all, the salts for the owner."""
    attributes = commitment.document["type_attributes"]
    files = {
        "commitment.json": (canonical(commitment.document), 0o644),
        "lotteries.json": (
            canonical([commitment.lotteries[p] for p in sorted(commitment.lotteries)]),
            0o644,
        ),
        "labels.json": (canonical(sorted(map(list, labels.items()))), 0o600),
        "roster.json": (canonical(roster_leaves(people, attributes)), 0o600),
        "exclusions.json": (canonical(exclusion_leaves(exclusions)), 0o600),
    }
    write_all(directory, files)
