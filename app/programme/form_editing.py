"""A form written on screen: checked line by line, compared with the latest version, shown as tablet and
paper will show it, and taken in as a new version, which an administrator signs like any other (S0 art. 8).

Nothing here judges: what is wrong with a form is the linter's, what a form means is the compiler's.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import load_library, read_files
from app.domain.scoring.lint import lint_files
from app.domain.scoring.lint_findings import Finding
from app.domain.scoring.schema import Fact, Form, Indicator, parse_form
from app.domain.scoring.yaml_source import SchemaError
from app.domain.types import DomainError, Text
from app.programme import words
from app.programme.guards import require
from app.programme.marked_lines import Line, marked_lines
from app.programme.models import FormVersion
from app.programme.versions import add_form_version, form_of, latest_version

MOST_CHARACTERS = 200_000  # the longest form of the library has 14,000

_WRONG = Text(
    "评分表有 {n} 处错误，没有保存；请按各行旁边的说明改正。",
    "The form has {n} error(s) and was not saved; correct the lines named beside it.",
)
_SAME = Text(
    "与现有最新版本的内容相同，没有新增版本。",
    "This says the same as the latest version; no version was made.",
)
_UNSEEN = Text(
    "这不是刚才检查过的内容，没有保存；请先检查，看过说明和差别后再保存。",
    "This is not the text that was checked, so it was not saved; check it first, read the remarks "
    "and the difference, then save it.",
)
_LONG = Text(
    "文件超过 {n} 个字符，不像一张评分表。没有读取。",
    "The file has more than {n} characters and is no score form. It was not read.",
)
_ADDED = Text("新增 {i} {t}", "{i} {t} is new")
_GONE = Text("删去 {i} {t}", "{i} {t} is gone")
_CHANGED = Text("{i} 的{what}：{a} → {b}", "{what} of {i}: {a} → {b}")
_SCALE = Text("{i} 的计分方式（{t}）内容有改动", "the scale of {i} ({t}) was changed inside")
_WHAT = {
    "title": Text("名称", "Title"),
    "section": Text("部分", "Section"),
    "points": Text("满分", "Maximum"),
    "scale": Text("计分方式", "Scale"),
    "who": Text("评分人", "Scorer"),
    "guidance": Text("评分标准", "Standard"),
    "evidence": Text("佐证", "Evidence"),
    "na": Text("不适用的办法", "Rule for not applicable"),
    "status": Text("来历", "Origin"),
}
_NONE = Text("无", "none")


@dataclass(frozen=True, slots=True)
class Checked:
    """A form's text held against library and latest version; nothing was changed."""

    text: str
    form: Form | None
    findings: tuple[Finding, ...]
    latest: FormVersion | None
    instrument: dict[str, Any] | None  # None while it cannot be compiled
    facts: Mapping[str, bool]  # what the preview takes for granted

    @property
    def errors(self) -> int:
        """How many remarks keep the form from being saved."""
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def seen(self) -> str:
        """SHA-256 of the text: what was looked at is what is saved."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def lines(self) -> list[Line[Finding]]:
        """The lines with remarks and those around them."""
        return marked_lines(self.text, self.findings)

    def differences(self) -> list[Text]:
        """What the form says otherwise than its latest version, in words; empty without one."""
        if self.form is None or self.latest is None:
            return []
        old = form_of(self.latest)
        then = _compiled(old, {fact.name: True for fact in old.facts} | dict(self.facts))
        return _differences(old, self.form, _scales(then), _scales(self.instrument))

    def changed_lines(self) -> list[tuple[str, str]]:
        """("+" | "-" | " " | "@", line): the text against the latest version's."""
        if self.latest is None:
            return []
        old, new = self.latest.source.splitlines(), self.text.splitlines()
        rows = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
        return [(row[0], row[1:].strip("@") if row[0] == "@" else row[1:]) for row in rows]

    def rows(self) -> list[Fact]:
        """The properties of a county that the form asks for: what the preview can be tried with."""
        return list(self.form.facts) if self.form is not None else []


def checked(session: Session, text: str, facts: Mapping[str, bool] | None = None) -> Checked:
    """Check a form's YAML `text` with the library beside it; `facts` (taken as yes) are for the preview.

    Raises DomainError only for a text that is too long to be one.
    """
    if len(text) > MOST_CHARACTERS:
        raise DomainError(_LONG.format(n=f"{MOST_CHARACTERS:,}"), field="text")
    form = None
    with suppress(SchemaError):  # the linter says it, with its line
        form = parse_form(text)
    name = f"forms/{form.id}.yaml" if form is not None else "forms/.yaml"
    library = read_files()
    findings = [f for f in lint_files({**library, name: text}) if f.file == name]
    given = {fact.name: True for fact in form.facts} if form is not None else {}
    given |= {key: value for key, value in (facts or {}).items() if key in given}
    return Checked(
        text=text,
        form=form,
        findings=tuple(findings),
        latest=latest_version(session, form.id) if form is not None else None,
        instrument=_compiled(form, given),
        facts=given,
    )


def _compiled(form: Form | None, facts: Mapping[str, bool]) -> dict[str, Any] | None:
    if form is None:
        return None
    try:
        return compile_form(form, FormContext(facts, load_library().vetoes_of_form(form.id)))
    except DomainError:
        return None  # a finding says why


def save(session: Session, actor: Viewer | None, found: Checked, seen: str) -> FormVersion:
    """Take the checked form in as a new version, unsigned. DomainError when it has errors, is not what
    was checked (`seen`), or says what the latest version says; nothing is saved then."""
    require(actor, "office", "admin")
    if found.errors or found.form is None:
        raise DomainError(_WRONG.format(n=max(1, found.errors)), field="text")
    if seen != found.seen:
        raise DomainError(_UNSEEN, field="text")
    before = found.latest.id if found.latest else None
    version = add_form_version(session, actor, found.text)
    session.flush()
    if version.id == before:
        raise DomainError(_SAME, field="text")
    return version


def _scales(instrument: Mapping[str, Any] | None) -> dict[str, Any]:
    """Item id -> its scale as the tablet reads it."""
    return {item["id"]: item["scale"] for item in (instrument or {"items": ()})["items"]}


def _differences(
    old: Form, new: Form, old_scales: Mapping[str, Any], new_scales: Mapping[str, Any]
) -> list[Text]:
    found: list[Text] = []

    def changed(where: str | Text, what: Text, a: Any, b: Any) -> None:
        if a != b:
            a, b = (_both(value) for value in (a, b))
            found.append(_CHANGED.format(i=where, what=what, a=a, b=b))

    whole = Text("全表", "the form")
    changed(whole, _WHAT["title"], old.title, new.title)
    changed(whole, _WHAT["points"], _number(old.total), _number(new.total))
    for kind in ("sections", "indicators"):
        before = {part.id: part for part in getattr(old, kind)}
        after = {part.id: part for part in getattr(new, kind)}
        found += [
            _GONE.format(i=key, t=part.title) for key, part in before.items() if key not in after
        ]
        found += [
            _ADDED.format(i=key, t=part.title) for key, part in after.items() if key not in before
        ]
        for key in [key for key in after if key in before]:
            a, b = before[key], after[key]
            changed(key, _WHAT["title"], a.title, b.title)
            changed(key, _WHAT["points"], _number(a.maximum), _number(b.maximum))
            if isinstance(a, Indicator) and isinstance(b, Indicator):
                changed(key, _WHAT["section"], a.section, b.section)
                if old_scales.get(key) != new_scales.get(key):
                    was, now = words.scale_text(a.scale), words.scale_text(b.scale)
                    found.append(
                        _CHANGED.format(i=key, what=_WHAT["scale"], a=was, b=now)
                        if was != now
                        else _SCALE.format(i=key, t=now)
                    )
                changed(key, _WHAT["who"], a.scorer, b.scorer)
                changed(key, _WHAT["guidance"], a.guidance, b.guidance)
                changed(key, _WHAT["evidence"], a.evidence, b.evidence)
                changed(key, _WHAT["na"], a.not_applicable, b.not_applicable)
                changed(key, _WHAT["status"], a.status, b.status)
    for kind in ("figures", "facts"):
        names = {part.name: part.title for part in getattr(old, kind)}
        now_called = {part.name: part.title for part in getattr(new, kind)}
        found += [_GONE.format(i=k, t=t) for k, t in names.items() if k not in now_called]
        found += [_ADDED.format(i=k, t=t) for k, t in now_called.items() if k not in names]
        for key in [key for key in now_called if key in names]:
            changed(key, _WHAT["title"], names[key], now_called[key])
    return found


def _both(value: Any) -> Any:
    """A text in both its languages, since either may be what was changed."""
    if isinstance(value, Text):
        return f"{value.zh} / {value.en}"
    return _NONE if value in (None, "") else value


def _number(value: Any) -> str:
    return "" if value is None else f"{value:f}"
