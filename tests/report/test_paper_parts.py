"""A report in parts: nothing lost, nothing out of order, cut only where it may be."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pypdf
import pytest
from click.testing import CliRunner

from app.aggregation import operations as aggregation
from app.cli.report import report_group
from app.report import paper_parts, papers
from app.report.models import Report
from tests.aggregation import builders
from tests.report import reports


def blocks_of(parts: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    return [(a["number"], b) for part in parts for a in part["annexes"] for b in a["blocks"]]


def test_parts_hold_every_block_in_order_and_small_rounds_stay_in_one(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.signed(session, made, run)
    data = papers.report_data(session, report, "zh")
    (whole,) = paper_parts.parts(data)
    assert {**whole, "annexes": 0} == {**data, "annexes": 0}
    parts = paper_parts.parts(data, enough=400)
    assert len(parts) > 4
    everything = [
        (number, block) for number, a in enumerate(data["annexes"], 1) for block in a["blocks"]
    ]
    assert blocks_of(parts) == everything
    assert ["sections" in part for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [part.get("closing", True) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1]["signatures"] == data["signatures"]
    seen: set[int] = set()
    for part in parts:
        for piece in part["annexes"]:
            assert piece.get("continued", False) is (piece["number"] in seen)
            seen.add(piece["number"])
            if piece["number"] in (3, 7) and piece.get("continued"):
                assert piece["blocks"][0]["kind"] == "heading"  # never a table without its county
            if piece["number"] == 4 and piece.get("continued"):
                assert piece["blocks"][0]["kind"] == "marks"
        load = sum(paper_parts.weight(b) for piece in part["annexes"] for b in piece["blocks"])
        # One table that is larger than a part cannot be cut.
        assert load <= 400 or sum(len(piece["blocks"]) for piece in part["annexes"]) < 12
    assert sum(bool(p.get("continued")) for part in parts for p in part["annexes"]) >= 2


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"\s|—\d+—", "", "".join(page.extract_text() for page in pages))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a round of six were large."""
    whole = paper_parts.parts
    monkeypatch.setattr(papers, "parts", lambda data: whole(data, 1500))


def test_the_command_line_shows_how_far_it_is(
    app: Any, tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests' schema is made from the models and bears no revision.
    monkeypatch.setattr("app.migrate.require_head", lambda _: None)
    database, home = app.extensions["mingjian.db"], app.extensions["mingjian.settings"].home
    with database.write() as session:
        made = builders.reload(session)
        run = aggregation.run(session, made.office, round=made.round)
        report = reports.signed(session, made, run)
        slug, number = made.round.slug, str(report.number)
        once = papers.report_pdf(session, report, "en")
    file = tmp_path / "out.pdf"
    asked = ["pdf", slug, number, str(file), "--home", str(home), "--lang", "en"]
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    done = CliRunner().invoke(report_group, asked)
    assert done.exit_code == 0, done.output
    assert file.read_bytes() == once  # two renders in parts are byte-equal
    assert "Annex 12: Corrections after totals" in pypdf.PdfReader(file).outline[-2].title  # type: ignore[union-attr]
    assert file.stat().st_mode & 0o777 == 0o600 and f"{len(once)} bytes" in done.output
    again = CliRunner().invoke(report_group, asked)
    assert again.exit_code == 2 and "已存在" in again.output
    other = ["pdf", slug, "99", str(tmp_path / "no.pdf"), *asked[4:6]]
    missing = CliRunner().invoke(report_group, other)
    assert missing.exit_code == 2 and not (tmp_path / "no.pdf").exists()


def test_the_page_shows_how_far_it_is(app: Any, client_as: Any, large: None) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        run = aggregation.run(session, made.office, round=made.round)
        report = reports.signed(session, made, run)
        base, key = f"/r/{made.round.slug}/reports/{report.number}", report.id
    office = client_as(made.office)
    assert 'name="follow"' in office.get(base).get_data(as_text=True)
    page = office.post(f"{base}/finish", data={"follow": "1"}).get_data(as_text=True)
    said = re.findall(r"已排版 (\d+) / (\d+) 部分", page)
    assert len(said) >= 4 and said[-1][0] == said[-1][1] and said[0][0] == "0"
    assert "签名的账本头已取得" in page and f'content="1;url={base}"' in page
    with database.read() as session:
        report = session.get_one(Report, key)
        assert report.state == "final" and report.pdf_sha256
    assert "签字与核验" in text_of(office.get(f"{base}/report.pdf").data)
    again = office.post(f"{base}/finish", data={"follow": "1"})
    assert again.status_code == 409
