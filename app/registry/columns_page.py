"""The page on which somebody says which column of a file holds what, for every kind of import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import render_template, request

from app.documents.tables import Table
from app.domain.types import DomainError, Text
from app.registry import mapping
from app.registry.uploads import GONE
from app.ui.request import db

_PRIVATE = ("phone", "id_number", "birth_date")


def columns_page(
    table: Table,
    heads: mapping.Heads,
    *,
    filename: str,
    token: str,
    error: DomainError | None,
    again: str,
    back: str,
    title: Text,
) -> Any:
    """Each of our columns beside the file's; what was chosen, is remembered or can be guessed.
    `again`: where the choice goes; `back`: where another file is chosen."""
    kept = mapping.remembered(db(), table.headers, heads)
    chosen: Mapping[str, str] = chosen_columns(heads)
    if not chosen:
        chosen = kept.columns if kept is not None else mapping.guesses(table.headers, heads)
    sample = dict(zip(table.headers, table.rows[0].cells, strict=True)) if table.rows else {}
    page = render_template(
        "registry/columns.html",
        filename=filename,
        token=token,
        error=error,
        fields=heads.fields,
        required=heads.required,
        chosen=chosen,
        headers=table.headers,
        sample=sample,
        private={chosen.get(name) for name in _PRIVATE},
        kept=kept,
        labels=heads.labels,
        again=again,
        back=back,
        import_title=title,
    )
    return page, 422 if error is not None else 200


def chosen_columns(heads: mapping.Heads) -> dict[str, str]:
    """Field -> head as the page sends it, without what was left open."""
    return {
        name: request.form[f"map-{name}"]
        for name in heads.fields
        if request.form.get(f"map-{name}")
    }


def carried_columns(text: str | None) -> dict[str, str] | None:
    """The columns that a page carried along; DomainError when it is not what the page wrote."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DomainError(GONE, field="file") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise DomainError(GONE, field="file")
    return found
