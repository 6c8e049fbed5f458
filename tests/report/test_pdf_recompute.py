"""Every figure of the printed report follows from its text alone; a planted error is seen."""

from __future__ import annotations

import copy
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from PIL import Image

from app.aggregation import operations as aggregation
from app.documents.pdf import render_pdf
from app.ledger.prove import TreeHead
from app.report import papers
from app.report.models import Report
from tests.aggregation import builders
from tests.documents.qr_reader import modules, text_of
from tests.report.paper import Paper, disagreements
from tests.report.reports import finished

Data = dict[str, Any]


@pytest.fixture(scope="module")
def data(tmp_path_factory: Any, pg_server: str | None, schema: str) -> Any:
    """The data of one final report, made once."""
    from app import keys
    from app.db import Database
    from app.files.store import Store

    for settings in builders.installation(
        tmp_path_factory.mktemp("recompute"), tmp_path_factory, pg_server, schema
    ):
        database = Database(
            settings.database_url,
            keys=keys.load(settings.keys),
            settings=settings,
            store=Store(settings.files),
        )
        with database.write() as session:
            made = builders.reload(session)
            run = aggregation.run(session, made.office, round=made.round)
            report: Report = finished(session, made, run)
            found = papers.report_data(session, report, "zh"), report.finished_at
            kept = report.pdf_sha256
        yield (*found, kept)
        database.dispose()


def printed(data: Any, change: Callable[[Data], None] | None = None) -> Paper:
    content = copy.deepcopy(data[0])
    if change:
        change(content)
    return Paper(render_pdf("report", content, published_at=data[1]))


def test_every_printed_figure_follows_from_the_text(data: Any) -> None:
    paper = printed(data)
    assert [t.stage for t in paper.tables] == ["综合评审", "实地考核"]
    assert sum(len(t.values(c)) for t in paper.tables for c in paper.codes) == 82
    assert sum(len(t.dropped(c)) for t in paper.tables for c in paper.codes) == 24
    assert len(paper.ranking) == 6 and len(paper.composite) == 6
    assert (paper.drop, paper.quorum) == ({5: 1, 11: 2}, 5)
    assert sum(len(paper.items(c, t.stage, 7)) for t in paper.tables for c in paper.codes) == 170
    assert list(paper.own) == ["综合评审"]  # no item of the site form is computed
    assert set(paper.own["综合评审"].rows) == set(paper.codes)
    assert sum(map(len, paper.own["综合评审"].rows.values())) == 40
    assert "评分提示" in paper.text
    assert disagreements(paper) == []


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is missing")
def test_the_head_of_the_ledger_is_read_back_from_the_printed_code(
    data: Any, tmp_path: Path
) -> None:
    pdf = render_pdf("report", data[0], published_at=data[1])
    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    (number,) = [n for n, text in enumerate(texts, 1) if "mingjian ledger verify --head" in text]
    subprocess.run(
        ["pdftoppm", "-f", str(number), "-l", str(number), "-singlefile", "-r", "250", "-png", "-",
         tmp_path / "page"],
        input=pdf, check=True, timeout=60,
    )  # fmt: skip
    page = np.asarray(Image.open(tmp_path / "page.png").convert("L")) < 128
    code = modules(page)
    assert text_of(code) == data[0]["ledger"]["head"]
    assert TreeHead.parse(text_of(code)).size > 0


def block(data: Data, section: str, kind: str) -> Any:
    return next(b for b in data["sections"][section] if b["kind"] == kind)


def mark(data: Data) -> None:
    cell = next(
        c for c in block(data, "materials", "marks")["items"][0]["marks"] if not c["dropped"]
    )
    cell["value"] = f"{float(cell['value']) + 0.1:.2f}"


def own_blocks(data: Data) -> Any:
    return [b for b in data["sections"]["materials"] if b["kind"] == "marks"][1]["items"]


def own_mark(data: Data) -> None:
    cell = own_blocks(data)[0]["marks"][0]
    cell["value"] = f"{float(cell['value']) + 3:.2f}"


def own_maximum(data: Data) -> None:
    own_blocks(data)[0]["max"] = "10"


def own_swapped(data: Data) -> None:
    """Every mark of a county stands one expert further: sums and spread stay."""
    marks = own_blocks(data)[0]["marks"]
    marks.append(marks.pop(0))


def own_basis(data: Data) -> None:
    blocks = data["sections"]["scores"]
    blocks.remove(next(b for b in blocks if b["kind"] == "note"))


def dropped(data: Data) -> None:
    cells = block(data, "site", "marks")["items"][2]["marks"]
    on = next(c for c in cells if c["dropped"])
    off = next(c for c in cells if not c["dropped"])
    on["dropped"], off["dropped"] = False, True


def absent_as_zero(data: Data) -> None:
    cells = block(data, "materials", "marks")["items"][1]["marks"]
    place = next(n for n, c in enumerate(cells) if "absent" in c)
    cells[place] = {"value": "0.00", "dropped": False}


def mean(data: Data) -> None:
    block(data, "materials", "marks")["items"][3]["mean"] = "68.80"


def counted(data: Data) -> None:
    block(data, "materials", "marks")["items"][3]["counted"] = "5"


def weighted(data: Data) -> None:
    block(data, "scores", "table")["rows"][0][2] = "38.753"


def total(data: Data) -> None:
    block(data, "scores", "table")["rows"][4][-1]["text"] = "70.99"


def rank(data: Data) -> None:
    rows = block(data, "conclusion", "table")["rows"]
    rows[0][1], rows[1][1] = rows[1][1], rows[0][1]


def ranked_total(data: Data) -> None:
    block(data, "conclusion", "table")["rows"][2][3]["text"] = "99.00"


def band(data: Data) -> None:
    row = block(data, "conclusion", "table")["rows"][1]
    row[4] = type(row[4])("10.00 至 20.00", "")


def interval(data: Data) -> None:
    row = block(data, "conclusion", "table")["rows"][0]
    row[5] = type(row[5])("1 至 5", "")


def coefficient(row: int, section: int) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        tables = [b for b in data["sections"]["scores"] if b["kind"] == "agreement"]
        tables[section]["rows"][row]["value"] = "0.1234"

    return change


def bound(data: Data) -> None:
    tables = [b for b in data["sections"]["scores"] if b["kind"] == "agreement"]
    tables[1]["rows"][1]["low"] = "0.0100"


def item(data: Data) -> None:
    block_ = next(b for b in data["annexes"][3]["blocks"] if b["kind"] == "marks")
    block_["items"][5]["marks"][2]["value"] = "0.10"


def item_mean(data: Data) -> None:
    block_ = next(b for b in data["annexes"][3]["blocks"] if b["kind"] == "marks")
    block_["items"][5]["mean"] = "0.10"


def words(data: Data) -> None:
    lines = next(b for b in data["annexes"][2]["blocks"] if b["kind"] == "arithmetic")["lines"]
    text = lines[1]["text"]
    lines[1]["text"] = type(text)(text.zh.replace("÷ 5", "÷ 6"), text.en)


def rule(data: Data) -> None:
    block_ = [b for b in data["sections"]["procedure"] if b["kind"] == "list"][-1]
    block_["items"] = [
        type(x)(x.zh.replace("× 0.7", "× 0.6").replace("× 0.3", "× 0.4"), x.en)
        for x in block_["items"]
    ]


def flag(data: Data) -> None:
    data["annexes"][4]["blocks"][0]["items"].pop()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (mark, "东城区: mean"),
        (own_mark, "综合评审 东城区: own marks leave"),
        (own_mark, "综合评审: ICC(A,1)"),
        (own_maximum, "综合评审 东城区: own marks beyond"),
        (own_swapped, "综合评审: ICC(A,1)"),
        (own_basis, "综合评审: the marks that the agreement"),
        (dropped, "丰台区: dropped"),
        (absent_as_zero, "海淀区: counts"),
        (mean, "顺义区: mean"),
        (counted, "顺义区: counts"),
        (weighted, "东城区: 综合评审 weighted"),
        (total, "平谷区: total"),
        (rank, "ranking: rank of 海淀区"),
        (ranked_total, "ranking: total of"),
        (band, ": band"),
        (interval, "海淀区: rank interval"),
        (coefficient(0, 1), "实地考核: ICC(A,1) by hand"),
        (coefficient(1, 1), "实地考核: ICC(A,k) by hand"),
        (coefficient(3, 1), "实地考核: Kendall W by hand"),
        (coefficient(1, 0), "综合评审: ICC(A,k)"),
        (coefficient(4, 0), "综合评审: 单份评分的误差"),
        (bound, "实地考核: ICC(A,k)"),
        (item, "items do not add up"),
        (item_mean, "mean of the item"),
        (words, "÷ 6"),
        (rule, "weighted"),
        (flag, "observation"),
    ],
    ids=lambda x: getattr(x, "__name__", None) if callable(x) else None,
)
def test_a_planted_error_is_seen(data: Any, change: Callable[[Data], None], says: str) -> None:
    found = disagreements(printed(data, change))
    assert any(says in line for line in found), found
