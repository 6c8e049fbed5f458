"""A stored request, or a template of one, as the values of the request form's boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.draw.requests import VALUES
from app.draw.sources import DICE, PRESETS
from app.registry import words

QUOTED = {"kind": words.KIND, "discipline": words.DISCIPLINE, "source": words.SOURCE}
_PRESET = {row["name"]: preset for preset, rows in PRESETS.items() for row in rows}


def filled_in(request: Mapping[str, Any], stage: str | None) -> dict[str, Any]:
    """What each box holds; what all panels share is taken from the first panel."""
    panels = request["panels"]
    first = panels[0]
    data: dict[str, Any] = {
        "split": _split(panels),
        "seats": first["seats"],
        "mode": first["mode"],
        "mode_reason": first.get("mode_reason") or "",
        "pair_employer": first["pair_limits"].get("employer"),
        "pair_region": first["pair_limits"].get("region"),
        "load_cap": request["load_cap"],
        "replacement": request["replacement"],
        "observer": "observer" in request["parties"],
        "fixed": " ".join(map(str, (request.get("fixed") or {}).get("dice", ()))),
        "accept_high": request.get("accept_high") or "",
        "accept_zero": request.get("accept_zero") or "",
        "extra": _extra(panels),
        "panels": [
            {
                "name": panel["id"],
                "size": panel["seats"] if panel["seats"] != first["seats"] else None,
                "way": panel["mode"] if panel["mode"] != first["mode"] else "",
                "on": _day(panel),
                "own": boxes(panel) != boxes(first),
                **(boxes(panel) if boxes(panel) != boxes(first) else {}),
            }
            for panel in panels
        ],
        **boxes(first),
        **_sources(request["sources"]),
        **{
            f"{_PRESET.get(row['of'], 'other')}_later": row["when"]
            for row in request.get("fallbacks", ())
        },
    }
    for number, panel in enumerate(panels):
        data |= {f"of_{key}": str(number) for key in panel.get("subjects", ())}
    if stage is not None:
        data |= {"stage": stage, "subjects": request["subjects"]}
    return data


def _extra(panels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of employers and provinces: one for every panel where all say the same, else one each."""
    said: dict[tuple[str, str], list[tuple[str, int, int | None]]] = {}
    for number, panel in enumerate(panels):
        for attribute, rows in panel["quotas"].items():
            if attribute in VALUES:
                continue
            for value, (low, high) in rows.items():
                most = None if high == panel["seats"] else high
                said.setdefault((attribute, value), []).append((str(number), low, most))
    out = []
    for (attribute, value), bounds in said.items():
        alike = len(bounds) == len(panels) and len({row[1:] for row in bounds}) == 1
        for place, low, most in bounds[:1] if alike else bounds:
            of = "" if alike else place
            out.append({"of": of, "value": f"{attribute}:{value}", "least": low, "most": most})
    return out


def boxes(panel: Mapping[str, Any]) -> dict[str, int]:
    """The bounds of the closed attributes that bind, by the names of their boxes."""
    out: dict[str, int] = {}
    for attribute, rows in panel["quotas"].items():
        for value, (low, high) in rows.items():
            if attribute in VALUES and (low, high) != (0, panel["seats"]):
                out[f"min_{attribute}_{value}"] = low
                out[f"max_{attribute}_{value}"] = high
    return out


def _day(panel: Mapping[str, Any]) -> Any:
    own = panel.get("own_dates") or ()
    return date.fromisoformat(own[0]) if own else None


def _split(panels: list[Mapping[str, Any]]) -> str:
    """Whether the panels are what "one" or "each" would make again, or were put together."""
    if len(panels) == 1:
        return "one"
    alike = all(
        panel["id"] == f"P{n:02d}"
        and len(panel.get("subjects", ())) == 1
        and not panel.get("own_dates")
        and all(panel[key] == panels[0][key] for key in ("seats", "mode", "quotas"))
        for n, panel in enumerate(panels, 1)
    )
    return "each" if alike else "groups"


def _sources(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"dice": 0}
    for row in rows:
        if row["name"] == DICE["name"]:
            out["dice"] = row["count"]
        elif row["name"] in _PRESET:
            out[_PRESET[row["name"]]] = row["when"]
        else:
            out |= {f"other_{key}": row[key] for key in ("name", "kind", "count", "low", "high")}
            out["other_when"] = row["when"]
    return out
