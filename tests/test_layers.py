"""What the import contracts cannot say with one wildcard: rules for `views_*.py`, `queries_*.py` and
their like, which grow beside `views.py` and `queries.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Files that read, judge or show, and so write nothing into the ledger.
READERS = re.compile(r"(?:\w+_)?(?:views|queries|forms|invariants|papers)(?:_\w+)?")
VIEWS = re.compile(r"app\.\w+\.views(?:_\w+)?")
# What stands beside a view: the other views, a room's blueprint and what its pages share.
PAGES = re.compile(r"(?:views|pages|room)(?:_\w+)?")


def imported(source: str) -> set[str]:
    """Every module that a file imports, and every name taken from one as `module.name`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules() -> Iterator[tuple[str, str, set[str]]]:
    """(path, stem, imports) of every module of the application."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.stem, imported(path.read_text("utf-8"))


def appends(stem: str, found: set[str]) -> bool:
    return READERS.fullmatch(stem) is not None and "app.ledger.append" in found


def reaches_views(path: str, stem: str, found: set[str]) -> bool:
    inside = path == "app/factory.py" or PAGES.fullmatch(stem)
    return not inside and any(VIEWS.fullmatch(name) for name in found)


def test_no_file_that_reads_or_shows_appends_to_the_ledger() -> None:
    bad = [path for path, stem, found in modules() if appends(stem, found)]
    assert bad == []
    readers = {stem for _, stem, _ in modules() if READERS.fullmatch(stem)}
    assert {"views_flags", "queries_order", "diagnostics_queries", "papers_calls"} <= readers


def test_only_the_factory_and_other_pages_import_views() -> None:
    assert [path for path, stem, found in modules() if reaches_views(path, stem, found)] == []


def test_the_rules_catch_what_breaks_them() -> None:
    for line in ("from app.ledger.append import append", "from app.ledger import append"):
        assert appends("views_x", imported(line)) and appends("queries_x", imported(line))
        assert appends("forms", imported(line)) and not appends("operations_x", imported(line))
    for line in ("from app.draw.views_names import who", "from app.draw import views_names"):
        assert reaches_views("app/panel/operations.py", "operations", imported(line))
        assert reaches_views("app/panel/queries_x.py", "queries_x", imported(line))
        assert not reaches_views("app/panel/views_x.py", "views_x", imported(line))
        assert not reaches_views("app/factory.py", "factory", imported(line))
