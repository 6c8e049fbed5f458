"""`mingjian demo` refuses foreign ground and makes its own home again (the whole of it: test_exercise_cycle)."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.demo import clear, demo, qr
from app.domain.types import DomainError


def test_a_home_without_the_mark_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mingjian.db").write_text("somebody's work")
    with pytest.raises(DomainError, match="does not carry the mark"):
        clear(tmp_path)
    result = CliRunner().invoke(demo, ["--home", str(tmp_path), "--no-serve"])
    assert isinstance(result.exception, DomainError)
    assert (tmp_path / "mingjian.db").read_text() == "somebody's work"


def test_a_file_in_the_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(DomainError, match="does not carry the mark"):
        clear(tmp_path / "demo")


def test_a_marked_home_is_removed_and_an_empty_one_is_free(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    clear(home)
    (home / "DEMO").write_text("")
    (home / "mingjian.db").write_text("old")
    clear(home)
    assert not home.exists()
    clear(home)


def test_a_foreign_database_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/else.db")
    result = CliRunner().invoke(demo, ["--home", str(tmp_path / "d"), "--no-serve"])
    assert isinstance(result.exception, DomainError)
    assert "DATABASE_URL is set" in str(result.exception)
    assert not (tmp_path / "d").exists()


def test_the_qr_of_a_link_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    qr("http://127.0.0.1:8000/enter/abc")
    shown = capsys.readouterr().out
    assert shown.count("\n") > 10 and "█" in shown
