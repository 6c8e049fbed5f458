"""Every role x endpoint x ownership, generated from the application's own map of addresses.

What is expected stands in matrix.yaml. A route that is missing there fails, a route there that is
gone fails, and `__access__` of the code must equal the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

import app.ui.request as request_frame
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.factory import create_app
from app.keys import create as make_keys
from tests.attacks.cells import ABSENT, CELLS, REACHED, ROLES, Stage, prepare, table
from tests.attacks.world import Template, _execute, copy_of

MATRIX = table()
RESULT_KINDS = {"run", "flag", "report"}


class _Undo(Exception):
    """Takes a transaction back at its end."""


@contextmanager
def _undone(write: Callable[[], Any]) -> Iterator[Any]:
    with suppress(_Undo), write() as session:
        yield session
        raise _Undo


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, world_template: Template, pg_server: str | None
) -> Iterator[tuple[Any, Stage, dict[str, Any]]]:
    """(application, prepared world, a client for each role and for nobody); nothing commits."""
    import copy

    home = tmp_path_factory.mktemp("matrix") / "home"
    home.mkdir()
    name = f"matrix_{os.getpid()}"
    settings = copy_of(world_template, home, pg_server, name)
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    world = copy.deepcopy(world_template.world)
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        stage = prepare(session, world)
    clients: dict[str, Any] = {"nobody": app.test_client()}
    for role, viewer in stage.viewers.items():
        with database.write() as session:
            token = accounts.open_sign_in(
                session, session.get(Account, viewer.id), agent="m", address="m", hours=9
            )
        clients[role] = app.test_client()
        with clients[role].session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
    before = request_frame.finish
    request_frame.finish = lambda keep: before(keep=False)  # each cell meets the same world
    kept_write = database.write
    database.write = lambda: _undone(kept_write)  # pages that compute first write on their own
    yield app, stage, clients
    request_frame.finish = before
    database.dispose()
    if pg_server is not None:
        _execute(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def routes(app: Any) -> dict[str, Any]:
    """endpoint -> rule; one rule each, or this file must learn more."""
    found: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        assert rule.endpoint not in found, f"two rules for {rule.endpoint}"
        found[rule.endpoint] = rule
    return found


def wanted_roles(entry: dict[str, Any]) -> set[str]:
    roles = entry["roles"]
    return {"*"} if roles == "everybody" else set(ROLES) if roles == "signed in" else set(roles)


def test_the_file_and_the_program_name_the_same_routes_and_roles(tmp_path):
    from app.config import Settings

    make_keys(tmp_path / "keys")
    app = create_app(Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/x.db"))
    known = routes(app)
    assert set(known) - set(MATRIX) == set(), "routes without a cell in matrix.yaml"
    assert set(MATRIX) - set(known) == set(), "cells in matrix.yaml of routes that are gone"
    for endpoint, rule in known.items():
        entry = MATRIX[endpoint]
        declared = app.view_functions[endpoint].__access__
        assert wanted_roles(entry) == set(declared), endpoint
        named = set(rule.arguments) - {"slug", "token", "filename"}
        assert named == set(entry.get("ids", {})) | set(entry.get("plain", {})), endpoint
    app.extensions["mingjian.db"].dispose()


def url(app: Any, stage: Stage, endpoint: str, role: str, cell: str, slug: str) -> str | None:
    """The address of one cell; None when the cell does not exist (no such object was made)."""
    entry = MATRIX[endpoint]
    values: dict[str, Any] = dict(entry.get("plain", {}))
    rule = routes(app)[endpoint]
    if "slug" in rule.arguments:
        values["slug"] = slug
    for param, kind in entry.get("ids", {}).items():
        if param == entry.get("vary", next(iter(entry["ids"]))):
            found = stage.id_of(kind, role, cell)
        else:
            found = stage.id_of(kind, role, "own")
        if found is None:
            return None
        values[param] = found
    with app.test_request_context():
        from flask import url_for

        return url_for(endpoint, **values)


def ask(
    client: Any,
    method: str,
    where: str,
    form: dict[str, Any] | None = None,
    *,
    script: bool = False,
) -> Any:
    """`script`: as our scripts ask, who get a refusal without the page around it."""
    kind = {"Content-Type": "application/json"} if script else None
    data = (form or {}) if method == "POST" and not script else None
    return client.open(where, method=method, data=data, headers=kind)


def plain(response: Any, where: str) -> str:
    """An error page without the address that was asked for."""
    text = response.get_data(as_text=True)
    text = re.sub(r'(name="csrf_token" value|name="csrf" content)="[^"]*"', "", text)
    text = text.replace(where, "/")
    for part in re.findall(r"[0-9a-f]{16}|9999", where):
        text = text.replace(part, ABSENT)
    return text


PRIVATE = sorted(e for e, entry in MATRIX.items() if entry["roles"] != "everybody")


@pytest.mark.parametrize("endpoint", PRIVATE)
def test_every_cell(town, endpoint):
    app, stage, clients = town
    entry = MATRIX[endpoint]
    rule = routes(app)[endpoint]
    allowed = wanted_roles(entry)
    wrong: list[str] = []
    for method in sorted(rule.methods & {"GET", "POST", "PUT"}):
        for role in ROLES:
            missing: dict[str, str] = {}
            stuck = expectation(entry, f"{method} {role}", "own", allowed) == {404}
            for cell in CELLS if entry.get("ids") else ("own",):
                where = url(app, stage, endpoint, role, cell, stage.world.slug)
                if where is None:
                    continue
                form = {k: stage.id_of(v, role, "own") for k, v in entry.get("form", {}).items()}
                # At the gate one refusal is like the next: it is read as a page once.
                shut = role not in allowed and cell != "own"
                response = ask(clients[role], method, where, form, script=shut)
                expected = expectation(entry, f"{method} {role}", cell, allowed)
                if response.status_code not in expected:
                    wrong.append(f"{method} {role} {cell}: {response.status_code} {expected}")
                if response.status_code == 404 and cell in (
                    {"other", "absent"} if stuck else CELLS[1:]
                ):
                    missing[cell] = plain(response, where)
            if len(set(missing.values())) > 1:
                wrong.append(f"{method} {role}: absent and foreign differ: {sorted(missing)}")
        where = url(app, stage, endpoint, "office", "absent", stage.world.slug)
        nobody = ask(clients["nobody"], method, where or "/")
        if method == "GET" and not rule.rule.startswith("/field/api/"):
            if nobody.status_code != 302 or not nobody.headers["Location"].startswith("/sign-in"):
                wrong.append(f"GET nobody: {nobody.status_code}")
        elif nobody.status_code != 401:
            wrong.append(f"{method} nobody: {nobody.status_code}")
    assert wrong == []


def expectation(entry: dict[str, Any], who: str, cell: str, allowed: set[str]) -> set[int]:
    """The statuses that fit. A role that is refused never learns whether the object exists."""
    role = who.split()[1]
    if role not in allowed:
        return {403}
    instead = entry.get("instead", {})
    special = instead.get(who) or instead.get(role)
    reached = {special} if special else REACHED
    if cell == "own":
        return reached
    if cell == "absent" or (cell == "other" and not entry.get("global")):
        return {404, 403} if special == 403 else {404}
    if role in entry.get("only_own", ()) or entry.get("nested"):
        return {404}
    return reached


@pytest.mark.parametrize("endpoint", PRIVATE)
def test_a_round_that_is_absent_or_not_ones_own(town, endpoint):
    """An address with an unknown round; and a presenter in a round without his county."""
    app, stage, clients = town
    rule = routes(app)[endpoint]
    if "slug" not in rule.arguments:
        return
    allowed = wanted_roles(MATRIX[endpoint])
    for method in sorted(rule.methods & {"GET", "POST"}):
        for role in ROLES:
            where = url(app, stage, endpoint, role, "absent", "no-such-round")
            absent = ask(clients[role], method, where, script=role not in allowed)
            assert absent.status_code == (404 if role in allowed else 403), (method, role)
            if role == "presenter" and role in allowed:
                there = url(app, stage, endpoint, role, "absent", stage.world.other_slug)
                foreign = ask(clients[role], method, there)
                assert foreign.status_code == 404
                unslugged = plain(foreign, there).replace(stage.world.other_slug, "no-such-round")
                assert len(unslugged) == len(plain(absent, where))


RESULTS = sorted(e for e in PRIVATE if RESULT_KINDS & set(MATRIX[e].get("ids", {}).values()))


@pytest.mark.parametrize("endpoint", RESULTS)
def test_an_expert_sees_no_result_of_a_round_in_which_he_does_not_sit(town, endpoint):
    """The run, the flag and the report exist there, and read as if they did not."""
    app, stage, clients = town
    allowed = wanted_roles(MATRIX[endpoint])
    for method in sorted(routes(app)[endpoint].methods & {"GET", "POST"}):
        there = url(app, stage, endpoint, "expert", "other", stage.world.other_slug)
        absent = url(app, stage, endpoint, "expert", "absent", stage.world.other_slug)
        found, missing = (ask(clients["expert"], method, where) for where in (there, absent))
        assert found.status_code == missing.status_code == (404 if "expert" in allowed else 403)
        assert plain(found, there) == plain(missing, absent)
        if method == "GET" and "office" in allowed:
            reached = expectation(MATRIX[endpoint], f"{method} office", "own", allowed)
            assert ask(clients["office"], method, there).status_code in reached
