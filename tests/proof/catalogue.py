"""The heavy proofs: what each is, its full count, its count in the ordinary tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.proof import (
    browser_kills,
    crashes,
    draws,
    fairness,
    false_alarms,
    faults,
    field,
    field_kills,
    power,
    records,
    second_result,
    statistics,
)
from tests.verifiers import agreement

DRAW = ("app/domain/draw",)
STATISTICS = ("app/domain/statistics", "tests/proof/rounds.py")
FIELD = ("app/field", "app/domain/field", "app/scoring", "app/db.py", "tests/proof/field_server.py")
CUT = (
    *FIELD, "app/ledger", "tests/proof/disk.py", "tests/proof/field.py", "tests/proof/field_worker.py",
    "tests/proof/fault_worker.py", "tests/proof/sealing.py", "tests/proof/power.py",
)  # fmt: skip
LEDGER = ("app/ledger", "app/domain/ledger", "app/db.py")


@dataclass(frozen=True)
class Proof:
    """`run(count)` returns its figures in words, or raises AssertionError."""

    name: str
    title: str
    run: Callable[[int], str]
    count: int
    unit: str
    reduced: int
    about: tuple[str, ...]
    needs: str = ""  # a program of the system without which it cannot run


PROOFS = (
    Proof("uniformity", "The draw is even; biased mutants are caught", draws.uniformity, 100_000, "draws", 4_000, DRAW),
    Proof("every-panel", "Every possible panel equally often", draws.every_panel, 100_000, "draws", 4_000, DRAW),
    Proof("lottery", "A lottery gives the chances it certifies", draws.lottery, 100_000, "draws", 3_000, DRAW),
    Proof("conflicts", "Nobody excluded is seated, quotas hold", draws.conflicts, 60_000, "requests", 1_000, (*DRAW, "app/verify.py")),
    Proof("conflicted", "10^6 property draws, nobody who may not sit", draws.conflicted, 1_000_000, "panels", 2_000, DRAW),
    Proof("tables", "Every row of a fair lottery keeps the quotas", fairness.tables, 3_000, "requests", 12, (*DRAW, "app/verify.py")),
    Proof("substitutes", "Substitutes are drawn evenly; a mutant is caught", fairness.substitutes, 100_000, "acts", 3_000, DRAW),
    Proof("steering", "Declaring conflicts gains nobody a seat", fairness.steering, 10_000, "batches", 250, DRAW),
    Proof("relaxations", "An impossible request gets every smallest relaxation", fairness.relaxations, 3_000, "requests", 60, DRAW),
    Proof("same-bytes", "Equal inputs, equal bytes in fresh processes", fairness.same_bytes, 20, "hash seeds", 5, DRAW),
    Proof("transcripts", "A transcript changed in one place is rejected", records.transcripts, 3_000, "forgeries", 120, ("app/verify.py", *DRAW)),
    Proof("verifiers", "Both verifiers reject a forged transcript at the same step", agreement.verifiers, 500, "forgeries", 0, ("app/verify.py", "app/verifiers/verify.html", "tests/verifiers")),
    Proof("second-result", "A bot of the office gets no second result", second_result.second_result, 1_000, "attempts", 40, ("app/draw", "app/ledger", "app/programme/rounds.py", "app/db.py", "app/ui/request.py", "tests/proof/bot.py", "tests/proof/raw_sql.py", "tests/proof/oracle.py", "tests/proof/installation.py", "tests/proof/new_door.py", "tests/proof/databases.py")),
    Proof("intervals", "Agreement intervals hold what they promise", statistics.intervals, 1_000, "rounds", 20, STATISTICS),
    Proof("severity", "Severity of experts is recovered with honest errors", statistics.severity, 400, "rounds", 6, STATISTICS),
    Proof("top-chances", "P(in the first K) is calibrated", statistics.top_chances, 600, "rounds", 8, STATISTICS),
    Proof("false-alarms", "False alarms of the flags are those printed beside them", false_alarms.false_alarms, 1_000, "rounds a size", 3, (*STATISTICS, "app/domain/statistics/data/false_alarms.json")),
    Proof("ledger-bits", "Every flipped bit of a ledger is found", records.ledger_bits, 200, "entries", 12, LEDGER),
    Proof("cells", "Every changed cell of the database is named", records.cells, 8, "values a cell", 0, (*LEDGER, "tests/rows.py")),
    Proof("kills", "kill -9 loses no acknowledged write", crashes.kills, 100, "kills", 3, (*LEDGER, "tests/proof/writer.py")),
    Proof("browser-kills", "A browser killed within 100 ms of saved loses no mark", browser_kills.browser_kills, 100, "kills", 0, ("app/static/field", "tests/browser/field_tablet.py", "tests/browser/field_tower.py"), "chromium"),
    Proof("server-kills", "kill -9 of the server loses and doubles no operation and no seal", field_kills.server_kills, 1_000, "kills", 4, CUT),
    Proof("power-cuts", "A power cut loses no acknowledged operation and no seal", power.power_cuts, 20_000, "states of the disk", 24, CUT, "strace"),
    Proof("disk-faults", "A disk that fails, or a process killed in a call, is never answered with a receipt", faults.faults, 615, "cases", 5, CUT, "strace"),
    Proof("flaps", "Lines that break lose and double no operation of a tablet", field.flaps, 10_000, "uploads", 24, FIELD),
    Proof("at-once", "Every tablet at the same moment, every operation acknowledged", field.at_once, 500, "tablets", 12, FIELD),
)  # fmt: skip
