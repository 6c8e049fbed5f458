"""A plain, non-editable installation: everything travels in the wheel, and it works from anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parents[1]
VECTORS = Path(__file__).parent / "vectors" / "draw"
PACKAGES = next(p for p in sys.path if p.endswith("site-packages"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip install .` builds, without network."""
    target = tmp_path_factory.mktemp("wheel")
    flags = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), *flags, "-w", str(target)]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=target)
    (made,) = target.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel: Path) -> Path:
    """The wheel installed alone: `lib` beside `bin`, apart from every other package."""
    flags = ["--no-deps", "--no-index", "--disable-pip-version-check", "-q"]
    target = wheel.parent / "site"
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=wheel.parent)
    return target


def mingjian(site: Path, cwd: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The installed console script. `-S` and `-E` keep the editable checkout off the path; the
    dependencies come from this environment's site-packages as plain directories."""
    script = (
        f"import sys; sys.path[1:1] = [{str(site)!r}, {PACKAGES!r}]\n"
        f"sys.argv = ['mingjian', *sys.argv[1:]]\n"
        f"exec(compile(open({str(site / 'bin' / 'mingjian')!r}).read(), 'mingjian', 'exec'))"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MINGJIAN"))}
    command = [sys.executable, "-S", "-E", "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=clean, timeout=60, check=False
    )


def test_the_wheel_holds_everything_that_is_read_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    kinds = ("*.py", "*.html", "*.css", "*.js", "*.csv", "*.yaml", "*.otf", "*.typ", "*.mako", "*.txt", "*.svg")  # fmt: skip
    for kind in kinds:
        for path in (ROOT / "app").rglob(kind):
            assert str(path.relative_to(ROOT)) in names, path
    for path in (ROOT / "scoring_forms").rglob("*"):
        if path.is_file():
            assert f"app/{path.relative_to(ROOT)}" in names, path
    for start in (
        "app/templates/",
        "app/static/",
        "app/migrations/versions/",
        "app/scoring_forms/",
    ):
        assert any(name.startswith(start) for name in names), start
    outside = {name.split("/")[0] for name in names}
    assert outside == {"app", f"mingjian-{app.__version__}.dist-info"}
    assert not any("__pycache__" in name or name.startswith("tests") for name in names)
    with zipfile.ZipFile(wheel) as archive:
        texts = {n: archive.read(n).decode() for n in names if n.endswith(("METADATA", "entry_points.txt"))}  # fmt: skip
    assert "mingjian = app.cli:main" in "".join(texts.values())


def test_it_is_the_installed_copy_that_runs(site: Path, tmp_path: Path) -> None:
    script = f"import sys; sys.path[1:1] = [{str(site)!r}, {PACKAGES!r}]; import app; print(app.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", script],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(site / "app" / "__init__.py")


def test_forms_lint_from_elsewhere(site: Path, tmp_path: Path) -> None:
    done = mingjian(site, tmp_path, "forms", "lint")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert re.fullmatch(r"\d\d file\(s\): 0 error\(s\).*", done.stdout.splitlines()[-1])


def test_draw_fairness_from_elsewhere(site: Path, tmp_path: Path) -> None:
    files = (VECTORS / "roster.csv", VECTORS / "request.yaml")
    done = mingjian(site, tmp_path, "draw", "fairness", *files, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["feasible"] is True and len(said["probabilities"]) == 200
    assert abs(said["min"] - 0.1) < 1e-6


def test_init_brings_schema_regions_and_forms_along(site: Path, tmp_path: Path) -> None:
    done = mingjian(site, tmp_path, "init", "--home", tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert "/join/" in done.stdout
    assert (tmp_path / "home" / "mingjian.db").stat().st_size > 500_000
