"""A text typed in one language is labelled for readers of the other, and never translated."""

from __future__ import annotations

import pytest

from app.documents.originals import as_typed
from app.domain.types import Text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("成效明显。", Text("成效明显。", "成效明显。 (original in Chinese)")),
        (
            "采用 GIS 系统管理存量用地。",
            Text(
                "采用 GIS 系统管理存量用地。", "采用 GIS 系统管理存量用地。 (original in Chinese)"
            ),
        ),
        ("Good work.", Text("Good work.（原文为英文）", "Good work.")),
    ],
)
def test_one_language_is_labelled_for_the_other(typed: str, shown: Text) -> None:
    assert as_typed(typed) == shown


@pytest.mark.parametrize(
    "typed", ["", "—", "12.50", "2012-11-05", "演练。\nExercise: the marks are invented here."]
)
def test_both_languages_or_none_stand_as_they_are(typed: str) -> None:
    assert as_typed(typed) == Text(typed, typed)
