"""The declarations on paper, blank: the same words as on the screen, to be signed in ink (S0 art. 35, 40)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.documents.pdf import render_pdf
from app.domain.types import Text
from app.panel.declarations import CONFLICTS, WORDS, words_digest
from app.panel.models import Panel
from app.programme.instruments import stage_text

TITLES = {
    "conflict": Text("回避承诺书", "Conflict declaration"),
    "secrecy": Text("保密承诺书", "Secrecy declaration"),
}
_OF = Text("{round}　{stage} {code}", "{round}, {stage}, panel {code}")
_COUNTIES = Text("本组参评单位：{names}。", "Counties of this panel: {names}.")
_TICK = Text(
    "对照全部参评单位逐项核对，有该情形的打√并写明单位",
    "Thinking of every county, tick what applies and name the county",
)
_NONE = Text("以上情形均没有", "None of these")
_SAME = Text(
    "文字与屏幕上签署的相同，摘要 {digest}。",
    "The words are those signed on screen, digest {digest}.",
)


def declaration_data(panel: Panel, kind: str, language: str) -> dict[str, Any]:
    """Data of the paper `letter`; `kind` is conflict or secrecy."""
    names = Text(
        "、".join(s.subject.name_zh for s in panel.sittings),
        ", ".join(s.subject.name_en for s in panel.sittings),
    )
    about = _OF.format(round=panel.round.title, stage=stage_text(panel.stage), code=panel.code)
    data: dict[str, Any] = {
        "title": TITLES[kind],
        "number": about,
        "language": language,
        "drill": panel.round.drill,
        "paragraphs": [
            _COUNTIES.format(names=names),
            WORDS[kind],
            _SAME.format(digest=words_digest(kind)[:16]),
        ],
        "signatures": [{"role": Text("专家签名", "Expert's signature"), "name": "", "time": ""}],
    }
    if kind == "conflict":
        table = {
            "kind": "table",
            "caption": _TICK,
            "columns": [
                {"title": Text("勾选", "Tick"), "align": "center", "width": "auto"},
                {"title": Text("情形", "Matter"), "width": 5},
                {"title": Text("涉及单位", "County"), "width": 2},
            ],
            "rows": [["□", text, ""] for text in (*CONFLICTS.values(), _NONE)],
        }
        data["paragraphs"].insert(1, table)  # the pledge speaks of what stands above it
    return data


def declaration_pdf(data: dict[str, Any], made_at: datetime) -> bytes:
    """The PDF of `declaration_data`."""
    return render_pdf("letter", data, published_at=made_at)
