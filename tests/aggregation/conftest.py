"""Every test of this part starts from a round whose sittings are closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from tests.aggregation import builders


@pytest.fixture
def settings(
    tmp_path: Path, tmp_path_factory: Any, pg_server: str | None, schema: str
) -> Iterator[Settings]:
    """A fresh installation with the scored round in it."""
    yield from builders.installation(tmp_path, tmp_path_factory, pg_server, schema)
