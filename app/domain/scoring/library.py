"""Find and load the scoring library: the schemes and forms that come with the product.

The one module of the domain that reads paths. Looked for in this order: the directory named by
MINGJIAN_FORMS, `scoring_forms/` beside the package (a checkout), `scoring_forms/` inside the package
(an installed wheel).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.domain.scoring.schema import Form, parse_form
from app.domain.scoring.scheme_parts import Veto
from app.domain.scoring.scheme_schema import Scheme, parse_scheme
from app.domain.types import DomainError, Text

_PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Library:
    """Schemes and forms by id; `digests`: hex SHA-256 of each file's bytes by relative path."""

    path: Path
    schemes: Mapping[str, Scheme]
    forms: Mapping[str, Form]
    digests: Mapping[str, str]

    def scheme_of_form(self, form_id: str) -> Scheme | None:
        """The first scheme, by id, that uses a form; None for a form of no scheme."""
        users = (scheme for _, scheme in sorted(self.schemes.items()) if form_id in scheme.forms)
        return next(users, None)

    def vetoes_of_form(self, form_id: str) -> tuple[Veto, ...]:
        """The vetoes of `scheme_of_form`."""
        scheme = self.scheme_of_form(form_id)
        return scheme.vetoes if scheme is not None else ()


def library_path() -> Path:
    """Where the library is. Raises DomainError when it is in none of the three places."""
    configured = os.environ.get("MINGJIAN_FORMS")
    if configured:
        places = [Path(configured)]
    else:
        places = [_PACKAGE.parent / "scoring_forms", _PACKAGE / "scoring_forms"]
    for place in places:
        if (place / "forms").is_dir() and (place / "schemes").is_dir():
            return place
    text = Text(
        "找不到评分表库：{p}。可用环境变量 MINGJIAN_FORMS 指定目录。",
        "The scoring library was not found in {p}. MINGJIAN_FORMS can name its directory.",
    )
    raise DomainError(text.format(p=", ".join(map(str, places))))


def read_files(path: Path | None = None) -> dict[str, str]:
    """Relative path -> text of every scheme and form file, sorted. Raises DomainError."""
    root = path or library_path()
    files = sorted([*root.glob("schemes/*.yaml"), *root.glob("forms/*.yaml")])
    return {file.relative_to(root).as_posix(): read_text(file) for file in files}


def read_text(file: Path) -> str:
    """One file as UTF-8. Raises DomainError when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = Text("无法读取 {f}（须为 UTF-8）", "cannot read {f} (UTF-8 expected)")
        raise DomainError(text.format(f=str(file))) from error


def load_library(path: Path | str | None = None) -> Library:
    """The whole library. Raises SchemaError for a file that does not fit the schema."""
    root = Path(path) if path is not None else library_path()
    files = read_files(root)
    schemes = [parse_scheme(text) for name, text in files.items() if name.startswith("schemes/")]
    forms = [parse_form(text) for name, text in files.items() if name.startswith("forms/")]
    if not forms or not schemes:
        text = Text("{p} 中没有评分表", "no forms in {p}")
        raise DomainError(text.format(p=str(root)))
    return Library(
        path=root,
        schemes={scheme.id: scheme for scheme in schemes},
        forms={form.id: form for form in forms},
        digests={
            name: hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in files.items()
        },
    )
