"""What the page of a draw shows: the state, the next step, the pool, the result, in one reading."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.queries import PAGE_SIZE, Page
from app.documents.charts import ProbabilityRow, StratumRow, probability_bars, strata_bars
from app.domain.types import Text
from app.draw import ceremony, messages, pool, queries, steps
from app.draw.models import Draw
from app.registry import queries as registry


def context(
    session: Session, viewer: Viewer, draw: Draw, chosen: str, *, search: str = "", page: int = 1
) -> dict[str, Any]:
    """Values of `draw/show.html` but for its forms. `chosen` is the language of the charts."""
    what_if, exclusions = queries.overview(session, viewer, draw)
    shown, names = what_if.shown, queries.employer_names(session, draw)
    accounts = {d.account_id for d in draw.dice} | {draw.cosigned_by, draw.created_by}
    accounts |= {c.by for s in draw.seats for c in s.contacts}
    return {
        "draw": draw,
        "step": steps.next_step(viewer, draw, shown),
        "what_if": what_if,
        "exclusions": _filtered(exclusions, search, page),
        "strata": _strata(shown, names),
        "strata_svg": _strata_svg(shown, names, chosen),
        "chances_svg": _chances_svg(shown, names, chosen),
        "people": _people(session, shown),
        "dice": ceremony.dice_states(draw),
        "lines": queries.ticket_lines(viewer, draw),
        "act": steps.open_act(draw),
        "accounts": registry.account_names(session, accounts),
        "counties": pool.counties(draw.round, draw.request),
        "pseudonyms": {c.expert_id: c.pseudonym for c in draw.candidates} if draw.seats else {},
        "terms": messages,
        "value_text": lambda attribute, value: queries.value_text(attribute, value, names),
    }


def _filtered(rows: list[queries.Exclusion], search: str, page: int) -> Page[queries.Exclusion]:
    """Searched by number, name or rule, and paged."""
    term = search.strip().casefold()
    if term:
        rows = [r for r in rows if term in f"{r.number} {r.name} {r.rule}".casefold()]
    number = min(max(page, 1), max(1, -(-len(rows) // PAGE_SIZE)))
    start = (number - 1) * PAGE_SIZE
    return Page(rows[start : start + PAGE_SIZE], len(rows), number)


def _strata(shown: dict[str, Any], names: dict[str, str]) -> list[dict[str, Any]]:
    keys = ("panel", "attribute", "value", "pool", "excluded", "eligible", "least", "most")
    rows = [dict(zip(keys, row, strict=True)) for row in shown["strata"]]
    for row in rows:
        row["name"] = Text("{a}：{v}", "{a}: {v}").format(
            a=messages.ATTRIBUTE.get(row["attribute"], Text.of(row["attribute"])),
            v=queries.value_text(row["attribute"], row["value"], names),
        )
    return [row for row in rows if row["pool"] or row["least"]]


def _strata_svg(shown: dict[str, Any], names: dict[str, str], chosen: str) -> str:
    """The first panel's strata; employers would be too many bars."""
    first = shown["panels"][0]
    everybody = Text("全部", "Everybody").get(chosen)
    rows = [
        StratumRow(everybody, shown["pool"], first["excluded"], first["eligible"], first["seats"])
    ]
    rows += [
        StratumRow(
            row["name"].get(chosen), row["pool"], row["excluded"], row["eligible"], row["least"]
        )
        for row in _strata(shown, names)
        if row["panel"] == first["id"] and row["attribute"] in ("kind", "discipline", "source")
    ]
    return strata_bars(rows, language="en" if chosen == "en" else "zh")


def _chances_svg(shown: dict[str, Any], names: dict[str, str], chosen: str) -> str:
    chances = shown["chances"]
    if chances is None or len(chances["groups"]) > 60:
        return ""
    rows = [
        ProbabilityRow(_group(chances["attributes"], vector, names, chosen), Decimal(share), people)
        for vector, people, share in chances["groups"]
    ]
    return probability_bars(rows, language="en" if chosen == "en" else "zh")


def _group(attributes: list[str], vector: list[str], names: dict[str, str], chosen: str) -> str:
    words = [
        queries.value_text(a, v, names).get(chosen) for a, v in zip(attributes, vector, strict=True)
    ]
    return " · ".join(words)


def _people(session: Any, shown: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(id, number and name, chance) of everybody eligible, the highest chance first."""
    if shown["chances"] is None:
        return []
    chances = shown["chances"]["people"]
    names = registry.expert_names(session, chances)
    rows = [(key, names.get(key, key), share) for key, share in chances.items()]
    return sorted(rows, key=lambda row: (row[2], row[1]), reverse=True)
