"""A class put on a new scale because a county left: old and new are shown side by side."""

from __future__ import annotations

import json
from decimal import Decimal

from app.domain.scoring.formulas import compute_class
from app.domain.scoring.refreeze import refrozen
from tests.domain.scoring.invented import item_with, two_figures


def test_old_and_new_points_of_everybody_who_stays() -> None:
    scale = (
        "{type: formula, expression: x / y, direction: up, normalise: minmax_in_class, "
        "zero_denominator: not_applicable, small_class: {method: target_ratio, target: 1, status: default}}"
    )
    item = item_with(scale, figures=two_figures(), scorer="formula")
    instrument = {"form_digest": "00", "items": [item]}
    values = {"A": "10", "B": "20", "C": "30", "D": "50"}
    figures = {n: {"x": Decimal(v), "y": Decimal(1)} for n, v in values.items()}

    def frozen(names: str):  # type: ignore[no-untyped-def]
        return compute_class(dict.fromkeys(names, instrument), {n: figures[n] for n in names})

    before, after = frozen("ABCD"), frozen("ABC")
    found = refrozen(before, after)
    assert (found.left, found.came, found.needed) == (("D",), (), True)
    (change,) = found.changes
    assert (change.old.high, change.new.high) == (Decimal(50), Decimal(30))
    # 10 x (20 - 10) / 40 = 2.5 before, 10 x 10 / 20 = 5 after; A stays at 0.
    assert {m.subject: (m.old, m.new) for m in change.moved} == {
        "B": (Decimal("2.50"), Decimal("5.00")),
        "C": (Decimal("5.00"), Decimal("10.00")),
    }
    assert "退出 D" in change.text.zh and "10–50 (of 4) → 10–30 (of 3)" in change.text.en
    json.dumps(found.to_json())
    assert not refrozen(before, before).needed
    back = refrozen(after, before)
    assert back.came == ("D",) and back.changes[0].moved[0].new == Decimal("2.50")
