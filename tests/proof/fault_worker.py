"""The process in whose system calls faults are injected: for each case a fork of it, in a copy of the
installation, fills a sheet in and seals it, sending again what was refused.

python -m tests.proof.fault_worker PLAN      (a pickled list of `Case`)

strace lets the N-th call of a kind fail in every process that it follows; a case whose K-th call is to
fail makes N - K harmless ones first.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.field import Line
from tests.proof.field_worker import ACK, Run, application, push
from tests.proof.sealing import work

NTH = {"pwrite64": 400, "fdatasync": 60}  # which call of a process strace lets fail
TRIES = 4


@dataclass(frozen=True)
class Case:
    """The `which`-th `call` fails, in a home of its own."""

    base: str
    home: str
    line: Line
    call: str
    which: int
    synchronous: str = "FULL"


def _before(case: Case) -> None:
    """The harmless calls."""
    pad = os.open(Path(case.home) / "pad", os.O_RDWR | os.O_CREAT)
    for _ in range(NTH[case.call] - case.which):
        if case.call == "pwrite64":
            os.pwrite(pad, b"-", 0)
        else:
            os.fdatasync(pad)
    os.close(pad)


def _work(case: Case, app: Any) -> None:
    client = app.test_client(use_cookies=False)
    _before(case)
    line = case.line
    for turn in range(2):
        work(line, turn)
        for _ in range(TRIES):
            answer = push(client, line)
            said: dict[str, Any] = {"home": case.home, "status": answer.status_code, "receipts": []}
            if answer.status_code == 200:
                line.tablet.take(answer.json)
                said["receipts"] = answer.json["receipts"]
            said["left"] = len(line.tablet.outbox)
            os.write(1, (ACK + json.dumps(said) + "\n").encode())
            if not line.tablet.outbox:
                break


def main(plan: Path) -> None:
    for case in pickle.loads(plan.read_bytes()):
        home = Path(case.home)
        shutil.copytree(case.base, home)
        app = application(Run(case.home, [], 0, case.synchronous))
        child = os.fork()
        if child == 0:
            try:
                _work(case, app)
            except BaseException as error:
                os.write(2, f"{case.call} {case.which}: {error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        shutil.rmtree(home)
        if status:
            os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
