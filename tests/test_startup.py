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
