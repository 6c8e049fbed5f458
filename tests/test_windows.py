"""What Windows lacks is not asked for: tests/windows.py plays one (nobody has tried a real one)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import demo as demos
from app.registry.columns import template_table
from tests.domain.draw.test_commands import files

ROOT = Path(__file__).parents[1]


def test_an_office_s_first_hour(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("what is open is read from /proc")
    heads, rows = template_table()
    table = [heads, *([f"测试{row[0]}", *row[1:-1], "备注"] for row in rows)]
    lines = [",".join(cell.replace(",", "，") for cell in row) for row in table]
    (tmp_path / "experts.csv").write_bytes("\r\n".join(lines).encode("gbk"))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MINGJIAN", "DATABASE"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.windows", str(tmp_path), *map(str, files(tmp_path)),
         str(tmp_path / "experts.csv")],
        cwd=ROOT, env=kept | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}, capture_output=True, check=False,
    )  # fmt: skip
    said, complaint = done.stdout.decode("cp1252"), done.stderr.decode("cp1252")
    assert done.returncode == 0, complaint[-3000:]
    assert re.search(r"https://review\.lan:8443/join/[\w-]{43}", said), (
        "the link, though no Chinese fits"
    )
    assert "mingjian serve --public-url https://review.lan:8443  (docs/windows.md)" in said
    assert f"{len(rows)} imported" in said and "drill well" in said
    assert "serving    http://127.0.0.1:0" in said and "waitress  200  True  8" in said
    assert "waitress) speaks no TLS" in complaint and "cannot be used" in complaint
    assert "Traceback" not in complaint
    for name, code in (("draw/transcript.zip", 0), ("experts.csv", 1)):  # the auditor's own program
        checked = subprocess.run(
            [sys.executable, str(ROOT / "app" / "verify.py"), str(tmp_path / name)],
            env=kept | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}, capture_output=True, check=False,
        )  # fmt: skip
        assert (checked.returncode, checked.stderr) == (code, b""), name


def test_the_demonstration_waits_for_its_server_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`execv` of Windows splits arguments at spaces, of which the command has some."""
    called: list[list[str]] = []
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(demos.sys, "platform", "win32")
    monkeypatch.setattr(demos.subprocess, "call", called.append)
    monkeypatch.setattr(demos.os, "execv", lambda *_: pytest.fail("not on Windows"))
    monkeypatch.setattr("app.exercise.cycle.build_exercise", lambda *_: None)
    monkeypatch.setattr(demos, "check", lambda _: type("Found", (), {"ok": True}))
    monkeypatch.setattr(demos, "tell", lambda *_: None)
    home = tmp_path / "a home"
    done = CliRunner().invoke(demos.demo, ["--home", str(home), "--port", "8123"])
    assert done.exit_code == 0, done.output
    assert [words[3:] for words in called] == [["serve", "--home", str(home), "--port", "8123"]]
