"""The heavy proofs at a small count, so that they cannot rot between two runs of `make proof`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import PG
from tests.proof import __main__ as runner
from tests.proof import statistics
from tests.proof.catalogue import PROOFS, Proof
from tests.proof.draws import CAUGHT, even, surprise

# `cells` runs at one value a cell in tests/ledger/test_tampering.py, `verifiers` at 40 forgeries in
# tests/web/test_web_verifier.py, `browser-kills` at 3 in tests/browser/test_browser_field_engine.py.
REDUCED = [proof for proof in PROOFS if proof.reduced]


@pytest.mark.skipif(PG, reason="these make databases of their own, on SQLite")
@pytest.mark.parametrize("proof", REDUCED, ids=lambda proof: proof.name)
def test_reduced(proof: Proof) -> None:
    if not runner.found(proof.needs):
        pytest.skip(f"{proof.needs} is missing: install it to try this")
    said = proof.run(proof.reduced)
    assert any(character.isdigit() for character in said)


def test_a_simulation_gives_the_same_whatever_the_number_of_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statistics, "PART", 2)
    alone, shared = (statistics._spread(statistics._severity, 5, n) for n in (1, 2))
    assert alone == shared and len(alone) == 3
    assert alone != statistics._spread(statistics._severity, 4, 1)


def test_the_chi_square_is_right_on_known_values() -> None:
    """9, 11 and 10 out of 30: 0.2 on two degrees of freedom, p = exp(-0.1)."""
    from collections import Counter

    found = surprise(Counter(a=9, b=11, c=10), even("abc", 30))
    assert abs(found - 0.904837418) < 1e-9
    assert surprise(Counter(a=30), even("abc", 30)) < CAUGHT


def test_a_finished_proof_is_not_run_again_until_its_code_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[int] = []

    def work(count: int) -> str:
        runs.append(count)
        if count == 13:
            raise AssertionError("thirteen")
        return f"{count} of {count}"

    def proof(count: int) -> Proof:
        monkeypatch.setattr(work, "__module__", "tests.proof.draws")
        return Proof("some", "Something holds", work, count, "things", 1, ("app/clock.py",))

    monkeypatch.setattr(runner, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(runner, "PAGE", tmp_path / "proof.md")
    monkeypatch.setattr("sys.argv", ["proof"])
    monkeypatch.setattr(runner, "PROOFS", (proof(7),))
    runner.main()
    runner.main()
    assert runs == [7] and "finished on" in capsys.readouterr().out
    assert "| Something holds | 7 things | 7 of 7 |" in (tmp_path / "proof.md").read_text()
    monkeypatch.setattr(runner, "PROOFS", (proof(13),))
    with pytest.raises(AssertionError, match="thirteen"):
        runner.main()
    assert json.loads((tmp_path / "state.json").read_text())["some"]["count"] == 7
    monkeypatch.setattr(runner, "PROOFS", (proof(7),))
    monkeypatch.setattr(runner, "source_digest", lambda _proof: "changed")
    runner.main()
    assert runs == [7, 13, 7]
