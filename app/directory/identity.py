"""What a name, an identity number, a phone and a birth date may look like.

The check digit of the 18-digit number is ISO 7064 MOD 11-2 as GB 11643 prescribes. Region 999999
belongs to nobody: numbers that start with it are for exercises and carry no check.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from app.documents.characters import clean_text, undrawable
from app.domain.types import DomainError, Text

EXERCISE_REGION = "999999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"

_NAME = Text("请填写姓名（不超过 60 个字符）。", "Enter the name (at most 60 characters).")
_PRIVATE = Text(
    "姓名中有自造字或无法识别的字符（{codes}）。请改用《通用规范汉字表》或 GB 18030 中的字。",
    "The name holds private-use or unreadable characters ({codes}). Use characters of GB 18030.",
)
_ID = Text(
    "身份证号应为 18 位：前 17 位数字，末位数字或 X。",
    "An identity number has 18 characters: 17 digits, then a digit or X.",
)
_ID_CHECK = Text(
    "身份证号校验位不对，请核对是否输错。",
    "The check digit of the identity number does not fit; look for a typing error.",
)
_ID_BIRTH = Text(
    "身份证号中的出生日期不是有效日期，或与填写的出生日期不一致。",
    "The birth date inside the identity number is no valid date, or differs from the one entered.",
)
_PHONE = Text(
    "手机号应为以 1 开头的 11 位数字，固定电话应带区号。",
    "A mobile number has 11 digits and starts with 1; a landline needs its area code.",
)
_BIRTH = Text("出生日期不合理：{value}。", "The birth date is not plausible: {value}.")


def narrow(value: str) -> str:
    """Full-width digits, letters and spaces become ordinary ones; outer spaces go."""
    return unicodedata.normalize("NFKC", value).strip()


def clean_name(name: str) -> str:
    """A person's name without stray spaces and invisible marks; DomainError with `field`."""
    cleaned = re.sub(r"\s+", " ", clean_text(name.replace("\u3000", " "))).strip()
    if re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", cleaned) and re.fullmatch(
        r"[\u4e00-\u9fff ]+", cleaned
    ):
        cleaned = cleaned.replace(" ", "")  # 张 三 is 张三, typed so to align a column
    bad = [c for c in name if unicodedata.category(c) in ("Co", "Cs", "Cn") or c == "\ufffd"]
    if bad:
        codes = "、".join(f"U+{ord(c):04X}" for c in dict.fromkeys(bad))
        raise DomainError(_PRIVATE.format(codes=codes), field="name")
    if not cleaned or len(cleaned) > 60:
        raise DomainError(_NAME, field="name")
    return cleaned


def name_warning(name: str) -> Text | None:
    """Rare characters that a PDF cannot show, named, so that one learns of it before the report."""
    missing = undrawable(name)
    if not missing:
        return None
    shown = "、".join(f"{c}（U+{ord(c):04X}）" for c in missing)
    return Text(
        f"姓名中的 {shown} 不在内置字体中，已照原样保存，但 PDF 文件无法印出；请事先商定通用写法。",
        f"The bundled fonts lack {shown}. The name is kept as it is, but a PDF cannot print it; "
        "agree on a common form beforehand.",
    )


def clean_id_number(value: str | None) -> str | None:
    """18 characters, upper-case X, with a right check digit; None when empty."""
    number = re.sub(r"[\s-]", "", narrow(value or "")).upper()
    if not number:
        return None
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise DomainError(_ID, field="id_number")
    if not number.startswith(EXERCISE_REGION):
        total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
        if _CHECK[total % 11] != number[17]:
            raise DomainError(_ID_CHECK, field="id_number")
    return number


def birth_date_of(id_number: str | None, stated: date | None) -> date | None:
    """The birth date: the stated one, else the one in the number. The two must agree."""
    if id_number is None:
        return stated
    try:
        inside = date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError as error:
        raise DomainError(_ID_BIRTH, field="id_number") from error
    if stated is not None and stated != inside:
        raise DomainError(_ID_BIRTH, field="birth_date")
    return inside


def check_birth_date(value: date | None, today: date) -> date | None:
    """Between 16 and 110 years ago."""
    if value is not None and not (16 <= today.year - value.year <= 110):
        raise DomainError(_BIRTH.format(value=value.isoformat()), field="birth_date")
    return value


def clean_phone(value: str | None) -> str | None:
    """Digits only, without +86; None when empty."""
    digits = re.sub(r"[\s()（）\-－.]", "", narrow(value or ""))
    digits = re.sub(r"^(\+|00)?86(?=1[0-9]{10}$)", "", digits)
    if not digits:
        return None
    if not re.fullmatch(r"1[0-9]{10}|0[0-9]{9,11}", digits):
        raise DomainError(_PHONE, field="phone")
    return digits
