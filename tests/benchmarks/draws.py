"""`python -m tests.benchmarks.draws [--rival] [--national]`: how long a draw takes, and beside whom.

Every figure stands beside its target. `make bench` runs the short form (`short`): one fair lottery
beside the peer, the time after the seed, one verification, thirty panels from 20,000 people.
`--rival` installs sortition-algorithms (GPL: never a dependency) in a folder of its own, for this run
only, and gives it the same requests; `--national` draws 2,850 panels of 9 from 20,000 people.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app import verify
from app.domain.draw import (
    Candidate,
    Commitment,
    Exclusion,
    PanelSpec,
    Result,
    prepare_lottery,
    select,
)
from app.domain.draw.transcript import write_transcript
from app.verify import verify_transcript
from tests.domain.draw.pools import commit, key_of, people, salt, throw

RIVAL = "sortition-algorithms==0.12.15"
T = TypeVar("T")
PATIENCE = 180  # seconds that the peer may take for one request


def row(what: str, figure: str, note: str = "") -> None:
    print(f"{what:<56} {figure:>12}  {note}", flush=True)


VERDICTS: list[
    tuple[str, bool]
] = []  # every target that was measured in this run, and whether it was met


def beside(what: str, limit: float, spent: float) -> str:
    """The target of a figure in seconds, and whether it was met."""
    VERDICTS.append((what, spent < limit))
    return f"target < {limit:g} s: " + ("met" if spent < limit else "NOT MET")


def targets() -> None:
    """The last line: how many targets of this run were met, and which were not."""
    missed = [what for what, met in VERDICTS if not met]
    note = "not met: " + "; ".join(missed) if missed else "all met"
    row("speed targets of draws", f"{len(VERDICTS) - len(missed)} of {len(VERDICTS)}", note)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def example(
    groups: tuple[int, int, int], seats: int, low: int, high: int
) -> tuple[list[Candidate], PanelSpec]:
    """The worst case of Flanigan et al. 2021: one person of a rare combination."""
    kinds = (("F", "C"), ("F", "L"), ("M", "C"))
    roster = [
        Candidate(f"E{n}-{i}", {"f": f, "g": g}, salt(n, i))
        for n, ((f, g), count) in enumerate(zip(kinds, groups, strict=True))
        for i in range(count)
    ]
    quotas = {"f": {"F": (low, high), "M": (low, high)}, "g": {"C": (low, high), "L": (low, high)}}
    return roster, PanelSpec("A", seats, ("a",), ("d",), quotas, {}, "lottery")


def shares(
    roster: list[Candidate], attributes: str, seats: int
) -> dict[str, dict[str, tuple[int, int]]]:
    """Bounds one below and two above each value's share of the pool."""
    out = {}
    for a in attributes:
        counted = Counter(c.facts[a] for c in roster)
        expected = {v: seats * n // len(roster) for v, n in counted.items()}
        out[a] = {v: (max(0, n - 1), n + 2) for v, n in expected.items()}
    return out


def assembly() -> tuple[list[Candidate], PanelSpec]:
    """150 people, 22 seats, four features, about 120 types."""
    roster = people(150, {"a": 2, "b": 4, "c": 5, "d": 6}, "bench150")
    return roster, PanelSpec("A", 22, ("a",), ("d",), shares(roster, "abcd", 22), {}, "lottery")


def large() -> tuple[list[Candidate], PanelSpec]:
    """One panel of 9 from 20,000."""
    roster = people(20_000, {"kind": 3, "disc": 12, "src": 3}, "big")
    quotas = {
        "kind": {"kind0": (3, 9), "kind1": (3, 9), "kind2": (0, 3)},
        "src": {f"src{i}": (1, 6) for i in range(3)},
        "disc": {f"disc{i}": (0, 2) for i in range(12)},
    }
    return roster, PanelSpec("A", 9, ("a",), ("d",), quotas, {}, "lottery")


def lotteries(rival: Path | None) -> None:
    """The fair lottery, prepared and certified; the same request to the peer."""
    warm()
    for what, limit, (roster, panel) in (
        ("fair lottery, 20 of 200 (Flanigan et al.)", 0.1, example((1, 99, 100), 20, 9, 20)),
        ("fair lottery, 200 of 2,000", 0.1, example((1, 999, 1000), 200, 99, 200)),
        ("fair lottery, 22 of 150, four features", 4.0, assembly()),
        ("fair lottery, 9 of 20,000", 3.0, large()),
    ):
        one_lottery(what, limit, roster, panel, rival)


def warm() -> None:
    """The solver loads outside the figures."""
    prepare_lottery(*reversed(example((1, 9, 10), 4, 1, 4)))


def one_lottery(
    what: str, limit: float, roster: list[Candidate], panel: PanelSpec, rival: Path | None
) -> None:
    """One request prepared and certified, and given to the peer."""
    spent, lottery = timed(lambda: prepare_lottery(panel, roster))
    least = min(float(lottery.probability(c.facts)) for c in roster)
    kinds = len(lottery.document["types"])
    row(
        what, f"{spent:.3f} s",
        f"{beside(what, limit, spent)}; {kinds} types, least chance {least:.6f}, certified {lottery.certified}",
    )  # fmt: skip
    if rival is None:
        return
    theirs = ask(rival, roster, panel)
    if theirs is None:
        row("    sortition-algorithms, maximin (HiGHS)", f"> {PATIENCE} s", "stopped")
        return
    row(
        "    sortition-algorithms, maximin (HiGHS)", f"{theirs['seconds']:.3f} s",
        f"least chance {theirs['least']:.6f}; ours takes {spent / theirs['seconds']:.4f} of it",
    )  # fmt: skip


def ask(python: Path, roster: list[Candidate], panel: PanelSpec) -> dict[str, float] | None:
    """The peer on the same request; None when it takes longer than PATIENCE."""
    attributes = sorted(panel.quotas)
    request: dict[str, Any] = {
        "attributes": attributes,
        "seats": panel.seats,
        "people": [[c.id, *(c.facts[a] for a in attributes)] for c in roster],
        "rows": [[a, v, *panel.quotas[a][v]] for a in attributes for v in sorted(panel.quotas[a])],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(request, file)
        file.flush()
        try:
            done = subprocess.run(
                [python, Path(__file__).with_name("rival.py"), file.name],
                capture_output=True, text=True, timeout=PATIENCE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    assert done.returncode == 0, done.stderr
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def after_the_seed() -> None:
    """From the seed on, with 20,000 people: the result, its transcript, its verification."""
    roster, panel = large()
    commitment = commit([panel], roster)
    key = key_of(commitment)
    drawn, result = timed(lambda: select(commitment, roster, [], key))
    written, transcript = timed(
        lambda: write_transcript(
            commitment=commitment, roster=roster, exclusions=[], source_values={"dice": throw("throw")},
            codes={}, key=key, result=result,
        )
    )  # fmt: skip
    row("after the seed, 9 of 20,000: the panel", f"{drawn:.3f} s")
    both = beside("after the seed, 9 of 20,000, with transcript", 0.5, drawn + written)
    row(
        "    and the transcript",
        f"{written:.3f} s",
        f"both: {both}; {len(transcript) / 1e6:.1f} MB",
    )
    checked, report = timed(lambda: verify_transcript(transcript))
    assert report.ok, report.en
    row(
        "    verified by app/verify.py",
        f"{checked:.3f} s",
        beside("verifying one panel", 1, checked),
    )


def batch(
    count: int,
) -> tuple[list[Candidate], list[Exclusion], Commitment, str, float, Result]:
    """`count` panels of 9 from 20,000: own province out, one of an employer, dates, four panels each."""
    roster = people(20_000, {"kind": 3, "disc": 12, "emp": 400, "prov": 31}, "national")
    quotas = {
        "kind": {"kind0": (3, 9), "kind1": (3, 9), "kind2": (0, 3)},
        "disc": {f"disc{i}": (0, 3) for i in range(12)},
    }
    panels = [
        PanelSpec(f"P{i:04d}", 9, (f"c{i}",), (f"d{i // 150}",), quotas, {"emp": 1})
        for i in range(count)
    ]
    home: dict[str, list[str]] = {}
    for c in roster:
        home.setdefault(c.facts["prov"], []).append(c.id)
    out = [
        Exclusion(p.id, e, "C-09", "ab" * 32, "rules", bytes(16))
        for i, p in enumerate(panels)
        for e in home[f"prov{i % 31}"]
    ]
    commitment = commit(panels, roster, out, load_cap=4)
    key = key_of(commitment)
    spent, result = timed(lambda: select(commitment, roster, out, key))
    limit = round(90 * count / 2850, 2)  # 90 s for 2,850; of a smaller batch its share
    row(
        f"{count:,} panels of 9 from 20,000, the search", f"{spent:.1f} s",
        f"{beside(f'{count:,} panels of 9 from 20,000', limit, spent)}; "
        f"{sum(len(p.seats) for p in result.panels):,} seats, {len(out):,} exclusions, "
        f"{sum(p.short for p in result.panels)} short, {len(result.restarts)} restarts",
    )  # fmt: skip
    return roster, out, commitment, key, spent, result


def national() -> None:
    """The batch of a whole country, its transcript and the verifier alone on it."""
    roster, out, commitment, key, _, result = batch(2850)
    written, transcript = timed(
        lambda: write_transcript(
            commitment=commitment, roster=roster, exclusions=out, key=key, result=result, codes={},
            source_values={"dice": throw("throw")},
        )
    )  # fmt: skip
    row("    and the transcript", f"{written:.0f} s", f"{len(transcript) / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory(prefix="mingjian-national-") as place:
        file = Path(place) / "national.zip"
        file.write_bytes(transcript)
        del transcript
        alone = [sys.executable, "-I", str(Path(verify.__file__)), str(file)]
        checked, done = timed(lambda: subprocess.run(alone, capture_output=True, text=True))
    assert done.returncode == 0, done.stdout
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    row(
        "    verified by app/verify.py alone", f"{checked:.0f} s",
        f"{beside('verifying the national batch', 90, checked)}; {used.ru_utime + used.ru_stime:.0f} s of processor, {used.ru_maxrss / 1024:.0f} MB",
    )  # fmt: skip


@contextmanager
def peer(wanted: bool) -> Iterator[Path | None]:
    """A Python that has sortition-algorithms, in a folder of its own for this run; None where it
    cannot be installed."""
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="mingjian-rival-") as place:
        python = Path(place) / "bin" / "python"
        try:
            venv.create(place, with_pip=True)
            subprocess.run(
                [python, "-m", "pip", "install", "-q", RIVAL],
                check=True, capture_output=True, timeout=PATIENCE,
            )  # fmt: skip
        except (subprocess.SubprocessError, OSError):
            row(f"    {RIVAL}", "-", "cannot be installed here: no figure of the peer")
            yield None
            return
        yield python


def short() -> None:
    """What `make bench` shows of draws; the batch of a whole country is left to `--national`."""
    row("load of this machine before", f"{os.getloadavg()[0]:.1f}", "targets are for an idle one")
    with peer(True) as python:
        warm()
        one_lottery(
            "fair lottery, 20 of 200 (Flanigan et al.)",
            0.1,
            *example((1, 99, 100), 20, 9, 20),
            None,
        )
        one_lottery("fair lottery, 200 of 2,000", 0.1, *example((1, 999, 1000), 200, 99, 200), None)
        one_lottery("fair lottery, 22 of 150, four features", 4.0, *assembly(), python)
        one_lottery("fair lottery, 9 of 20,000", 3.0, *large(), None)
    after_the_seed()
    batch(30)
    targets()


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.draws")
    options.add_argument(
        "--rival", action="store_true", help="measure sortition-algorithms beside it"
    )
    options.add_argument("--national", action="store_true", help="also the batch of 2,850 panels")
    chosen = options.parse_args()
    with peer(chosen.rival) as python:
        lotteries(python)
    after_the_seed()
    if chosen.national:
        national()
    targets()
    row("peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
