"""The process in whose system calls faults are injected: for each case a fork of it, in a copy of the
installation, fills a sheet in and seals it, sending again what was refused. A case whose process is killed
in a call goes on in another fork, a server started again: the tablet, which was not killed, sends what it
has no receipt for.

python -m tests.proof.fault_worker PLAN      (a pickled list of `Case`)

strace lets the N-th call of a kind fail in every process that it follows; a case whose K-th call is to
fail makes N - K harmless ones first.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.field import Line
from tests.proof.field_worker import ACK, Run, application, push
from tests.proof.sealing import work

NTH = {"pwrite64": 400, "fdatasync": 60}  # which call of a process strace lets fail
TRIES = 4
TURNS = 2
KILL = "KILL"


@dataclass(frozen=True)
class Case:
    """The `which`-th `call` fails, in a home of its own."""

    base: str
    home: str
    line: Line
    call: str
    which: int
    synchronous: str = "FULL"
    error: str = "EIO"


def _before(case: Case) -> None:
    """The harmless calls."""
    pad = os.open(Path(case.home) / "pad", os.O_RDWR | os.O_CREAT)
    for _ in range(NTH[case.call] - case.which):
        if case.call == "pwrite64":
            os.pwrite(pad, b"-", 0)
        else:
            os.fdatasync(pad)
    os.close(pad)


def _say(case: Case, status: int, receipts: list[Any], left: int) -> None:
    """To whoever plays the record: what the tablet was told. Status 0: nothing, its server was killed."""
    said = {"home": case.home, "status": status, "receipts": receipts, "left": left}
    os.write(1, (ACK + json.dumps(said) + "\n").encode())


def _keep(case: Case, turn: int, line: Line) -> None:
    """The tablet as it is now, for the case that its server does not come back."""
    if case.error == KILL:
        made = os.open(Path(case.home) / "tablet", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.writev(made, [pickle.dumps((turn, line))])  # a call that is not watched
        os.close(made)


def _send(case: Case, client: Any, turn: int, line: Line) -> None:
    """Push until nothing waits."""
    for _ in range(TRIES):
        answer = push(client, line)
        receipts = []
        if answer.status_code == 200:
            line.tablet.take(answer.json)
            # "replayed" tells that it was there already: of this answer, not of the receipt.
            receipts = [
                {key: value for key, value in receipt.items() if key != "replayed"}
                for receipt in answer.json["receipts"]
            ]
        _say(case, answer.status_code, receipts, len(line.tablet.outbox))
        _keep(case, turn, line)
        if not line.tablet.outbox:
            return


def _work(case: Case, app: Any) -> None:
    client = app.test_client(use_cookies=False)
    kept, begun, line = Path(case.home) / "tablet", 0, case.line
    if kept.exists():
        begun, line = pickle.loads(kept.read_bytes())
        _send(case, client, begun, line)
    else:
        _before(case)
    for turn in range(begun, TURNS):
        work(line, turn)
        _keep(case, turn + 1, line)
        _send(case, client, turn + 1, line)


def _forked(case: Case, app: Any) -> int:
    """The case in a process of its own; how that ended, as `os.waitpid` says it."""
    child = os.fork()
    if child == 0:
        try:
            _work(case, app)
        except BaseException as error:
            os.write(2, f"{case.call} {case.which}: {error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(plan: Path) -> None:
    for case in pickle.loads(plan.read_bytes()):
        home = Path(case.home)
        shutil.copytree(case.base, home)
        app = application(Run(case.home, [], 0, case.synchronous))
        status = _forked(case, app)
        if case.error == KILL and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            _say(case, 0, [], -1)
            status = _forked(case, app)
        shutil.rmtree(home)
        if status:
            os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
