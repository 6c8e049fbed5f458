"""A round that several files start from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schemes import builders
from tests.schemes.builders import figures, give, off, qualify, sit, small


@pytest.fixture
def jiangsu(session: Any, make: Any, monkeypatch: Any) -> builders.Small:
    """Two counties; experts' items add up to 67, the dial is J01 by half points: 66 in the mean.

    First: J09 2/100 gives 9, J10 3/4 x 9 = 6.75, J12 7 - 2 = 5, J13 4: 24.75 + 66 = 90.75
    Second: J09 12/100 gives 0, J10 without old cases 9, J12 7, J13 5: 21 + 66 = 87
    """
    made = small(session, make, "jiangsu-enforcement-2022", counties=2)
    rows = {"illegal_arable_mu": "2", "new_construction_arable_mu": "100", "rectified_cases": "3"}
    figures(made, 0, {**rows, "old_cases": "4"})
    figures(made, 1, {**rows, "illegal_arable_mu": "12", "rectified_cases": "0", "old_cases": "0"})
    qualify(made)
    sit(made, monkeypatch, "assess", off("J01", "8"))
    for place, (found, mark) in enumerate((("1", "4.0"), ("0", "5.0"))):
        give(made, place, "assess", "J12", {"cases": found, "reason": "测试通报"})
        give(made, place, "assess", "J13", {"mark": mark, "reason": "测试"})
    return made
