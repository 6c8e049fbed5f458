"""The directory of a headless draw: the commitment with its salts, and every act's transcript."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.draw_files import fail
from app.domain.draw import (
    Candidate,
    Commitment,
    Exclusion,
    Removal,
    ReplacementResult,
    Result,
    candidates_from_leaves,
    derive_key,
    exclusions_from_leaves,
    read_transcript,
    replace,
    select,
)
from app.domain.draw.roster import exclusion_leaves, root_of, roster_leaves
from app.domain.types import Text


@dataclass(frozen=True)
class Held:
    """What a commitment directory holds, checked against the commitment."""

    commitment: Commitment
    people: list[Candidate]
    exclusions: list[Exclusion]
    labels: dict[str, str]  # code -> words

    @property
    def is_order(self) -> bool:
        """Things are drawn, not people: each one's code stands for its words."""
        return not self.exclusions and all(not c.facts and c.id in self.labels for c in self.people)


@dataclass(frozen=True)
class Drawn:
    """A draw with all its acts, computed again from its latest transcript."""

    held: Held
    values: dict[str, list[int]]
    codes: dict[str, str]
    key: str
    result: Result
    acts: list[ReplacementResult]

    @property
    def standing(self) -> Result | ReplacementResult:
        return self.acts[-1] if self.acts else self.result

    def occupants(self, panel: str) -> tuple[list[str], set[int]]:
        """Who was last on each seat of a panel, in seat order; and the seats that stand vacant."""
        if not self.acts:
            rows = next((p.seats for p in self.result.panels if p.id == panel), ())
            return [seat.expert for seat in rows], set()
        last = self.acts[-1]
        return list(last.occupants[panel]), {n for p, n in last.vacant if p == panel}

    def ever(self) -> set[str]:
        """Everybody who held a seat of this draw at any time."""
        seated = {seat.expert for panel in self.result.panels for seat in panel.seats}
        return seated | {fill.expert for act in self.acts for fill in act.fills if fill.expert}


def opened(directory: Path) -> Held:
    """A complete commitment directory that nobody has changed, or exit 2."""
    try:
        data = {
            name: json.loads((directory / f"{name}.json").read_bytes())
            for name in ("commitment", "lotteries", "labels", "roster", "exclusions")
        }
        people = candidates_from_leaves(data["roster"])
        exclusions = exclusions_from_leaves(data["exclusions"])
        commitment = Commitment(data["commitment"], {t["panel"]: t for t in data["lotteries"]})
        whole = (
            root_of(roster_leaves(people, commitment.document["type_attributes"]))
            == commitment.document["roster_root"]
            and root_of(exclusion_leaves(exclusions)) == commitment.document["exclusions_root"]
            and commitment.holds_lotteries()
        )
        labels = dict(data["labels"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(
            Text(
                f"{directory} 不是完整的承诺目录（{error}）",
                f"{directory} is not a complete commitment directory ({error})",
            )
        )
    if not whole:
        fail(
            Text(
                f"{directory} 的名单、回避或抽签表与承诺不符，没有抽取",
                f"roster, exclusions or tables in {directory} differ from the commitment: nothing drawn",
            )
        )
    return Held(commitment, people, exclusions, labels)


def transcript_name(act: int) -> str:
    """`transcript.zip` of the draw itself, `transcript-2.zip` with its first replacement act, ..."""
    return "transcript.zip" if act == 1 else f"transcript-{act}.zip"


def drawn(directory: Path) -> Drawn:
    """The draw in its latest transcript, which must verify and be of this commitment; or exit 2."""
    from app.verify import verify_transcript

    held = opened(directory)
    act = 1
    while (directory / transcript_name(act + 1)).exists():
        act += 1
    path = directory / transcript_name(act)
    try:
        data = path.read_bytes()
    except OSError:
        fail(
            Text(
                f"{directory} 尚未抽取，没有 {path.name}",
                f"{directory} is not drawn yet: no {path.name}",
            )
        )
    report = verify_transcript(data, held.commitment.hash)
    if not report.ok:
        fail(Text(f"{path} 未通过核验：{report.zh}", f"{path} fails: {report.en}"))
    files = read_transcript(data)
    values = {name: list(row) for name, row in files["seed.json"]["sources"]}
    codes = dict(files["seed.json"]["codes"])
    key = derive_key(held.commitment, values, codes)
    result = select(held.commitment, held.people, held.exclusions, key)
    acts: list[ReplacementResult] = []
    for document in files["acts.json"]:
        acts.append(
            replace(
                held.commitment, held.people, held.exclusions, key, acts[-1] if acts else result,
                removals_of(document), dict(document["codes"]), document["act"],
            )
        )  # fmt: skip
    labels = held.labels | dict(files["labels.json"])
    held = Held(held.commitment, held.people, held.exclusions, labels)
    return Drawn(held, values, codes, key, result, acts)


def removals_of(record: dict[str, Any]) -> list[Removal]:
    """The removals of a record or an act."""
    return [
        Removal(r["panel"], r["expert"], r["reason"], r["evidence"], r["when"])
        for r in record["removals"]
    ]
