"""Invented people of the exercise. Nobody here exists.

Every name has 拟 ("made up") in the middle and a numeral at the end; phones begin with 100000,
a range that no operator has; nobody has an identity number. Only the employers of
app/directory/data/employers.csv are real: no statement is made about their staff.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from app.directory.snapshot import EmployerSpec, employers

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
NUMERALS = "零一二三四五六七八九"
ORDINARY = 312  # three at each of the 104 employers
# Beside the real employers of the list: ministry units under one invented ministry, and institutes.
MINISTRY = "演练虚构部"
_PLACES = (
    "510100",
    "410100",
    "110000",
    "110000",
    "320100",
    "330100",
    "410100",
    "440100",
    "420100",
    "510100",
)
INVENTED_EMPLOYERS = (
    *(
        EmployerSpec(f"演练虚构部属单位{n}", "ministry_unit", MINISTRY, "110000", True, "演练")
        for n in range(1, 9)
    ),
    *(
        EmployerSpec(f"演练虚构研究院{n}", "institute", None, place, False, "演练")
        for n, place in enumerate(_PLACES, 1)
    ),
)

_KINDS = ("technical", "technical", "technical", "economic", "management")
_DISCIPLINES = {
    "technical": ("land", "planning", "minerals", "agriculture", "survey"),
    "economic": ("economics", "economics", "land"),
    "management": ("law", "land", "planning"),
}
_TITLES = {
    "university": (("教授", 4), ("教授", 4), ("副教授", 3)),
    "institute": (("研究员", 4), ("副研究员", 3), ("研究员", 4)),
    "ministry_unit": (("正高级工程师", 4), ("研究员", 4), ("高级工程师", 3)),
}
_SPECIALTIES = {
    "land": ("节约集约用地", "土地整治", "闲置土地处置"),
    "planning": ("国土空间规划", "城市更新", "开发区规划"),
    "minerals": ("矿产资源综合利用", "矿山生态修复", "矿产储量"),
    "agriculture": ("耕地保护", "高标准农田", "农业区划"),
    "economics": ("土地经济", "区域经济", "绩效评价"),
    "law": ("自然资源执法", "行政法", "土地制度"),
    "survey": ("土地调查", "遥感监测", "地籍测量"),
}


def share(*parts: object) -> int:
    """A number from 0 to 9,999 that the parts alone decide: SHA-256, never a random source."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 10_000


def invented_name(number: int) -> str:
    """张拟零三七 and the like: surname, 拟, three numerals."""
    digits = "".join(NUMERALS[int(digit)] for digit in f"{number:03d}")
    return f"{SURNAMES[share('surname', number) % len(SURNAMES)]}拟{digits}"


def invented_phone(number: int) -> str:
    """Eleven digits that begin with 100000: assigned to nobody."""
    return f"100{number:08d}"


@dataclass(frozen=True)
class Invented:
    """One ordinary expert of the pool, as a row of the import file states him."""

    number: int
    employer: str
    kind: str
    discipline: str
    specialties: tuple[str, ...]
    source: str
    title: str
    title_rank: int
    birth_date: date
    career_start: int
    since: date

    @property
    def name(self) -> str:
        return invented_name(self.number)

    @property
    def phone(self) -> str:
        return invented_phone(self.number)


def employing() -> list[EmployerSpec]:
    """The employers of the list, without the superior bodies that stand above them, and the invented."""
    real = [spec for spec in employers() if spec.source != "superior body"]
    return [*real, *INVENTED_EMPLOYERS]


def ordinary(today: date, count: int = ORDINARY, stride: int = 1) -> list[Invented]:
    """The pool whom no rule about the person excludes: `count` people, the same on every run. Each
    works `stride` employers further down the list than the one before him."""
    bodies = employing()
    return [
        _one(number, bodies[(number - 1) * stride % len(bodies)], today)
        for number in range(1, count + 1)
    ]


def _one(number: int, body: EmployerSpec, today: date) -> Invented:
    kind = _KINDS[share("kind", number) % len(_KINDS)]
    fields = _DISCIPLINES[kind]
    discipline = fields[share("discipline", number) % len(fields)]
    titles = _TITLES[body.kind]
    title, rank = titles[share("title", number) % len(titles)]
    age = 42 + share("age", number) % 22
    start = today.year - age + 26
    known = _SPECIALTIES[discipline]
    first = share("specialty", number) % len(known)
    return Invented(
        number=number,
        employer=body.name,
        kind=kind,
        discipline=discipline,
        specialties=(known[first], known[(first + 1) % len(known)]),
        source=body.kind,
        title=title,
        title_rank=rank,
        birth_date=date(today.year - age, 1 + number % 12, 1 + number % 28),
        career_start=start,
        since=date(start + share("since", number) % 8, 7, 1),
    )
