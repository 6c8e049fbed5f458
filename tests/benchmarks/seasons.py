"""`python -m tests.benchmarks.seasons [--rivals]`: the statistics of a season, as ratios in one run.

Every figure stands beside one `ndarray.sum()` over the same marks and, with `--rivals`, beside pingouin
and krippendorff, which are installed in a folder of their own for this run only (GPL: never a
dependency); where they cannot be installed the run goes on without them and says so. scipy is there anyway. Marks lie as (seat, item, subject), so that sums and extremes over
the experts run over whole rows. The official arithmetic is exact: integers on a common denominator.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from app.domain.statistics.alpha import alpha
from app.domain.statistics.exact import prepare, totals
from app.domain.statistics.icc import icc
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.observed import observed_totals
from app.domain.statistics.raters import rate_raters
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.sensitivity import leave_one_out, weight_sensitivity
from app.domain.statistics.shadow import adjust_severity
from app.domain.statistics.streams import normals
from app.domain.statistics.uncertainty import rank_uncertainty

RIVALS = ("pingouin==0.6.1", "krippendorff==0.9.0")
SEED = 20120716


def row(what: str, seconds: float, floor: float, note: str = "") -> None:
    """One line: milliseconds, how many sums of the same marks that is."""
    print(
        f"{what:<58} {1000 * seconds:>10.2f} ms {seconds / floor:>10.0f} sums  {note}", flush=True
    )


def best(work: Callable[[], Any], times: int = 5) -> float:
    """The fastest of some runs, in seconds."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def season(n: int, k: int, m: int) -> tuple[list[SubjectMarks], np.ndarray]:
    """Sheets of `m` items from 0 to 10 in halves, and the marks as (seat, item, subject)."""
    z = normals(SEED, f"season|{n}", n + k + n * k * m)
    marks = 7.0 + z[:n, None, None] + 0.5 * z[None, n : n + k, None]
    marks = marks + z[n + k :].reshape(n, k, m)
    halves = np.clip(np.round(2 * marks), 0, 20).astype(int)
    values = [Decimal(h) / 2 for h in range(21)]
    items = [f"I{i:02}" for i in range(m)]
    subjects = [
        SubjectMarks(
            f"S{r:04}",
            {
                "desk": StageMarks(
                    sheets={
                        f"E{c:02}": Sheet(
                            items={name: values[h] for name, h in zip(items, sheet, strict=True)}
                        )
                        for c, sheet in enumerate(table)
                    }
                )
            },
        )
        for r, table in enumerate(halves.tolist())
    ]
    return subjects, np.ascontiguousarray(halves.transpose(1, 2, 0)) / 2.0


def measure(n: int, rivals: Path | None) -> None:
    """All figures of one season of `n` subjects, 9 experts, 50 items."""
    subjects, marks = season(n, 9, 50)
    floor = best(lambda: marks.sum(), 50)
    print(f"\n{n} subjects x 9 experts x 50 items: one sum of all marks {1000 * floor:.3f} ms")
    rule = ScoreRule.parse({"top": max(n // 10, 1)})
    by_item = ScoreRule.parse({"top": max(n // 10, 1), "trim": {"unit": "item"}})
    table = marks.sum(axis=1).T
    rows = table.tolist()
    trimmed = best(lambda: (marks.sum(axis=0) - marks.max(axis=0) - marks.min(axis=0)) / 7.0, 20)
    row("trim 1 + 1, every item, floats", trimmed, floor)
    peer = best(lambda: stats.trim_mean(marks.transpose(1, 2, 0), 0.12, axis=-1), 5)
    row("    scipy.stats.trim_mean", peer, floor, f"{peer / trimmed:.0f} x ours")
    own = best(lambda: icc(rows), 5)
    row("ICC, six forms with intervals", own, floor)
    own_alpha = best(lambda: alpha(rows, "interval"), 5)
    row("alpha, interval", own_alpha, floor)
    if rivals is not None:
        for name, ours in (("pingouin.intraclass_corr", own), ("krippendorff.alpha", own_alpha)):
            theirs = ask(rivals, table, name)
            if theirs is None:
                print(f"    {name:<52} gave up: needs more than {ROOM >> 30} GB of memory")
            else:
                row(f"    {name}", theirs, floor, f"{theirs / ours:,.0f} x ours")
    seen = observed_totals(rule, subjects, "desk")
    row("severity, consistency, Mandel of every expert", best(lambda: rate_raters(seen), 3), floor)
    row("severity-adjusted levels (REML, Huber)", best(lambda: adjust_severity(seen), 3), floor)
    prepared = prepare(subjects)
    loading = best(lambda: prepare(subjects), 3)
    row("exact.prepare: sheets to integer columns", loading, floor)
    exact = best(lambda: totals(rule, prepared), 3)
    row("exact.totals by sheet, columns already there", exact, floor)
    row("exact.totals by item, columns already there", best(lambda: totals(by_item, prepared), 3), floor)  # fmt: skip
    whole = loading + exact
    aim = ", aim < 100 ms" if n == 300 else ""
    row("exact.prepare + exact.totals by sheet, no words", whole, floor, f"{1000 * whole:.0f} ms{aim}")  # fmt: skip
    once = 1 if n > 300 else 2
    scores = score_round(rule, subjects)
    row("score_round: totals, ranks and every written line", best(lambda: score_round(rule, subjects), once), floor)  # fmt: skip
    chances = best(lambda: rank_uncertainty(rule, subjects, scores, draws=2000), 2)
    row("rank_uncertainty: P(top K), 2,000 draws", chances, floor)
    row("weights, 1,000 draws of 50", best(lambda: weight_sensitivity(rule, subjects, scores), 1), floor)  # fmt: skip
    row("each of 9 experts left out, exactly", best(lambda: leave_one_out(rule, subjects, scores), 1), floor)  # fmt: skip


ASK = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
table, which = json.load(open(sys.argv[1])), sys.argv[2]
if which == "pingouin.intraclass_corr":
    import pandas as pd, pingouin
    long = pd.DataFrame([(i, j, v) for i, r in enumerate(table) for j, v in enumerate(r)], columns=["s", "r", "m"])
    work = lambda: pingouin.intraclass_corr(long, "s", "r", "m")
else:
    import krippendorff, numpy as np
    columns = np.array(table).T
    work = lambda: krippendorff.alpha(columns, level_of_measurement="interval")
import resource
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]),) * 2)
try:
    work()
    started = time.perf_counter()
    work()
except MemoryError:
    sys.exit(OUT_OF_ROOM)
print(time.perf_counter() - started)
"""
ROOM = 8 << 30  # bytes of addresses that a peer may take: 3,000 subjects took one of them 24 GB
OUT_OF_ROOM = 12


def ask(python: Path, table: np.ndarray, which: str) -> float | None:
    """Seconds that a peer takes for the same table, in an interpreter of its own; None when it
    asks for more than `ROOM`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(table.tolist(), file)
        file.flush()
        code = ASK.replace("OUT_OF_ROOM", str(OUT_OF_ROOM))
        done = subprocess.run([python, "-c", code, file.name, which, str(ROOM)], capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode == OUT_OF_ROOM:
        return None
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return float(done.stdout.splitlines()[-1])


def installed(place: Path) -> Path | None:
    """An interpreter that has the rivals, made in `place`; None where no index can be reached."""
    python = place / "bin" / "python"
    try:
        venv.create(place, with_pip=True)
        install = [python, "-m", "pip", "install", "-q", "--retries", "1", "--timeout", "15"]
        subprocess.run([*install, *RIVALS], check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        return None
    return python


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.seasons")
    options.add_argument("--rivals", action="store_true", help="measure pingouin and krippendorff")
    options.add_argument("--python", type=Path, help="an interpreter that has them already")
    options.add_argument("--sizes", type=int, nargs="*", default=[300, 3000])
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mingjian-rivals-") as place:
        python = chosen.python
        if chosen.rivals and python is None:
            python = installed(Path(place))
            if python is None:
                print(
                    "pingouin and krippendorff could not be installed: no figures of theirs below"
                )
        for size in chosen.sizes:
            measure(size, python)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
