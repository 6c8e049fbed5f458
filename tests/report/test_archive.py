"""The archive of a round verifies by itself, and one changed byte anywhere is found."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import keys
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.aggregation import operations as aggregation
from app.cli import main as command
from app.db import Database
from app.domain.types import Conflict, Forbidden
from app.draw import ceremony
from app.draw.models import Draw
from app.factory import create_app
from app.files.store import Store
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations as programme
from app.report import archive as archives
from app.report import operations, verify_archive
from tests.aggregation import builders
from tests.report.reports import signed
from tests.vectors import make_pdraw, second_generator

SCRIPT = Path(verify_archive.__file__)


def _transcripts() -> list[bytes]:
    """Two real transcripts, small ones."""
    lines = [json.loads(line) for line in make_pdraw.FILE.read_text("utf-8").split("\n") if line]
    drawn = [v for v in lines if "key" in v["expect"]][:2]
    return [second_generator.generate(make_pdraw.expanded(v["request"]))["zip"] for v in drawn]


@pytest.fixture(scope="module")
def archived(tmp_path_factory: Any, pg_server: str | None, schema: str) -> Any:
    """(path of the ZIP, the archive, settings): made once, never changed."""
    place = tmp_path_factory.mktemp("archive")
    for settings in builders.installation(place, tmp_path_factory, pg_server, schema):
        database = Database(
            settings.database_url,
            keys=keys.load(settings.keys),
            settings=settings,
            store=Store(settings.files),
        )
        with database.write() as session:
            # The world's draws are written straight into their tables; their transcripts are real.
            for draw, body in zip(session.scalars(select(Draw)), _transcripts(), strict=True):
                draw.transcript_sha256 = hashlib.sha256(body).hexdigest()
                path = ceremony.transcript_path(settings, draw.transcript_sha256)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(body)
            append(session, None, "test.transcripts")
            world = builders.reload(session)
            run = aggregation.run(session, world.office, round=world.round)
            operations.finish(session, world.office, report=signed(session, world, run))
            with pytest.raises(Conflict, match="还没有结束"):
                archives.archive(session, world.office, world.round)
            programme.close_round(session, world.office, world.round)
            for viewer in (world.presenter, world.admin, world.experts[0][1]):
                with pytest.raises(Forbidden):
                    archives.archive(session, viewer, world.round)
                with pytest.raises(Forbidden):
                    archives.record_archive(session, viewer, world.round, None)  # type: ignore[arg-type]
        with database.write() as session:
            world = builders.reload(session)
            archives.sign_for_archive(session, world.office, world.round)
            made = archives.archive(session, world.supervisor, world.round)
            archives.record_archive(session, world.office, world.round, made)
            assert archives.archives_of(session, world.supervisor, world.round) == [
                {"seq": made_at(session), "seal": made.seal,
                 "sha256": hashlib.sha256(made.data).hexdigest()}
            ]  # fmt: skip
        path = place / "a.zip"
        path.write_bytes(made.data)
        yield path, made, settings
        database.dispose()


def made_at(session: Any) -> int:
    return int(session.scalar(select(Event.seq).order_by(Event.seq.desc()).limit(1)))


@pytest.fixture
def folder(archived: Any, tmp_path: Path) -> Path:
    zipfile.ZipFile(archived[0]).extractall(tmp_path)
    return tmp_path / "bj-2-archive"


def test_a_stranger_verifies_it(archived: Any, folder: Path) -> None:
    path, made, _ = archived
    for arguments in ([str(path)], []):  # the ZIP by a copy of the program; the folder by its own
        program = SCRIPT if arguments else folder / "verify_archive.py"
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(program), *arguments],
            capture_output=True, timeout=120, cwd="/",
        )  # fmt: skip
        words = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == 0, words
        lines = words.strip().split("\n")
        assert lines[-1] == "everything agrees / 全部一致"
        assert lines[-2] == f"seal / 档案码: {made.seal}"
        assert lines[-3].endswith("files, 2 draws, 1 reports")
    assert made.name == "bj-2-archive.zip" and not list(folder.rglob("__pycache__"))
    readme = (folder / "README.md").read_text("utf-8")
    assert "python3 verify_archive.py" in readme and "第二届评选演练" in readme
    assert (folder / "reports/1/report-zh.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "counties.csv").read_text("utf-8-sig").count("\n") == 7


def test_a_rule_that_was_put_on_record_before_the_opening_counts() -> None:
    made = {"slug": "a", "scheme_digest": "s", "score_rule_digest": "first"}
    entries = [
        {"kind": "round.create", "data": made},
        {"kind": "round.score_rule", "data": {"before": "first", "after": "second"}},
        {"kind": "round.score_rule", "data": {"before": "second", "after": "third"}},
    ]
    assert verify_archive.recorded(entries) == made | {"score_rule_digest": "third"}
    assert verify_archive.recorded(entries[:1]) == made and verify_archive.recorded([]) == {}


def test_one_changed_byte_anywhere_is_found(archived: Any, tmp_path: Path, capsys: Any) -> None:
    """In every file, in every header of the ZIP, at its end."""
    data = archived[1].data
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        entries = held.infolist()
    places = {0, len(data) - 1, len(data) - 10, data.index(b"PK\x01\x02") + 12}
    for number, entry in enumerate(entries):
        places.add(entry.header_offset + 8 + number % 20)  # a field of its local header
        start = entry.header_offset + 30 + len(entry.filename)
        places.add(start + (entry.file_size - 1) * (number % 3) // 2)
    target = tmp_path / "changed.zip"
    for place in sorted(places):
        changed = bytearray(data)
        changed[place] ^= 1
        target.write_bytes(changed)
        assert verify_archive.main([str(target)]) in (1, 2), place
    assert "everything agrees" not in capsys.readouterr().out
    target.write_bytes(data)
    assert verify_archive.main([str(target)]) == 0


def test_one_changed_byte_of_the_unpacked_files_is_found(folder: Path, capsys: Any) -> None:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert len(files) > 30
    for number, file in enumerate(files):
        kept = file.read_bytes()
        place = (len(kept) - 1) * (number % 3) // 2
        file.write_bytes(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])
        assert verify_archive.main([str(folder)]) in (1, 2), file
        file.write_bytes(kept)
    (folder / "note.txt").write_text("beside")
    assert verify_archive.main([str(folder)]) == 1
    assert "note.txt does not belong here" in capsys.readouterr().out
    (folder / "note.txt").unlink()
    (folder / "draws.csv").unlink()
    assert verify_archive.main([str(folder)]) == 1
    assert "draws.csv is missing" in capsys.readouterr().out


def _other(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        (file,) = folder.glob(name)
        body = file.read_bytes()
        assert old in body
        file.write_bytes(body.replace(old, new, 1))

    return plant


def _swapped_draw(folder: Path) -> None:
    file = next(iter(sorted((folder / "draws").iterdir())))
    with zipfile.ZipFile(file) as held:
        parts = {n: held.read(n) for n in held.namelist()}
    parts["result.json"] = parts["result.json"].replace(b'"order":["', b'"order":["x', 1)
    file.write_bytes(verify_archive.packed(parts))


PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "the scheme": (_other("scheme.json", b"2012", b"2013"), "scheme.json is not the file"),
    "the score rule": (_other("score_rule.json", b'"quorum":', b'"quorun":'), "score_rule.json is"),
    "an entry": (_other("ledger.json", b"round.create", b"round.crEate"), "does not hold"),
    "the signature": (_other("ledger.json", b'"note":"mingjian', b'"note":"Mingjian'), ""),
    "another round": (_other("round.json", b'"slug":"bj-2"', b'"slug":"bj-3"'), "no entry that made"),
    "a mark": (_other("reports/1/rule.json", b'"quorum":', b'"quorum":1'), "reports/1 differs"),
    "a draw": (_swapped_draw, "draws/"),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_digests_written_anew_do_not_hide_it(
    archived: Any, folder: Path, what: str, capsys: Any
) -> None:
    plant, said = PLANTED[what]
    plant(folder)
    sums = folder / "SHA256SUMS"
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    lines = [
        f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n"
        for n in sorted(names)
        if n != "SHA256SUMS"
    ]
    sums.write_text("".join(lines))
    assert verify_archive.main([str(folder)]) in (1, 2)
    assert said in capsys.readouterr().out
    assert hashlib.sha256(sums.read_bytes()).hexdigest() != archived[1].seal


def test_the_program_uses_the_standard_library_of_3_9_alone() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 9))
    used = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
        )
    }
    assert used <= set(sys.stdlib_module_names)


def test_the_page(archived: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Office and supervisor see the seals; making one records its seal and hands the file over."""
    _, made, settings = archived
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    database = app.extensions["mingjian.db"]
    other = archives.Archive("bj-2-archive.zip", b"PK", "ab" * 32)
    monkeypatch.setattr(archives, "archive", lambda *_: other)
    with database.write() as session:
        world = builders.reload(session)
        token = accounts.open_sign_in(
            session, session.get(Account, world.office.id), agent="m", address="m", hours=9
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    page = client.get("/r/bj-2/archive").text
    assert made.seal in page and "其中有 1 份定稿报告" in page and other.seal not in page
    sent = client.post("/r/bj-2/archive")
    assert (sent.status_code, sent.data) == (200, b"PK")
    assert "bj-2-archive.zip" in sent.headers["Content-Disposition"]
    page = client.get("/r/bj-2/archive").text
    assert page.index(other.seal) < page.index(made.seal)
    database.dispose()


def test_the_command(
    archived: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    _, made, settings = archived
    monkeypatch.setattr(archives, "archive", lambda *_: made)  # its PDFs take seconds
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    # The tests' schema is made from the models and bears no revision.
    monkeypatch.setattr("app.migrate.require_head", lambda _: None)
    target = tmp_path / "out.zip"
    arguments = ["round", "archive", "bj-2", str(target), "--home", str(settings.home)]
    for again, code in (
        (arguments, 0),
        (arguments, 2),
        ([*arguments[:2], "no", *arguments[3:]], 2),
    ):
        if code and again[2] == "no":
            again = [*again[:3], str(tmp_path / "x.zip"), *again[4:]]
        with pytest.raises(SystemExit) as done:
            command(again)
        assert done.value.code == code, capsys.readouterr().err
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(SystemExit) as done:
        command(["round", "verify", str(target)])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert "everything agrees" in said
    shutil.copy(target, tmp_path / "bad.zip")
    (tmp_path / "bad.zip").write_bytes(target.read_bytes()[:-1])
    with pytest.raises(SystemExit) as done:
        command(["round", "verify", str(tmp_path / "bad.zip")])
    assert done.value.code in (1, 2)
