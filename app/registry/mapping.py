"""Which column of an office's own workbook holds what: guessed by the usual names, set by hand once,
and remembered for every later file with the same headings. One way for the experts and for every list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, Text
from app.ledger.append import append
from app.registry import columns, words
from app.registry.columns import ColumnsUnknown
from app.registry.models_registers import ColumnMap

_HEAD = Text(
    "文件里没有叫“{head}”的列。什么也没有导入。",
    "The file has no column “{head}”. Nothing was imported.",
)
_FIELD = Text(
    "没有叫“{field}”的栏目；可用：{known}。", "There is no field “{field}”; use one of: {known}."
)
_SHARED = Text(
    "列“{head}”对应了两个栏目（{first}、{second}）。什么也没有导入；请改正其中一个。",
    "The column “{head}” stands for two fields ({first}, {second}). Nothing was imported; correct one.",
)


@dataclass(frozen=True)
class Heads:
    """What the columns of one kind of file are: `find` gives field -> head by the usual names and
    raises ColumnsUnknown; `field_of` and `field_like` name the field of one head, surely or perhaps."""

    kind: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    labels: Mapping[str, Text]
    roles: tuple[str, ...]
    find: Callable[[Iterable[str]], dict[str, str]]
    require_all: Callable[[Iterable[str], Iterable[str]], None]
    field_of: Callable[[str], str | None]
    field_like: Callable[[str, Iterable[str]], str | None]


EXPERTS = Heads(
    "experts",
    columns.FIELDS,
    columns.REQUIRED,
    words.FIELD,
    ("keeper",),
    columns.find_columns,
    columns.require_all,
    columns.field_of,
    columns.field_like,
)


def headings_digest(headers: Sequence[str]) -> str:
    """By this two files have the same headings, in the same order."""
    return digest(list(headers))


def choose(
    session: Session,
    headers: Sequence[str],
    given: Mapping[str, str] | None,
    heads: Heads = EXPERTS,
) -> dict[str, str]:
    """Field -> head: as `given`, else as remembered for these headings, else as the heads are named.

    ColumnsUnknown when a required field has no column or two heads claim one field.
    """
    if given is not None:
        return _checked(headers, given, heads)
    kept = remembered(session, headers, heads)
    if kept is not None:
        return _checked(headers, kept.columns, heads)
    return heads.find(headers)


def remembered(
    session: Session, headers: Sequence[str], heads: Heads = EXPERTS
) -> ColumnMap | None:
    """What was set by hand for these headings."""
    return session.scalar(
        select(ColumnMap).where(
            ColumnMap.kind == heads.kind, ColumnMap.headings == headings_digest(headers)
        )
    )


def remember(
    session: Session,
    actor: Viewer | None,
    headers: Sequence[str],
    given: Mapping[str, str],
    heads: Heads = EXPERTS,
) -> None:
    """Keep a choice of columns for every later file with these headings."""
    if actor is not None:
        actor.require(*heads.roles)
    chosen = _checked(headers, given, heads)
    row = remembered(session, headers, heads)
    if row is not None and row.columns == chosen:
        return
    if row is None:
        row = ColumnMap(kind=heads.kind, headings=headings_digest(headers), columns=chosen)
        session.add(row)
    row.columns = chosen
    row.saved_by, row.saved_at = (actor.id if actor else None), clock.now()
    session.flush()
    append(session, actor, "import.columns_set", map=row.id, headings=row.headings)


def _checked(headers: Sequence[str], given: Mapping[str, str], heads: Heads) -> dict[str, str]:
    """Only known fields and heads of the file, no head twice, everything required."""
    by_head: dict[str, str] = {}
    for name, head in given.items():
        if name not in heads.fields:
            raise DomainError(
                _FIELD.format(field=name, known=", ".join(heads.fields)), field="columns"
            )
        if head not in headers:
            raise DomainError(_HEAD.format(head=head), field="columns")
        if head in by_head:
            raise DomainError(
                _SHARED.format(
                    head=head, first=heads.labels[by_head[head]], second=heads.labels[name]
                ),
                field="columns",
            )
        by_head[head] = name
    heads.require_all(given, headers)
    return dict(given)


def guesses(headers: Iterable[str], heads: Heads = EXPERTS) -> dict[str, str]:
    """Field -> head for a page: heads as they are named, then those that contain a usual name."""
    every = list(headers)
    found: dict[str, str] = {}
    for exact in (True, False):
        for head in every:
            if head in found.values():
                continue
            name = heads.field_of(head) if exact else heads.field_like(head, found)
            if name is not None and name not in found:
                found[name] = head
    return found


__all__ = ["EXPERTS", "ColumnsUnknown", "Heads", "choose", "guesses", "remember", "remembered"]
