"""Sheets that come on paper: read by two clerks, each alone, settled against the scan, sealed under both
names. The expert signed the paper; what is sealed here says so and can be objected to by him.

One owner: while a live tablet holds the expert's draft there is no paper, and while the paper is being
entered there is nothing else (`SheetHold.paper_id`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Tablet
from app.accounts.viewer import Viewer
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.draw.models import Seat
from app.files.kinds import JPEG, PDF, PNG
from app.ledger.append import append
from app.panel import queries as panels
from app.panel.models import Panel, Sitting
from app.programme.models import CaseFile, Round
from app.scoring import cases, changes, holds, queries, reentries
from app.scoring import paper_messages as messages
from app.scoring.entries import fields_of, merged
from app.scoring.models import CaseSheet, Filled, Sheet
from app.scoring.models_paper import PaperSheet
from app.scoring.operations import record_seal

SCANS = frozenset({PDF, PNG, JPEG})
PICKS = ("first", "second", "anew")


def marked(paper: PaperSheet) -> Text:
    """The words that stand wherever the sheet is shown."""
    words = messages.BY.format(a=paper.first_name, b=paper.second_name)
    if paper.objection:
        more = messages.OBJECTION.format(o=paper.objection)
        words = Text(words.zh + more.zh, words.en + more.en)
    if paper.objection_decision:
        more = messages.DECIDED[paper.objection_decision].format(r=paper.objection_reason or "—")
        words = Text(words.zh + more.zh, words.en + more.en)
    return words


def marked_sheets(session: Session, sheet_ids: Iterable[str]) -> dict[str, Text]:
    """Sheet id -> those words, for the sheets that were sealed from paper; one query."""
    rows = session.scalars(
        select(PaperSheet).where(
            PaperSheet.sheet_id.in_(list(sheet_ids)), PaperSheet.sealed_at.is_not(None)
        )
    )
    return {row.sheet_id: marked(row) for row in rows}


def noted_in_runs(session: Session, sheet_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Sheet id -> what a run records of it: the words, also as the remark that lists and exports show
    beside the mark."""
    words = marked_sheets(session, sheet_ids)
    return {
        key: dict.fromkeys(("paper", "reason"), {"zh": text.zh, "en": text.en})
        for key, text in words.items()
    }


def sealed_from(session: Session, sheet: Filled) -> PaperSheet | None:
    """The paper that a sealed sheet was entered from."""
    return session.scalar(
        select(PaperSheet).where(PaperSheet.sheet_id == sheet.id, PaperSheet.sealed_at.is_not(None))
    )


def papers(session: Session, viewer: Viewer, round_: Round) -> list[PaperSheet]:
    """Every paper sheet of a round, those under way first; to office and supervisor."""
    viewer.require("office", "supervisor")
    return list(
        session.scalars(
            select(PaperSheet)
            .join(Sitting, Sitting.id == PaperSheet.sitting_id)
            .join(Panel, Panel.id == Sitting.panel_id)
            .where(Panel.round_id == round_.id)
            .order_by(
                PaperSheet.sealed_at.is_not(None),
                PaperSheet.given_up_at.is_not(None),
                PaperSheet.started_at.desc(),
                PaperSheet.id,
            )
        )
    )


def paper_by_id(session: Session, viewer: Viewer, round_: Round, paper_id: str) -> PaperSheet:
    """One of them; NotFound."""
    viewer.require("office", "supervisor")
    row = session.get(PaperSheet, paper_id)
    if row is None or row.sitting.panel.round_id != round_.id:
        raise NotFound(messages.ABSENT)
    return row


def sheet_of(session: Session, paper: PaperSheet) -> Filled:
    """The sheet that the paper becomes."""
    kind: type[Sheet] | type[CaseSheet] = CaseSheet if "/" in paper.key else Sheet
    found: Filled = session.get_one(kind, paper.sheet_id)
    return found


def start(
    session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat, case: CaseFile | None = None
) -> PaperSheet:
    """Take a signed paper sheet in. Conflict while the expert's own draft lives on a tablet or on the
    web page, or the sheet is final."""
    actor.require("office")
    if seat.id not in {row.id for row in panels.seats(session, sitting.panel)}:
        raise DomainError(messages.NOT_HERE)
    key = f"{sitting.id}/{case.id}" if case is not None else sitting.id
    going = session.scalar(
        select(PaperSheet).where(
            PaperSheet.seat_id == seat.id,
            PaperSheet.key == key,
            PaperSheet.sealed_at.is_(None),
            PaperSheet.given_up_at.is_(None),
        )
    )
    if going is not None:
        return going
    sheet: Filled | None
    if case is not None:
        changes.must_be_sampled(sitting, case)
        sheet = cases.live_sheet(session, case, seat)
    else:
        sheet = queries.live_sheet(session, sitting, seat)
    again = reentries.withdrawn(session, sheet)
    _must_be_open(sitting, again)
    changes.must_be_ready(session, sitting, seat)
    if case is not None:
        changes.must_score(session, sitting, seat)
    if sheet is not None and (sheet.state != "draft" or (sheet.supersedes_id and not again)):
        raise Conflict(messages.FINAL)
    _one_owner(session, seat, key, None if again else sheet)
    if sheet is None:
        sheet = changes.begin(session, sitting, seat, case)
    paper = PaperSheet(
        sitting_id=sitting.id,
        seat_id=seat.id,
        key=key,
        sheet_id=sheet.id,
        replaced=dict(sheet.entries),
        started_by=actor.id,
        started_at=clock.now(),
    )
    session.add(paper)
    session.flush()
    holds.give(session, seat.id, key, None).paper_id = paper.id
    append(session, actor, "paper.started", sealed=True, sheet=sheet.id, paper=paper.id)
    return paper


def _must_be_open(sitting: Sitting, again: bool) -> None:
    """Conflict unless the members are scoring; a withdrawn sheet is entered again after the close
    too, as long as the round is open."""
    if not again:
        changes.must_be_open(sitting)
    elif sitting.panel.round.phase != "open":
        raise NotNow(messages.ENDED)


def _one_owner(session: Session, seat: Seat, key: str, sheet: Filled | None) -> None:
    hold = holds.holder(session, seat.id, key)
    if hold is not None and hold.branches:
        raise NotNow(messages.BRANCH)
    tablet = session.get(Tablet, hold.tablet_id) if hold is not None and hold.tablet_id else None
    if tablet is not None and tablet.revoked_at is None:
        raise NotNow(messages.TABLET.format(label=tablet.label))
    if tablet is None and sheet is not None and sheet.entries:
        raise NotNow(messages.PAGE)


def slot_of(paper: PaperSheet, actor: Viewer) -> str | None:
    """Which reading is the actor's: `first`, `second`, or None when two others have them."""
    for slot in ("first", "second"):
        if getattr(paper, f"{slot}_by") == actor.id:
            return slot
    for slot in ("first", "second"):
        if getattr(paper, f"{slot}_by") is None:
            return slot
    return None


def own_entries(paper: PaperSheet, actor: Viewer) -> dict[str, Any]:
    """What the actor has read so far; never the other's reading."""
    slot = slot_of(paper, actor)
    mine = slot is not None and getattr(paper, f"{slot}_by") == actor.id
    return dict(getattr(paper, f"{slot}_entries")) if mine else {}


def enter(
    session: Session,
    actor: Viewer,
    *,
    paper: PaperSheet,
    fields: Mapping[str, Any],
    finished: bool,
) -> None:
    """Save the actor's reading (`ITEM.part` -> value, as on the paper); `finished` hands it in."""
    actor.require("office")
    _going(paper)
    slot = slot_of(paper, actor)
    if slot is None:
        raise Forbidden(messages.TWO)
    if getattr(paper, f"{slot}_at") is not None:
        raise NotNow(messages.READ)
    items = sheet_items(sheet_of(session, paper).instrument)
    try:
        entries = merged(items, {}, fields)
    except KeyError as error:
        raise DomainError(messages.ABSENT) from error
    setattr(paper, f"{slot}_by", actor.id)
    setattr(paper, f"{slot}_name", actor.name)
    setattr(paper, f"{slot}_entries", entries)
    if finished:
        setattr(paper, f"{slot}_at", clock.now())
    append(session, actor, "paper.entered", sealed=True, paper=paper.id, finished=finished)


def file_scan(
    session: Session, actor: Viewer, *, paper: PaperSheet, data: bytes, filename: str
) -> None:
    """Keep the scan of the signed paper; a better one may take its place until the sheet is settled."""
    actor.require("office")
    _going(paper)
    if paper.settled_at is not None:
        raise Conflict(messages.OVER)
    kept = session.info["store"].put(data, filename, SCANS)
    paper.scan_sha256, paper.scan_mime, paper.scan_name = kept.sha256, kept.mime, kept.name
    paper.scan_by, paper.scan_at = actor.id, clock.now()
    append(session, actor, "paper.scan_filed", sealed=True, paper=paper.id, scan=kept.sha256)


def ready(paper: PaperSheet) -> bool:
    """Both readings are handed in and the scan is there."""
    return None not in (paper.first_at, paper.second_at, paper.scan_sha256)


def may_compare(paper: PaperSheet, actor: Viewer) -> bool:
    """The two clerks see each other's reading once both are handed in, and nobody else does."""
    return ready(paper) and actor.id in (paper.first_by, paper.second_by)


def differences(session: Session, paper: PaperSheet) -> list[dict[str, Any]]:
    """The items in which the two readings differ, with both; blanks, full-width digits and trailing
    zeros are no difference."""
    first, second = paper.first_entries, paper.second_entries
    return [
        {"item": item, "first": first.get(item["id"]), "second": second.get(item["id"])}
        for item in sheet_items(sheet_of(session, paper).instrument)
        if _plain(first.get(item["id"])) != _plain(second.get(item["id"]))
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return sorted((_plain(part) for part in value), key=str)
    if isinstance(value, str):
        text = "".join(unicodedata.normalize("NFKC", value).split())
        try:
            return Decimal(text).normalize() if text else text
        except InvalidOperation:
            return text
    return value


def settle(
    session: Session,
    actor: Viewer,
    *,
    paper: PaperSheet,
    picks: Mapping[str, str],
    anew: Mapping[str, Any],
) -> None:
    """Decide every difference by the scan: the first reading, the second, or (`anew`, fields as on the
    form) neither. The other clerk seals."""
    _compared(paper, actor)
    open_ = differences(session, paper)
    undecided = [row["item"]["id"] for row in open_ if picks.get(row["item"]["id"]) not in PICKS]
    if undecided:
        raise DomainError(messages.PICK.format(list=", ".join(undecided)))
    items = [row["item"] for row in open_]
    typed = {name: value for name, value in anew.items() if name.partition(".")[0] in
             {row["item"]["id"] for row in open_ if picks[row["item"]["id"]] == "anew"}}  # fmt: skip
    fresh = merged(items, {}, typed)
    result = dict(paper.first_entries)
    for row in open_:
        name = row["item"]["id"]
        pick = picks[name]
        entry = fresh.get(name) if pick == "anew" else row[pick]
        result.pop(name, None)
        if entry is not None:
            result[name] = entry
    paper.picks = {row["item"]["id"]: picks[row["item"]["id"]] for row in open_}
    paper.settled = result
    paper.settled_by, paper.settled_at = actor.id, clock.now()
    append(session, actor, "paper.settled", sealed=True, paper=paper.id, differences=len(open_))


def seal(session: Session, actor: Viewer, *, paper: PaperSheet) -> Filled:
    """Seal what was settled under both clerks' names and the scan's hash; by the clerk who did not
    settle the differences. Incomplete like every sheet when the paper is."""
    _compared(paper, actor)
    if paper.settled_at is None:
        raise NotNow(messages.UNSETTLED)
    if paper.picks and paper.settled_by == actor.id:
        raise Forbidden(messages.OTHER)
    sheet = sheet_of(session, paper)
    _must_be_open(sheet.sitting, reentries.withdrawn(session, sheet))
    if sheet.state != "draft":
        raise Conflict(messages.FINAL)
    holds.must_be_whole(session, sheet)
    changes.must_be_complete(session, sheet, paper.settled)
    sheet.entries = dict(paper.settled)
    changes.moved(sheet)
    changes.freeze(session, sheet)
    paper.sealed_by, paper.sealed_at = actor.id, sheet.sealed_at
    _release(session, paper)
    record_seal(
        session,
        actor,
        sheet,
        paper=paper.id,
        scan=paper.scan_sha256,
        clerks=[paper.first_by, paper.second_by],
    )
    return sheet


def give_up(session: Session, actor: Viewer, *, paper: PaperSheet, reason: str) -> None:
    """The paper is not used after all: the sheet is the expert's own again, as it was."""
    actor.require("office")
    _going(paper)
    if len(reason.strip()) < 5:
        raise DomainError(messages.REASON, field="reason")
    paper.given_up_by, paper.given_up_at = actor.id, clock.now()
    paper.given_up_reason = reason.strip()
    _release(session, paper)
    append(session, actor, "paper.given_up", sealed=True, paper=paper.id)


def object_to(session: Session, actor: Viewer, *, sheet: Filled, reason: str) -> PaperSheet:
    """The expert says that the paper was read wrongly. It stands beside the sheet for good; while
    scoring is open he can also correct it by a new version of his own."""
    queries.must_be_own(session, actor, sheet)
    paper = sealed_from(session, sheet)
    if paper is None:
        raise NotFound(messages.ABSENT)
    if paper.objected_at is not None:
        raise Conflict(messages.OBJECTED)
    if len(reason.strip()) < 5:
        raise DomainError(messages.OBJECT_WHY, field="objection")
    paper.objection, paper.objected_at = reason.strip()[:2000], clock.now()
    append(session, actor, "paper.objected", sealed=True, paper=paper.id)
    return paper


def fields_for(instrument: Mapping[str, Any], entries: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of the page by its name."""
    return {
        f"{item['id']}.{part}": value
        for item in sheet_items(instrument)
        for part, value in fields_of(item, entries.get(item["id"])).items()
    }


def _going(paper: PaperSheet) -> None:
    if not paper.live:
        raise Conflict(messages.OVER)


def _compared(paper: PaperSheet, actor: Viewer) -> None:
    actor.require("office")
    _going(paper)
    if not ready(paper):
        raise NotNow(messages.NO_READING)
    if not may_compare(paper, actor):
        raise Forbidden(messages.NOT_CLERK)


def _release(session: Session, paper: PaperSheet) -> None:
    hold = holds.holder(session, paper.seat_id, paper.key)
    if hold is not None:
        hold.paper_id = None
