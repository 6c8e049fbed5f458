"""Starting up imports no library that only a single export, upload or draw needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"PIL", "numpy", "openpyxl", "qrcode", "scipy", "typst", "xlsxwriter"}
LOADED = "json.dumps(sorted({name.split('.')[0] for name in sys.modules}))"
APPLICATION = f"""
import json, sys
from app.config import Settings
from app.factory import create_app
from app.keys import create
settings = Settings.from_environment()
create(settings.keys)
create_app(settings)
print({LOADED})
"""
COMMAND = f"""
import json, sys
from app.cli import main
try:
    main(["--help"])
except SystemExit:
    print({LOADED})
"""


@pytest.mark.parametrize("program", [APPLICATION, COMMAND], ids=["application", "command"])
def test_a_fresh_process_starts_without_the_heavy_libraries(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "MINGJIAN_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"app", "click" if program is COMMAND else "flask"} <= loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("2", "2")])
def test_linear_algebra_keeps_to_one_thread_unless_the_operator_says_otherwise(
    given: str | None, used: str
) -> None:
    """Threads that spin beside other work made a fit six times slower."""
    name = "OPENBLAS_NUM_THREADS"
    known = {key: value for key, value in os.environ.items() if key != name}
    done = subprocess.run(
        [sys.executable, "-c", f"import os, app; print(os.environ[{name!r}])"],
        env={**known, **({name: given} if given else {})},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == used


def test_the_search_for_garbage_waits_for_more_than_a_page_makes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import app, gc; print(gc.isenabled(), *gc.get_threshold())"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == ["True", "50000", "20", "20"]
