"""Attribute values in words: what the engine calls `kind = technical` as people say it."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.types import Text
from app.draw import messages
from app.draw.pool import UNKNOWN, Assessment
from app.registry import words

_TABLES: Mapping[str, Mapping[str, Text]] = {
    "kind": words.KIND,
    "discipline": words.DISCIPLINE,
    "source": words.SOURCE,
}
# GB/T 2260-2007: provinces by the first two digits of a division's code.
_PROVINCES: Mapping[str, tuple[str, str]] = {
    "11": ("北京", "Beijing"), "12": ("天津", "Tianjin"), "13": ("河北", "Hebei"),
    "14": ("山西", "Shanxi"), "15": ("内蒙古", "Inner Mongolia"), "21": ("辽宁", "Liaoning"),
    "22": ("吉林", "Jilin"), "23": ("黑龙江", "Heilongjiang"), "31": ("上海", "Shanghai"),
    "32": ("江苏", "Jiangsu"), "33": ("浙江", "Zhejiang"), "34": ("安徽", "Anhui"),
    "35": ("福建", "Fujian"), "36": ("江西", "Jiangxi"), "37": ("山东", "Shandong"),
    "41": ("河南", "Henan"), "42": ("湖北", "Hubei"), "43": ("湖南", "Hunan"),
    "44": ("广东", "Guangdong"), "45": ("广西", "Guangxi"), "46": ("海南", "Hainan"),
    "50": ("重庆", "Chongqing"), "51": ("四川", "Sichuan"), "52": ("贵州", "Guizhou"),
    "53": ("云南", "Yunnan"), "54": ("西藏", "Tibet"), "61": ("陕西", "Shaanxi"),
    "62": ("甘肃", "Gansu"), "63": ("青海", "Qinghai"), "64": ("宁夏", "Ningxia"),
    "65": ("新疆", "Xinjiang"), "71": ("台湾", "Taiwan"), "81": ("香港", "Hong Kong"),
    "82": ("澳门", "Macao"),
}  # fmt: skip


def value_words(attribute: str, value: str, employers: Mapping[str, str] | None = None) -> Text:
    """One value of an attribute in words; employers by their name when it is known."""
    if value == UNKNOWN:
        return Text("未登记", "not recorded")
    if attribute == "region" and value[:2] in _PROVINCES:
        return Text(*_PROVINCES[value[:2]])
    found = _TABLES.get(attribute, {}).get(value)
    return found or Text.of((employers or {}).get(value, value))


def in_words(text: Text, found: Assessment) -> Text:
    """A text of the engine with its `attribute = value` and bare attributes in words."""
    zh, en = text.zh, text.en
    pairs = sorted(
        {(a, v) for panel in found.panels for a, rows in panel.quotas.items() for v in rows},
        key=lambda pair: (-len(pair[1]), pair),
    )
    for attribute, value in pairs:
        name = messages.ATTRIBUTE.get(attribute, Text.of(attribute))
        words_ = value_words(attribute, value, found.employers)
        zh = zh.replace(f"“{attribute} = {value}”", f"“{name.zh}：{words_.zh}”")
        en = en.replace(f"{attribute} = {value}", f"{name.en.lower()} = {words_.en}")
    return Text(zh, en)
