"""Read a YAML text into values that remember their line and path, and check them key by key.

Stricter than plain YAML on purpose: numbers become Decimal from their own digits (never float),
dates stay text, duplicate keys, aliases and tags are refused, and a key nobody asked for is an
error. All problems of a file are collected, so that one run shows them all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from app.domain.types import DomainError, Text

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_CHINESE = re.compile(r"[\u3400-\u9fff\u3001\u3002\uff00-\uffef]")
# libyaml where the wheel has it: the same data, several times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 30
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of a file: where (path and line, 1-based), what is wrong, how to put it right."""

    path: str
    line: int
    code: str
    what: Text
    fix: Text


class SchemaError(DomainError):
    """A form or scheme file does not fit the schema; `problems` lists every defect found."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            Text(
                "第 {line} 行 {path}：{what}（共 {n} 处）",
                "line {line}, {path}: {what} ({n} in all)",
            ).format(line=first.line, path=first.path, what=first.what, n=len(self.problems))
        )


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML value with its place. `value`: str, Decimal, bool, None, list or dict of Located."""

    value: Any
    line: int
    path: str


def read_yaml(text: str) -> Located:
    """The document as Located values. Raises SchemaError when it is not plain YAML data."""
    problems: list[Problem] = []
    try:
        _refuse_deep(text)
        node = yaml.compose(text, Loader=LOADER)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        reason = getattr(error, "problem", None) or type(error).__name__
        raise SchemaError(
            [_problem("", line, "yaml", _NOT_YAML.format(reason=reason), _FIX_YAML)]
        ) from error
    if node is None:
        raise SchemaError(
            [_problem("", 1, "yaml", Text("文件为空", "the file is empty"), _FIX_YAML)]
        )
    located = _locate(node, "", problems, set())
    if problems:
        raise SchemaError(problems)
    return located


_NOT_YAML = Text("不是有效的 YAML：{reason}", "not valid YAML: {reason}")
_FIX_YAML = Text("检查缩进、引号和冒号", "check indentation, quotes and colons")


def _refuse_deep(text: str) -> None:
    """Walk the flat event stream first: the composer recurses and a deep file would crash it."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            what = _NOT_YAML.format(reason=Text("嵌套过深", "nested too deeply"))
            raise SchemaError([_problem("", line, "yaml", what, _FIX_YAML)])


def _problem(path: str, line: int, code: str, what: Text, fix: Text) -> Problem:
    return Problem(path or "(file)", line, code, what, fix)


def _locate(node: yaml.Node, path: str, problems: list[Problem], seen: set[int]) -> Located:
    line = node.start_mark.line + 1
    if id(node) in seen:
        what = Text("不允许使用锚点和别名", "anchors and aliases are not allowed")
        problems.append(_problem(path, line, "alias", what, Text("把内容写全", "write it out")))
        return Located(None, line, path)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Located] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            here = f"{path}.{key}" if path else key
            key_line = key_node.start_mark.line + 1
            if not key or key in mapping:
                what = Text("重复或无效的键：{k}", "duplicate or invalid key: {k}").format(k=key)
                fix = Text("每个键只写一次", "write each key once")
                problems.append(_problem(here, key_line, "duplicate-key", what, fix))
                continue
            mapping[key] = _locate(value_node, here, problems, seen)
        return Located(mapping, line, path)
    if isinstance(node, yaml.SequenceNode):
        return Located(
            [
                _locate(child, f"{path}[{_label(child, i)}]", problems, seen)
                for i, child in enumerate(node.value)
            ],
            line,
            path,
        )
    return Located(_scalar(node, path, line, problems), line, path)


def _label(node: yaml.Node, index: int) -> str:
    """Name a list entry by its id: `indicators[A3]` says more than `indicators[2]`."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "id" and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    return str(index)


def _scalar(node: yaml.Node, path: str, line: int, problems: list[Problem]) -> Any:
    kind = node.tag.removeprefix(_TAG)
    text = str(node.value)
    if kind in ("str", "timestamp"):
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind in ("int", "float") and _NUMBER.match(text):
        return Decimal(text)
    what = Text("不能识别的值：{v}", "a value that cannot be read: {v}").format(v=text)
    fix = Text("数字写成普通十进制，文字加引号", "plain decimal numbers; quote text")
    problems.append(_problem(path, line, "value", what, fix))
    return None


class Fields:
    """Reads one mapping key by key and reports what is missing, mistyped or left over.

    Getters return a neutral value after reporting a problem; `check` (by the caller, at the end of
    the file) raises before such a value can be used.
    """

    def __init__(self, source: Located, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.line = source.line
        self.path = source.path
        self._values: dict[str, Located] = {}
        self._asked: set[str] = set()
        if isinstance(source.value, dict):
            self._values = source.value
        else:
            self.report(source, "type", Text("应为键值对", "a mapping expected"))

    def report(self, at: Located, code: str, what: Text, fix: Text | None = None) -> None:
        fix = fix or Text("参照 scoring_forms/README.md", "see scoring_forms/README.md")
        self.problems.append(_problem(at.path, at.line, code, what, fix))

    def has(self, key: str) -> bool:
        return key in self._values

    def line_of(self, key: str) -> int:
        return self._values[key].line if key in self._values else self.line

    def _take(self, key: str, required: bool) -> Located | None:
        self._asked.add(key)
        found = self._values.get(key)
        if found is None or found.value is None:
            if required:
                here = Located(None, self.line, f"{self.path}.{key}" if self.path else key)
                self.report(here, "required", Text("缺少必填项", "required and missing"))
            return None
        return found

    def text(self, key: str, *, required: bool = True, default: str = "") -> str:
        found = self._take(key, required)
        if found is None:
            return default
        if not isinstance(found.value, str) or not found.value.strip():
            self.report(
                found,
                "type",
                Text("应为文字（必要时加引号）", "text expected (quote it)"),
            )
            return default
        return found.value.strip()

    def optional_text(self, key: str) -> str | None:
        return self.text(key, required=False) or None

    def choice(self, key: str, options: Collection[str], default: str | None = None) -> str:
        found = self._take(key, default is None)
        if found is None:
            return default or ""
        if found.value not in options:
            listed = ", ".join(sorted(options))
            self.report(
                found,
                "choice",
                Text("无效的取值：{v}", "not a known value: {v}").format(v=found.value),
                Text("可用：{o}", "one of: {o}").format(o=listed),
            )
            return ""
        return str(found.value)

    def optional_choice(self, key: str, options: Collection[str]) -> str | None:
        return self.choice(key, options) if self._asks(key) else None

    def _asks(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def at(self, key: str) -> Located:
        """The value under `key`, or the mapping itself when the key is absent."""
        return self._values.get(key, self.source)

    def number(self, key: str, default: Decimal | None = None) -> Decimal:
        found = self._take(key, default is None)
        if found is None:
            return Decimal(0) if default is None else default
        if not isinstance(found.value, Decimal):
            self.report(found, "type", Text("应为数字", "a number expected"))
            return Decimal(0)
        return found.value

    def optional_number(self, key: str) -> Decimal | None:
        return self.number(key) if self._asks(key) else None

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.number(key, None if default is None else Decimal(default))
        if value != value.to_integral_value():
            self.report(self._values[key], "type", Text("应为整数", "a whole number expected"))
            return 0
        return int(value)

    def optional_integer(self, key: str) -> int | None:
        return self.integer(key) if self._asks(key) else None

    def flag(self, key: str, default: bool = False) -> bool:
        found = self._take(key, False)
        if found is None:
            return default
        if not isinstance(found.value, bool):
            self.report(found, "type", Text("应为 true 或 false", "true or false expected"))
            return default
        return found.value

    def pair(self, key: str) -> Text:
        found = self._take(key, True)
        return self._pair(found) if found is not None else Text("", "")

    def optional_pair(self, key: str) -> Text | None:
        found = self._take(key, False)
        return self._pair(found) if found is not None else None

    def pairs(self, key: str) -> tuple[Text, ...]:
        return tuple(self._pair(entry) for entry in self._entries(key, False))

    def _pair(self, at: Located) -> Text:
        if not isinstance(at.value, dict):
            self.report(at, "type", Text("应为 {zh, en}", "{zh, en} expected"))
            return Text("", "")
        words: dict[str, str] = {}
        for language in ("zh", "en"):
            entry = at.value.get(language)
            if entry is None or not isinstance(entry.value, str) or not entry.value.strip():
                names = {
                    "zh": Text("缺少中文", "Chinese missing"),
                    "en": Text("缺少英文", "English missing"),
                }
                fix = Text("中英文都要写", "write both languages")
                self.report(at, f"missing-{language}", names[language], fix)
            else:
                words[language] = entry.value.strip()
        for extra in set(at.value) - {"zh", "en"}:
            self._unknown(at.value[extra], extra)
        if _CHINESE.search(words.get("en", "")):
            what = Text("英文中含有中文", "Chinese characters in the English text")
            self.report(at, "missing-en", what, Text("译成英文", "translate it"))
        return Text(words.get("zh", ""), words.get("en", ""))

    def _entries(self, key: str, required: bool) -> list[Located]:
        found = self._take(key, required)
        if found is None:
            return []
        if not isinstance(found.value, list):
            self.report(found, "type", Text("应为列表", "a list expected"))
            return []
        return found.value

    def words(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of plain words (ids)."""
        words = []
        for entry in self._entries(key, required):
            if isinstance(entry.value, str):
                words.append(entry.value)
            else:
                self.report(
                    entry,
                    "type",
                    Text("应为文字（必要时加引号）", "text expected (quote it)"),
                )
        return tuple(words)

    def children(self, key: str, *, required: bool = False) -> Iterator[Fields]:
        for entry in self._entries(key, required):
            yield Fields(entry, self.problems)

    def child(self, key: str) -> Fields:
        found = self._take(key, True)
        return Fields(found or Located({}, self.line, f"{self.path}.{key}"), self.problems)

    def optional_child(self, key: str) -> Fields | None:
        found = self._take(key, False)
        return Fields(found, self.problems) if found is not None else None

    def named_children(self, key: str, *, required: bool = False) -> Iterator[tuple[str, Fields]]:
        """The entries of a mapping of mappings, by name."""
        found = self._take(key, required)
        if found is None:
            return
        if not isinstance(found.value, dict):
            self.report(found, "type", Text("应为键值对", "a mapping expected"))
            return
        for name, entry in found.value.items():
            yield name, Fields(entry, self.problems)

    def end(self) -> None:
        """Refuse every key that was not asked for."""
        for key, entry in self._values.items():
            if key not in self._asked:
                self._unknown(entry, key)

    def _unknown(self, at: Located, key: str) -> None:
        what = Text("未知的键：{k}", "unknown key: {k}").format(k=key)
        self.report(
            at,
            "unknown-key",
            what,
            Text("检查拼写或删去", "check the spelling or remove it"),
        )


def check(problems: Collection[Problem]) -> None:
    """Raise SchemaError when there is any problem."""
    if problems:
        raise SchemaError(sorted(problems, key=lambda problem: problem.line))
