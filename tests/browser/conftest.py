"""Browser tests on a small installation of their own; those of `tests/web` share the exercise."""

from __future__ import annotations

from tests.web.conftest import chromium, reader

__all__ = ["chromium", "reader"]
