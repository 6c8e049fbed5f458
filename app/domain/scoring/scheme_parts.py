"""The parts of a scheme as read from its file: stages, quotas, vetoes, honours, weights.

Plain frozen dataclasses; `scheme_schema.py` reads them from YAML and refuses unknown keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.scoring.expressions import Expression
from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class Basis:
    document: Text
    number: str | None
    date: str | None
    trace: str
    note: Text | None


@dataclass(frozen=True, slots=True)
class Cycle:
    years: int
    batches: int | None
    commendations: int | None
    assessed: Text | None
    status: str
    trace: str


@dataclass(frozen=True, slots=True)
class Window:
    """Dates as written: `2012-09`, `01-20` or `2010-08-31`; `status` says whether the notice gives them."""

    start: str | None
    end: str | None
    text: Text
    status: str


@dataclass(frozen=True, slots=True)
class PublicNotice:
    working_days: int | None
    status: str
    channels: tuple[Text, ...]
    phone: bool
    email: bool


@dataclass(frozen=True, slots=True)
class Stage:
    id: str
    title: Text
    by: tuple[Text, ...]
    forms: tuple[str, ...]
    steps: tuple[Text, ...]
    outputs: tuple[Text, ...]
    optional: bool
    supplied_by: str | None
    window: Window | None
    public_notice: PublicNotice | None
    note: Text | None
    status: str
    trace: str
    line: int


@dataclass(frozen=True, slots=True)
class RegionClass:
    id: str
    title: Text
    form: str
    trace: str
    line: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject the notice names; `code` is its GB/T 2260 code."""

    name: Text
    code: str
    region_class: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Guidance:
    """Offices that guide certain subjects: a source of conflicts of interest."""

    by: tuple[Text, ...]
    subjects: tuple[str, ...]
    trace: str
    line: int


@dataclass(frozen=True, slots=True)
class Agency:
    name: Text
    duty: Text
    trace: str


@dataclass(frozen=True, slots=True)
class Supply:
    """Parts that this scheme takes from another one, and why."""

    scheme: str
    parts: tuple[str, ...]
    note: Text
    trace: str
    line: int


@dataclass(frozen=True, slots=True)
class QuotaStep:
    """Up to (not including) `below` counties; None for the last step."""

    below: int | None
    counties: int
    prefectures: int


@dataclass(frozen=True, slots=True)
class Quota:
    """cap: at most `maximum`; range: `minimum`..`maximum`; share: floor(share x n); ladder: steps."""

    id: str
    title: Text
    kind: str
    minimum: int | None
    maximum: int | None
    share: Decimal | None
    steps: tuple[QuotaStep, ...]
    status: str
    source: str | None
    trace: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Honour:
    id: str
    title: Text
    given_to: Text
    valid_years: int | None
    trace: str


@dataclass(frozen=True, slots=True)
class HonourState:
    id: str
    title: Text


@dataclass(frozen=True, slots=True)
class Transition:
    """One event in the life of an honour and the states it may lead to."""

    event: str
    title: Text
    to: tuple[str, ...]
    months: int | None
    note: Text | None
    trace: str
    line: int


@dataclass(frozen=True, slots=True)
class Veto:
    """A gate, not a mark. `expression` None: the text is unknown or the case needs a signed opinion."""

    id: str
    title: Text
    expression: Expression | None
    window: Text | None
    decided_by: tuple[Text, ...]
    decided_by_status: str
    status: str
    source: str | None
    trace: str | None
    note: Text | None
    line: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A question the notice leaves open, with the value used until an administrator confirms it."""

    id: str
    value: str
    title: Text
    note: Text | None
    status: str
    trace: str


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the total: the forms whose points it takes, and its weight (weights sum to 1)."""

    id: str
    title: Text
    forms: tuple[str, ...]
    weight: Decimal
    method: str
    line: int


@dataclass(frozen=True, slots=True)
class Aggregation:
    components: tuple[Component, ...]
    bonus_form: str | None
    decimals: int
    tie_break: tuple[str, ...]
    rank_within: tuple[str, ...]
    status: str
    line: int
