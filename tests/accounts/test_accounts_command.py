"""The command line's part of accounts: the first administrator, and people added by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.domain.types import Forbidden
from app.factory import create_app
from tests.conftest import PASSWORD

JOIN = re.compile(r"http://127\.0\.0\.1:8000(/join/[\w-]{43})")
ADD = ("user", "add", "--name", "测试人")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`run("init")` in a place of its own, on SQLite."""
    for name in ("DATABASE_URL", "MINGJIAN_HOME", "MINGJIAN_DEMO", "MINGJIAN_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINGJIAN_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return invoke


@pytest.fixture
def page(run: Any) -> Any:
    """A client of the installation, without a session; call `run("init")` first."""
    made: list[Any] = []

    def client() -> Any:
        if not made:
            made.append(create_app())
            made[0].config["WTF_CSRF_ENABLED"] = False
        return made[0].test_client()

    yield client
    for app in made:
        app.extensions["mingjian.db"].dispose()


def test_a_second_init_before_the_first_sign_up_ends_the_first_link(run: Any, page: Any) -> None:
    first = JOIN.search(run("init").output)[1]
    second = JOIN.search(run("init").output)[1]
    assert first != second
    form = {"name": "首位", "login": "root", "password": PASSWORD, "again": PASSWORD}
    assert page().get(first).status_code == 404
    assert page().post(first, data=form).status_code == 404, "only one link is valid"
    assert page().post(second, data=form).status_code == 200
    third = run("init").output
    assert JOIN.search(third) is None and "accounts exist already" in third


def test_staff_added_with_a_password_can_do_nothing_but_set_up_the_second_factor(
    run: Any, page: Any
) -> None:
    run("init")
    said = run(*ADD, "--role", "office", "--login", "anna", "--password", PASSWORD)
    assert said.exit_code == 0 and "The first sign-in sets up the authenticator" in said.output
    client = page()
    answer = client.post("/sign-in", data={"login": "anna", "password": PASSWORD})
    assert answer.headers["Location"].startswith("/enrol/")
    assert client.get("/").headers["Location"].startswith("/sign-in"), "not signed in"
    expert = run(*ADD, "--role", "expert", "--login", "eve", "--password", PASSWORD)
    assert "authenticator" not in expert.output, "experts have no second factor"


def test_the_command_makes_the_first_supervisor_and_never_the_second(run: Any) -> None:
    run("init")
    first = run(*ADD, "--role", "supervisor", "--login", "sue")
    assert first.exit_code == 0 and JOIN.search(first.output)
    second = run(*ADD, "--role", "supervisor", "--login", "sam")
    assert isinstance(second.exception, Forbidden)
    assert "a supervisor invites the next" in second.exception.text.en
    assert run(*ADD, "--role", "keeper", "--login", "sam").exit_code == 0, "sam was not created"
