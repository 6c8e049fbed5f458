"""A report carried to its end through its own operations."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.aggregation.models import Run
from app.report import operations
from app.report.models import Report
from tests.aggregation.builders import Scored

WORDS = {
    "achievements": "各区在存量建设用地盘活方面形成了可推广的做法。\n海淀区将指标纳入干部考核。",
    "problems": "个别区基础资料年度不一致，建议统一统计口径。",
    "conclusion": "建议将Ⅰ类前两名、Ⅱ类第一名推荐参加全国评选。",
}


def drafted(session: Session, made: Scored, run: Run) -> Report:
    """With the leader's words, not yet sent to signing."""
    leader = made.experts[0][1]
    report = operations.draft_report(session, leader, round=made.round, run=run)
    for key, text in WORDS.items():
        operations.save_section(
            session, leader, report=report, key=key, text=text, version=report.version
        )
    return report


def signed(session: Session, made: Scored, run: Run) -> Report:
    """Signed by all but the fourth, who dissents, and the ninth, who refuses."""
    report = drafted(session, made, run)
    operations.submit_for_signing(session, made.experts[0][1], report=report)
    odd: dict[str, Any] = {
        "E0004": {"state": "dissent", "text": "平谷区现场查验时间不足，排序宜再核。"},
        "E0009": {"state": "refused", "text": "对抽样方法有保留意见。"},
    }
    for expert, viewer in made.experts:
        operations.sign(
            session, viewer, report=report, signed_name=viewer.name,
            **odd.get(expert.number, {"state": "signed"}),
        )  # fmt: skip
    return report


def finished(session: Session, made: Scored, run: Run) -> Report:
    return operations.finish(session, made.office, report=signed(session, made, run))
