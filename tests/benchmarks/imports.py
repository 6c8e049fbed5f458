"""An import of 20,000 experts: time and memory, beside reading the same file with the csv module.

    python -m tests.benchmarks.imports [--rows 20000]

A process of its own, so that its peak is the import's. The dry run, the import and the same file once
more, with one fact in a hundred changed, are measured on a fresh SQLite database.
"""

from __future__ import annotations

import argparse
import csv
import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.directory.operations import create_organisation
from app.registry.imports import ALL, MAX_ROWS, import_experts
from tests.places import new_installation

HEAD = ("姓名", "工作单位", "职称", "类别", "专业", "来源", "手机号", "身份证号", "现岗起始")
EMPLOYERS = 400
CHANGED = 100  # one row in so many differs in the second file
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def file_of(rows: int, title: str = "教授") -> bytes:
    """`rows` plainly invented people; one in `CHANGED` with this title."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(HEAD)
    for n in range(rows):
        table.writerow(
            (
                f"虚构{n:05d}", f"虚构大学{n % EMPLOYERS:03d}", title if n % CHANGED == 0 else "教授",
                "技术", "土地", "高校", f"138{n:08d}", identity(n), "2010-01",
            )
        )  # fmt: skip
    return out.getvalue().encode("gb18030")


def identity(n: int) -> str:
    """An identity number that adds up, of a place code that no place has."""
    plain = f"990000{1950 + n % 40}01{1 + n // 1000 % 28:02d}{n % 1000:03d}"
    left = sum(int(digit) * weight for digit, weight in zip(plain, WEIGHTS, strict=True)) % 11
    return plain + "10X98765432"[left]


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds of processor time, so that a busy machine changes little, and what was made)."""
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def peak() -> float:
    """MB of this process at its largest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int) -> None:
    """Print one line a step."""
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as place:
        database = new_installation(Path(place))
        with database.write() as session:
            for n in range(EMPLOYERS):
                create_organisation(session, None, name=f"虚构大学{n:03d}", kind="university")
        first, second = file_of(rows), file_of(rows, "研究员")
        plain = min(
            spent(lambda: list(csv.reader(io.StringIO(first.decode("gb18030")))))[0]
            for _ in range(3)
        )

        def run(data: bytes, **options: Any) -> Any:
            with database.write() as session:
                return import_experts(session, None, data, "list.csv", answers={}, **options)

        print(f"{'csv.reader over ' + format(rows, ',') + ' rows':<50} {plain * 1000:>13.0f} ms")
        before = peak()
        steps: tuple[tuple[str, bytes, dict[str, Any]], ...] = (
            ("import: dry run", first, {"dry_run": True}),
            ("import: entered", first, {"dry_run": False}),
            ("import: the same people, one in a hundred changed", second,
             {"dry_run": False, "accept": ALL}),
        )  # fmt: skip
        for what, data, options in steps:
            took, report = spent(lambda d=data, o=options: run(d, **o))  # type: ignore[misc]
            assert not report.problems, report.problems[:3]
            told = f"{len(report.ready)} new, {report.updated} changed"
            print(
                f"{what:<50} {took:>14.1f} s  {took / plain:,.0f} x csv.reader, "
                f"{rows / took:,.0f} rows/s, {told}",
                flush=True,
            )
        print(
            f"{'import: peak memory':<50} {peak():>13.0f} MB  {peak() - before:.0f} MB over the start"
        )
        database.dispose()


def child(rows: int) -> None:
    """The same in a process of its own; no more rows than an import takes."""
    sys.stdout.flush()
    wanted = str(min(rows, MAX_ROWS))
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.imports", "--rows", wanted],
        check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.imports")
    options.add_argument("--rows", type=int, default=20_000)
    measure(options.parse_args().rows)
