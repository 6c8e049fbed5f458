"""Browser tests on a small installation of their own; those of `tests/web` share the exercise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.field_tablet import Device
from tests.browser.field_tower import Tower
from tests.web.conftest import axe, chromium, reader

__all__ = ["axe", "chromium", "reader"]


@pytest.fixture
def tower() -> Iterator[Tower]:
    """The server that a test can make misbehave; it serves the engine alone, without screens."""
    made = Tower()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def device(chromium: Any, tmp_path: Path, tower: Tower) -> Iterator[Device]:
    """A tablet in front of the test's `tower`, with a profile that outlives its browser; nothing went
    wrong on it."""
    made = Device(chromium.browser_type, tmp_path / "profile", tower.address)
    yield made
    made.close()
    assert made.faults == []
