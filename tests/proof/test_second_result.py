"""The bot of the office on PostgreSQL, raw SQL in PostgreSQL's own words; on SQLite it is a proof like any
other (`test_proof_reduced.py`). How its attempts are shared out."""

from __future__ import annotations

import pytest

from tests.proof.second_result import Share, second_result


def test_no_second_result_on_postgresql(pg_server: str | None) -> None:
    if pg_server is None:
        pytest.skip("needs MINGJIAN_TEST_PG=1; on SQLite it runs as a reduced proof")
    said = second_result(40, pg_server)
    assert said.startswith("40 attempts, no second result"), said
    assert "12 raw SQL" in said and "5 guards taken away, each caught" in said


@pytest.mark.parametrize("size", [0, 1, 6, 300])
def test_every_attempt_belongs_to_one_process(size: int) -> None:
    turns = [turn for part in (0, 1) for turn in Share(size, part, 2, None).turns(size)]
    assert sorted(turns) == list(range(size))
    assert list(Share(size, 0, 1, None).turns(size)) == list(range(size))
