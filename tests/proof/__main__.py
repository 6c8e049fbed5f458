"""`make proof`: the heavy proofs at full count, figures to docs/proof.md.

    python -m tests.proof [--again] [NAME ...]

Each takes less than ten minutes on two cores. What is finished is noted in `.proof/state.json` and
not run again until the code that it is about, or its count, has changed. The same functions run
with small counts in `make test` (`test_proof_reduced.py`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import app  # noqa: F401 - before numpy: one thread of linear algebra a process
from tests.chromium_path import chromium_path
from tests.proof.catalogue import PROOFS, Proof

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".proof" / "state.json"
PAGE = ROOT / "docs" / "proof.md"
HEAD = """# Measured proofs

Written by `make proof`; each line is one run of a function in `tests/proof` on the code of that day, on
a machine with the cores and Python given. A proof that fails stops the command and writes nothing. The same
functions run with smaller counts in every `make test`. Seconds above 600 were taken beside other work on the same
two cores (the fair lottery's tables took 443 alone).

| proof | count | result | seconds | date | cores, Python |
|---|---|---|---|---|---|
"""
TAIL = """
A killed process says nothing about a power cut, because the page cache survives it; the lines on power cuts
and disk faults rebuild the disk from the system calls of the running application (`strace`), with what was
not synced dropped, kept in part or torn at 512 bytes. They are about SQLite; PostgreSQL's own tests stand
for PostgreSQL. Those about crashes are kept below ten minutes on two cores, which bounds their counts: a kill of the server
waits for tablets to be answered again and for the look after it (1,000 of them), a fault of the disk needs a copy of the
installation and a process of its own (615: every write and every sync of the flow, some past its end, with each of three faults: two errors,
after which the process goes on, and kill -9 in the middle of the call, after which a server is started again). In the
lines on kill -9 of whole servers the moment is left to chance. Not here, measured elsewhere: speed (`make bench`), fairness of single
draws (`mingjian draw fairness`).
"""


def source_digest(proof: Proof) -> str:
    """Of the code that a proof is about, and of the proof itself."""
    running = hashlib.sha256()
    own = proof.run.__module__.replace(".", "/") + ".py"
    folders = (*proof.about, own)
    files = [
        path
        for name in folders
        for path in (
            [ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob("*.[pj][ys]"))
        )
    ]
    for path in files:
        running.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return running.hexdigest()[:16]


def load() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(STATE.read_text()) if STATE.exists() else {}
    return found


def keep(state: dict[str, dict[str, Any]]) -> None:
    """The state, whole or not at all, and the page made from it."""
    STATE.parent.mkdir(exist_ok=True)
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n")
    part.replace(STATE)
    lines = [
        f"| {proof.title} | {done['count']:,} {proof.unit} | {done['result']} | {done['seconds']} "
        f"| {done['date']} | {done['machine']} |\n"
        for proof in PROOFS
        if (done := state.get(proof.name))
    ]
    PAGE.write_text(HEAD + "".join(lines) + TAIL)


@cache
def found(needs: str) -> bool:
    """Whether the program of the system that a proof needs is there, and may do its work: a container
    can have strace and forbid tracing."""
    if needs == "chromium":
        return chromium_path() is not None
    if needs != "strace":
        return not needs or shutil.which(needs) is not None
    if shutil.which("strace") is None:
        return False
    tries = ["strace", "--seccomp-bpf", "-f", "-e", "trace=write", "-o", os.devnull, "true"]
    return subprocess.run(tries, capture_output=True, check=False).returncode == 0


def main() -> None:
    options = argparse.ArgumentParser(prog="make proof")
    options.add_argument("--again", action="store_true", help="also what is finished")
    options.add_argument("names", nargs="*", metavar="NAME", help="only these")
    chosen = options.parse_args()
    unknown = set(chosen.names) - {proof.name for proof in PROOFS}
    if unknown:
        options.error(f"no proof {', '.join(sorted(unknown))}")
    state = load()
    skipped: list[str] = []
    for proof in PROOFS:
        if chosen.names and proof.name not in chosen.names:
            continue
        digest = source_digest(proof)
        done = state.get(proof.name, {})
        if not chosen.again and (done.get("count"), done.get("source")) == (proof.count, digest):
            print(f"{proof.name:<14} finished on {done['date']}: {done['result']}", flush=True)
            continue
        if not found(proof.needs):
            skipped.append(proof.name)
            print(f"{proof.name:<14} SKIPPED: {proof.needs} is missing, nothing shown", flush=True)
            continue
        print(f"{proof.name:<14} {proof.count:,} {proof.unit} ...", flush=True)
        started = time.perf_counter()
        result = proof.run(proof.count)
        state = load()  # another run may have noted its own meanwhile
        state[proof.name] = {
            "count": proof.count,
            "source": digest,
            "result": result,
            "seconds": round(time.perf_counter() - started),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{os.cpu_count()}, {platform.python_version()}",
        }
        keep(state)
        print(f"{proof.name:<14} {result} ({state[proof.name]['seconds']} s)", flush=True)
    if skipped:
        print(f"!!! {len(skipped)} NOT RUN for want of a program: {', '.join(skipped)}", flush=True)


if __name__ == "__main__":
    main()
