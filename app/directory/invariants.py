"""What always holds of regions, organisations and people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.directory.models import Employment, Organisation, Person, Region
from app.domain.types import Text
from app.keys import Keys


def posts_in_order(session: Session) -> list[Text]:
    """No post ends before it begins."""
    rows = session.scalars(select(Employment).where(Employment.until < Employment.since))
    return [
        Text(f"任职 {row.id} 的结束日期早于开始日期。", f"Post {row.id} ends before it begins.")
        for row in rows
    ]


def one_region_a_day(session: Session) -> list[Text]:
    """On any day a code means at most one region."""
    broken = []
    rows = session.execute(
        select(Region.code, Region.valid_from, Region.valid_to).order_by(Region.code)
    )
    spans: dict[str, list[tuple[date, date]]] = {}
    for code, start, end in rows:
        spans.setdefault(code, []).append((start or date.min, end or date.max))
    for code, found in spans.items():
        found.sort()
        if any(a[1] > b[0] for a, b in zip(found, found[1:], strict=False)):
            broken.append(
                Text(f"区划代码 {code} 的有效期重叠。", f"Two regions hold code {code} at once.")
            )
    return broken


def no_loops(session: Session) -> list[Text]:
    """No organisation is its own superior, directly or through others."""
    rows = session.execute(select(Organisation.id, Organisation.parent_id))
    above = dict(rows.all())
    broken = []
    for start in above:
        step, seen = above[start], {start}
        while step is not None and step not in seen:
            seen.add(step)
            step = above.get(step)
        if step is not None:
            broken.append(
                Text(f"单位 {start} 的上级成环。", f"The superiors of {start} form a loop.")
            )
    return broken


def indexes_fit(session: Session) -> list[Text]:
    """The keyed indexes of identity numbers and phones belong to what is stored."""
    keys: Keys = session.info["keys"]
    broken = []
    for row in session.scalars(
        select(Person).where(or_(Person.id_number.is_not(None), Person.phone.is_not(None)))
    ):
        number = keys.decrypt(row.id_number) if row.id_number else None
        phone = keys.decrypt(row.phone) if row.phone else None
        fits = row.id_index == (keys.blind_index("id|" + number) if number else None)
        fits &= row.phone_index == (keys.blind_index("phone|" + phone) if phone else None)
        if not fits:
            broken.append(
                Text(f"人员 {row.id} 的索引与密文不符。", f"The index of person {row.id} is wrong.")
            )
    return broken


def one_person_an_id(session: Session) -> list[Text]:
    """No two people share an identity number (the database refuses it too)."""
    held = Counter(session.scalars(select(Person.id_index).where(Person.id_index.is_not(None))))
    return [
        Text(f"身份证索引 {key[:12]} 出现 {n} 次。", f"Identity index {key[:12]} occurs {n} times.")
        for key, n in held.items()
        if n > 1 and key
    ]


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("directory.posts_in_order", posts_in_order),
    ("directory.one_region_a_day", one_region_a_day),
    ("directory.no_loops", no_loops),
    ("directory.indexes_fit", indexes_fit),
    ("directory.one_person_an_id", one_person_an_id),
)
