"""Proof that a disk that fails, and a process that is killed in a call, are never hidden from a tablet: with
a fault at every write and every sync of pushes and a seal, whatever was answered with 200 survives a power
cut in that moment, whatever was not is sent again and arrives, and nothing is corrupt.

A sync that failed is taken at its worst: what it should have brought to the disk never comes there. A
process killed at a call has not carried it out; what it wrote before stays in the page cache, for the server
that is started after it.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.proof.disk import Call, calls, recording
from tests.proof.fault_worker import KILL, NTH, Case
from tests.proof.field import ROOT, town
from tests.proof.field_worker import ACK, Run
from tests.proof.power import Lost, Restart, Tape, held, restarted

WRITES, SYNCS = 200, 5  # as many as the flow makes, and some more
ERRORS = ("EIO", KILL, "ENOSPC")
FEW = 100  # cases; below, the first two errors alone
OFF = ("pwrite64", 1, "OFF")  # the control: what is answered before it is synced must be found lost


def faults(count: int) -> str:
    """About `count` cases, each with one call that fails, evenly over all calls; both errors."""
    hit: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    with tempfile.TemporaryDirectory(prefix="mingjian-faults-") as place:
        room = Path(place)
        with town(1) as made:
            made.database.dispose()
            home = Path(made.env["MINGJIAN_HOME"])
            (home / "before").write_bytes((home / "mingjian.db").read_bytes())
            restart = restarted(home, room / "after", thorough=True)
            errors = ERRORS if count > FEW else ERRORS[:2]
            for error in errors:
                cases = _cases(room, home, error, made.lines[0], count // len(errors))
                control = Case(
                    str(home), str(room / f"{error}-off"), made.lines[0], *OFF, error=error
                )
                record = _recorded(room, [*cases, control], error)
                try:
                    _judge(control, record, restart)
                except Lost:
                    pass
                else:
                    raise AssertionError("synchronous=OFF was not caught")
                for case in cases:
                    answers = _judge(case, record, restart)
                    hit.update([f"{case.call} {error}"] * _failed(case, record))
                    statuses.update(answers)
        restart.database.dispose()
    assert statuses[503] + statuses[500], "no fault came to the surface: nothing was tried"
    assert all(any(error in what for what in hit) for error in errors), "some error never came"
    cut = statuses.pop(0)
    told = ", ".join(f"{n} of {what}" for what, n in sorted(hit.items()))
    return (
        f"{sum(hit.values())} calls made to fail ({told}), {cut} of them killed the server, which was "
        f"started again; answers {dict(sorted(statuses.items()))}, "
        f"every 200 durable at once, every tablet's outbox empty in the end, 0 corrupt; "
        "synchronous=OFF must fail and does"
    )


def _cases(room: Path, base: Path, error: str, line: object, count: int) -> list[Case]:
    """Cases spread evenly over the writes and the syncs of the flow."""
    syncs = min(SYNCS, max(2, count // 6))
    writes = min(WRITES, max(2, count - syncs))
    made = []
    for call, most, wanted in (("pwrite64", WRITES, writes), ("fdatasync", SYNCS, syncs)):
        for place in range(wanted):
            which = 1 + place * most // wanted
            home = str(room / f"{error}-{call}-{which}")
            made.append(Case(str(base), home, line, call, which, error=error))  # type: ignore[arg-type]
    return made


def _recorded(room: Path, cases: list[Case], error: str) -> dict[str, list[Call]]:
    """Run the cases; what each did, by its home."""
    (room / "plan").write_bytes(pickle.dumps(cases))
    fault = "signal=KILL" if error == KILL else f"error={error}"
    inject = [f"{call}:{fault}:when={nth}" for call, nth in NTH.items()]
    done = subprocess.run(
        [
            *recording(room / "calls", *inject),
            sys.executable, "-m", "tests.proof.fault_worker", str(room / "plan"),
        ],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, list[Call]] = {case.home: [] for case in cases}
    for call in calls(room / "calls"):
        home = str(Path(call.path).parent)
        if call.name == "write" and call.data.startswith(ACK.encode()):
            home = str(json.loads(call.data[len(ACK) :])["home"])
        if home in found:
            found[home].append(call)
    return found


def _failed(case: Case, record: dict[str, list[Call]]) -> int:
    """How many calls failed, or whether one killed the process."""
    made = record[case.home]
    if case.error == KILL:
        return sum(answer["status"] == 0 for answer in _told(made))
    return sum(call.name in ("failed", "not written") for call in made)


def _told(made: list[Call]) -> list[dict[str, Any]]:
    """What the tablet was told."""
    return [json.loads(c.data[len(ACK) :]) for c in made if c.data.startswith(ACK.encode())]


def _judge(case: Case, record: dict[str, list[Call]], restart: Restart) -> list[int]:
    """Cut the power after every answer. Returns the answers' statuses."""
    made = record[case.home]
    said = _told(made)
    assert said and said[-1]["left"] == 0, (case.call, case.which, said[-1:])
    tape = Tape(Run(case.home, [], 0), made, before=Path(case.base) / "before")
    names = (str(tape.home / "mingjian.db"), str(tape.home / "mingjian.db-wal"))
    told = 0
    for disk in tape.play():
        if len(tape.acknowledged) == told:
            continue
        told = len(tape.acknowledged)
        data, log = (disk.after_cut(name, "nothing") for name in names)
        held(tape, restart.look(data, log))
    assert told, "nothing was acknowledged"
    return [answer["status"] for answer in said]
