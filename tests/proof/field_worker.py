"""The process that the proofs about power cuts watch: the whole application takes pushes and seals, and
says on standard output what it has acknowledged.

python -m tests.proof.field_worker PLAN      (a pickled list of `Run`)
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app.config import Settings
from app.factory import create_app
from tests.proof.field import Line
from tests.proof.sealing import work

ACK = "acknowledged "


@dataclass
class Run:
    """One copy of an installation, and what is done in it."""

    home: str
    lines: list[Line]
    turns: int
    synchronous: str = "FULL"
    checkpoint: int = 1000  # pages of the log after which SQLite moves them


def application(run: Run) -> Any:
    """The application as it is, but for `synchronous` and how often the log is moved."""
    home = Path(run.home)
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}"))

    def pragmas(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA synchronous={run.synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={run.checkpoint}")

    event.listen(app.extensions["mingjian.db"].engine, "connect", pragmas)
    return app


def push(client: Any, line: Line) -> Any:
    """Everything in the outbox, at most 200 operations; the answer."""
    return client.post(
        "/field/api/push",
        data=json.dumps({"v": 1, "tablet": line.tablet.id, "ops": line.tablet.batch()}),
        content_type="application/json",
        headers={"Cookie": line.cookie, "X-CSRFToken": line.csrf},
    )


def main(plan: Path) -> None:
    for run in pickle.loads(plan.read_bytes()):
        client = application(run).test_client(use_cookies=False)
        for turn in range(run.turns):
            for line in run.lines:
                work(line, turn)
                answer = push(client, line)
                assert answer.status_code == 200, answer.get_data(as_text=True)
                line.tablet.take(answer.json)
                said = {"home": run.home, "receipts": answer.json["receipts"]}
                os.write(1, (ACK + json.dumps(said) + "\n").encode())
    os._exit(0)  # nothing is closed or tidied up


if __name__ == "__main__":
    main(Path(sys.argv[1]))
