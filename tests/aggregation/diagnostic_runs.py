"""Invented runs for the diagnostics: a table of marks a stage, one item, computed as a real run is."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from app.aggregation.results import compute
from app.domain.ledger.canonical import digest
from app.domain.statistics.rule import ScoreRule

Table = Mapping[str, Sequence[str | None]]


_computed: dict[str, dict[str, Any]] = {}  # the variance components of a round take their time


class Stored:
    """What `Reading` and `Diagnosis` need of a run."""

    def __init__(self, inputs: dict[str, Any], rule: ScoreRule) -> None:
        self.inputs = inputs
        self.rule = rule.to_json()
        key = digest([inputs, self.rule])
        if key not in _computed:
            _computed[key] = {**compute(rule, inputs), "changes": []}
        self.results: dict[str, Any] = copy.deepcopy(_computed[key])
        self.id, self.rule_digest, self.inputs_digest = key, digest(self.rule), digest(inputs)
        self.results_digest = digest(self.results)
        self.number = 1


def sheet(stage: str, number: int, total: str | None) -> dict[str, Any]:
    return {
        "state": "recused" if total is None else "submitted", "total": total,
        "items": {} if total is None else {"A": total}, "not_applicable": [], "carried": {},
        "reason": {"zh": "回避", "en": "recused"} if total is None else None,
        "sheet": f"{stage}-{number}", "revision": 1, "seat": number, "seat_id": f"{stage}{number}",
        "receipt": None, "instrument": "i",
    }  # fmt: skip


def stored(
    stages: Mapping[str, Table], *, panels: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None, places: Sequence[Mapping[str, Any]] = (), **rule: Any,
) -> Any:  # fmt: skip
    """`stages`: stage -> county -> marks in seat order (None: recused). `panels`: county -> panel of
    its own; its experts are other people then."""
    weights = {stage: str(1 / len(stages)) for stage in stages}
    made = ScoreRule.parse({"modules": weights, **rule})
    own = panels or {}
    codes = sorted(set(own.values()) or {"P1"})
    item = {"id": "A", "title": {"zh": "甲", "en": "A"}, "max": "100", "computed": False}
    counties = list(next(iter(stages.values())))
    subjects = []
    for county in counties:
        parts = {}
        for stage, table in stages.items():
            panel = own.get(county, "P1")
            mark = "" if len(codes) == 1 else f"{panel}-"
            parts[stage] = {
                "kind": "panel", "panel": panel, "sitting": f"{stage}{county}", "form": "one",
                "maximum": "100", "items": [item], "computed": {},
                "sheets": {
                    f"{mark}{n}": sheet(f"{stage}{mark}", n, total)
                    for n, total in enumerate(table[county], 1)
                },
            }  # fmt: skip
        subjects.append({
            "id": county, "subject": county, "name": {"zh": f"{county}县", "en": f"{county} County"},
            "group": (groups or {}).get(county), "status": "qualified", "vetoed": False,
            "veto_reason": None, "adjust": "0", "stages": parts,
        })  # fmt: skip
    inputs = {
        "stages": [
            {
                "id": stage, "kind": "panel", "title": {"zh": f"阶段{stage}", "en": f"Stage {stage}"},
                "weight": weights[stage], "panels": [{"id": c, "code": c} for c in codes],
            }
            for stage in stages
        ],
        "subjects": subjects, "withdrawn": [], "uncounted": [], "places": list(places),
    }  # fmt: skip
    return Stored(inputs, made)


# Six counties far apart, seven experts; the fourth is strict by six points, the second wavers.
CLEAR: dict[str, list[str | None]] = {
    "K1": ["91", "94", "92", "85", "91", "92", "90"],
    "K2": ["84", "79", "83", "77", "83", "84", "83"],
    "K3": ["76", "80", "75", "70", "76", "75", "77"],
    "K4": ["68", "63", "69", "61", "67", "68", "69"],
    "K5": ["60", "64", "61", "55", "61", "60", "59"],
    "K6": ["52", "48", "51", "46", "53", "52", "52"],
}

# Six counties in two panels of five, whose experts share nobody unless somebody sits on both.
TWO: dict[str, list[str | None]] = {
    f"K{n}": [str(90 - 4 * n + (i * n) % 3) for i in range(5)] for n in range(1, 7)
}
APART = {f"K{n}": "P1" if n < 4 else "P2" for n in range(1, 7)}
