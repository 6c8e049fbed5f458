"""The forms of the shared vectors: every form of the library, and variants of their items that no form uses yet."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from app.domain.scoring.expressions import compile_expression
from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import load_library

FORMS = Path(__file__).parents[3] / "scoring_forms"
Json = dict[str, Any]


def instruments() -> list[Json]:
    """Every form of the library with its facts all true and all false, then the variants."""
    library = load_library(FORMS)
    found = []
    for form_id, form in sorted(library.forms.items()):
        for truth in (True, False) if form.facts else (True,):
            facts = {fact.name: truth for fact in form.facts}
            found.append(compile_form(form, FormContext(facts, library.vetoes_of_form(form_id))))
    return [*found, *variants(found)]


def variants(found: list[Json]) -> list[Json]:
    """Two forms of items as a form may have them and none of the library has."""
    items = {item["id"] + i["form"]: item for i in found for item in i["items"]}
    first = {item["scale"]["type"]: item for item in reversed(list(items.values()))}
    made: list[Json] = []

    def variant(kind: str, top: Json | None = None, **scale: Any) -> None:
        item = copy.deepcopy(first[kind])
        item["scale"].update(scale)
        item.update(
            {"id": f"X{len(made) + 1}", "section": "S", "scorer": "expert", "applies": True}
        )
        item.update(top or {})
        made.append(item)

    every = {"not_applicable": "allowed", "max": "10"}
    variant("bonus", {"max": None}, stacking="sum", cap=None)
    variant("bonus", {"max": "9"}, stacking="sum", cap="1.5")
    variant("points", {**every, "min": "-10"}, step="0.25")
    variant("points", {**every, "min": "0.5", "max": "7"}, step="0.3")
    variant("deduct", {**every, "min": "-10"}, per_case="3", floor="minus_max")
    variant("deduct", {**every, "min": "0"}, per_case="0.3")
    variant("grade_table", {"not_applicable": "allowed"}, factor_for_prior_year="0.335")
    variant(
        "grade",
        {**every, "max": first["grade"]["max"]},
        levels=first["grade"]["scale"]["levels"][::-1],
    )
    figures = [
        {"name": name, "title": {"zh": name, "en": name}, "unit": None, "minimum": low, "maximum": high,
         "integer": whole, "from_form": None}
        for name, low, high, whole in (("x", None, None, False), ("y", "0", "1000", False), ("k", "0", None, True))
    ]  # fmt: skip
    names = {"x": "num", "y": "num", "k": "num"}

    def tree(source: str, want: Any) -> Json:
        return {"source": source, "tree": compile_expression(source, names, want).tree}  # type: ignore[arg-type]

    share = {
        "figures": figures, "expression": tree("(x + k) / y", "num"), "valid_if": tree("k != 3 and x >= -5", "bool"),
        "direction": "up", "normalise": "target_ratio", "target": "0.7", "bands": [], "small_class": None,
    }  # fmt: skip
    for otherwise, zero in (
        ("full", "zero"),
        ("zero", "not_applicable"),
        ("not_applicable", "full"),
    ):
        variant("formula", every, **{**share, "otherwise": otherwise, "zero_denominator": zero})
    variant(
        "formula",
        every,
        **{**share, "direction": "down", "otherwise": "zero", "zero_denominator": "zero"},
    )
    bands = [
        {"ge": "0.9", "gt": None, "lt": None, "le": None, "points": "10"},
        {"ge": None, "gt": "0.3", "lt": "0.9", "le": None, "points": "6.665"},
        {"ge": None, "gt": None, "lt": None, "le": "0.2", "points": "0"},
    ]
    variant(
        "formula",
        every,
        **{
            **share,
            "normalise": "bands",
            "bands": bands,
            "otherwise": "zero",
            "zero_denominator": "zero",
        },
    )
    variant(
        "bands", every, **{**share, "bands": bands, "otherwise": "zero", "zero_denominator": "zero"}
    )
    base = copy.deepcopy(found[0])
    base.update({"form": "invented", "kind": "score", "filled_by": None, "items": made})
    base["sections"] = [_section("S", "100", "120"), _section("Z", "0", "0")]
    plus = copy.deepcopy(base)
    plus.update({"form": "invented-bonus", "kind": "bonus", "filled_by": "expert"})
    return [base, plus]


def _section(name: str, maximum: str, effective: str) -> Json:
    return {
        "id": name, "title": {"zh": name, "en": name}, "max": maximum, "effective_max": effective, "applies": True,
        "applies_if": None, "moves_to": None, "moved_in": [{"from": "Z", "max": "20"}], "min_share": "0.6",
    }  # fmt: skip
