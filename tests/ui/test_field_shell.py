"""The field application's files: what the tablet keeps, what the first screen weighs, what is vendored."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from app.field import shell

STATIC = Path(shell.__file__).parents[1] / "static"
IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"', re.M)
LATER = re.compile(r'\bimport\("([^"]+)"\)')
PAGE_PARTS = re.compile(r'(?:href|src)="(/[^"]+)"')
BUDGET = 60_000  # bytes with gzip: what must come before somebody can sign in


def weight(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def reached(roots: list[Path], *, later: bool) -> set[Path]:
    """Modules that the roots import, with `later` those that they import when they need them too."""
    found: set[Path] = set()
    open_ = [root.resolve() for root in roots]
    while open_:
        path = open_.pop()
        if path in found:
            continue
        found.add(path)
        text = path.read_text("utf-8")
        names = [a or b for a, b in IMPORTED.findall(text)]
        if later:
            names += LATER.findall(text)
        open_ += [(path.parent / name).resolve() for name in names]
    return found


def roots() -> tuple[list[Path], list[Path]]:
    """(modules, other files) that index.html names."""
    named = PAGE_PARTS.findall((STATIC / "field/index.html").read_text("utf-8"))
    files = [STATIC / name.removeprefix("/static/") for name in named if name[:8] == "/static/"]
    modules = [path for path in files if path.suffix == ".js"]
    return modules, [path for path in files if path.suffix != ".js"]


def test_the_tablet_keeps_every_file_that_the_application_asks_for() -> None:
    kept = shell.shell_files(STATIC)
    modules, others = roots()
    for path in [*reached(modules, later=True), *others]:
        assert f"/static/{path.relative_to(STATIC).as_posix()}" in kept
    assert "/field" in kept and "/static/field/sw.js" not in kept
    assert not [name for name in kept if "LICENCE" in name or name.endswith(".json")]


def test_the_first_screen_stays_small() -> None:
    modules, others = roots()
    first = [*reached(modules, later=False), *others, STATIC / "field/index.html"]
    weighed = {path.name: weight(path) for path in first if path.suffix != ".png"}
    assert sum(weighed.values()) <= BUDGET, sorted(weighed.items(), key=lambda one: -one[1])


def test_a_changed_file_is_a_new_version(tmp_path: Path) -> None:
    for name in ("field/index.html", "field/sw.js", "field/app.js", *shell.REUSED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('const V = "/*VERSION*/"; const F = {/*FILES*/};', "utf-8")
    before = shell.service_worker_source(tmp_path)
    assert before == shell.service_worker_source(tmp_path)
    listed = json.loads(before.split("F = ")[1].rstrip(";"))
    digest = hashlib.sha256((tmp_path / "field/app.js").read_bytes()).hexdigest()
    assert listed["/static/field/app.js"] == digest
    (tmp_path / "field/app.js").write_text("changed", "utf-8")
    after = shell.service_worker_source(tmp_path)
    assert before.split('"')[1] != after.split('"')[1]
    (tmp_path / "field/sw.js").write_text('const V = "/*VERSION*/"; //', "utf-8")
    assert shell.service_worker_source(tmp_path).split('"')[1] != after.split('"')[1]


def test_the_worker_is_served_with_its_list_and_scope(app: Any) -> None:
    answer = app.test_client().get("/field/sw.js")
    assert answer.status_code == 200 and answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/field"
    text = answer.get_data(as_text=True)
    assert "/*FILES*/" not in text and "/*VERSION*/" not in text
    for address, digest in shell.shell_files(STATIC).items():
        assert f'"{address}":"{digest}"' in text
        body = app.test_client().get(address).get_data()
        assert hashlib.sha256(body).hexdigest() == digest


def test_vendored_files_are_what_they_say() -> None:
    folder = STATIC / "vendor"
    listed: list[dict[str, Any]] = json.loads((folder / "VENDOR.json").read_text("utf-8"))
    assert {one["file"] for one in listed} == {path.name for path in folder.glob("*.js")}
    for one in listed:
        assert hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"]
        for part in [one, *one.get("contains", [])]:
            assert part["licence"] in ("MIT", "ISC", "Apache-2.0")
            assert len((folder / part["licence_file"]).read_text("utf-8")) > 500
