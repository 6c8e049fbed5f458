"""Signed notes: form, parsing, and what is refused."""

from __future__ import annotations

import pytest

from app.domain.ledger.checkpoint import Checkpoint, parse
from app.domain.types import DomainError
from app.keys import Keys, verify_signature

KEYS = Keys(bytes(range(32)), bytes(32), bytes(32))


def _note() -> Checkpoint:
    note = Checkpoint("mingjian", 7, bytes(range(32)))
    return note.signed(KEYS.name, KEYS.public, KEYS.sign(note.body))


def test_round_trip_and_signature() -> None:
    note = parse(str(_note()))
    assert note == _note()
    assert note.body == b"mingjian\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert verify_signature(KEYS.public, note.body, note.signatures[0].value)


def test_a_changed_size_breaks_the_signature() -> None:
    text = str(_note()).replace("\n7\n", "\n8\n")
    note = parse(text)
    assert not verify_signature(KEYS.public, note.body, note.signatures[0].value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mingjian\n7\n",
        "mingjian\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
        "mingjian\n07\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
        "mingjian\n7\nAAEC\n\n",
        "mingjian\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n- x AAAA\n",
    ],
)
def test_malformed_notes_are_refused(text: str) -> None:
    with pytest.raises(DomainError):
        parse(text)
