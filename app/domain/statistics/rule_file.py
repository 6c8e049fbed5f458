"""A score rule as a YAML file: every defect with its line, and what is allowed but odd.

The same file serves `mingjian aggregate --rule` and the page on which a round takes its rule, so both
refuse the same things in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.domain.scoring.yaml_source import Located, SchemaError, read_yaml
from app.domain.statistics.rounding import plain
from app.domain.statistics.rule import ScoreRule
from app.domain.types import DomainError, Text

MOST_CHARACTERS: Final = 200_000
_MOST_NOTES = 50
# Keys that are read by the light of another one: with that one wrong, nothing is said about them.
_LEANS = {
    "modules": ("ties",),
    "items": ("ties", "sections"),
    "trim": ("rounding", "sections"),
    "trim.unit": ("rounding", "sections"),
    "estimator": ("sections",),
}
_LONG = Text(
    "规则文件超过 {n} 个字符，没有读取。",
    "The rule file is longer than {n} characters; it was not read.",
)
_FIRST = Text("规则第 {line} 行：{what}（共 {n} 处）", "Rule, line {line}: {what} ({n} in all)")
_NOT_KEYS = Text("规则应为键值对。", "The rule must be a mapping of keys to values.")


@dataclass(frozen=True, slots=True)
class Note:
    """One remark on a rule file; `line` is 1-based, `key` a path such as `trim.drop.5`."""

    line: int
    level: Literal["error", "warning"]
    key: str
    text: Text


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file says: the rule (None while there is an error) and every remark, by line."""

    rule: ScoreRule | None
    notes: tuple[Note, ...]
    source: Located | None

    @property
    def errors(self) -> tuple[Note, ...]:
        """The remarks that keep the rule from being used."""
        return tuple(note for note in self.notes if note.level == "error")

    def line(self, key: str) -> int:
        """The line on which a key, or the nearest one above it, stands."""
        return 1 if self.source is None else _find(self.source, key)[0].line


def read_rule(text: str) -> RuleFile:
    """A rule file with all its defects; a file without content is the default rule."""
    if len(text) > MOST_CHARACTERS:
        raise DomainError(_LONG.format(n=MOST_CHARACTERS))
    if all(not row.strip() or row.lstrip().startswith("#") for row in text.splitlines()):
        return RuleFile(ScoreRule.parse(None), (), None)
    try:
        source = read_yaml(text)
    except SchemaError as error:
        notes = [
            Note(p.line, "error", p.path, Text(f"{p.what.zh}。", f"{p.what.en}."))
            for p in error.problems
        ]
        return RuleFile(None, tuple(notes), None)
    if not isinstance(source.value, dict):
        return RuleFile(None, (Note(source.line, "error", "rule", _NOT_KEYS),), source)
    rule, errors = _parsed(source)
    found = [*errors, *(_odd(rule, source) if rule is not None else ())]
    return RuleFile(rule, tuple(sorted(found, key=lambda note: (note.line, note.key))), source)


def load_rule(text: str) -> ScoreRule:
    """The rule of a file. Raises DomainError with the first defect's line and their number."""
    read = read_rule(text)
    if read.rule is None:
        first = read.errors[0]
        text_ = _FIRST.format(line=first.line, what=first.text, n=len(read.errors))
        raise DomainError(text_, field=first.key)
    return read.rule


def _plain(located: Located) -> Any:
    """Values without places; numbers as the digits that were typed, since a rule takes no floats."""
    value = located.value
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, str | bool):
        return value
    return plain(value)


def _parsed(source: Located) -> tuple[ScoreRule | None, list[Note]]:
    """The rule, or every error: what is wrong is put aside and the rest is read again."""
    data, notes = _plain(source), list[Note]()
    while len(notes) < _MOST_NOTES:
        try:
            rule = ScoreRule.parse(data)
        except DomainError as error:
            key = error.field or ""
            place, steps = _find(source, key)
            notes.append(Note(place.line, "error", key or "rule", error.text))
            if not steps or not _put_aside(data, steps):
                break
            for other in _LEANS.get(".".join(map(str, steps)), ()):
                data.pop(other, None)
        else:
            return (None if notes else rule), notes
    return None, notes


def _find(source: Located, key: str) -> tuple[Located, list[str | int]]:
    """The deepest place that a path leads to, and the steps to it. A name may hold full stops."""
    here, steps, rest = source, list[str | int](), key
    while rest:
        if isinstance(here.value, dict):
            fits = [n for n in here.value if rest == n or rest.startswith(f"{n}.")]
            if not fits:
                break
            name = max(fits, key=len)
            here, rest = here.value[name], rest[len(name) + 1 :]
            steps.append(name)
        elif isinstance(here.value, list):
            head, _, rest = rest.partition(".")
            if not head.isdigit() or int(head) >= len(here.value):
                break
            here = here.value[int(head)]
            steps.append(int(head))
        else:
            break
    return here, steps


def _put_aside(data: Any, steps: list[str | int]) -> bool:
    """Remove what the steps lead to; of a list the whole list goes, since its numbers would shift."""
    first_number = next((i for i, step in enumerate(steps) if isinstance(step, int)), len(steps))
    path, here = steps[:first_number], data
    for step in path[:-1]:
        if not isinstance(here, dict) or step not in here:
            return False
        here = here[step]
    return isinstance(here, dict) and here.pop(path[-1], _put_aside) is not _put_aside


def _odd(rule: ScoreRule, source: Located) -> list[Note]:
    """Settings that are allowed and probably not meant."""
    given: Mapping[str, Any] = source.value
    found: list[tuple[str, Text]] = []
    cuts = rule.estimator in ("trimmed_mean", "winsorised")
    drops = [start for start, count in sorted(rule.drop.items()) if count]
    if cuts and drops and rule.quorum < drops[0]:
        found.append(
            (
                "quorum",
                Text(
                    "有效分数 {a} 至 {b} 个时不去极值，因为去掉的个数表从 {s} 个开始。",
                    "With {a} to {b} marks nothing is dropped: the table of drops starts at {s}.",
                ).format(a=rule.quorum, b=drops[0] - 1, s=drops[0]),
            )
        )
    if not cuts and "trim" in given and "drop" in given["trim"].value:
        found.append(
            (
                "trim.drop",
                Text("{e} 不用这张表。", "{e} does not use this table.").format(e=rule.estimator),
            )
        )
    if rule.estimator == "algorithm_a":
        found.append(
            (
                "estimator",
                Text(
                    "稳健均值不能用计算器复算，读者只能相信程序。",
                    "A robust mean cannot be redone with a calculator; readers have to trust a program.",
                ),
            )
        )
    if rule.rounding["total"] is None:
        found.append(
            (
                "rounding.total",
                Text(
                    "公布的得分不取整，读者无法按报告重新排序。",
                    "The published total is not rounded, so readers cannot rank again from the report.",
                ),
            )
        )
    if rule.rank_on == "unrounded" and "unrounded" in rule.ties:
        found.append(
            (
                "ties" if "ties" in given else "rank_on",
                Text(
                    "名次已按未取整的得分排列，“unrounded”一级不起作用。",
                    "Ranks go by the unrounded total already, so the rung “unrounded” does nothing.",
                ),
            )
        )
    if rule.adjust:
        found.append(
            (
                "adjust",
                Text(
                    "评分之前就写明了加减分，请核对依据。",
                    "Bonuses or deductions are fixed before any mark is given; check what they rest on.",
                ),
            )
        )
    return [Note(_find(source, key)[0].line, "warning", key, text) for key, text in found]
