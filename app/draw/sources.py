"""Sources of randomness of a request: named beforehand, each with the draw or instant it is read at.

docs/draw-protocol.md section 4. Dice are thrown in the hall; a public lottery is a source that no
party controls. A set is sorted and has no repeats, a sequence keeps its order. Presets follow the
published rules of play: 双色球 draws 6 of 33 and 1 of 16, 大乐透 5 of 35 and 2 of 12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from app.domain.draw import Source
from app.domain.types import DomainError, Text

DICE = {"name": "dice", "kind": "sequence", "count": 50, "low": 1, "high": 6, "when": ""}
# Preset -> the rows that it stands for; `when` is the number of the draw.
PRESETS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "ssq": (
        {"name": "ssq-red", "kind": "set", "count": 6, "low": 1, "high": 33},
        {"name": "ssq-blue", "kind": "sequence", "count": 1, "low": 1, "high": 16},
    ),
    "dlt": (
        {"name": "dlt-front", "kind": "set", "count": 5, "low": 1, "high": 35},
        {"name": "dlt-back", "kind": "set", "count": 2, "low": 1, "high": 12},
    ),
}
NAMES: Mapping[str, Text] = {
    "dice": Text("六面骰子", "Six-sided dice"),
    "ssq-red": Text("福彩双色球·红球", "Double Colour Ball (双色球), red"),
    "ssq-blue": Text("福彩双色球·蓝球", "Double Colour Ball (双色球), blue"),
    "dlt-front": Text("体彩大乐透·前区", "Super Lotto (大乐透), front"),
    "dlt-back": Text("体彩大乐透·后区", "Super Lotto (大乐透), back"),
}
LATER = "-later"  # how the fallback of a preset is called
ORDER: Mapping[str, Text] = {
    "set": Text("不计顺序", "as a set"),
    "sequence": Text("有序", "in order"),
}
KNOWN = Text(
    "随机来源“{n}”的时间 {t} 已过，结果可能已经为人所知，不能再会签。请中止这次尝试，换更晚的一期重新提交承诺。",
    "The instant {t} of the source '{n}' is past: its values may be known, so it is too late to "
    "cosign. Abort this attempt and commit anew with a later draw.",
)
NOT_YET = Text(
    "随机来源“{n}”在 {t} 才产生，现在还不能录入。没有保存数值。",
    "The source '{n}' comes about at {t} and cannot be typed before. No value was kept.",
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WHEN = re.compile(r"[\x20-\x7e]{0,80}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$")
_MAX = 10**9


def _refuse(zh: str, en: str, **values: Any) -> DomainError:
    text = Text(zh + "没有保存。", en + " Nothing was saved.").format(**values)
    return DomainError(text, field="sources")


def usual_sources(dice: int | None, **draws: str | None) -> list[dict[str, Any]]:
    """What a form asks for: dice unless there are none, then each preset whose draw is named."""
    rows = [{**DICE, "count": dice}] if dice else []
    for preset, when in draws.items():
        if (when or "").strip():
            rows += [{**row, "when": (when or "").strip()} for row in PRESETS[preset]]
    return rows


def later_draws(**draws: str | None) -> list[dict[str, Any]]:
    """The fallbacks of presets: the same lottery, read at a later draw if the named one is not held."""
    return [
        {**row, "name": f"{row['name']}{LATER}", "of": row["name"], "when": (when or "").strip()}
        for preset, when in draws.items()
        if (when or "").strip()
        for row in PRESETS[preset]
    ]


def checked_fallbacks(
    rows: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Fallbacks in shape: one at most of each public source, read at another and later draw or instant.

    Raises DomainError on field `sources`.
    """
    known = {row["name"]: row for row in sources}
    out: list[dict[str, Any]] = []
    for given in rows:
        of = str(given.get("of", ""))
        row = _checked({key: value for key, value in given.items() if key != "of"})
        taken = {*known, *(one["name"] for one in out)}
        if of not in known or not is_outside(known[of]) or any(one["of"] == of for one in out):
            raise _refuse(
                "替补来源“{n}”须对应一个已写明期号的公开来源，且每个来源至多一个替补。",
                "The fallback '{n}' stands in for one public source whose draw is named, one for each.",
                n=named(row["name"]),
            )
        first, then = instant_of(known[of]), instant_of(row)
        if row["name"] in taken or not is_outside(row) or row["when"] == known[of]["when"]:
            raise _refuse(
                "替补来源“{n}”须是另外的一期，名称不得重复。",
                "The fallback '{n}' is another draw with a name of its own.",
                n=named(row["name"]),
            )
        if first is not None and then is not None and then <= first:
            raise _refuse(
                "替补来源“{n}”的时间须晚于它所代替的来源。",
                "The fallback '{n}' comes about later than what it stands in for.",
                n=named(row["name"]),
            )
        out.append({**row, "of": of})
    return out


def checked_sources(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every source in shape, no name twice; dice alone when none is named.

    A source that is not dice must say which draw or instant it is read at, or it could be chosen
    afterwards. Raises DomainError on field `sources`.
    """
    out = [_checked(row) for row in (rows or (DICE,))]
    names = [row["name"] for row in out]
    for name in names:
        if names.count(name) > 1:
            raise _refuse(
                "随机来源“{n}”出现两次。", "The source of randomness '{n}' occurs twice.", n=name
            )
    return out


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {**DICE, **given}
    name = str(row["name"])
    numbers = [row["count"], row["low"], row["high"]]
    if set(row) != set(DICE) or not _NAME.fullmatch(name):
        raise _refuse(
            "随机来源名称“{n}”只能用字母、数字、点、下划线和连字符。",
            "The name of a source, '{n}', is made of letters, digits, dots, underscores and hyphens.",
            n=name,
        )
    if row["kind"] not in ("sequence", "set"):
        raise _refuse(
            "随机来源“{n}”须说明是有序（sequence）还是不计顺序（set）。",
            "The source '{n}' is a sequence or a set.",
            n=name,
        )
    if (
        any(isinstance(n, bool) or not isinstance(n, int) for n in numbers)
        or not 1 <= row["count"] <= 1000
        or not 0 <= row["low"] < row["high"] <= _MAX
    ):
        raise _refuse(
            "随机来源“{n}”的个数须为 1 至 1000，最小值须小于最大值。",
            "The source '{n}' has 1 to 1000 values, and its least value is below its greatest.",
            n=name,
        )
    if row["kind"] == "set" and row["count"] > row["high"] - row["low"] + 1:
        raise _refuse(
            "随机来源“{n}”要取 {c} 个不重复的数，但范围内只有 {r} 个。",
            "The source '{n}' asks for {c} different numbers out of {r}.",
            n=name,
            c=row["count"],
            r=row["high"] - row["low"] + 1,
        )
    if not _WHEN.fullmatch(str(row["when"])):
        raise _refuse(
            "随机来源“{n}”的期号和时间只能用西文字符，80 个以内。",
            "Draw number and instant of the source '{n}' are at most 80 ASCII characters.",
            n=name,
        )
    if is_outside(row) and not str(row["when"]).strip():
        raise _refuse(
            "随机来源“{n}”须写明期号或确切时间，否则可以事后挑选。",
            "The source '{n}' names its draw number or exact instant, or it could be chosen later.",
            n=name,
        )
    return row


def named(name: str) -> Text:
    """A source by its words; one without words is called by its name."""
    if name.endswith(LATER) and name.removesuffix(LATER) in NAMES:
        return Text("{n}（替补）", "{n} (fallback)").format(n=NAMES[name.removesuffix(LATER)])
    return NAMES.get(name, Text.of(name))


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """A refusal of the engine about this source says it in words."""
    try:
        yield
    except DomainError as error:
        zh = error.text.zh.replace(f"“{name}”", f"“{named(name).zh}”")
        en = error.text.en.replace(f"'{name}'", f"'{named(name).en}'")
        raise DomainError(Text(zh, en), field=error.field) from error


def is_outside(row: Mapping[str, Any]) -> bool:
    """Whether no party present controls this source: everything but dice."""
    return not str(row["name"]).startswith("dice")


def instant_of(row: Mapping[str, Any]) -> datetime | None:
    """The instant that `when` ends with (2012-11-18T21:15+08:00), if it names one."""
    found = _INSTANT.search(str(row["when"]).strip())
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found.group().replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return None


def refuse_known(rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """No cosignature once a source has come about: who knows its value could choose whether the
    commitment stands. DomainError names the source; one that names no instant is not seen here."""
    for row in rows:
        instant = instant_of(row)
        if instant is not None and instant <= now:
            raise DomainError(KNOWN.format(n=named(row["name"]), t=row["when"]))


def early(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether the source names an instant that is still to come."""
    instant = instant_of(row)
    return instant is not None and now < instant


def refuse_early(row: Mapping[str, Any], now: datetime) -> None:
    """No value of a source before the instant that it names."""
    if early(row, now):
        text = NOT_YET.format(n=named(str(row["name"])), t=row["when"])
        raise DomainError(text, field="values")


def source_of(row: Mapping[str, Any]) -> Source:
    """A stored source as the engine's."""
    return Source(row["name"], row["kind"], row["count"], row["low"], row["high"], row["when"])


def described(row: Mapping[str, Any]) -> Text:
    """One source in words: what is read, how many, of what range, and which draw."""
    name, order = named(str(row["name"])), ORDER[row["kind"]]
    words = Text("{n}：{c} 个，{l}–{h}，{o}", "{n}: {c} of {l}–{h}, {o}").format(
        n=name, c=row["count"], l=row["low"], h=row["high"], o=order
    )
    if row["when"]:
        return Text("{w}，{t}", "{w}, {t}").format(w=words, t=row["when"])
    return words
