"""A lottery table under other codes: the same chances and proof, and back again the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.domain.draw import Candidate, PanelSpec, leximin, prepare_lottery, select, write_transcript
from app.domain.draw.lottery import fits, holds, table_probabilities
from app.domain.draw.objects import canonical
from app.domain.draw.relabel import relabelled
from app.verify import verify_transcript
from tests.domain.draw.pools import commit, key_of, people, throw

# The order of the new names is another one than that of the old.
NAMES = {
    "g": {"g0": "k2", "g1": "k1"},
    "r": {"r0": "s3", "r1": "s1", "r2": "s4", "r3": "s2"},
    "o": {f"o{i}": f"e{(i * 5 + 3) % 7}" for i in range(7)},
}
BACK = {a: {new: old for old, new in table.items()} for a, table in NAMES.items()}
QUOTAS = {"g": {"g0": (2, 5), "g1": (2, 5)}, "r": {f"r{i}": (0, 3) for i in range(4)}}
PANEL = PanelSpec("P1", 7, quotas=QUOTAS, pair_limits={"o": 2}, mode="lottery")


def renamed(
    panel: PanelSpec, roster: list[Candidate], names: Mapping[str, Mapping[str, str]]
) -> tuple[PanelSpec, list[Candidate]]:
    quotas = {a: {names[a][v]: b for v, b in rows.items()} for a, rows in panel.quotas.items()}
    others = [replace(c, facts={a: names[a].get(v, v) for a, v in c.facts.items()}) for c in roster]
    return replace(panel, quotas=quotas), others


def pool(name: int) -> list[Candidate]:
    roster = people(45, {"g": 2, "r": 4, "o": 7}, ("relabel", name))
    for c in roster[:3]:  # nobody's employer is known of some
        del c.facts["o"]  # type: ignore[attr-defined]
    return roster


@pytest.mark.parametrize("name", range(4))
def test_there_and_back_are_the_same_bytes(name: int) -> None:
    roster = pool(name)
    table = prepare_lottery(PANEL, roster).document
    other = relabelled(table, NAMES)
    panel, others = renamed(PANEL, roster, NAMES)
    assert canonical(relabelled(other, BACK)) == canonical(table) != canonical(other)
    assert table["certified"] == 1 and holds(other) and fits(other, panel, others)
    assert not fits(table, panel, others) and fits(table, PANEL, roster)

    def by_vector(document: Mapping[str, Any], names: Mapping[str, Any]) -> dict[Any, Any]:
        return {
            tuple(names[a].get(v, v) for a, v in zip(("g", "o", "r"), values, strict=True)): p
            for (_, _, values), p in zip(
                document["types"], table_probabilities(document), strict=True
            )
        }

    plain = {a: dict[str, str]() for a in NAMES}
    assert by_vector(table, NAMES) == by_vector(other, plain)


def test_a_commitment_takes_a_table_that_fits_and_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    solve = leximin.leximin

    def counted(*given: Any) -> Any:
        calls.append(1)
        return solve(*given)

    monkeypatch.setattr(leximin, "leximin", counted)
    roster = pool(0)
    table = prepare_lottery(PANEL, roster).document
    panel, others = renamed(PANEL, roster, NAMES)
    made = {"P1": relabelled(table, NAMES)}
    commitment = commit([panel], others, lotteries=made)
    assert len(calls) == 1 and commitment.lotteries == made
    key = key_of(commitment, 1)
    report = verify_transcript(
        write_transcript(
            commitment=commitment, roster=others, exclusions=[], codes={}, key=key,
            source_values={"dice": throw(1)}, result=select(commitment, others, [], key),
        )
    )  # fmt: skip
    assert report.ok, report.en


@pytest.mark.parametrize(
    "change",
    [
        lambda t: {**t, "certified": 0},
        lambda t: {**t, "certificate": t["certificate"][:-1]},
        lambda t: {**t, "panel": "P2"},
        lambda t: {**t, "seats": 8},
        lambda t: {**t, "types": t["types"][:-1] + [["T9", 99, t["types"][-1][2]]]},
        lambda t: {**t, "quota_rows": t["quota_rows"][1:]},
        lambda t: {**t, "rows": t["rows"][1:]},
        lambda t: {**t, "rows": [[1 << 40, t["rows"][0][1]]]},
        lambda t: {**t, "rows": [[t["rows"][0][0], t["rows"][0][1][1:]], *t["rows"][1:]]},
    ],
)
def test_a_table_that_does_not_fit_is_solved_anew(change: Any) -> None:
    """Whoever keeps a table cannot put another one under a commitment."""
    roster = pool(1)
    table = prepare_lottery(PANEL, roster).document
    bent = change(table)
    assert fits(table, PANEL, roster) and not fits(bent, PANEL, roster)
    assert commit([PANEL], roster, lotteries={"P1": bent}).lotteries["P1"] == table


def test_a_table_of_another_pool_does_not_fit() -> None:
    table = prepare_lottery(PANEL, pool(2)).document
    assert not fits(table, PANEL, pool(3))


def test_two_values_never_get_one_name() -> None:
    table = prepare_lottery(PANEL, pool(0)).document
    with pytest.raises(ValueError, match="one name"):
        relabelled(table, {"g": {"g0": "g1"}})
