"""Everything behind a final report in one ZIP, for whoever wants to do it again without the system.

The paper, its working copy, every mark, the rule, the stored run, the ledger's proofs, the transcripts of
the draws, and `recompute.py`, which redoes each official figure with the standard library alone. The same
report gives the same bytes. It holds all marks, so the office and the supervisor alone may have it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation.corrected import corrected_until
from app.aggregation.exports import as_xlsx
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.documents.sheets import Cell, write_csv
from app.domain.ledger.canonical import canonical
from app.domain.types import NotNow, Text
from app.draw import queries as draws
from app.report import papers, queries
from app.report.bundle_proofs import proofs
from app.report.models import Report
from app.report.source import source
from app.report.working_copy import report_docx

_HERE = Path(__file__).parent
_NOT_FINAL = Text(
    "报告尚未定稿，没有可下载的资料包。请在定稿后下载。",
    "The report is not final, so there is no bundle yet. Download it when it is final.",
)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
Progress = Callable[[str], None]
MARK_COLUMNS = ("row", "code", "stage", "expert", "state", "item", "points")
COUNTY_COLUMNS = ("code", "name_zh", "name_en", "group", "status", "vetoed", "adjust")


def _quiet(_: str) -> None:
    pass


def bundle(
    session: Session, viewer: Viewer | None, report: Report, *, progress: Progress = _quiet
) -> bytes:
    """The ZIP of `bundle_files`."""
    files = bundle_files(session, viewer, report, progress=progress)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder(report)}/{name}", _ZIP_TIME)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return target.getvalue()


def bundle_files(
    session: Session, viewer: Viewer | None, report: Report, *, progress: Progress = _quiet
) -> dict[str, bytes]:
    """File name -> content; `progress` hears the name of each file before it is made. Conflict before
    the report is final; `viewer` None is the command line."""
    if viewer is not None:
        viewer.require(*queries.READERS)
    if report.pdf_sha256 is None:
        raise NotNow(_NOT_FINAL)
    run = report.run
    makers: dict[str, Callable[[], bytes]] = {
        "report-zh.pdf": lambda: _kept(session, report.pdf_sha256 or ""),
        "report-en.pdf": lambda: papers.report_pdf(session, report, "en"),
        "report-zh.docx": lambda: report_docx(session, report, "zh"),
        "report-en.docx": lambda: report_docx(session, report, "en"),
        "results-zh.xlsx": lambda: as_xlsx(Reading(run), "zh", corrected_until(session, run)),
        "results-en.xlsx": lambda: as_xlsx(Reading(run), "en", corrected_until(session, run)),
        "counties.csv": lambda: counties_csv(run),
        "marks.csv": lambda: marks_csv(run),
        "rule.json": lambda: canonical(run.rule),
        "inputs.json": lambda: canonical(run.inputs),
        "results.json": lambda: canonical(run.results),
        "ledger.json": lambda: proofs(session, report),
        "recompute.py": lambda: (_HERE / "recompute.py").read_bytes(),
        "verify.py": lambda: (_HERE.parent / "verify.py").read_bytes(),
    }
    files: dict[str, bytes] = {}
    for name, make in makers.items():
        progress(name)
        files[name] = make()
    for draw in source(session, report, "zh").draws:
        name = f"draws/{draw.stage}-{draw.attempt}-{(draw.commitment_hash or '')[:12]}.zip"
        progress(name)
        kept = draws.recorded_transcript(session.info["settings"], draw)
        if kept is not None:
            files[name] = kept
    files["README.md"] = _readme(report, sorted(files)).encode()
    sums = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    return files


def folder(report: Report) -> str:
    """The one folder in the ZIP, which is also the file's name."""
    return f"{report.round.slug}-report-{report.number}"


def _kept(session: Session, sha256: str) -> bytes:
    with session.info["store"].open(sha256) as kept:
        data: bytes = kept.read()
    return data


def counties_csv(run: Run) -> bytes:
    """One row a county: names, class, whether vetoed, bonus or deduction."""
    rows: list[list[Cell]] = [
        [
            row["id"],
            row["name"]["zh"],
            row["name"]["en"],
            row["group"],
            row["status"],
            "yes" if row["vetoed"] else "no",
            Decimal(row["adjust"]),
        ]
        for row in run.inputs["subjects"]
    ]
    target = io.BytesIO()
    write_csv(target, COUNTY_COLUMNS, rows)
    return target.getvalue()


def marks_csv(run: Run) -> bytes:
    """Every mark, one row each; `row` says what it is: `sheet` (an expert's total), `item` (points, or
    N/A), `carried` (what a section gained when moved points were carried to its full marks), `value`
    (a confirmed value of a stage without experts). An absence is a state without points, never 0."""
    rows: list[list[Cell]] = []
    for county in run.inputs["subjects"]:
        for stage, part in county["stages"].items():
            where = (county["id"], stage)
            if part["kind"] == "value":
                rows.append(["value", *where, None, None, None, _number(part["value"])])
                continue
            for expert, sheet in part["sheets"].items():
                rows += _sheet_rows((*where, expert, sheet["state"]), sheet)
    target = io.BytesIO()
    write_csv(target, MARK_COLUMNS, rows)
    return target.getvalue()


def _sheet_rows(who: tuple[str, str, str, str], sheet: dict[str, Any]) -> list[list[Cell]]:
    made: list[list[Cell]] = [["sheet", *who, None, _number(sheet["total"])]]
    made += [["item", *who, item, _number(points)] for item, points in sheet["items"].items()]
    made += [["item", *who, item, "N/A"] for item in sheet["not_applicable"]]
    made += [
        ["carried", *who, section, Decimal(moved["points"]) - Decimal(moved["raw"])]
        for section, moved in sheet["carried"].items()
    ]
    return made


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _readme(report: Report, names: list[str]) -> str:
    draws_of = "\n".join(f"    python3 verify.py {n}" for n in names if n.startswith("draws/"))
    title = report.round.title
    return _README.format(
        zh=title.zh, en=title.en, number=report.number, head=report.head,
        pdf=report.pdf_sha256, draws=draws_of or "    (no transcript kept / 未保存抽取记录)",
    )  # fmt: skip


_README = """# {zh} 第 {number} 号评审报告：资料包 / {en}, rating report no. {number}: bundle

签署的报告是 report-zh.pdf（SHA-256 {pdf}）；其余文件供复核。资料包含全部评分，只交创建办公室和监督人员。
The signed report is report-zh.pdf; everything else is for checking it. The bundle holds every mark and is for the
programme office and the supervisor only.

## 复核 / Check it yourself

不需要本系统，也不需要网络；只需 Python 3.9 或更新版本。Without this system and without a network; Python 3.9 or newer:

    python3 recompute.py

程序由 marks.csv、counties.csv、rule.json 用精确分数重算每个得分和名次，与 results.json 逐位核对；核对各文件与账本
中记录的摘要；核对账本证明。列出每个县的名次和得分，最后一行为 "all figures agree / 全部一致"。
It recomputes every total and rank with exact fractions, compares them digit for digit with results.json, holds the
files against the digests in the ledger and checks the ledger's proofs. Last line: "all figures agree".

专家抽取可另行复算 / The draws can be computed again as well:

{draws}

## 文件 / Files

| 文件 / file | 内容 / content |
|---|---|
| report-zh.pdf, report-en.pdf | 报告 / the report |
| report-zh.docx, report-en.docx | 供修改的工作稿，不具效力 / working copies for editing, without effect |
| results-zh.xlsx, results-en.xlsx | 得分、算式、来源 / scores, arithmetic, origin |
| marks.csv, counties.csv | 每一个分数 / every mark |
| rule.json | 评分开放前固定的计分规则 / the score rule, fixed before scoring |
| inputs.json, results.json | 系统保存的汇总输入和结果 / inputs and results as the system keeps them |
| ledger.json | 账本证明和签名的账本头 / ledger proofs and signed heads |
| draws/ | 抽取记录 / transcripts of the draws |
| recompute.py, verify.py | 复算程序，只用标准库 / the checking programs, standard library only |
| SHA256SUMS | 各文件摘要 / digests of the files |

marks.csv: `row` = sheet（评分表总分 / a sheet's total）, item（指标得分，N/A 为不适用 / points of an item）, carried
（移入分值折算 / points gained by carrying）, value（无专家阶段的确认值 / confirmed value）。没有分数的状态不是零分。
A state without points is an absence, never a zero. 以撇号开头的文字是为防止表格软件当作公式 / a leading
apostrophe keeps a spreadsheet from running a text.

## 能证明什么 / What this shows, and what not

报告纸面印有账本头 {head}：请与纸面逐字核对，这是证明的起点。签名用本机公钥（ledger.json 的 public_key）可核验；
recompute.py 不验签，请用 `mingjian ledger verify --head`。每份评分表的封存记录只显示摘要；专家凭回执码可在 ledger.json 中
找到自己的评分表。
The paper bears the ledger head above: compare it letter by letter, for all proofs start there. The heads are signed
(public_key in ledger.json); recompute.py does not check signatures, `mingjian ledger verify --head` does. The entry of a
sheet shows a digest only; an expert finds his own by the receipt code.
"""
