"""What the eligibility rules are told about an expert and about a subject (county), as plain values.

The facts are frozen at the commitment of a draw; nothing here reads a database or a clock. A
collection that is None was never recorded, and the rules that need it answer "not computed"; an
empty one was recorded as "none". Periods have both ends included, None is open (an unknown start
counts as always, no end as still running). A code that is not known raises DomainError, since a
misspelt relation would otherwise let a conflict through unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from app.domain.types import DomainError, Text

ExpertKind = Literal["technical", "economic", "management"]
Relation = Literal["employed", "director", "supervisor", "adviser", "shareholder"]
KinRelation = Literal["spouse", "direct", "collateral", "in_law", "unstated"]
"""`unstated`: found to be one of the four, the degree not recorded; it always counts."""
TieKind = Literal["coauthor", "teacher", "student", "mutual"]
EngagementKind = Literal["drafting", "consulting", "earlier_stage"]
Side = Literal["self", "county"]
Decided = Literal["upheld", "pending", "dismissed"]

TITLE_RANKS: tuple[Text, ...] = (
    Text("无职称", "no title"),
    Text("初级", "junior"),
    Text("中级", "mid-level"),
    Text("副高级", "associate senior"),
    Text("正高级", "full senior"),
)
"""Index = `title_rank`; an equal level without a title is given the rank it is equal to."""

MUNICIPALITIES = ("11", "12", "31", "50")

_GB_CODE = re.compile(r"[1-9][0-9]{5}")


def region_chain(code: str) -> tuple[str, str, str]:
    """Prefixes of a GB/T 2260 code at (county, prefecture, province) level.

    A municipality has no prefectures: 110101 -> ("110101", "11", "11"), so that 5001xx and 5002xx
    of Chongqing are one place. A county under the province itself (xx90xx) shares its "90" with
    strangers and is its own prefecture. A prefecture or province as subject (411100, 410000)
    stands for its whole area. Raises DomainError for anything but six digits.
    """
    if not _GB_CODE.fullmatch(code):
        raise DomainError(
            Text(
                f"“{code}”不是六位行政区划代码（GB/T 2260）。",
                f"{code!r} is not a six-digit region code (GB/T 2260).",
            ),
            field="region_code",
        )
    province = code[:2]
    if code[2:] == "0000":
        return (province, province, province)
    if province in MUNICIPALITIES:
        return (province if code[4:] == "00" else code, province, province)
    if code[2:4] == "90":
        return (code, code, province)
    if code[4:] == "00":
        return (code[:4], code[:4], province)
    return (code, code[:4], province)


def _known(value: str, codes: object, field: str) -> None:
    allowed: tuple[str, ...] = get_args(codes)
    if value not in allowed:
        raise DomainError(
            Text(
                f"{field} 的值“{value}”不在 {'、'.join(allowed)} 之内，事实未采用。",
                f"{field} is {value!r}, not one of {', '.join(allowed)}; the fact was not used.",
            ),
            field=field,
        )


def _ordered(since: date | None, until: date | None) -> None:
    if since is not None and until is not None and until < since:
        raise DomainError(
            Text(
                f"止期 {until} 早于起期 {since}，请更正。",
                f"the period ends on {until}, before it begins on {since}; correct it.",
            ),
            field="until",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Employment:
    """A post or holding at one organisation.

    `chain` is the organisation itself and every superior body; `region_code` the organisation's
    place (six digits); `central` a ministry unit, national institute or MOE university;
    `employer_root` the body that counts as one employer in a panel (rule C-10).
    """

    organisation_id: str
    organisation: Text
    chain: tuple[str, ...]
    employer_root: str
    region_code: str | None
    relation: Relation = "employed"
    central: bool = False
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        _known(self.relation, Relation, "relation")
        _ordered(self.since, self.until)
        if self.region_code is not None:
            region_chain(self.region_code)
        if self.organisation_id not in self.chain:
            raise DomainError(
                Text(
                    f"{self.organisation.zh} 的上级链须包含其自身。",
                    f"the chain of {self.organisation.en} must contain the organisation itself.",
                ),
                field="chain",
            )

    def within(self, organisations: Iterable[str]) -> bool:
        """Whether the organisation is one of these or below one of them."""
        return not frozenset(self.chain).isdisjoint(organisations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanction:
    """`until` None = for ever. `kind` is the registry's code, e.g. fraud, leak, warning."""

    kind: str
    since: date
    until: date | None = None
    decided_by: str | None = None

    def __post_init__(self) -> None:
        _ordered(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """`other` is a person id (a leader, another expert) or a subject code (kin of its heads)."""

    relation: KinRelation
    other: str

    def __post_init__(self) -> None:
        _known(self.relation, KinRelation, "relation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """A close working relation to another expert of the pool; `until` None = still running."""

    kind: TieKind
    expert_id: str
    until: date | None = None

    def __post_init__(self) -> None:
        _known(self.kind, TieKind, "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """Work for the subject's own application, or an earlier stage of judging it."""

    kind: EngagementKind
    subject_code: str
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        _known(self.kind, EngagementKind, "kind")
        _ordered(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A legal dispute with the subject."""

    subject_code: str
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        _ordered(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """`region_code` six digits."""

    region_code: str
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        region_chain(self.region_code)
        _ordered(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """Days from `since` to `until`, both included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        _ordered(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """A seat held in an earlier panel."""

    round_id: str
    subject_codes: tuple[str, ...]
    panel_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A seat held in a panel of another draw: the days that panel sits on.

    `sealed`: the names of that draw are not disclosed, so that no reason may tell of seat or day.
    """

    days: tuple[date, ...]
    sealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A recusal asked for by the expert (`self`) or by the county; `kind` is a rule id or "other".

    It excludes while `pending`; `dismissed` lets the expert sit.
    """

    subject_code: str
    kind: str
    side: Side
    decided: Decided
    declared_on: date | None = None
    decided_by: str | None = None
    decided_on: date | None = None

    def __post_init__(self) -> None:
        _known(self.side, Side, "side")
        _known(self.decided, Decided, "decided")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertFacts:
    """All that the rules may know of one expert.

    `career_start` a calendar year; `title_rank` an index of TITLE_RANKS; `nomination` and
    `consent` whether the signed paper is on file; `screened_by` reviewers' ids; `roles` held in
    this programme; `unavailable` periods the expert has given; `duties` seats that he holds now in
    panels of other draws; `disciplines` registry codes;
    `holdings_declared` whether shares and side posts were ever asked for: employments hold them
    too, so that an employer alone does not say that there are none.
    """

    expert_id: str
    person_id: str
    kind: ExpertKind
    title_rank: int
    career_start: int | None
    birth_date: date | None
    nomination: bool
    consent: bool
    screened_by: tuple[str, ...]
    status: str
    review_due: date | None = None
    last_verified: date | None = None
    disciplines: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    sanctions: tuple[Sanction, ...] = ()
    employments: tuple[Employment, ...] | None = None
    kin: tuple[Kin, ...] | None = None
    ties: tuple[Tie, ...] | None = None
    engagements: tuple[Engagement, ...] | None = None
    disputes: tuple[Dispute, ...] | None = None
    declarations: tuple[Declaration, ...] | None = None
    holdings_declared: bool = True
    birthplace: str | None = None
    residences: tuple[Residence, ...] | None = None
    unavailable: tuple[DateRange, ...] | None = None
    duties: tuple[Duty, ...] = ()
    participations: tuple[Participation, ...] | None = None

    def __post_init__(self) -> None:
        _known(self.kind, ExpertKind, "kind")
        if self.title_rank not in range(len(TITLE_RANKS)):
            raise DomainError(
                Text(
                    f"职称等级须为 0 至 {len(TITLE_RANKS) - 1}，现为 {self.title_rank}。",
                    f"title_rank must be 0 to {len(TITLE_RANKS) - 1}, not {self.title_rank}.",
                ),
                field="title_rank",
            )
        if self.birthplace is not None:
            region_chain(self.birthplace)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """One subject of a panel: a county by GB/T 2260 code, or a zone under an own code.

    `parent` is the county that a zone lies in: what is recorded against that county stands against
    the zone. `region` gives its (county, prefecture, province) prefixes; left out, it follows from
    the parent's or its own six-digit code, and a subject with neither has no known place. Organisation sets hold
    ids; `organisation_ids` the county's government tree (its root is enough when the employments'
    chains are complete), `applicant_organisation_ids` those of all applicants of the ranking.
    `withheld_expert_ids`: those of the previous round whose seats no open draw tells of.
    `sitting` are the panel's days, each range a day or several in a row; left out, the reference date
    alone.
    """

    code: str
    name: Text
    region: tuple[str, str, str] | None = None
    organisation_ids: frozenset[str] | None = None
    guided_by: frozenset[str] | None = None
    supervised_by: frozenset[str] | None = None
    contractor_ids: frozenset[str] | None = None
    leader_ids: frozenset[str] | None = None
    applicant_organisation_ids: frozenset[str] | None = None
    previous_round_expert_ids: frozenset[str] | None = None
    withheld_expert_ids: frozenset[str] = frozenset()
    sitting: tuple[DateRange, ...] | None = None
    parent: str | None = None

    def is_meant(self, code: str | None) -> bool:
        """Whether something recorded against `code` stands against this subject."""
        return code is not None and code in (self.code, self.parent)

    def prefix(self, level: int) -> str | None:
        """The region prefix at level 0 county, 1 prefecture, 2 province; None when unknown."""
        if self.region is not None:
            return self.region[level]
        code = self.parent or self.code
        return region_chain(code)[level] if _GB_CODE.fullmatch(code) else None
