"""One operation applied to its sheet. What it may do is `app.scoring.changes`; who may ask, and when,
is `push`, `settle` and `late`. Nothing is recorded here.

docs/sync-protocol.md sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.field.logs import Beside, differing, entries_after, media_after
from app.domain.field.operations import Operation, entries_hash
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, DomainError, Text
from app.field.media import MAX_PHOTO
from app.field.models import Branch
from app.field.places import Place, merger
from app.files.kinds import IMAGES
from app.scoring import changes, holds
from app.scoring.models import Filled

SHORTEST_REASON = 2  # characters, of a declared conflict and of a choice; in engine/words.js too

_SEALED = Text(
    "这张表已封存，不再改动。要更正请撤回并写明理由。",
    "The sheet is sealed and does not change. To correct it, take it back with a reason.",
)
_STOPPED = Text(
    "您已声明利害关系，本表已停止。", "You declared a conflict of interest: this sheet has stopped."
)
_FORM = Text(
    "平板上的评分表与本届固定的版本不符，请重新下载任务包。",
    "The form on the tablet is not the one fixed for this round: load the package again.",
)
_DIFFERS = Text(
    "平板上看到的内容与服务器收到的不一致，没有封存。请重新打开核对。",
    "What the tablet shows is not what the server holds, so nothing was sealed. Open it again and "
    "check.",
)
_MEDIA = Text(
    "封存时列出的照片与表上的照片不一致，没有封存。",
    "The photos named with the seal are not those of the sheet, so nothing was sealed.",
)
_BRANCH = Text(
    "另一台设备上还有未处理的内容，请先逐项选择。没有封存。",
    "Another device holds entries for this sheet: choose item by item first. Nothing was sealed.",
)
_ITEM = Text("评分表上没有这一项：{i}", "No such item: {i}")
_UNSEALED = Text(
    "这张表没有封存，不需要撤回。", "The sheet is not sealed: there is nothing to take back."
)
_EMPTY = Text("这张表还没有填写。", "Nothing is filled in on this sheet yet.")
_FILE = Text("只接收不超过 12 MB 的照片。", "Only photos of at most 12 MB belong to an item.")
_CHOICE = Text(
    "请对每一项不同的内容作出选择。没有改动。",
    "Choose for each item that differs. Nothing was changed.",
)


class Refused(Exception):
    """This operation cannot stand; `why` is a code of section 4."""

    def __init__(self, why: str, text: Text | None = None) -> None:
        super().__init__(why)
        self.why, self.text = why, text


@dataclass
class Taken:
    """What was decided about one operation."""

    op: Operation
    status: str
    why: str | None = None
    text: Text | None = None
    sheet: Filled | None = None
    branch: Branch | None = None
    rev: int = 0
    seals: bool = False  # its ledger leaf is the seal's
    slot: int = -1  # its place among the answers

    @property
    def result(self) -> list[object]:
        """What the batch's `results_root` is made of."""
        return [self.op.hash, self.status, self.why, self.rev]


def apply(
    session: Session, owner: Viewer, place: Place, op: Operation, *, late: bool = False
) -> Taken:
    """Carry out one operation of the active tablet on a sheet that is open, or (`late`) on one whose
    lateness the supervisor has accepted. Refusals come back as such; nothing is half done."""
    try:
        taken = _apply(session, owner, place, op, late)
    except Refused as refusal:
        taken = Taken(op, "refused", refusal.why, refusal.text)
    except changes.Incomplete as error:
        taken = Taken(op, "refused", "incomplete", error.text)
    except Conflict as error:
        taken = Taken(op, "refused", "incomplete" if op.kind == "seal" else "closed", error.text)
    except DomainError as error:
        taken = Taken(op, "refused", "invalid", error.text)
    taken.sheet = place.sheet
    taken.rev = place.rev
    return taken


def _apply(session: Session, owner: Viewer, place: Place, op: Operation, late: bool) -> Taken:
    if op.kind == "unlock":
        return Taken(op, "accepted")
    if place.stopped or (place.sheet is not None and place.sheet.state == "recused"):
        raise Refused("stopped", _STOPPED)
    if not place.fits(session, op.form):
        raise Refused("form_stale", _FORM)
    sheet = place.sheet
    if sheet is not None and sheet.state == "absent":
        raise changes.not_open("您被记为缺席", "you are recorded as absent")
    match op.kind:
        case "set" | "attach" | "detach":
            _change(session, place, op, late)
        case "seal":
            return _seal(session, owner, place, op)
        case "withdraw":
            if sheet is None or sheet.state != "sealed":
                raise Refused("invalid", _UNSEALED)
            place.sheet = changes.next_version(session, sheet, str(op.fields["reason"]))
        case "choose":
            return _choose(session, place, op)
    return Taken(op, "accepted")


def _change(session: Session, place: Place, op: Operation, late: bool) -> None:
    name = str(op.fields["path" if op.kind == "set" else "item"]).partition(".")[0]
    if name not in {item["id"] for item in sheet_items(place.compiled(session))}:
        raise Refused("invalid", _ITEM.format(i=name[:40]))
    if op.kind == "attach":
        mime, size = op.fields["mime"], int(op.fields["size"])
        if mime not in IMAGES or not 0 < size <= MAX_PHOTO:
            raise Refused("invalid", _FILE)
    if place.sheet is None:
        if not place.ready:
            if not late:
                changes.must_be_open(place.sitting)
            changes.must_be_ready(session, place.sitting, place.seat)
            if place.case is not None:
                changes.must_score(session, place.sitting, place.seat)
        place.sheet = changes.begin(session, place.sitting, place.seat, place.case)
        place.media = ()  # nothing can be attached to it yet
    sheet = draft_of(place)
    if op.kind == "set":
        changes.change(sheet, {str(op.fields["path"]): op.fields["new"]})
        return
    place.media = media_after(place.attached(session), op.kind, op.fields, None)
    changes.moved(sheet)


def draft_of(place: Place) -> Filled:
    """The sheet, when it can still change."""
    if place.sheet is None:
        raise Refused("invalid", _EMPTY)
    if place.sheet.state != "draft" or place.sealing is not None:
        raise Refused("sealed", _SEALED)
    return place.sheet


def _seal(session: Session, owner: Viewer, place: Place, op: Operation) -> Taken:
    """Complete, on what the expert saw, under his name, with every photo there: sealed. The photos
    may still be on their way: then it waits, and nothing else moves meanwhile."""
    sheet = draft_of(place)
    if place.hold is not None and place.hold.branches:
        raise Refused("branch", _BRANCH)
    changes.must_be_signed(owner, str(op.fields["signed_name"]))
    if op.fields["entries"] != entries_hash(sheet.entries):
        raise Refused("invalid", _DIFFERS)
    wanted = {sha for _, sha in place.attached(session)}
    if set(op.fields["media"]) != wanted:
        raise Refused("invalid", _MEDIA)
    changes.must_be_complete(session, sheet)
    if place.missing(session, sorted(wanted)):
        place.sealing = op
        return Taken(op, "held", "media")
    changes.freeze(session, sheet)
    return Taken(op, "accepted", seals=True)


def _choose(session: Session, place: Place, op: Operation) -> Taken:
    sheet = draft_of(place)
    branch = session.scalar(
        select(Branch).where(
            Branch.id == str(op.fields["branch"]),
            Branch.seat_id == place.seat.id,
            Branch.key == place.key,
            Branch.resolved_at.is_(None),
        )
    )
    if branch is None:
        raise Refused("invalid", _CHOICE)
    resolve(session, place, sheet, branch, op.fields["picks"], str(op.fields["reason"]))
    return Taken(op, "accepted", branch=branch)


def resolve(
    session: Session,
    place: Place,
    sheet: Filled,
    branch: Branch,
    picks: dict[str, str],
    reason: str,
) -> None:
    """Take over what the owner chose, item by item, and close the branch. Refused unless he chose
    for exactly the items that differ and said why."""
    beside = Beside(branch.entries, tuple((a, b) for a, b in branch.media))
    wanted = open_items(session, place, branch)
    sides = set(picks.values()) <= {"mine", "branch"}
    if set(picks) != set(wanted) or not sides or len(reason.strip()) < SHORTEST_REASON:
        raise Refused("invalid", _CHOICE)
    fields = {"picks": picks}
    sheet.entries = entries_after(sheet.entries, "choose", fields, merger(sheet.instrument), beside)
    place.media = media_after(place.attached(session), "choose", fields, beside)
    changes.moved(sheet)
    branch.resolved_at, branch.reason = clock.now(), reason.strip()
    hold = holds.holder(session, place.seat.id, place.key)
    assert hold is not None
    hold.branches -= 1
    place.hold = hold


def open_items(session: Session, place: Place, branch: Branch) -> list[str]:
    """The items for which the owner has to choose: touched by the branch, and different."""
    mine = place.sheet.entries if place.sheet is not None else {}
    found = differing(mine, branch.entries, branch.touched)
    here, there = place.attached(session), [tuple(pair) for pair in branch.media]
    for item in branch.touched:
        same = {p for p in here if p[0] == item} == {p for p in there if p[0] == item}
        if not same and item not in found:
            found.append(item)
    return found


def second(moment: datetime) -> str:
    """A time as the protocol writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
