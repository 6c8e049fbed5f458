"""Every figure of the printed report follows from its text alone; a planted error is seen."""

from __future__ import annotations

import copy
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pypdf
import pytest
from PIL import Image
from sqlalchemy import select

from app.aggregation import operations as aggregation
from app.aggregation.checks import VERDICTS, check_rows
from app.documents.pdf import render_pdf
from app.draw.models import Seat
from app.ledger.append import append
from app.ledger.prove import TreeHead
from app.report import papers
from app.report.annex_sheets import pass_or_fail
from app.report.check_sections import check_blocks
from app.report.models import Report
from app.scoring.models import Sheet
from tests.aggregation import builders
from tests.documents.qr_reader import modules, text_of
from tests.report.paper import Paper, disagreements
from tests.report.paper_agreement import item_agreement
from tests.report.reports import finished

Data = dict[str, Any]


def computed_again(session: Any, made: builders.Scored) -> Any:
    """A first run without one expert's sheet, which had been entered as absent by mistake; a correction
    with a second person; the run that counts everything."""
    sitting = next(s for s in made.panels["desk"].sittings if s.subject.name_zh == "丰台区")
    fifth = select(Sheet).join(Seat, Seat.id == Sheet.seat_id).where(Seat.number == 5)
    sheet = session.scalars(
        fifth.where(Sheet.sitting_id == sitting.id, Sheet.state == "sealed")
    ).one()
    sheet.state, sheet.reason = "absent", "误登记为未到场"
    append(session, None, "test.absent")
    aggregation.run(session, made.office, round=made.round)
    sheet.state, sheet.reason = "sealed", ""
    append(session, None, "test.present")
    builders.corrected(session, made)
    return aggregation.run(session, made.office, round=made.round, note="更正登记差错后重新汇总")


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
            run = computed_again(session, made)
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
    assert len(item_agreement(paper, "综合评审")) == 12
    assert len(item_agreement(paper, "实地考核")) == 11
    assert "丰台区 综合得分 " in paper.text
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


def table_of(data: Data, annex: int, caption: str) -> Any:
    return next(
        b
        for b in data["annexes"][annex]["blocks"]
        if b["kind"] == "table" and caption in b["caption"].zh
    )


def item_alpha(column: int) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        row = next(
            r for r in table_of(data, 8, "实地考核：逐项")["rows"] if r[0].zh.startswith("P1")
        )
        row[column] = "0.77"

    return change


def item_left_out(data: Data) -> None:
    table_of(data, 8, "实地考核：逐项")["rows"].pop(0)


def corrected(row: int, column: int, value: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        table_of(data, 11, "更正前后")["rows"][row][column] = value

    return change


def checked(data: Data) -> None:
    """A check on site of four counties by three experts, as a scheme with such a stage prints it."""
    title = {"zh": "实地查验", "en": "Check on site"}
    votes = {
        "东城区": ("", "", "K1"),
        "西城区": ("", "", ""),
        "海淀区": ("K1", "K2", ""),
        "丰台区": ("", ""),
    }
    rows: dict[str, Any] = {
        name: {
            "name": {"zh": name, "en": name},
            "check": {
                "stage": "check", "title": title, "panel": "P1", "outcome": "passed", "silent": [],
                "rule": next(iter(VERDICTS)),
                "votes": [
                    {
                        "seat": n,
                        "receipt": None,
                        "failed": [{"id": i, "title": {"zh": f"{i} 图斑", "en": i}, "reason": "未整改"} for i in [item] if i],
                    }
                    for n, item in enumerate(said, start=1)
                ],
            },
        }
        for name, said in votes.items()
    }  # fmt: skip
    reading: Any = SimpleNamespace(places=list, checks=lambda: check_rows(rows), names={})
    charts = next(n for n, b in enumerate(data["sections"]["conclusion"]) if b["kind"] == "chart")
    data["sections"]["conclusion"][charts:charts] = check_blocks(reading)
    data["annexes"][8]["blocks"] += pass_or_fail(rows)


def check_row(row: int, column: int, value: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        checked(data)
        table_of(data, 8, "通过与否")["rows"][row][column] = value

    return change


def vote_turned(data: Data) -> None:
    checked(data)
    table = next(b for b in data["sections"]["conclusion"] if "查验" in str(b.get("caption")))
    table["rows"][1][2] = type(table["rows"][1][2])("1 张未通过，2 张通过", "")


def test_a_check_on_site_follows_from_its_votes(data: Any) -> None:
    paper = printed(data, checked)
    assert "查验结论：Gwet AC1" in paper.text.replace("\n", "") and disagreements(paper) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (item_alpha(2), "实地考核 P1: agreement: interval"),
        (item_alpha(4), "实地考核 P1: agreement: nominal"),
        (item_alpha(5), "实地考核 P1: agreement: spread"),
        (item_left_out, "实地考核 P1: no agreement printed"),
        (corrected(0, 4, "73.95"), "correction of 丰台区: expert 5 after"),
        (corrected(1, 4, "74.52"), "correction of 丰台区: total after"),
        (corrected(1, 3, "74.38"), "correction of 丰台区: total before"),
        (check_row(0, 1, "99.9"), "check 查验结论: share"),
        (check_row(1, 1, "0.9999"), "check 查验结论: GwetAC1 by hand"),
        (check_row(1, 2, "0.1000 至 0.2000"), "check 查验结论: GwetAC1"),
        (check_row(2, 1, "0.9999"), "check 查验结论: Fleissκ"),
        (check_row(4, 1, "0.9999"), "check K1: GwetAC1 by hand"),
        (vote_turned, "check 查验结论: share"),
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
