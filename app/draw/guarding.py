"""What speaks against committing a request: warnings and refusals in printed words.

The guards of docs/draw-protocol.md section 8 and the rules D-06 (not too early), D-07 (people per
seat) and P-06 (size of the pool). A chance of zero or above one half, somebody who must sit, and
places too few for a batch are refused until the office names a coded reason; the supervisor's
cosignature is the second person's consent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from app import clock
from app.domain.draw import Fairness, Guard, PanelSpec, check_guards
from app.domain.draw.guards import of_panels
from app.domain.types import Text
from app.domain.workdays import is_workday
from app.draw import messages
from app.draw.pool import Assessment, load_cap_of
from app.draw.sources import NAMES, instant_of, is_outside
from app.draw.wording import in_words

# Guard -> the field of the request with the office's reason. All but the last mean a small pool.
_ACCEPTABLE = {
    "probability_forced": "accept_high",
    "probability_high_panel": "accept_high",
    "probability_high": "accept_high",
    "places_short": "accept_high",
    "load_cap_low": "accept_high",
    "probability_zero": "accept_zero",
}
_ID = re.compile(r"[0-9A-Za-z]+")
ACCEPTABLE = tuple(_ACCEPTABLE)


def guards(
    found: Assessment,
    request: Mapping[str, Any],
    fairness: Fairness | None,
    *,
    outside: bool = True,
) -> list[dict[str, Any]]:
    """`[{code, level: warn|refuse, zh, en, accepted?: reason code}]`, refusals first.

    `outside`: a real draw, whose sources are looked at too.
    """
    short = fairness is not None and bool(fairness.draws) and fairness.short_draws > 0
    rows = _merged([_row(g, found, request) for g in _of_people(found, request, fairness)])
    if short and fairness is not None:
        text = Text(
            "试抽 {n} 次中有 {k} 次不能坐满所有评审组",
            "in {k} of {n} rehearsals a panel fell short",
        ).format(n=fairness.draws, k=fairness.short_draws)
        rows.append({"code": "sometimes_short", "level": "warn", "zh": text.zh, "en": text.en})
    if outside:
        rows += [_plain(g) for g in _of_sources(request)]
    early = too_early(found, request, clock.today())
    rows += [_plain(early)] if early else []
    return sorted(rows, key=lambda row: row["level"] != "refuse")


def _plain(guard: Guard) -> dict[str, Any]:
    return {"code": guard.code, "level": guard.level, "zh": guard.text.zh, "en": guard.text.en}


def _row(guard: Guard, found: Assessment, request: Mapping[str, Any]) -> dict[str, Any]:
    reason = request.get(_ACCEPTABLE.get(guard.code, ""))
    row = _plain(_named(guard, found))
    if reason:
        row |= {"level": "warn", "accepted": reason}
    return row


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The accepted rows of one code as one exception, so that it is ticked once and for all it says."""
    out: list[dict[str, Any]] = []
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        if "accepted" in row and row["code"] in first:
            whole = first[row["code"]]
            whole["zh"] += "；" + row["zh"]
            whole["en"] += "; " + row["en"]
            continue
        out.append(row)
        if "accepted" in row:
            first[row["code"]] = row
    return out


def _of_people(
    found: Assessment, request: Mapping[str, Any], fairness: Fairness | None
) -> list[Guard]:
    roster, exclusions = found.roster(), found.exclusions()
    out: list[Guard] = []
    ratio = int(found.rules["D-07"].params["warn_ratio"])
    few: list[tuple[str, Guard]] = []
    for panel in found.panels:
        people = len(roster) - len(found.excluded(panel.id))
        if people < panel.seats:
            few.append((panel.id, _few("stratum_short", "refuse", panel, people, 1)))
        elif people < ratio * panel.seats:
            few.append((panel.id, _few("stratum_small", "warn", panel, people, ratio)))
    out += of_panels(few)
    out += check_guards(
        found.panels, roster, exclusions, load_cap_of(request), fairness, seats_too=False
    )
    active = sum(e.status == "active" for e in found.experts.values())
    floor = int(found.rules["P-06"].params["min_active"])
    if active < floor and found.rules["P-06"].effect in ("warn", "block"):
        level = "refuse" if found.rules["P-06"].effect == "block" else "warn"
        words = Text(
            "规则 P-06：在库专家 {n} 人，少于 {m} 人",
            "rule P-06: {n} active experts, fewer than {m}",
        ).format(n=active, m=floor)
        out.append(Guard("pool_small", level, words))  # type: ignore[arg-type]
    return out


def _few(code: str, level: Any, panel: PanelSpec, people: int, times: int) -> Guard:
    words = Text(
        "合格专家 {n} 人，席位 {m} 个，不足 {k} 倍（规则 D-07）",
        "{n} eligible people for {m} seats, below {k} times (rule D-07)",
    ).format(n=people, m=panel.seats, k=times)
    return Guard(code, level, words)


def _named(guard: Guard, found: Assessment) -> Guard:
    """Codes in a guard's text in words, and ids of people as the numbers that the pool knows."""
    text = in_words(guard.text, found)
    zh, en = text.zh, text.en
    if guard.code.startswith("probability"):
        zh, en = _numbered(zh, found), _numbered(en, found)
        zh, en = _in_order(zh, "："), _in_order(en, ": ")
    return Guard(guard.code, guard.level, Text(zh, en))


def _numbered(text: str, found: Assessment) -> str:
    return _ID.sub(lambda m: found.experts[m[0]].number if m[0] in found.experts else m[0], text)


def _in_order(text: str, mark: str) -> str:
    """The people that a guard's text ends with, by number."""
    words, _, people = text.rpartition(mark)
    return words + mark + ", ".join(sorted(people.split(", "), key=lambda n: (len(n), n)))


def _of_sources(request: Mapping[str, Any]) -> list[Guard]:
    """A real draw wants a source beyond everybody's control, and none that is known already."""
    out: list[Guard] = []
    if not any(is_outside(row) for row in request["sources"]):
        out.append(Guard("no_outside_source", "warn", messages.NO_OUTSIDE))
    for row in request["sources"]:
        instant = instant_of(row)
        if instant is not None and instant <= clock.now():
            text = Text(
                "随机来源“{n}”的时间 {t} 已过，结果已经公开，不能再用",
                "the instant {t} of the source '{n}' is past: its values are known and cannot be used",
            ).format(n=NAMES.get(row["name"], Text.of(row["name"])), t=row["when"])
            out.append(Guard("source_known", "refuse", text))
    return out


def too_early(found: Assessment, request: Mapping[str, Any], today: date) -> Guard | None:
    """D-06: the first day on which names may be drawn is N working days before the review."""
    rule = found.rules["D-06"]
    if rule.effect == "off":
        return None
    review = min(date.fromisoformat(day) for p in request["panels"] for day in p["dates"])
    days = int(rule.params["working_days"])
    first = days_before(review, days)
    if today >= first:
        return None
    text = Text(
        "规则 D-06：{r} 评审，应在 {f}（前 {n} 个工作日）及以后抽取，今天是 {t}",
        "rule D-06: the review is on {r}, so experts are drawn on {f} ({n} working days before) or "
        "later; today is {t}",
    ).format(r=review, f=first, n=days, t=today)
    return Guard("too_early", "refuse" if rule.effect == "block" else "warn", text)


def days_before(day: date, working_days: int) -> date:
    """The working day that lies `working_days` working days before `day`."""
    left = working_days
    while left > 0:
        day -= timedelta(days=1)
        left -= is_workday(day)[0]
    return day
