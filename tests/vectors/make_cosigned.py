"""Write tests/vectors/pdraw/cosigned.jsonl: draws whose commitment requires a cosignature.

    python -m tests.vectors.make_cosigned [--check]

Run once; the file is frozen, as is vectors.jsonl beside it, whose draws know no such field. A line is
{"name", "request", "expect"} as there; the archives carry the ledger and the devices of
tests/verifiers/witness.py, whose keys are fixed. `expect.cut` says at which step a transcript fails
when the named part was taken out of it and the manifest made honest again ("" = it holds).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.vectors.make_pdraw import draws, expanded, expectation
from tests.vectors.second_generator import generate
from tests.verifiers.cuts import CUTS
from tests.verifiers.witness import witness

FILE = Path(__file__).parent / "pdraw" / "cosigned.jsonl"
FROM = (
    "plain-03", "quotas-07", "pairs-11", "pairs-27", "batch-01", "batch-08", "lottery-02",
    "lottery-26", "acts-02", "acts-04", "acts-26", "sources-03",
)  # fmt: skip


def requests() -> dict[str, dict[str, Any]]:
    """Twelve of the older draws asked for again, as drills and as real draws, with the field."""
    known = draws()
    return {
        f"cosigned-{kind}-{name}": {**known[name], "kind": kind, "requires_cosignature": 1}
        for name in FROM
        for kind in ("drill", "real")
    }


def refusals() -> dict[str, tuple[dict[str, Any], str]]:
    """Values that the field cannot have."""
    good = draws()["plain-03"]
    return {
        f"cosigned-refused-{name}": ({**good, "requires_cosignature": value}, step)
        for name, value, step in (
            ("zero", 0, "commitment"), ("two", 2, "commitment"), ("minus", -1, "commitment"),
            ("text", "1", "form"), ("list", [1], "form"),
        )
    }  # fmt: skip


def lines(failing: Callable[[bytes], str]) -> list[dict[str, Any]]:
    """`failing`: the step at which a verifier stops, "" if it holds."""
    out = []
    for name, request in requests().items():
        made = generate(expanded(request), witness)
        parts = {cut: failing(work(made["zip"])) for cut, work in CUTS.items()}
        out.append(
            {"name": name, "request": request, "expect": {**expectation(made), "cut": parts}}
        )
    return out + [
        {"name": name, "request": request, "expect": {"refused": step}}
        for name, (request, step) in refusals().items()
    ]


def text(failing: Callable[[bytes], str]) -> str:
    return "".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for line in lines(failing)
    )


if __name__ == "__main__":
    from app.verify import verify_transcript

    made = text(lambda data: verify_transcript(data).failed)
    if "--check" in sys.argv:
        same = FILE.read_text("utf-8") == made
        print("byte-equal" if same else "DIFFERENT")
        sys.exit(0 if same else 1)
    FILE.write_text(made, "utf-8")
    print(f"{made.count(chr(10))} vectors, {len(made)} characters")
