"""What the page of a draw shows: the state, the next step, the pool, the result, in one reading."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.queries import PAGE_SIZE, Page
from app.documents.charts import ProbabilityRow, StratumRow, probability_bars, strata_bars
from app.documents.qr import qr_svg
from app.domain.types import Text
from app.draw import ceremony, messages, pool, queries, queries_request, sources, steps, work
from app.draw.guarding import ACCEPTABLE
from app.draw.models import Draw
from app.draw.type_chances import could_sit, of_everybody
from app.programme.queries import rules_of
from app.registry import queries as registry

BARS = 60  # types that are shown one by one in a picture
RANGES = 20
Row = TypeVar("Row")


def context(
    session: Session,
    viewer: Viewer,
    draw: Draw,
    chosen: str,
    *,
    search: str = "",
    page: int = 1,
    people_page: int = 1,
    types_page: int = 1,
) -> dict[str, Any]:
    """Values of `draw/show.html` but for its forms. `chosen` is the language of the charts.

    A draft that nobody has looked at shows no pool: `what_if` is None then.
    """
    accounts = {d.account_id for d in draw.dice} | {draw.cosigned_by, draw.created_by}
    accounts |= {c.by for s in draw.seats for c in s.contacts}
    asked = requests_asked(session, draw)
    base = {
        "draw": draw,
        "asked": asked,
        "dice": ceremony.dice_states(draw),
        "lines": queries.ticket_lines(viewer, draw),
        "act": steps.open_act(draw),
        "counties": pool.counties(draw.round, draw.request),
        "pseudonyms": {c.expert_id: c.pseudonym for c in draw.candidates} if draw.seats else {},
        "terms": messages,
        **_words(draw),
        "commitment_qr": commitment_qr(draw),
        "rules": rules_of(draw.round),
        "looks": queries_request.looks(session, draw),
        "lookers": queries_request.lookers(session, [draw])[draw.id],
        "accounts": registry.account_names(session, accounts),
        "work": work.standing(session, draw.id) if draw.state == "draft" else None,
    }
    row = queries.latest_look(session, draw) if draw.snapshot is None else None
    if draw.snapshot is None and row is None:
        step = drafting(viewer, draw, steps.next_step(viewer, draw), looked=False)
        nothing: dict[str, Any] = {
            "what_if": None,
            "outdated": None,
            "exclusions": Page([], 0, 1),
            "value_text": queries.value_text,
            "difference": None,
        }
        return {**base, **nothing, "step": step}
    what_if = queries.what_if(session, viewer, draw)
    shown, names = what_if.shown, queries.employer_names(session, draw)
    outdated = queries_request.outdated(session, draw, row) if row is not None else None
    step = drafting(viewer, draw, steps.next_step(viewer, draw, shown), looked=outdated is None)
    return {
        **base,
        "step": step,
        "what_if": what_if,
        "outdated": outdated,
        "exclusions": _filtered(queries.exclusions(session, viewer, draw), search, page),
        "strata": _strata(shown, names),
        "strata_svg": _strata_svg(shown, names, chosen),
        **_chances_svg(shown, names, chosen),
        "people": _people(session, draw, shown, people_page),
        "by_type": shown["chances"] is not None and not shown["chances"]["people"],
        **_types(shown, types_page),
        "meetings": _meetings(session, shown),
        "difference": queries_request.difference(session, shown.get("difference")),
        "value_text": lambda attribute, value: queries.value_text(attribute, value, names),
    }


def _words(draw: Draw) -> dict[str, Any]:
    """How templates say sources, parties and shares."""
    said = [messages.PARTY[name] for name in draw.request["parties"]]
    return {
        "described": sources.described,
        "source_named": sources.named,
        "outside": sources.is_outside,
        "any_outside": any(map(sources.is_outside, draw.request["sources"])),
        "percent": percent,
        "acceptable": ACCEPTABLE,
        "parties_said": Text("、".join(p.zh for p in said), ", ".join(p.en for p in said)),
    }


def commitment_qr(draw: Draw) -> str:
    """The commitment hash as a QR code in SVG, for the hall and for paper; "" before there is one."""
    if not draw.commitment_hash:
        return ""
    return qr_svg(draw.commitment_hash)


def percent(share: str) -> str:
    """A decimal string between 0 and 1 as per cent with two decimals, half up."""
    return f"{(Decimal(share) * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)}%"


def drafting(viewer: Viewer, draw: Draw, step: steps.Step, *, looked: bool) -> steps.Step:
    """The step of a draft: before the pool is frozen, or the request changed for what a look found,
    there is a look that still holds."""
    if draw.state != "draft" or looked or step.code not in ("commit", "edit"):
        return step
    text = Text(
        "试算，然后冻结名单并提交承诺", "compute the what-if, then freeze the pool and commit"
    )
    if viewer.role == "office":
        return steps.Step("what_if", text, True)
    waits = Text("等待创建办公室：{t}", "Waits for the programme office: {t}").format(t=text)
    return steps.Step("what_if", waits, False)


def requests_asked(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """The panels as they were asked for, in words: counties, bounds that bind, limits, mode, dates."""
    subjects = {s.id: s.name for s in draw.round.subjects}
    wanted = {v for p in draw.request["panels"] for v in p["quotas"].get("employer", {})}
    employers = pool.organisation_names(session, wanted) if wanted else {}
    return [
        {
            **panel,
            "counties": [subjects[key] for key in panel["subjects"]],
            "bounds": [
                (
                    messages.ATTRIBUTE.get(a, Text.of(a)),
                    queries.value_text(a, value, employers),
                    low,
                    high,
                )
                for a, rows in sorted(panel["quotas"].items())
                for value, (low, high) in rows.items()
                if (low, high) != (0, panel["seats"])
            ],
            "reason": messages.MODE_REASON.get(panel.get("mode_reason", "")),
        }
        for panel in draw.request["panels"]
    ]


def _filtered(rows: list[queries.Exclusion], search: str, page: int) -> Page[queries.Exclusion]:
    """Searched by number, name or rule, and paged."""
    term = search.strip().casefold()
    if term:
        rows = [r for r in rows if term in f"{r.number} {r.name} {r.rule}".casefold()]
    return _paged(rows, page)


def _paged(rows: list[Row], page: int) -> Page[Row]:
    number = min(max(page, 1), max(1, -(-len(rows) // PAGE_SIZE)))
    start = (number - 1) * PAGE_SIZE
    return Page(rows[start : start + PAGE_SIZE], len(rows), number, PAGE_SIZE)


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


def _chances_svg(shown: dict[str, Any], names: dict[str, str], chosen: str) -> dict[str, Any]:
    """A bar for each type; of more than `BARS` types a bar for each range of chances (`binned` ranges)."""
    chances, binned = shown["chances"], 0
    if chances is None:
        return {"chances_svg": "", "binned": 0}
    rows = [
        ProbabilityRow(_group(chances["attributes"], vector, names, chosen), Decimal(share), people)
        for vector, people, share in chances["groups"]
    ]
    if len(rows) > BARS:
        rows = in_ranges(rows)
        binned = len(rows)
    svg = probability_bars(rows, language="en" if chosen == "en" else "zh")
    return {"chances_svg": svg, "binned": binned}


def in_ranges(rows: Sequence[ProbabilityRow]) -> list[ProbabilityRow]:
    """At most `RANGES` rows: equal ranges of chance with the people in each and their mean chance."""
    low = min(Decimal(str(row.probability)) for row in rows)
    width = (max(Decimal(str(row.probability)) for row in rows) - low) / RANGES
    held: dict[int, list[ProbabilityRow]] = {}
    for row in rows:
        place = int((Decimal(str(row.probability)) - low) / width) if width else 0
        held.setdefault(min(place, RANGES - 1), []).append(row)
    out = []
    for place, found in sorted(held.items()):
        people = sum(row.people for row in found)
        total = sum((Decimal(str(row.probability)) * row.people for row in found), Decimal(0))
        first, last = low + width * place, low + width * (place + 1)
        label = f"{percent(str(first))}–{percent(str(last))}"
        out.append(ProbabilityRow(label, total / people, people))
    return out


def _group(attributes: list[str], vector: list[str], names: dict[str, str], chosen: str) -> str:
    words = [
        queries.value_text(a, v, names).get(chosen) for a, v in zip(attributes, vector, strict=True)
    ]
    return " · ".join(words)


def _meetings(session: Session, shown: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The pairs of the lottery that are furthest from independence, by name; None without a lottery."""
    rows = shown.get("meetings")
    if rows is None:
        return None
    names = registry.expert_names(session, {key for row in rows for key in (*row[1], *row[2])})

    def said(keys: list[str]) -> Text:
        words = [names.get(key, key) for key in keys]
        if len(words) == 1:
            return Text.of(words[0])
        return Text("{w} 之一", "one of {w}").format(w=Text("、".join(words), ", ".join(words)))

    return [
        {
            "panel": panel,
            "first": said(first),
            "second": said(second),
            "together": together,
            "apart": apart,
            "more": Decimal(together) > Decimal(apart),
            "times": f"{Decimal(together) / Decimal(apart):.1f}" if Decimal(apart) else "—",
        }
        for panel, first, second, together, apart in rows
    ]


def _people(
    session: Session, draw: Draw, shown: dict[str, Any], page: int
) -> Page[tuple[str, str, str]]:
    """(id, number and name, chance) of everybody eligible, the highest chance first, a page of them.

    Of a large pool, which keeps one figure a type, each person's is that of his type: once the pool is
    frozen, since a look keeps nobody's type.
    """
    chances = shown["chances"]
    if chances is None:
        return Page([], 0, 1)
    if chances["people"]:
        names = registry.expert_names(session, chances["people"])
        rows = [(key, names.get(key, key), share) for key, share in chances["people"].items()]
        return _paged(sorted(rows, key=lambda row: (row[2], row[1]), reverse=True), page)
    if draw.snapshot is None:
        return Page([], 0, 1)
    found = of_everybody(chances, shown.get("people", {}), could_sit(draw.request, draw.candidates))
    some = _paged(sorted(found.items(), key=lambda row: (row[1], row[0]), reverse=True), page)
    names = registry.expert_names(session, [key for key, _ in some.rows])
    return Page(
        [(key, names.get(key, key), share) for key, share in some.rows],
        some.total,
        some.number,
        some.size,
    )


def _types(shown: dict[str, Any], page: int) -> dict[str, Any]:
    """A page of the types with their chances, and the attributes that make a type: those of the
    quotas, and of a large pool, which keeps no figure a person, those of the limits too."""
    chances = shown["chances"]
    if chances is None:
        return {"types": Page([], 0, 1), "typed_by": []}
    if chances.get("types"):
        return {"types": _paged(chances["types"], page), "typed_by": chances["typed_by"]}
    return {"types": _paged(chances["groups"], page), "typed_by": chances["attributes"]}
