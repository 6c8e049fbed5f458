"""The installation's three secrets: how they lie on disk, and what they do to personal data."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from app import installation
from app import keys as key_files
from app.domain.types import Conflict, DomainError
from app.keys import NAMES, Keys, verify_signature
from tests.places import bytes_under

CLEAR = "110101199003070000"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(place: Path) -> Keys:
    return key_files.create(place)


def test_files_are_readable_by_their_owner_alone(place: Path, keys: Keys) -> None:
    assert sorted(path.name for path in place.iterdir()) == sorted(NAMES)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for name in NAMES:
        assert stat.S_IMODE((place / name).stat().st_mode) == 0o600
        assert len(bytes.fromhex((place / name).read_text().strip())) == 32


def test_three_different_keys_that_are_loaded_as_they_were_made(place: Path, keys: Keys) -> None:
    assert len({keys.ledger, keys.field, keys.cookie}) == 3
    before = bytes_under(place)
    assert key_files.load(place) == keys and key_files.create(place) == keys
    assert bytes_under(place) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, "", "zz" * 32, "ab" * 31, "ab" * 33, "\udcff"], ids=repr)
def test_a_missing_or_damaged_file_is_named_and_never_replaced(
    place: Path, keys: Keys, name: str, content: str | None
) -> None:
    if content is None:
        (place / name).unlink()
    else:
        (place / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    before = bytes_under(place)
    for attempt in (key_files.load, key_files.create):
        with pytest.raises(DomainError) as refused:
            attempt(place)
        assert name in refused.value.text.zh and name in refused.value.text.en
        assert "put back the sealed copy" in refused.value.text.en
    assert bytes_under(place) == before


def test_a_database_is_never_given_new_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    home = tmp_path / "home"
    installation.create(home).close()
    for name in NAMES:
        (home / "keys" / name).unlink()
    before = bytes_under(home)
    with pytest.raises(Conflict, match="put back the sealed key files"):
        installation.create(home)
    with pytest.raises(DomainError, match="ledger.key"):
        installation.open_existing(home)
    assert bytes_under(home) == before


def test_personal_data_round_trip_and_never_look_alike(keys: Keys) -> None:
    for clear in (CLEAR, "", "测试甲\n１３９", "x" * 5000):
        sealed = keys.encrypt(clear)
        assert keys.decrypt(sealed) == clear
        assert keys.encrypt(clear) != sealed  # a fresh nonce each time
        assert not clear or clear.encode().hex() not in sealed


def test_a_wrong_key_or_a_changed_value_is_one_clear_error(tmp_path: Path, keys: Keys) -> None:
    sealed = keys.encrypt(CLEAR)
    other = key_files.create(tmp_path / "other")
    bent = [
        sealed[:place] + ("0" if sealed[place] != "0" else "1") + sealed[place + 1 :]
        for place in range(len(sealed))
    ]
    for ring, value in [(other, sealed), *((keys, value) for value in bent)]:
        with pytest.raises(DomainError, match="field.key"):
            ring.decrypt(value)
    for value in ("", "zz", "ab", sealed[:20], sealed[:-2], CLEAR):
        with pytest.raises(DomainError, match="field.key"):
            keys.decrypt(value)


def test_the_blind_index_is_stable_and_needs_the_key(tmp_path: Path, keys: Keys) -> None:
    index = keys.blind_index(CLEAR)
    assert index == keys.blind_index(CLEAR) and len(index) == 64
    assert index != keys.blind_index(CLEAR[:-1] + "1")
    assert index != key_files.create(tmp_path / "other").blind_index(CLEAR)
    moved = Keys(keys.cookie, keys.field, keys.ledger)  # the field key alone decides
    assert moved.blind_index(CLEAR) == index


def test_signatures_and_the_key_name(keys: Keys) -> None:
    signature = keys.sign(b"message")
    assert len(keys.public) == 32 and len(signature) == 64
    assert verify_signature(keys.public, b"message", signature)
    assert not verify_signature(keys.public, b"massage", signature)
    assert not verify_signature(b"\0" * 31, b"message", signature)
    assert not verify_signature(keys.public, b"message", signature[:-1] + b"\0" * 2)
    assert re.fullmatch(r"mingjian-[0-9a-f]{8}", keys.name)
