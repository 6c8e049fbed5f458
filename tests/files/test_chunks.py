"""Pieces of files: whole or absent after a kill, swept when nobody goes on; and what counts as metadata."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from app import clock
from app.domain.types import DomainError
from app.files.chunks import CHUNK, Chunks, Full, WrongChunk, WrongWhole
from app.files.kinds import MP4, RECORDINGS, WEBM, WEBM_VIDEO, sniff
from app.files.metadata import carries_metadata
from app.files.store import Store
from tests.field.recordings import noise, parts, photo, sha

OWNER = "a" * 16


def test_what_counts_as_metadata():
    for kind, mime in (("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")):
        plain, told = photo(place=False, kind=kind), photo(place=True, kind=kind)
        assert not carries_metadata(plain, mime), kind
        assert carries_metadata(told, mime), kind
        assert carries_metadata(plain + b"trailing", mime), kind
        assert carries_metadata(plain[: len(plain) // 2], mime), kind
    progressive, comment = io.BytesIO(), io.BytesIO()
    picture = Image.effect_noise((64, 64), 50).convert("RGB")
    picture.save(progressive, "JPEG", progressive=True)
    picture.save(comment, "JPEG", comment=b"who was here")
    assert not carries_metadata(progressive.getvalue(), "image/jpeg")
    assert carries_metadata(comment.getvalue(), "image/jpeg")


def test_pictures_or_sound_in_what_browsers_record():
    video = b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(40) + b"\x86\x85V_VP8" + bytes(40)
    sound = b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(40) + b"\x86\x86A_OPUS" + bytes(40)
    assert (sniff(video), sniff(sound)) == (WEBM_VIDEO, WEBM)
    for brand in (b"isom", b"iso5", b"mp42", b"avc1"):
        start = b"\x00\x00\x00\x20ftyp" + brand + bytes(20)
        assert sniff(start + b"hdlr" + bytes(8) + b"vide" + bytes(20)) == MP4
        assert sniff(start + b"hdlr" + bytes(8) + b"soun" + bytes(20)) == "audio/mp4"
    assert sniff(b"\x00\x00\x00\x14ftypqt  " + bytes(60)) is None


def test_kill_minus_nine_while_pieces_are_written(tmp_path):
    """A real process, killed again and again: every piece that lies there is whole, and the file
    gets done."""
    data = noise(24 * CHUNK + 1, seed=5)
    source = tmp_path / "source"
    source.write_bytes(data)
    script = textwrap.dedent(
        """
        import hashlib, sys
        from pathlib import Path
        from app.files.chunks import CHUNK, Chunks
        from app.files.store import Store
        data = Path(sys.argv[1]).read_bytes()
        chunks, name = Chunks(Store(sys.argv[2])), hashlib.sha256(data).hexdigest()
        print("ready", flush=True)
        for n, there in enumerate(chunks.have("a" * 16, name, len(data))):
            if not there:
                piece = data[n * CHUNK : (n + 1) * CHUNK]
                digest = hashlib.sha256(piece).hexdigest()
                chunks.take("a" * 16, name, len(data), n, piece, digest)
                print(n, flush=True)
        """
    )
    store = Store(tmp_path / "files")
    chunks = Chunks(store)
    told: set[int] = set()
    kills = 0
    for turn in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(source), str(store.root)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep((turn * 7 % 10) * 0.003)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        told |= {int(line) for line in process.stdout.read().split() if line.isdigit()}
        process.wait()
        here = chunks.have(OWNER, sha(data), len(data))
        assert all(here[n] for n in told), "a piece that was acknowledged is there"
        folder = store.root / "chunks" / OWNER / f"{sha(data)}-{len(data)}"
        for n in (n for n, there in enumerate(here) if there):
            assert (folder / str(n)).read_bytes() == data[n * CHUNK : (n + 1) * CHUNK]
        if all(here):
            break
    assert kills >= 2 and all(here)
    with chunks.whole(OWNER, sha(data), len(data)) as whole:
        assert chunks.put(whole, RECORDINGS, len(data)).sha256 == sha(data)


def test_unfinished_files_go_after_thirty_days_and_not_before(tmp_path):
    chunks = Chunks(Store(tmp_path))
    data = noise(2 * CHUNK)
    chunks.take(OWNER, sha(data), len(data), 0, parts(data)[0], sha(parts(data)[0]))
    left = tmp_path / "tmp" / "left-by-a-crash"
    left.write_bytes(b"x")
    assert chunks.sweep(clock.now() + timedelta(days=29)) == 0
    assert not left.exists()
    assert chunks.have(OWNER, sha(data), len(data)) == [True, False]
    assert chunks.promised(OWNER) == len(data)
    assert chunks.sweep(clock.now() + timedelta(days=30, minutes=1)) == 1
    assert chunks.have(OWNER, sha(data), len(data)) == [False, False]
    assert chunks.promised(OWNER) == 0


def test_the_chunk_store_itself_refuses_paths_and_lies(tmp_path):
    chunks = Chunks(Store(tmp_path))
    good = sha(b"x")
    for owner, name, size in (("../../etc", good, 1), (OWNER, "../x", 1), (OWNER, good, 0)):
        with pytest.raises(WrongChunk):
            chunks.take(owner, name, size, 0, b"x", good)
    chunks.take(OWNER, sha(b"y"), 1, 0, b"x", good)
    with pytest.raises(WrongWhole):
        chunks.whole(OWNER, sha(b"y"), 1)
    assert chunks.promised(OWNER) == 0
    assert issubclass(Full, DomainError)
