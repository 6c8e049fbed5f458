"""What a person could type or tap into an item, with the ground on both sides of every limit; and what nobody could."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from app.domain.scoring.measures import plain

Json = dict[str, Any]
REASON = "现场核对"
TYPED = [
    "", " ", "0", "00", "-0", "5", " 5 ", "\u30005\u3000", "\u001f5", "\ufeff5", "5.", ".5", "+5", "-1", "-0.5", "1e1", "1E-2",
    "1_0", "nan", "sNaN", "NaN12", "Infinity", "-inf", "infx", "1e30", "-1e30", "1e-30", "1e9999999999999999999",
    "１７．５", "17。5", "８", "५", "𝟗", "1,5", "1 5", "x", "7\ud83d", "0.1", "0.05", "0.001", "123456789012345",
    "1234567890123456", "0.1234567891", "9.99999999999999999999999999999999999999",
]  # fmt: skip


def _around(numbers: list[str], step: str = "0.01") -> list[str]:
    out = []
    for text in numbers:
        number = Decimal(text)
        out += [plain(number), plain(number - Decimal(step)), plain(number + Decimal(step))]
    return list(dict.fromkeys(out))


def tapped(item: Json) -> Iterator[Json]:
    """Fields of an item, the scale's limits and the ground on both sides of them."""
    scale = item["scale"]
    top = item["max"] or "10"
    yield {}
    yield {"na": "on"}
    yield {"na": "on", "reason": REASON, "mark": "3"}
    yield {"reason": f"  {REASON}\ud800 "}
    if item["id"] == "X3":
        yield {"reason": "长😀" * 1050}
    match scale["type"]:
        case "points":
            near = _around([item["min"], top, "0"], scale["step"])
            yield from ({"mark": mark} for mark in [*near, *_around([top], "0.001"), *TYPED])
        case "grade":
            limits = [*(level[key] for level in scale["levels"] for key in ("low", "high")), top]
            typed = TYPED if len(scale["levels"]) != 4 or item["max"] in ("4", "10") else TYPED[:8]
            marks = [*_around(limits, scale["step"]), *_around(limits[:4], "0.001"), *typed]
            for mark in dict.fromkeys(marks):
                yield {"mark": mark}
                yield {"mark": mark, "reason": REASON}
        case "checklist" | "checklist_deduct":
            ids = [tick["id"] for tick in scale["items"]]
            sets = [
                [],
                *([name] for name in ids),
                ids,
                ids[1:],
                ids[:1] * 2,
                [*ids, "zz"],
                [" ", ids[0]],
            ]
            for ticks in sets:
                for cases in (
                    ("", "0", "1", "7", "99999", "100000", "x", "１")
                    if "per_case" in scale
                    else ("",)
                ):
                    yield {"ticks": ticks, "cases": cases, "reason": REASON if cases == "7" else ""}
            yield {"ticks": ids[0], "none": "on"}
            yield {"ticks": [], "none": "on"}
        case "deduct":
            for cases in (
                "0",
                "1",
                "2",
                "3",
                "007",
                "40",
                "99999",
                "100000",
                "-1",
                "1.5",
                "x",
                "２",
                " 4 ",
            ):
                yield {"cases": cases}
                yield {"cases": cases, "reason": REASON}
        case "passfail" | "passfail_points":
            for chosen in ("yes", "no", "", "maybe", "Yes", " no "):
                yield {"pass": chosen}
                yield {"pass": chosen, "reason": REASON}
        case "grade_table":
            for name in [*(row["id"] for row in scale["table"]), "zz", ""]:
                yield {"grade": name, "prior": ""}
                yield {"grade": name, "prior": "on"}
        case "veto":
            ids = [veto["id"] for veto in scale["vetoes"]]
            for struck in ("yes", "no", ""):
                for named in ([], ids[:1], ids, ["V99"], ids[:1] * 2):
                    for words in (
                        {},
                        {"reason": REASON},
                        {"evidence": "卷宗第3页"},
                        {"reason": REASON, "evidence": "卷宗第3页"},
                    ):
                        yield {"vetoed": struck, "vetoes": named, **words}
        case "bonus":
            steps = [step["id"] for step in scale["ladder"]]
            yield {"none": "on"}
            for index, step in enumerate(steps):
                yield {f"level.{step}": ["2022-15"]}
                yield {f"level.{step}": "2022-15"}
                yield {f"level.{step}": ["2022-15", " 2022-16 ", ""]}
                yield {
                    f"level.{step}": ["2022-15"],
                    f"level.{steps[index - 1]}": ["2022-15", "2023-1"],
                }
            yield {f"level.{step}": ["2022-15"] for step in steps}
        case _:
            yield from _measured(scale)


def _measured(scale: Json) -> Iterator[Json]:
    names = [figure["name"] for figure in scale["figures"]]
    limits = [
        figure[key] for figure in scale["figures"] for key in ("minimum", "maximum") if figure[key]
    ]
    bands = [
        band[key]
        for band in scale.get("bands", [])
        for key in ("ge", "gt", "lt", "le")
        if band[key]
    ]
    sample = [str(scale["min_sample"])] if "min_sample" in scale else []
    values = _around([*limits, *bands, *sample, "0", "1", "3", "100"])
    values += ["7", "33.333", "0.005", "x", "１２", "-3", "999999", "0.000000001"]
    for index, value in enumerate(dict.fromkeys(values)):
        yield {f"figure.{name}": value for name in names}
        yield {
            f"figure.{name}": value if place == index % len(names) else "90"
            for place, name in enumerate(names)
        }
        yield {
            f"figure.{name}": value if place != index % len(names) else "7"
            for place, name in enumerate(names)
        }
    yield {f"figure.{name}": "2" for name in names[1:]}


def raw_entries(item: Json) -> Iterator[Any]:
    """Entries that no screen makes: other shapes, strangers' choices, null where a value should be."""
    for value in (None, "x", 3, True, [], {}, {"mark": "1"}, {"ticks": "a"}, {"ticks": ["zz"]}, {"cases": "3"}, {"cases": True},
                  {"cases": -1}, {"pass": None}, {"pass": "yes"}, {"vetoed": True, "vetoes": []}, {"vetoed": False, "vetoes": ["V1"]},
                  {"grade": "zz", "prior_year": False}, {"awards": [{"level": "zz", "document": "d"}]}, {"awards": [{"level": "zz"}]},
                  {"awards": [{"level": "zz", "document": " "}]}, {"awards": "x"}, {"figures": []}, {"figures": {"zz": "1"}},
                  {"level": "zz", "mark": "1"}, {"figures": {}}):  # fmt: skip
        yield {"type": "mark", "value": value}
    for level in item["scale"].get("levels", ()):
        for mark in (level["low"], level["high"]):
            yield {"type": "mark", "value": {"level": level["id"], "mark": mark}, "reason": "x"}
    yield {"type": "mark"}
    yield {"type": "zero", "value": "1"}
    yield {"type": "missing", "reason": "x"}
    yield {"type": "not_applicable", "reason": 5}
    yield {"type": "not_applicable", "reason": " "}
