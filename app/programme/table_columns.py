"""A round's table with headings of its own: the columns are matched once on the page that every import
shares, and remembered for later tables with the same headings."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from app.documents.tables import read_table
from app.domain.types import DomainError, Text
from app.registry import mapping
from app.registry.columns_page import chosen_columns, columns_page
from app.registry.uploads import Uploads
from app.ui.request import db, home, keys, me


def came_back() -> tuple[bytes, str] | None:
    """The file and its name when the page of columns was sent; DomainError when it is here no more."""
    token = request.form.get("upload")
    if not token:
        return None
    return Uploads(home(), keys()).read(token), request.form.get("filename", "")


def keep_choice(heads: mapping.Heads, data: bytes, filename: str, *, max_rows: int) -> bool:
    """Remember what was chosen on the page, if anything was; DomainError names a wrong choice."""
    chosen = chosen_columns(heads)
    if chosen:
        headers = read_table(data, filename, max_rows=max_rows).headers
        mapping.remember(db(), me(), headers, chosen, heads)
    return bool(chosen)


def ask(
    heads: mapping.Heads, data: bytes, filename: str, error: DomainError, *, max_rows: int,
    endpoint: str, slug: str, title: Text,
) -> Any:  # fmt: skip
    """The page of columns for this table."""
    here = url_for(endpoint, slug=slug)
    return columns_page(
        read_table(data, filename, max_rows=max_rows),
        heads,
        filename=filename,
        token=request.form.get("upload") or Uploads(home(), keys()).keep(data),
        error=error,
        again=here,
        back=here,
        title=title,
    )


def asks(error: DomainError) -> bool:
    """Whether this refusal is about which column holds what."""
    return isinstance(error, mapping.ColumnsUnknown) or error.field == "columns"
