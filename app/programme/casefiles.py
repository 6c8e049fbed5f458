"""Case files of a county and the sample that experts review (S4 二(三): case-file review).

The list is registered and closed with a digest in the ledger. Only then is each type drawn in the
ceremony of a draw (docs/draw-protocol.md, "The order of things"), and the room of the draws hands the
files in here. A drill may take a typed seed instead: key = SHA-256 of "casefile|DIGEST|SEED", and of
each type the files with the lowest tickets of section 5 there ("ticket|KEY|TYPE|1|CODE"), which anyone
can repeat with sha256sum. A real round may not: the digest is public, so whoever types the seed could
try numbers until the sample suits him.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw import order_of_things
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, NotFound, NotNow, Text
from app.ledger.append import append
from app.programme.guards import account_id, require, while_live, words
from app.programme.instruments import CASEFILE, compiled, pin_for
from app.programme.models import CaseFile, CaseList, Round, Subject

SEED_VALUES = 6  # numbers at least

_NO_FORM = Text(
    "本届没有案卷评查表。没有任何改动。", "This round has no case-file form. Nothing was changed."
)
_KIND = Text(
    "“{kind}”不是评查表列出的案卷类型（{known}）。没有登记。",
    "“{kind}” is not one of the form's types ({known}). Nothing was registered.",
)
_TWICE = Text(
    "案卷“{n}”已经登记。没有登记第二次。",
    "The case file “{n}” is registered already. It was not registered twice.",
)
_CLOSED = Text(
    "{c}的案卷清单已封闭，不能再改。没有任何改动。",
    "The list of {c} is closed and can no longer change. Nothing was changed.",
)
_OPEN = Text(
    "{c}的案卷清单还没有封闭。没有抽取；请先封闭清单，再取得种子。",
    "The list of {c} is not closed yet. Nothing was drawn: close the list first, then get the seed.",
)
_DRAWN = Text(
    "{c}的案卷已经抽取，不能重抽。没有任何改动。",
    "The sample of {c} is drawn and cannot be drawn again. Nothing was changed.",
)
_CEREMONY = Text(
    "{c}的案卷已选定用抽取仪式抽样，不再接受键入的种子。没有任何改动。",
    "The sample of {c} is drawn in a ceremony, so no typed seed is taken. Nothing was changed.",
)
_REAL = Text(
    "正式轮次的案卷须用抽取仪式抽样，不接受键入的种子（清单摘要已公开，键入者可以预先试算）。没有任何改动。",
    "In a real round case files are sampled in a ceremony, never by a typed seed: the digest is public, "
    "so whoever types it could try seeds beforehand. Nothing was changed.",
)
_TO_DRAW = Text("{c}的案卷须抽取。没有任何改动。", "{c}: files must be drawn. Nothing was changed.")
_NONE = Text("{c}还没有登记案卷。没有封闭。", "{c} has no case files yet. The list was not closed.")
_SEED = Text(
    "种子须为至少 {n} 个非负整数，用空格分开。没有抽取。",
    "The seed must be {n} or more non-negative whole numbers, parted by blanks. Nothing was drawn.",
)
_FUTURE = Text(
    "案卷日期 {d} 在今天之后。没有登记。", "The date {d} lies ahead. Nothing was registered."
)
_NO_CASE = Text("没有这件案卷。", "There is no such case file.")


@dataclass(frozen=True, slots=True)
class CaseState:
    """A county's case files: the form, what is registered, and how far the list is."""

    subject: Subject
    instrument: dict[str, Any]
    files: tuple[CaseFile, ...]  # in the order of code, then type and number
    closing: CaseList | None

    @property
    def live(self) -> tuple[CaseFile, ...]:
        return tuple(row for row in self.files if row.withdrawn_at is None)

    @property
    def sampled(self) -> tuple[CaseFile, ...]:
        return tuple(row for row in self.live if row.sampled)

    @property
    def drawn(self) -> bool:
        """The whole sample stands: by its seed, or every type that needs a ceremony has had it."""
        if self.closing is None:
            return False
        return self.closing.seed is not None or (self.by_ceremony and not self.awaited)

    @property
    def by_ceremony(self) -> bool:
        """A ceremony was chosen instead of a typed seed."""
        return self.closing is not None and self.closing.ceremony is not None

    @property
    def awaited(self) -> list[str]:
        """Types with more files than the form asks for, whose ceremony is not complete."""
        done = (self.closing.ceremony if self.closing is not None else None) or {}
        rules = self.instrument["repeat"]["sample"]
        return [
            r["type"]
            for r in rules
            if len(self.of_kind(r["type"])) > r["count"] and r["type"] not in done
        ]

    @property
    def key(self) -> str | None:
        """The key of the tickets, hex; None before the sample is drawn."""
        if self.closing is None or self.closing.seed is None:
            return None
        return sample_key(self.closing.digest, self.closing.seed)

    def of_kind(self, kind: str) -> list[CaseFile]:
        return [row for row in self.live if row.kind == kind]


def case_form(round_: Round, subject: Subject) -> dict[str, Any] | None:
    """The instrument of the sub-form that is filled once a case file; None without one."""
    pin = pin_for(round_, CASEFILE, subject.region_class)
    return None if pin is None else compiled(round_, subject, pin.form_version)


def case_state(session: Session, subject: Subject) -> CaseState:
    """One county's case files. NotFound without a case-file form."""
    instrument = case_form(subject.round, subject)
    if instrument is None:
        raise NotFound(_NO_FORM)
    return _states(session, {subject.id: (subject, instrument)})[0]


def case_states(session: Session, round_: Round) -> list[CaseState]:
    """Every county that has a case-file form and did not withdraw, in two queries."""
    wanted = {}
    for subject in round_.subjects:
        instrument = case_form(round_, subject)
        if instrument is not None and subject.status != "withdrawn":
            wanted[subject.id] = (subject, instrument)
    return _states(session, wanted)


def _states(session: Session, wanted: dict[str, tuple[Subject, dict[str, Any]]]) -> list[CaseState]:
    files: dict[str, list[CaseFile]] = {key: [] for key in wanted}
    for row in session.scalars(select(CaseFile).where(CaseFile.subject_id.in_(list(wanted)))):
        files[row.subject_id].append(row)
    closings = {
        row.subject_id: row
        for row in session.scalars(select(CaseList).where(CaseList.subject_id.in_(list(wanted))))
    }
    made = []
    for key, (subject, instrument) in wanted.items():
        place = {rule["type"]: n for n, rule in enumerate(instrument["repeat"]["sample"])}
        rows = sorted(files[key], key=lambda r: (place.get(r.kind, 99), r.code or "", r.number))
        made.append(CaseState(subject, instrument, tuple(rows), closings.get(key)))
    return made


def kind_titles(instrument: dict[str, Any]) -> dict[str, Text]:
    """Type -> its words, in the form's order."""
    return {rule["type"]: Text.of(rule["title"]) for rule in instrument["repeat"]["sample"]}


def checked_case(
    instrument: dict[str, Any], kind: str, number: str, title: str, on: date
) -> tuple[str, str, str]:
    """Type (its id or its words), number and title in shape; DomainError on the field."""
    titles = kind_titles(instrument)
    by_words = {t: key for key, text in titles.items() for t in (text.zh, text.en)}
    kind = by_words.get(kind.strip(), kind.strip())
    if kind not in titles:
        known = Text(
            "、".join(t.zh for t in titles.values()), ", ".join(t.en for t in titles.values())
        )
        raise DomainError(_KIND.format(kind=kind, known=known), field="kind")
    number = words(unicodedata.normalize("NFKC", number), Text("案卷号", "Number"), "number")
    title = words(title, Text("案卷名称", "Title"), "title")
    if on > clock.now().date() + timedelta(days=1):  # a day ahead of UTC at most
        raise DomainError(_FUTURE.format(d=on.isoformat()), field="on")
    return kind, number, title


def add_case(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    *,
    kind: str,
    number: str,
    title: str,
    on: date,
) -> CaseFile:
    """Register a case file while the county's list is open; a number is registered once."""
    require(actor, "office")
    while_live(subject.round)
    state = case_state(session, subject)
    if state.closing is not None:
        raise NotNow(_CLOSED.format(c=subject.name))
    kind, number, title = checked_case(state.instrument, kind, number, title, on)
    row = next((r for r in state.files if r.number == number), None)
    if row is not None and row.withdrawn_at is None:
        raise DomainError(_TWICE.format(n=number), field="number")
    if row is None:
        row = CaseFile(subject_id=subject.id, number=number)
        session.add(row)
    row.kind, row.title, row.on = kind, title, on
    row.withdrawn_at, row.withdrawn_reason = None, ""
    row.entered_by, row.entered_at = account_id(actor), clock.now()
    session.flush()
    append(session, actor, "casefile.add", subject=subject.id, case=row.id)
    return row


def withdraw_case(session: Session, actor: Viewer | None, case: CaseFile, reason: str) -> None:
    """Take a case file off the list before it is closed; the row and the reason stay."""
    require(actor, "office")
    subject = session.get_one(Subject, case.subject_id)
    while_live(subject.round)
    if case_state(session, subject).closing is not None:
        raise NotNow(_CLOSED.format(c=subject.name))
    case.withdrawn_reason = words(reason, Text("理由", "Reason"), "reason", 2000)
    case.withdrawn_at = clock.now()
    append(session, actor, "casefile.withdraw", subject=subject.id, case=case.id)


def case_by_id(session: Session, round_: Round, case_id: str) -> CaseFile:
    """A case file of the round; NotFound."""
    case = session.get(CaseFile, case_id)
    if case is None or case.subject_id not in {s.id for s in round_.subjects}:
        raise NotFound(_NO_CASE)
    return case


def close_list(session: Session, actor: Viewer | None, subject: Subject) -> CaseList:
    """Freeze the list: every file gets its code, and the digest goes into the ledger."""
    require(actor, "office")
    while_live(subject.round)
    state = case_state(session, subject)
    if state.closing is not None:
        raise NotNow(_CLOSED.format(c=subject.name))
    if not state.live:
        raise NotNow(_NONE.format(c=subject.name))
    for kind in kind_titles(state.instrument):
        for place, row in enumerate(state.of_kind(kind), 1):
            row.code = f"{kind}-{place:03d}"
    closing = CaseList(
        subject_id=subject.id,
        digest=list_digest(state.live),
        closed_by=account_id(actor),
        closed_at=clock.now(),
    )
    session.add(closing)
    session.flush()
    append(
        session, actor, "casefile.close",
        subject=subject.id, files=len(state.live), digest=closing.digest,
    )  # fmt: skip
    return closing


def list_digest(files: tuple[CaseFile, ...]) -> str:
    """SHA-256 of the canonical JSON of [code, type, number, title, date] by code."""
    rows = sorted([str(r.code), r.kind, r.number, r.title, r.on.isoformat()] for r in files)
    return digest({"files": rows})


def sample_key(list_digest_: str, seed: str) -> str:
    """The key of the tickets, hex."""
    return hashlib.sha256(f"casefile|{list_digest_}|{seed}".encode("ascii")).hexdigest()


def ticket_order(state: CaseState, kind: str, key: str) -> list[str]:
    """Codes of a type in ascending order of their tickets."""
    return order_of_things(key, kind, [str(row.code) for row in state.of_kind(kind)])


def sample(state: CaseState, key: str) -> set[str]:
    """Codes of the files with the lowest tickets: of each type as many as the form says."""
    return {
        code
        for rule in state.instrument["repeat"]["sample"]
        for code in ticket_order(state, rule["type"], key)[: rule["count"]]
    }


def _undrawn(
    session: Session, actor: Viewer | None, subject: Subject
) -> tuple[CaseState, CaseList]:
    """A county's closed list of which nothing is drawn yet; Conflict otherwise."""
    require(actor, "office")
    while_live(subject.round)
    state = case_state(session, subject)
    if state.closing is None:
        raise NotNow(_OPEN.format(c=subject.name))
    if state.drawn:
        raise NotNow(_DRAWN.format(c=subject.name))
    return state, state.closing


def draw_sample(
    session: Session, actor: Viewer | None, subject: Subject, *, seed: str, seed_source: str
) -> CaseState:
    """Sample a drill's closed list by the seed: of each type as many as the form says, or all there are;
    Conflict in a real round."""
    require(actor, "office")
    if subject.round.kind == "real":
        raise NotNow(_REAL)
    state, closing = _undrawn(session, actor, subject)
    if state.by_ceremony:
        raise NotNow(_CEREMONY.format(c=subject.name))
    parts = [p for p in re.split(r"[\s,，、;；.]+", unicodedata.normalize("NFKC", seed)) if p]
    if len(parts) < SEED_VALUES or not all(re.fullmatch(r"[0-9]{1,9}", p) for p in parts):
        raise DomainError(_SEED.format(n=SEED_VALUES), field="seed")
    closing.seed = ".".join(str(int(p)) for p in parts)[:200]
    closing.seed_source = words(
        seed_source, Text("种子来源", "Where the seed is from"), "seed_source"
    )
    closing.drawn_by, closing.drawn_at = account_id(actor), clock.now()
    key = sample_key(closing.digest, closing.seed)
    chosen = sample(state, key)
    for row in state.live:
        row.sampled = row.code in chosen
    session.flush()
    append(
        session, actor, "casefile.sample",
        subject=subject.id, digest=closing.digest, seed=closing.seed, files=sorted(chosen),
    )  # fmt: skip
    return state


def take_all(session: Session, actor: Viewer | None, subject: Subject) -> None:
    """The whole closed list is the sample; Conflict where a type has more files than the form asks for."""
    state, closing = _undrawn(session, actor, subject)
    if state.awaited:
        raise NotNow(_TO_DRAW.format(c=subject.name))
    closing.ceremony = {}
    closing.drawn_by, closing.drawn_at = account_id(actor), clock.now()
    for row in state.live:
        row.sampled = True
    session.flush()
    append(
        session, actor, "casefile.sample",
        subject=subject.id, digest=closing.digest, files=sorted(str(r.code) for r in state.live),
    )  # fmt: skip


def choose_ceremony(session: Session, actor: Viewer | None, subject: Subject) -> None:
    """From here on the closed list is sampled in a ceremony, type by type, and by no typed seed: of
    two results nobody may take the better."""
    state, closing = _undrawn(session, actor, subject)
    if state.by_ceremony:
        return
    closing.ceremony = {}
    session.flush()
    append(session, actor, "casefile.ceremony", subject=subject.id, digest=closing.digest)


def keep_sample(
    session: Session,
    subject: Subject,
    *,
    kind: str,
    codes: list[str],
    draw_id: str,
    commitment: str,
) -> None:
    """Take the files of one type as a completed draw gave them, in its order; types of which the form
    takes all are sampled with the first. Conflict when the type has its sample already."""
    state = case_state(session, subject)
    closing = state.closing
    if closing is None or closing.ceremony is None or kind not in state.awaited:
        raise NotNow(_DRAWN.format(c=subject.name))
    entry = {"draw": draw_id, "commitment": commitment, "files": codes}
    closing.ceremony = {**closing.ceremony, kind: entry}
    chosen = set(codes)
    for rule in state.instrument["repeat"]["sample"]:
        rows = state.of_kind(rule["type"])
        for row in rows:
            if len(rows) <= rule["count"] or str(row.code) in chosen:
                row.sampled = True
    if state.drawn:
        closing.drawn_at = clock.now()
    session.flush()
    append(
        session, None, "casefile.sample",
        subject=subject.id, digest=closing.digest, type=kind, draw=draw_id, files=codes,
    )  # fmt: skip
