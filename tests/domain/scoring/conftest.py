"""The shipped library, loaded once, and its instruments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import Library, load_library

SHIPPED = Path(__file__).resolve().parents[3] / "scoring_forms"

Compile = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(SHIPPED)


@pytest.fixture(scope="session")
def instrument(library: Library) -> Compile:
    """instrument("mlr15-desk-I", has_mines=False) -> instrument JSON."""

    def build(form_id: str, **facts: bool) -> dict[str, Any]:
        context = FormContext(facts, library.vetoes_of_form(form_id))
        return compile_form(library.forms[form_id], context)

    return build
