"""Units that are no county: industrial clusters and economic development zones (S3 一, 二).

A zone has no code in GB/T 2260. It takes part under its parent county's code with "Z" and a number,
the same one in every round, however its name is spelled; the conflict rules look at the parent county.
"""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import DomainError, Text
from app.programme.identity import Units
from app.programme.models import Round, Subject
from app.programme.scheme import scheme_of

COUNTY = "county"
UNIT_TEXT = {
    COUNTY: Text("县（市、区）", "County"),
    "industrial_cluster": Text("产业集聚区", "Industrial cluster"),
    "economic_development_zone": Text("经济开发区", "Economic development zone"),
}
_REFUSED = Text(
    "本方案不接受“{k}”参评。没有添加。",
    "The scheme does not admit a unit of the kind “{k}”. Nothing was added.",
)


def zone_kinds(round_: Round) -> dict[str, Text]:
    """Kinds of zone that the round's scheme admits, with their words; empty for counties alone."""
    admitted = scheme_of(round_).subjects
    return {key: UNIT_TEXT[key] for key in UNIT_TEXT if key != COUNTY and key in admitted}


def must_be_admitted(round_: Round, kind: str) -> None:
    """DomainError unless the scheme admits this kind of zone."""
    if kind not in zone_kinds(round_):
        raise DomainError(_REFUSED.format(k=UNIT_TEXT.get(kind, Text(kind, kind))), field="kind")


def zone_code(session: Session, parent: str, name: str) -> str:
    """The code of a zone: the one that the same zone of the same county had, however its name was
    spelled (`identity.zone_key`), or the next."""
    units = Units(session)
    known: dict[str, str] = {}
    used = []
    for code, zone in session.execute(
        select(Subject.region_code, Subject.name_zh)
        .where(Subject.parent_code == parent)
        .order_by(Subject.region_code)
    ):
        known.setdefault(units.zone(parent, zone), code)
        used.append(int(re.sub(r"^.*Z", "", code)))
    if (found := known.get(units.zone(parent, name))) is not None:
        return found
    return f"{parent}Z{max(used, default=0) + 1}"


def ranking_group(round_: Round, subject: Subject) -> str | None:
    """What a subject is ranked within: its class, or its kind of unit where the scheme ranks kinds
    apart (S3 二: one county and one cluster). `zone_counts_as` says where a development zone goes."""
    scheme = scheme_of(round_)
    within = scheme.aggregation.rank_within if scheme.aggregation is not None else ()
    if "subject_type" in within and zone_kinds(round_):
        kind = subject.kind or COUNTY
        if kind == "economic_development_zone":
            kind = next((s.value for s in scheme.settings if s.id == "zone_counts_as"), kind)
        return kind
    return subject.region_class or None
