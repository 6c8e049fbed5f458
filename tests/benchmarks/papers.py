"""`python -m tests.benchmarks.papers [--counties 148]`: the papers of a season, seconds and memory.

Every paper is made in a process of its own, so that the memory printed beside it is its own. The season
is the six districts of the tests, repeated under other names with other marks; nothing in it is real.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.aggregation.inputs import collect
from app.aggregation.models import Run
from app.aggregation.results import compute
from app.db import Database
from app.domain.ledger.canonical import digest
from app.ledger.append import append
from app.programme.scheme import score_rule_of
from app.report.models import Report
from tests.aggregation import builders
from tests.conftest import Make
from tests.places import new_installation, opened
from tests.report import reports

KINDS = ("data", "pdf-zh", "pdf-en", "docx", "xlsx")


def enlarged(inputs: dict[str, Any], counties: int) -> dict[str, Any]:
    """The inputs with each county repeated until there are `counties`, every copy with marks of its
    own; the sheets stay those of the original, for their remarks."""
    made = copy.deepcopy(inputs)
    originals = made["subjects"]
    subjects = []
    for n in range(counties):
        row = copy.deepcopy(originals[n % len(originals)])
        turn = n // len(originals)
        if turn:
            row["id"] = f"{900000 + n}"
            row["name"] = {key: f"{name}{turn}" for key, name in row["name"].items()}
            for stage, part in row["stages"].items():
                for label, sheet in part.get("sheets", {}).items():
                    moved(sheet, f"{n} {stage} {label}")
        subjects.append(row)
    return {**made, "subjects": subjects}


def moved(sheet: dict[str, Any], seed: str) -> None:
    """Other points, in quarters, on as many items as it takes for totals to spread by some points."""
    if sheet["total"] is None:
        return
    total = Decimal(sheet["total"])
    for item, points in sheet["items"].items():
        step = hashlib.sha256(f"{seed} {item}".encode()).digest()[0] % 5 - 2
        change = max(Decimal(step) / 4, -Decimal(points))
        sheet["items"][item] = format(Decimal(points) + change, "f")
        total += change
    sheet["total"] = format(total, "f")


def season(session: Session, made: builders.Scored, counties: int) -> Report:
    """A run of so many counties and a report on it, gone to signing."""
    rule = score_rule_of(made.round)
    inputs = enlarged(collect(session, made.round), counties)
    results = {**compute(rule, inputs), "changes": []}
    results.pop("open_ties", None)
    run = Run(
        round=made.round, round_id=made.round.id, number=1, rule=rule.to_json(),
        rule_digest=rule.digest(), inputs=inputs, inputs_digest=digest(inputs), results=results,
        results_digest=digest(results), note="", made_by=made.office.id, made_at=clock.now(),
    )  # fmt: skip
    session.add(run)
    append(session, None, "bench.run")
    return reports.signed(session, made, run)


def build(home: Path, counties: int) -> Database:
    """An installation with the season in it."""
    database = new_installation(home)
    with database.write() as session:
        made = builders.scored(session, Make())
        started = time.perf_counter()
        season(session, made, counties)
        row("run, report, what its ranks hang on", time.perf_counter() - started, "")
    return database


def make(home: Path, kind: str, target: Path) -> None:
    """One paper, in this process; its seconds and its memory go to stdout."""
    from app.aggregation.exports import as_xlsx
    from app.aggregation.reading import Reading
    from app.report import papers
    from app.report.working_copy import report_docx

    with opened(home).read() as session:
        report = session.scalars(select(Report)).one()
        started = time.perf_counter()
        match kind:
            case "data":
                data = repr(papers.report_data(session, report, "zh")).encode()
            case "pdf-zh" | "pdf-en":
                data = papers.report_pdf(session, report, "en" if kind == "pdf-en" else "zh")
            case "docx":
                data = report_docx(session, report, "zh")
            case _:
                data = as_xlsx(Reading(report.run), "zh")
        spent = time.perf_counter() - started
    target.write_bytes(data)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{spent} {max(own, child) / 1024}")


def row(what: str, seconds: float, note: str) -> None:
    print(f"{what:<44} {seconds:>8.1f} s  {note}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.papers")
    options.add_argument("--counties", type=int, default=148)
    options.add_argument("--keep", type=Path, help="leave the papers in this folder")
    options.add_argument("--only", nargs="*", choices=KINDS, default=list(KINDS))
    options.add_argument(
        "--make", nargs=3, metavar=("HOME", "KIND", "FILE"), help=argparse.SUPPRESS
    )
    chosen = options.parse_args()
    if chosen.make:
        make(Path(chosen.make[0]), chosen.make[1], Path(chosen.make[2]))
        return
    with tempfile.TemporaryDirectory(prefix="mingjian-papers-") as place:
        home = (chosen.keep or Path(place)).absolute()
        home.mkdir(exist_ok=True)
        print(f"\npapers of {chosen.counties} counties, 14 seats")
        if not (home / "bench.db").exists():
            build(home, chosen.counties).dispose()
        for kind in chosen.only:
            target = home / f"{kind}.{kind.split('-')[0]}"
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.papers",
                "--make",
                home,
                kind,
                target,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-3000:]
            seconds, memory = map(float, done.stdout.split())
            size = target.stat().st_size / 1e6
            row(kind, seconds, f"peak memory {memory:.0f} MB, {size:.1f} MB")


if __name__ == "__main__":
    main()
