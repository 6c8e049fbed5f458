"""The columns of an expert file: their names in both languages, how a cell is read, the template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from app.directory import identity
from app.documents.dates import PartialDate, parse_date
from app.domain.types import DomainError, Text
from app.registry import words

# Column heads of the template in their order, with the field that each fills.
COLUMNS = (
    "name",
    "employer",
    "department",
    "post",
    "since",
    "title",
    "title_rank",
    "kind",
    "discipline",
    "specialties",
    "source",
    "region",
    "career_start",
    "phone",
    "id_number",
    "birth_date",
    "nominated_by",
    "consent_at",
    "verified_on",
    "note",
)
# `expert`: the number (E0001) in a file that was exported from here, to be read back.
FIELDS = ("expert", *COLUMNS)
REQUIRED = ("name", "employer", "title", "kind", "discipline", "source")
_ALIASES = {
    "编号": "expert",
    "number": "expert",
    "专家姓名": "name",
    "单位": "employer",
    "单位名称": "employer",
    "所在单位名称": "employer",
    "工作单位名称": "employer",
    "所在部门": "department",
    "处室": "department",
    "行政职务": "post",
    "现任职务": "post",
    "技术职称": "title",
    "专业技术职称": "title",
    "职称等级": "title_rank",
    "专家类别": "kind",
    "专家类型": "kind",
    "所学专业": "discipline",
    "从事专业": "discipline",
    "专业方向": "specialties",
    "擅长领域": "specialties",
    "单位性质": "source",
    "单位类型": "source",
    "参加工作年份": "career_start",
    "从业年份": "career_start",
    "联系方式": "phone",
    "电话号码": "phone",
    "移动电话": "phone",
    "公民身份号码": "id_number",
    "证件号码": "id_number",
    "出生年月日": "birth_date",
    "生日": "birth_date",
    "入职时间": "since",
    "推荐文号": "nominated_by",
    "所在单位": "employer",
    "organisation": "employer",
    "organization": "employer",
    "手机": "phone",
    "手机号": "phone",
    "手机号码": "phone",
    "联系电话": "phone",
    "mobile": "phone",
    "身份证": "id_number",
    "身份证号码": "id_number",
    "idnumber": "id_number",
    "专业领域": "discipline",
    "研究方向": "specialties",
    "所在地区": "region",
    "单位所在地": "region",
    "任职起始": "since",
    "现岗位起始": "since",
    "推荐单位及文号": "nominated_by",
    "入库同意书日期": "consent_at",
    "consent": "consent_at",
    "最近核实日期": "verified_on",
    "说明": "note",
    "notes": "note",
    "remarks": "note",
}
_TITLES = {
    4: ("教授", "研究员", "正高级", "教授级高级工程师", "教授级高工", "研究馆员", "译审", "编审"),
    3: ("副教授", "副研究员", "高级工程师", "高级经济师", "高级会计师", "高级农艺师", "高级规划师"),
    2: ("讲师", "助理研究员", "工程师", "经济师", "会计师", "农艺师", "规划师"),
    1: ("助教", "研究实习员", "助理工程师", "助理经济师", "技术员"),
}
_CODE_ALIASES: dict[str, dict[str, str]] = {
    "kind": {},
    "discipline": {"土地管理": "land", "国土": "land", "矿业": "minerals", "地矿": "minerals"},
    "source": {
        "部属事业单位": "ministry_unit",
        "事业单位": "ministry_unit",
        "高校": "university",
        "大学": "university",
        "科研机构": "institute",
        "研究院所": "institute",
    },
    "title_rank": {"正高级": "4", "高级": "3", "副高级": "3"},
}

_NO_COLUMN = Text(
    "缺少列：{columns}。没有导入任何人；请使用模板，或指明这些内容在哪一列。",
    "Columns are missing: {columns}. Nobody was imported; use the template, or say which columns "
    "hold them.",
)
_TWICE = Text(
    "列“{column}”出现了两次。没有导入任何人；请删去一列。",
    "The column “{column}” occurs twice. Nobody was imported; remove one.",
)
_NOT_ONE_OF = Text(
    "“{value}”无效，可填：{choices}", "“{value}” is not valid; use one of: {choices}"
)
_NOT_DATE = Text("“{value}”不是日期，请写成 2026-01-31", "“{value}” is no date; write 2026-01-31")

# A spreadsheet keeps 2012.10 as the number 2012.1, and nobody can tell the two months apart.
_JANUARY = Text(
    "“{value}”可能是 1 月，也可能是 10 月（表格软件会去掉末尾的 0），请写成 {year}-01 或 {year}-10",
    "“{value}” may be January or October (a spreadsheet drops the last 0); write {year}-01 or {year}-10",
)


def _head(text: str) -> str:
    """A column head without case, spaces, marks of duty and remarks in brackets."""
    text = re.sub(r"\(.*?\)", "", identity.narrow(text).lower())
    return re.sub(r"[\s*:?_]", "", text)


# What a head that says more than the usual name has in it; a longer piece speaks first.
_PIECES = {
    "姓名": "name", "单位": "employer", "部门": "department", "职务": "post", "职称": "title",
    "级别": "title_rank", "类别": "kind", "专业": "discipline", "专长": "specialties",
    "研究": "specialties", "性质": "source", "来源": "source", "地区": "region", "省": "region",
    "从业": "career_start", "手机": "phone", "电话": "phone", "身份证": "id_number",
    "证件": "id_number", "出生": "birth_date", "推荐": "nominated_by", "同意": "consent_at",
    "核实": "verified_on", "备注": "note", "name": "name", "employer": "employer",
    "phone": "phone", "title": "title",
}  # fmt: skip


class ColumnsUnknown(DomainError):
    """A required field has no column, or two heads claim one; `headers` are those of the file."""

    def __init__(self, text: Text, headers: Iterable[str]) -> None:
        super().__init__(text, field="file")
        self.headers = tuple(headers)


def _known() -> dict[str, str]:
    known = {_head(name): name for name in FIELDS}
    known |= {_head(words.FIELD[name].zh): name for name in FIELDS}
    known |= {_head(words.FIELD[name].en): name for name in FIELDS}
    return known | {_head(alias): name for alias, name in _ALIASES.items()}


_KNOWN = _known()


def field_of(head: str) -> str | None:
    """The field that a head names in the usual words."""
    return _KNOWN.get(_head(head))


def field_like(head: str, taken: Iterable[str] = ()) -> str | None:
    """The field that a head seems to mean, of those that are not taken."""
    plain, gone = _head(head), set(taken)
    pieces = sorted(_PIECES, key=len, reverse=True)
    return next((_PIECES[p] for p in pieces if p in plain and _PIECES[p] not in gone), None)


def known_heads(cells: Iterable[str]) -> int:
    """How many fields a row of heads names: by this the heads of a sheet are found."""
    return len({name for name in map(field_of, cells) if name is not None})


def find_columns(headers: Iterable[str]) -> dict[str, str]:
    """Which head holds each field; ColumnsUnknown when a required one is missing or one is twice."""
    every = list(headers)
    found: dict[str, str] = {}
    for head in every:
        name = field_of(head)
        if name is None:
            continue
        if name in found:
            raise ColumnsUnknown(_TWICE.format(column=words.FIELD[name]), every)
        found[name] = head
    require_all(found, every)
    return found


def require_all(found: Iterable[str], headers: Iterable[str]) -> None:
    """ColumnsUnknown when a required field has no column."""
    held = set(found)
    missing = [words.FIELD[name] for name in REQUIRED if name not in held]
    if missing:
        both = Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing))
        raise ColumnsUnknown(_NO_COLUMN.format(columns=both), headers)


def read_start(value: str) -> date:
    """When something began; a month or a year alone is its first day."""
    return _read(value).first()


def read_day(value: str) -> date:
    """A date known to the day: 2026-01-31, 2026年1月31日, 20260131 ..."""
    found = _read(value)
    if not found.exact:
        raise DomainError(_NOT_DATE.format(value=value))
    return found.first()


def _read(value: str) -> PartialDate:
    if re.fullmatch(r"\d{4}\.1", identity.narrow(value)):
        raise DomainError(_JANUARY.format(value=value, year=identity.narrow(value)[:4]))
    try:
        return parse_date(value)
    except DomainError as error:
        raise DomainError(_NOT_DATE.format(value=value)) from error


def _read_code(name: str, names: dict[Any, Text]) -> Callable[[str], Any]:
    table = {str(code).lower(): code for code in names}
    table |= {text.zh: code for code, text in names.items()}
    table |= {text.zh.removesuffix("类"): code for code, text in names.items()}
    table |= {text.en.lower(): code for code, text in names.items()}
    by_text = {str(code): code for code in names}
    table |= {alias: by_text[code] for alias, code in _CODE_ALIASES[name].items()}

    def reader(value: str) -> Any:
        plain = identity.narrow(value).lower()
        if plain not in table:
            choices = Text(
                "、".join(text.zh for text in names.values()),
                ", ".join(str(code) for code in names),
            )
            raise DomainError(_NOT_ONE_OF.format(value=value, choices=choices))
        return table[plain]

    return reader


READ_KIND = _read_code("kind", words.KIND)
READ_DISCIPLINE = _read_code("discipline", words.DISCIPLINE)
READ_SOURCE = _read_code("source", words.SOURCE)
READ_RANK = _read_code("title_rank", words.TITLE_RANK)


def rank_of_title(title: str) -> int | None:
    """The rank that a common title implies; the longest known ending decides."""
    plain = identity.narrow(title)
    if plain.startswith("正高级"):
        return 4
    fits = [
        (len(name), rank)
        for rank, names in _TITLES.items()
        for name in names
        if plain.endswith(name)
    ]
    return max(fits)[1] if fits else None


TEMPLATE_ROWS = (
    {
        "name": "示例甲",
        "employer": "中国地质大学（武汉）",
        "department": "示例学院",
        "post": "教师",
        "since": "2015-09-01",
        "title": "教授",
        "title_rank": "正高",
        "kind": "技术",
        "discipline": "土地",
        "specialties": "节约集约用地；土地整治",
        "source": "高等院校",
        "region": "湖北省武汉市",
        "career_start": "1998",
        "phone": "10000000001",
        "id_number": "999999197001010001",
        "birth_date": "1970-01-01",
        "nominated_by": "示例推荐函〔2026〕1号",
        "consent_at": "2026-01-05",
        "verified_on": "2026-01-05",
        "note": "此行为虚构示例，请删除",
    },
    {
        "name": "示例乙",
        "employer": "示例研究院",
        "post": "总工程师",
        "title": "正高级工程师",
        "kind": "技术",
        "discipline": "规划",
        "source": "部属单位",
        "career_start": "2001",
        "note": "此行为虚构示例，请删除；只填必填列也可以导入，但没有推荐单位和同意书日期的人不能被抽取（规则 P-04）",
    },
)


EXAMPLE_MARK = "虚构示例，请删除"  # in the example rows of every template; a row with it is refused


def is_example(values: Mapping[str, str]) -> bool:
    """Whether a row (field -> cell) is the example of a template, left in."""
    invented = {row["name"] for row in TEMPLATE_ROWS}
    return values.get("name") in invented or any(EXAMPLE_MARK in cell for cell in values.values())


def template_table() -> tuple[list[str], list[list[str]]]:
    """Heads in Chinese, required ones marked, and two plainly invented rows."""
    heads = [words.FIELD[name].zh + ("*" if name in REQUIRED else "") for name in COLUMNS]
    return heads, [[row.get(name, "") for name in COLUMNS] for row in TEMPLATE_ROWS]
