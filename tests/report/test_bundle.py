"""The bundle recomputes by itself, with the standard library alone, and sees every planted error."""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.aggregation import operations as aggregation
from app.cli import main
from app.domain.types import Conflict, Forbidden
from app.draw import ceremony
from app.report import bundle as bundles
from app.report import operations, recompute
from tests.aggregation import builders
from tests.report.reports import signed

SCRIPT = Path(recompute.__file__)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: Any, pg_server: str | None, schema: str) -> Any:
    """(folder, zip bytes, settings, final PDF's hash, printed head): made once, never changed."""
    from app import keys
    from app.db import Database
    from app.files.store import Store

    for settings in builders.installation(
        tmp_path_factory.mktemp("bundle"), tmp_path_factory, pg_server, schema
    ):
        # The world's draws are written straight into their tables; so are their transcripts.
        for stage in ("desk", "site"):
            body = b"t" + stage.encode()
            path = ceremony.transcript_path(settings, hashlib.sha256(body).hexdigest())
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(body)
        database = Database(
            settings.database_url,
            keys=keys.load(settings.keys),
            settings=settings,
            store=Store(settings.files),
        )
        with database.write() as session:
            made = builders.reload(session)
            run = aggregation.run(session, made.office, round=made.round)
            report = signed(session, made, run)
            with pytest.raises(Conflict, match="尚未定稿"):
                bundles.bundle(session, made.office, report)
            operations.finish(session, made.office, report=report)
            steps: list[str] = []
            data = bundles.bundle(session, made.office, report, progress=steps.append)
            assert steps[0] == "report-zh.pdf" and len(steps) == 16
            assert bundles.bundle(session, made.supervisor, report) == data
            for viewer in (made.presenter, made.admin, made.experts[0][1]):
                with pytest.raises(Forbidden):
                    bundles.bundle(session, viewer, report)
            known = (report.pdf_sha256, report.head, made.round.slug)
        target = tmp_path_factory.mktemp("unpacked")
        zipfile.ZipFile(io.BytesIO(data)).extractall(target)
        (folder,) = target.iterdir()
        yield folder, data, settings, known
        database.dispose()


def run_in(folder: Path) -> tuple[int, str]:
    """The program as a stranger starts it: isolated, no site packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "recompute.py")],
        capture_output=True,
        timeout=60,
        cwd="/",
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_everything_agrees(unpacked: Any) -> None:
    folder, data, _, (pdf, head, slug) = unpacked
    status, words = run_in(folder)
    assert status == 0, words
    lines = words.strip().split("\n")
    assert [line.split() for line in lines[:6]] == [
        ["I", "1", "75.78", "海淀区", "Haidian", "District"],
        ["I", "2", "74.51", "丰台区", "Fengtai", "District"],
        ["I", "3", "72.06", "顺义区", "Shunyi", "District"],
        ["I", "4", "70.17", "平谷区", "Pinggu", "District"],
        ["I", "5", "70.04", "怀柔区", "Huairou", "District"],
        ["II", "1", "59.51", "东城区", "Dongcheng", "District"],
    ]
    assert lines[6] == "6 counties, 90 ledger proofs: all figures agree / 全部一致"
    assert folder.name == f"{slug}-report-1"
    assert hashlib.sha256((folder / "report-zh.pdf").read_bytes()).hexdigest() == pdf
    readme = (folder / "README.md").read_text("utf-8")
    assert head in readme and pdf in readme and "python3 recompute.py" in readme
    assert readme.count("python3 verify.py draws/") == 2
    entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    proofs = json.loads((folder / "ledger.json").read_text("utf-8"))
    assert proofs["heads"][0]["head"] == head and len(proofs["heads"]) == 2
    kinds = {entry["what"] for entry in proofs["entries"]}
    assert kinds == {
        "run.made", "sheet.sealed", "report.drafted", "report.saved", "report.submitted",
        "report.closed", "report.final",
    }  # fmt: skip
    assert sum(entry["what"] == "sheet.sealed" for entry in proofs["entries"]) == 82


def test_the_program_uses_the_standard_library_of_3_9_alone() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 9))
    used = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert used == {
        "base64", "collections", "csv", "decimal", "fractions", "hashlib", "json", "pathlib", "sys",
    }  # fmt: skip
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))


# ---------- planted errors: each is made in a copy, and SHA256SUMS is written anew for it, so that
# not the sum of a file but the figure, the digest or the proof gives it away


def table(folder: Path, name: str, change: Callable[[list[dict[str, str]]], Any]) -> None:
    path = folder / name
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    heads = list(rows[0])
    change(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, heads)
        writer.writeheader()
        writer.writerows(rows)


def document(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        value = json.loads((folder / name).read_text("utf-8"))
        change(value)
        (folder / name).write_text(
            json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), "utf-8"
        )

    return plant


def mark(**wanted: str) -> Callable[[list[dict[str, str]]], dict[str, str]]:
    def find(rows: list[dict[str, str]]) -> dict[str, str]:
        return next(r for r in rows if all(r[k] == v for k, v in wanted.items()) and r["points"])

    return find


def in_marks(change: Callable[[list[dict[str, str]]], Any]) -> Callable[[Path], None]:
    return lambda folder: table(folder, "marks.csv", change)


def in_counties(change: Callable[[list[dict[str, str]]], Any]) -> Callable[[Path], None]:
    return lambda folder: table(folder, "counties.csv", change)


def first(value: Any) -> Any:
    return next(iter(value["scores"]["subjects"].values()))


def entry_of(value: Any, what: str) -> Any:
    return next(e for e in value["entries"] if e["what"] == what)


def _dropped(value: Any) -> None:
    unit = first(value)["stages"]["desk"]["unit"]
    unit["dropped"] = [*unit["dropped"][:-1], "9"]


def _without(value: Any, what: str) -> None:
    value["entries"].remove(entry_of(value, what))


def _swap_ranks(value: Any) -> None:
    a, b, *_ = value["scores"]["subjects"].values()
    a["rank"], b["rank"] = b["rank"], a["rank"]


def _flip(entry: Any) -> None:
    step = entry["proof"][0]
    entry["proof"][0] = ("0" if step[0] != "0" else "1") + step[1:]


PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "an item's points": (
        in_marks(lambda rows: mark(row="item", stage="desk")(rows).update(points="0.5")), "sheet"),
    "a sheet's total": (
        in_marks(lambda rows: mark(row="sheet", stage="site")(rows).update(points="61.3")), "total"),
    "a total with its item, so that the sheet adds up": (
        in_marks(lambda rows: [
            r.update(points=str(round(float(r["points"]) + 1, 2)))
            for r in (mark(row="sheet", stage="site", expert="2")(rows),
                      mark(row="item", stage="site", expert="2")(rows))
        ]), "differs from the stored inputs"),
    "a sheet left out": (
        in_marks(lambda rows: rows.__setitem__(slice(None), [
            r for r in rows if (r["stage"], r["expert"]) != ("desk", "3")])), "experts differ"),
    "a sheet twice": (in_marks(lambda rows: rows.insert(0, dict(rows[0]))), "appears twice"),
    "an item twice": (
        in_marks(lambda rows: rows.insert(2, dict(mark(row="item")(rows)))), "appears twice"),
    "an absence made a zero": (
        in_marks(lambda rows: next(r for r in rows if r["state"] == "recused").update(
            state="submitted", points="0")), "recomputed"),
    "an item not applicable": (
        in_marks(lambda rows: mark(row="item", stage="site")(rows).update(points="N/A")), "site"),
    "a mark in another expert's name": (
        in_marks(lambda rows: [r.update(expert={"1": "2", "2": "1"}[r["expert"]]) for r in rows
                               if r["expert"] in "12"]), "differs"),
    "a bonus": (in_counties(lambda rows: rows[0].update(adjust="1")), "adjustment"),
    "a veto": (in_counties(lambda rows: rows[0].update(vetoed="yes")), "status"),
    "another class": (in_counties(lambda rows: rows[0].update(group="I")), "group"),
    "another name": (in_counties(lambda rows: rows[0].update(name_zh="西城区")), "another name"),
    "a county left out": (
        lambda folder: (
            in_marks(lambda rows: rows.__setitem__(
                slice(None), [r for r in rows if r["code"] != rows[-1]["code"]]))(folder),
            in_counties(lambda rows: rows.pop())(folder),
        )[0], "counties"),
    "the trimming": (document("rule.json", lambda v: v["trim"].update(drop={"5": 2})), "counted"),
    "the quorum": (document("rule.json", lambda v: v.update(quorum=7)), "status"),
    "the estimator": (document("rule.json", lambda v: v.update(estimator="median")), "desk"),
    "the weights": (
        document("rule.json", lambda v: v["modules"].update(desk="0.3", site="0.7")), "weighted"),
    "the rounding": (document("rule.json", lambda v: v["rounding"].update(total=1)), "total"),
    "ranked as one class": (document("rule.json", lambda v: v.update(rank_within=None)), "rank"),
    "a rule that changes no figure": (
        document("rule.json", lambda v: v.update(top=3)), "rule.json is not the file"),
    "a published total": (
        document("results.json", lambda v: first(v).update(total="59.52")), "total"),
    "an unrounded total": (
        document("results.json", lambda v: first(v).update(unrounded="59.5")), "unrounded"),
    "two ranks": (document("results.json", _swap_ranks), "rank"),
    "a stage's value": (
        document("results.json", lambda v: first(v)["stages"]["desk"].update(value="1")), "desk"),
    "who was dropped": (document("results.json", _dropped), "counted"),
    "an item's mean": (
        document("results.json", lambda v: next(iter(
            first(v)["stages"]["site"]["items"].values())).update(value="1")), "item"),
    "the spread": (
        document("results.json", lambda v: first(v)["stages"]["desk"].update(spread="1")), "spread"),
    "a status": (document("results.json", lambda v: first(v).update(status="vetoed")), "status"),
    "a shared rank": (
        document("results.json", lambda v: first(v).update(
            tie={"shared_with": ["110108"]})), "shares its rank"),
    "a result that no figure shows": (
        document("results.json", lambda v: v["flags"].clear()), "results.json is not the file"),
    "a stored input": (
        document("inputs.json", lambda v: v["subjects"][0].update(adjust="3")), "inputs.json"),
    "a step of a proof": (
        document("ledger.json", lambda v: _flip(entry_of(v, "run.made"))), "proof does not hold"),
    "an entry's words": (
        document("ledger.json", lambda v: entry_of(v, "run.made").update(
            payload=entry_of(v, "run.made")["payload"].replace('"number":1', '"number":2'))),
        "proof does not hold"),
    "an entry's place": (
        document("ledger.json", lambda v: entry_of(v, "report.drafted").update(
            seq=entry_of(v, "report.drafted")["seq"] - 1)), "proof does not hold"),
    "a head": (
        document("ledger.json", lambda v: v["heads"][0].update(
            note=re.sub(r"\n(\d+)\n", "\n7\n", v["heads"][0]["note"], count=1))),
        "the signed note says something else"),
    "a seal without proof": (
        document("ledger.json", lambda v: _without(v, "sheet.sealed")), "no proof of its seal"),
    "the run's proof left out": (
        document("ledger.json", lambda v: _without(v, "run.made")), "is not the file"),
    "another paper": (
        lambda folder: (folder / "report-zh.pdf").write_bytes(b"%PDF-1.7 another") and None,
        "report-zh.pdf is not the report"),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_error_is_seen(
    unpacked: Any, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(unpacked[0], folder)
    plant, said = PLANTED[what]
    plant(folder)
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    (folder / "SHA256SUMS").write_text(
        "".join(
            f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n"
            for n in sorted(names)
            if n != "SHA256SUMS"
        ),
        "utf-8",
    )
    assert recompute.main([str(folder)]) in (1, 2)
    words = capsys.readouterr().out
    assert said in words and "all figures agree" not in words, words


def test_a_changed_file_beside_shows_in_the_sums(
    unpacked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(unpacked[0], folder)
    (folder / "report-en.docx").write_bytes(b"PK")
    next((folder / "draws").iterdir()).unlink()
    assert recompute.main([str(folder)]) == 1
    words = capsys.readouterr().out
    assert "report-en.docx is missing or was changed" in words and "2 difference(s)" in words
    (folder / "rule.json").unlink()
    assert recompute.main([str(folder)]) == 2
    assert "cannot be read" in capsys.readouterr().out


def test_the_command_writes_the_same_bundle(
    unpacked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    _, data, settings, (_, _, slug) = unpacked
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    # The tests' schema is made from the models and bears no revision.
    monkeypatch.setattr("app.migrate.require_head", lambda _: None)
    target = tmp_path / "out.zip"
    arguments = ["report", "bundle", slug, "1", str(target), "--home", str(settings.home)]
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 0, capsys.readouterr().err
    assert target.read_bytes() == data and target.stat().st_mode & 0o077 == 0
    for again, code in (
        (arguments, 2),
        ([*arguments[:3], "7", str(tmp_path / "x"), *arguments[5:]], 2),
    ):
        with pytest.raises(SystemExit) as refused:
            main(again)
        assert refused.value.code == code
    assert target.read_bytes() == data
