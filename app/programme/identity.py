"""What makes two entries of two rounds one unit: the county that a code stood for, and the zone that
a typed name stands for, however it is spelled.

A county is its GB/T 2260 code, through recorded changes that gave one code for another (a county
that became a city). A zone has no code outside this product: it is its parent county and the key of
its name. Merged and split counties are new units (docs/draw-protocol.md section 14).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory.models import Region, RegionChange
from app.programme.models import Subject

# Ways to write one kind of zone, longest first; a name ends in one of them.
_ENDINGS = (
    ("经开", ("经济技术开发区", "经济技术产业开发区", "经济开发区", "经开区", "开发区")),
    (
        "高新",
        (
            "高新技术产业开发区", "高新技术产业园区", "高新技术开发区", "高新产业开发区",
            "高新技术园区", "高新区",
        ),
    ),
    ("集聚", ("产业集聚区", "产业聚集区", "集聚区", "聚集区")),
    ("工业", ("工业集中区", "工业园区", "工业园", "工业区")),
    ("产业", ("产业园区", "产业园", "园区")),
)  # fmt: skip
_ENDED = sorted(
    ((ending, kind) for kind, endings in _ENDINGS for ending in endings),
    key=lambda pair: -len(pair[0]),
)
_RANK = re.compile("国家级|省级|市级|县级")
_ADMIN = re.compile("(自治州|自治县|自治区|自治旗|地区|新区|省|市|县|区|旗|盟)$")
_NUMERALS = str.maketrans("一二三四五六七八九十", "1234567890")


def zone_key(name: str, county: Iterable[str] = (), above: Iterable[str] = ()) -> str:
    """One text for all spellings of a zone's name.

    Widths and compatibility forms (NFKC), case, blanks, punctuation, numerals, rank words, the names of
    its `county` in front (with those of prefecture and province `above` before it), and the common
    endings for one kind of zone make no difference: 府谷县经济开发区 and 陕西府谷（省级）经济技术开发区 are
    one. A zone that bears the prefecture's name alone (榆林经济开发区) is another.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    text = "".join(c for c in text if unicodedata.category(c)[0] not in "PZSCM")
    text = _RANK.sub("", text)
    # Endings first: what stands before one may be nothing but the county's name.
    kind = ""
    for ending, meant in _ENDED:
        if text.endswith(ending):
            text, kind = text.removesuffix(ending), meant
            break
    higher = {p: min(_short(full), key=len) for full in above for p in _short(full)}
    own = {p: "" for full in county for p in _short(full)}
    fronts = higher | own
    kept = ""
    while front := max((p for p in fronts if text.startswith(p)), key=len, default=""):
        text, kept = text.removeprefix(front), fronts[front]
    text = kept + text
    return f"{text.translate(_NUMERALS)}|{kind}"


def _short(name: str) -> set[str]:
    text = unicodedata.normalize("NFKC", name).casefold()
    bare = _ADMIN.sub("", text)
    return {text, bare} if len(bare) >= 2 else {text}


class Units:
    """Identities of counties and zones; reads the changes of territory once, and the names of the
    regions above a county once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: dict[str, tuple[list[str], list[str]]] = {}
        self._former: dict[str, str] = {}
        for change in session.scalars(select(RegionChange).order_by(RegionChange.on)):
            old, new = change.old_codes, change.new_codes
            if len(old) == len(new) == 1 and old != new:
                self._former[str(new[0])] = str(old[0])

    def county(self, code: str) -> str:
        """The first code that a county is known by."""
        seen = {code}
        while (before := self._former.get(code)) and before not in seen:
            code = before
            seen.add(code)
        return code

    def zone(self, parent: str, name: str) -> str:
        """A zone of a county, by its name as typed."""
        return f"{self.county(parent)}Z|{zone_key(name, *self.names(parent))}"

    def of(self, subject: Subject) -> str:
        """The identity of an entry of a round."""
        if subject.parent_code is None:
            return self.county(subject.region_code)
        return self.zone(subject.parent_code, subject.name_zh)

    def names(self, code: str) -> tuple[list[str], list[str]]:
        """Every name that the county has had; every one of its prefecture and its province."""
        if code not in self._names:
            own = {code, self.county(code)}
            above = {c for one in own for c in (one[:4] + "00", one[:2] + "0000")}
            rows = self._session.execute(
                select(Region.code, Region.name).where(Region.code.in_(own | above))
            ).all()
            entered = self._session.scalars(
                select(Subject.name_zh).where(
                    Subject.region_code.in_(own), Subject.parent_code.is_(None)
                )
            )
            self._names[code] = (
                sorted({name for known, name in rows if known in own} | set(entered)),
                sorted({name for known, name in rows if known in above}),
            )
        return self._names[code]
