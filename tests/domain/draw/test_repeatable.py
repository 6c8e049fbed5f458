"""The same commitment and seed give the same bytes in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import hashlib
from app.domain.draw import PanelSpec, select, write_transcript
from tests.domain.draw.pools import commit, exclusion, key_of, people, throw
roster = people(60, {"g": 2, "r": 3, "o": 25}, "repeat")
quotas = {"g": {"g0": (2, 4), "g1": (2, 4)}, "r": {f"r{i}": (1, 3) for i in range(3)}}
panels = [
    PanelSpec(f"P{n}", 6, (f"s{n}",), (f"d{n % 3}",), quotas, {"o": 1, "r": 3}) for n in range(6)
]
out = [exclusion(p.id, roster[(i * 7 + n) % 60].id) for n, p in enumerate(panels) for i in range(5)]
c = commit(panels, roster, out, load_cap=2)
key = key_of(c)
print(hashlib.sha256(write_transcript(
    commitment=c, roster=roster, exclusions=out, source_values={"dice": throw("throw")}, codes={},
    key=key, result=select(c, roster, out, key),
)).hexdigest())
"""


def test_hash_randomisation_changes_nothing() -> None:
    seen = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (0, 1, 2, 3)
    }
    assert len(seen) == 1 and len(seen.pop()) == 65
