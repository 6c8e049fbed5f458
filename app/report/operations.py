"""A report's life: drafted on the last run, signed by every member, closed under a signed ledger head.

Nothing in it changes after that; a later run needs a later report, which says that it replaces.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import __version__, clock
from app.accounts.viewer import Viewer
from app.aggregation import holds
from app.aggregation import queries as runs
from app.aggregation.models import Run
from app.aggregation.ties import names_of_open
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.domain.workdays import last_day
from app.draw.operations_calls import publish_with_report
from app.files.kinds import PDF
from app.ledger import prove
from app.ledger.append import append
from app.programme.models import Round
from app.registry.models import Expert
from app.report import certainty, papers, queries
from app.report.models import RankFigures, Report, Revision, Signature
from app.report.sections import EDITABLE, REQUIRED, SECTIONS, STATE

DUE_WORKDAYS = 5  # the panel's report clock (S0 art. 16(4) says only "in the set time")
LIMIT = 20_000

_LATE_RUN = Text(
    "报告须依据最近一次汇总（第 {n} 次）。没有起草。",
    "A report rests on the latest run (run {n}). Nothing was drafted.",
)
_TIED = Text(
    "第 {n} 次汇总有并列须抽签决定：{names}。没有起草；请先完成抽签，再重新汇总。",
    "Run {n} left ties that a draw has to settle: {names}. Nothing was drafted; complete the draw, "
    "then make a new run.",
)
_UNDER_WAY = Text(
    "第 {n} 号报告还在办理，不能另起一份。没有任何改动；请先完成它，或先重新汇总。",
    "Report {n} is under way, so another cannot begin. Nothing was changed; finish it, or compute a "
    "new run first.",
)
_HAS_REPORT = Text(
    "第 {n} 号报告已依据这次汇总定稿，不能替换。没有任何改动。",
    "Report {n} on this very run is final and is not replaced. Nothing was changed.",
)
_NOT_LEADER = Text(
    "只有评审组组长可以办理。没有任何改动。",
    "Only a panel leader may do this. Nothing was changed.",
)
_STATE = Text(
    "报告现在的状态是“{now}”，不能{what}。没有任何改动。",
    "The report is {now}: it cannot be {what} now. Nothing was changed.",
)
_SAVED_ELSEWHERE = Text(
    "报告在别处有更新（第 {n} 版），您的文字没有覆盖它，仍在本页。请对照后再保存。",
    "The report was saved elsewhere (version {n}). Your text did not overwrite it and is still on "
    "this page. Compare the two and save again.",
)
_EMPTY = Text(
    "还不能送签，以下部分没有内容：{list}。没有任何改动。",
    "It cannot go to signing yet; these sections are empty: {list}. Nothing was changed.",
)
_WAITING = Text(
    "还不能定稿，以下成员没有签署：{names}。没有任何改动。",
    "It cannot be finished yet; these members have not signed: {names}. Nothing was changed.",
)


def draft_report(session: Session, actor: Viewer | None, *, round: Round, run: Run) -> Report:
    """Begin a report on the latest run; a panel leader or the office. A draft on an older run gives
    way to it and says so."""
    if actor and actor.role != "office":
        _leader(session, actor, round)
    latest = runs.last_run(session, round)
    if latest is None or latest.id != run.id:
        number = latest.number if latest else 0
        raise NotNow(_LATE_RUN.format(n=number))
    tied = names_of_open(run)
    if tied:
        names = Text("；".join(t.zh for t in tied), "; ".join(t.en for t in tied))
        raise NotNow(_TIED.format(n=run.number, names=names))
    before = queries.last_report(session, round)
    if before is not None and before.run_id == run.id:
        text = _HAS_REPORT if before.state == "final" else _UNDER_WAY
        raise NotNow(text.format(n=before.number))
    today = clock.today(session.info["settings"].timezone)
    due = last_day(today, DUE_WORKDAYS)
    report = Report(
        round=round,
        round_id=round.id,
        run=run,
        run_id=run.id,
        number=before.number + 1 if before else 1,
        state="drafting",
        version=1,
        sections=dict(before.sections) if before else {},
        due_at=clock.deadline(due.day, session.info["settings"].timezone),
        created_by=actor.id if actor else None,
        created_at=clock.now(),
        signatures=[],
    )
    session.add(report)
    if before is not None and before.state in ("drafting", "signing"):
        before.state = "replaced"
    session.flush()
    append(
        session,
        actor,
        "report.drafted",
        round=round.id,
        report=report.id,
        number=report.number,
        run=run.id,
        replaces=before.id if before is not None and before.state == "replaced" else "",
    )
    return report


def _leader(session: Session, actor: Viewer, round_: Round) -> None:
    member = queries.member_of(session, actor, round_)
    if member is None or not member.leads:
        raise Forbidden(_NOT_LEADER)


def _in_state(report: Report, state: str, what: Text) -> None:
    if report.state != state or report.head is not None:
        raise NotNow(_STATE.format(now=STATE[report.state], what=what))


def save_section(
    session: Session, actor: Viewer, *, report: Report, key: str, text: str, version: int
) -> Report:
    """The leader's own words in one section. A save that names an older version is refused."""
    actor.require("expert")
    _leader(session, actor, report.round)
    _in_state(report, "drafting", Text("修改", "edited"))
    if key not in EDITABLE:
        raise NotFound(queries.ABSENT)
    if version != report.version:
        raise Conflict(_SAVED_ELSEWHERE.format(n=report.version), field="text")
    if len(text) > LIMIT:
        long = Text(
            "文字超过 {n} 字，没有保存，仍在本页。请缩短后再保存。",
            "The text is longer than {n} characters and was not saved; it is still on this page. "
            "Shorten it and save again.",
        )
        raise DomainError(long.format(n=LIMIT), field="text")
    papers.drawable(text)
    kept = text.replace("\r\n", "\n").strip()
    report.sections = {**report.sections, key: kept}
    report.version += 1
    session.add(
        Revision(
            report_id=report.id,
            version=report.version,
            key=key,
            text=kept,
            by=actor.id,
            at=clock.now(),
        )
    )
    session.flush()
    append(session, actor, "report.saved", report=report.id, version=report.version)
    return report


def submit_for_signing(
    session: Session,
    actor: Viewer | None,
    *,
    report: Report,
    figures: dict[str, Any] | None = None,
) -> Report:
    """Ask every member to sign; the leader or the office. Required sections must have words.

    `figures`: what `certainty.figures` gave for the report's run, computed outside the transaction;
    without it that is done here. They are kept from now on."""
    if actor and actor.role != "office":
        _leader(session, actor, report.round)
    _in_state(report, "drafting", Text("送签", "sent to signing"))
    empty = [SECTIONS[key] for key in REQUIRED if not report.sections.get(key)]
    if empty:
        listed = Text("、".join(t.zh for t in empty), ", ".join(t.en for t in empty))
        raise NotNow(_EMPTY.format(list=listed))
    report.state = "signing"
    report.version += 1
    made = certainty.figures(session, report.run) if figures is None else figures
    session.add(RankFigures(report_id=report.id, figures=made))
    session.flush()
    append(session, actor, "report.submitted", report=report.id, version=report.version)
    return report


def sign(
    session: Session,
    actor: Viewer,
    *,
    report: Report,
    state: str,
    text: str = "",
    signed_name: str,
) -> Signature:
    """A member signs, signs with a written dissent, or refuses (then with a reason); once."""
    actor.require("expert")
    member = queries.member_of(session, actor, report.round)
    if member is None:
        raise Forbidden(Text("您不是本届评审组成员。", "You do not sit on a panel of this round."))
    if signed_name.strip() != actor.name:
        raise DomainError(
            Text(
                "签名须与您的姓名（{name}）一致。没有签署，内容都在。",
                "The signature must be your name ({name}). Nothing was signed; all is kept.",
            ).format(name=actor.name),
            field="signed_name",
        )
    return _record(session, actor, report, member.expert, state, text)


def record_refusal(
    session: Session, actor: Viewer, *, report: Report, expert: Expert, text: str
) -> Signature:
    """The office records that a member does not sign, and why."""
    actor.require("office")
    if expert.id not in {m.expert.id for m in queries.members(session, report.round)}:
        raise NotFound(queries.ABSENT)
    return _record(session, actor, report, expert, "refused", text)


def _record(
    session: Session, actor: Viewer, report: Report, expert: Expert, state: str, text: str
) -> Signature:
    _in_state(report, "signing", Text("签署", "signed"))
    if state not in ("signed", "dissent", "refused"):
        raise DomainError(Text("没有这种签署方式。", "There is no such choice."), field="state")
    if state != "signed" and len(text.strip()) < 5:
        raise DomainError(
            Text(
                "请写明不同意见或理由（至少 5 个字）。没有签署。",
                "Write down the dissent or the reason (5 characters or more). Nothing was signed.",
            ),
            field="text",
        )
    papers.drawable(text)
    if expert.id in queries.signatures(report):
        raise Conflict(Text("已经签署，不能更改。", "It is signed already and does not change."))
    row = Signature(
        report_id=report.id,
        expert_id=expert.id,
        state=state,
        text=text.strip() if state != "signed" else "",
        at=clock.now(),
    )
    report.signatures.append(row)
    append(session, actor, "report.signature", sealed=True, report=report.id, state=state)
    return row


def close_signing(session: Session, actor: Viewer | None, *, report: Report) -> Report:
    """When something is recorded of every member: sign the ledger's head, which the paper prints.

    From here on nothing in the report changes; `finish` only adds the paper. A second call is a
    repetition after a crash and does nothing.
    """
    if actor:
        actor.require("office")
    if report.state == "signing" and report.head is not None:
        return report
    _in_state(report, "signing", Text("定稿", "finished"))
    holds.must_be_free(session, report.run)
    waiting = queries.waiting(session, report)
    if waiting:
        names = "、".join(queries.shown_names(session, waiting))
        raise NotNow(_WAITING.format(names=names))
    note = prove.sign_head(session, session.info["keys"], "report")
    report.head = str(prove.TreeHead(note.size, note.root))
    report.finished_at = clock.now()
    append(session, actor, "report.closed", report=report.id, head=report.head)
    return report


def finish(
    session: Session, actor: Viewer | None, *, report: Report, pdf: bytes | None = None
) -> Report:
    """Final: the paper is kept and its digest recorded. `pdf` is what `papers.report_pdf` gave after
    `close_signing`, rendered outside the transaction; without it both are done here."""
    if actor:
        actor.require("office")
    if report.state == "final":
        return report
    close_signing(session, actor, report=report)
    holds.must_be_free(session, report.run)  # placed since the signing was closed
    paper = papers.report_pdf(session, report, "zh") if pdf is None else pdf
    kept = session.info["store"].put(paper, "report.pdf", {PDF})
    report.pdf_sha256 = kept.sha256
    report.made_with = __version__
    report.state = "final"
    for before in queries.finals_before(session, report):
        before.state = "replaced"
    append(session, actor, "report.final", report=report.id, pdf=report.pdf_sha256)
    # The printed head cannot hold the paper's own digest; this one does (the bundle proves it).
    prove.sign_head(session, session.info["keys"], "report-final")
    publish_with_report(session, actor, queries.draws_of(session, report.round))
    return report
