"""Form versions: what the library holds becomes rows that never change (S0 art. 8).

A version is known by the digest of what its form says; an edited file is a new version and the old
one stays for ever, so that an old sheet is read with the form it was filled on.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.instrument import form_digest
from app.domain.scoring.library import read_files
from app.domain.scoring.lint import lint_form
from app.domain.scoring.lint_findings import Finding, Findings
from app.domain.scoring.schema import Form, Indicator, parse_form
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.ledger.append import append
from app.programme.guards import account_id, require
from app.programme.models import FormVersion

_NO_VERSION = Text(
    "没有这个评分表版本。请回到评分表目录。",
    "There is no such form version. Go back to the list of forms.",
)
_SIGNED = Text(
    "该版本已经确认过。没有任何改动。",
    "This version was confirmed already. Nothing was changed.",
)

_BROKEN = Text(
    "评分表文件 {file} 有错误：{why}。没有载入任何评分表；请改正后重试。",
    "The form file {file} is wrong: {why}. No form was loaded; correct it and try again.",
)


@lru_cache(maxsize=256)
def parsed_form(source: str) -> Form:
    """The form in a version's YAML text. Raises SchemaError."""
    return parse_form(source)


def form_of(version: FormVersion) -> Form:
    """The version's form."""
    return parsed_form(version.source)


def load_forms(
    session: Session, actor: Viewer | None, path: Path | None = None
) -> list[FormVersion]:
    """Make a version of every form of the library (or the directory `path`) that is not yet known.

    Returns the current version of each form, by form id. Raises DomainError naming a broken
    file, and then nothing is loaded.
    """
    require(actor, "office", "admin")
    sources = {name: text for name, text in read_files(path).items() if name.startswith("forms/")}
    for name, text in sources.items():  # all of them, before the first row is written
        try:
            parsed_form(text)
        except DomainError as error:
            raise DomainError(_BROKEN.format(file=name, why=error.text)) from error
    made = [add_form_version(session, actor, text) for text in sources.values()]
    return sorted(made, key=lambda version: version.form_id)


def add_form_version(session: Session, actor: Viewer | None, source: str) -> FormVersion:
    """The version that holds this YAML text, made when it is new. Raises SchemaError."""
    require(actor, "office", "admin")
    form = parsed_form(source)
    digest = form_digest(form)
    known = session.scalar(select(FormVersion).where(FormVersion.digest == digest))
    if known is not None:
        return known
    version = FormVersion(
        form_id=form.id,
        digest=digest,
        title_zh=form.title.zh,
        title_en=form.title.en,
        source=source,
        loaded_at=clock.now(),
    )
    session.add(version)
    append(session, actor, "form.load", form=form.id, digest=digest)
    return version


def sign_form_version(session: Session, actor: Viewer | None, version: FormVersion) -> FormVersion:
    """An administrator confirms the defaults of a version; from now on none shows "to confirm"."""
    require(actor, "admin")
    if version.signed_at is not None:
        raise Conflict(_SIGNED)
    version.signed_by = account_id(actor)
    version.signed_at = clock.now()
    append(session, actor, "form.sign", form=version.form_id, digest=version.digest)
    return version


def form_versions(session: Session) -> list[FormVersion]:
    """Every version, by form, the latest first."""
    return list(
        session.scalars(
            select(FormVersion).order_by(FormVersion.form_id, FormVersion.loaded_at.desc())
        )
    )


def latest_version(session: Session, form_id: str) -> FormVersion | None:
    """The version of a form that was loaded last."""
    return session.scalar(
        select(FormVersion)
        .where(FormVersion.form_id == form_id)
        .order_by(FormVersion.loaded_at.desc(), FormVersion.id)
        .limit(1)
    )


def form_version(session: Session, version_id: str) -> FormVersion:
    """One version by id; NotFound."""
    version = session.get(FormVersion, version_id)
    if version is None:
        raise NotFound(_NO_VERSION)
    return version


def unsettled(indicator: Indicator) -> bool:
    """Whether the indicator or its points are a default or a reconstruction, to be confirmed."""
    points = indicator.maximum is not None and indicator.maximum_status == "default"
    return points or indicator.status in ("default", "reconstructed")


def to_confirm(version: FormVersion) -> tuple[str, ...]:
    """Indicators still showing "to confirm": those with defaults, until the version is signed."""
    if version.signed_at is not None:
        return ()
    return tuple(entry.id for entry in form_of(version).indicators if unsettled(entry))


def lint_errors(version: FormVersion, others: dict[str, Form]) -> list[Finding]:
    """The linter's errors (not its warnings) over one version; `others`: forms by id."""
    findings = Findings(f"forms/{version.form_id}.yaml")
    form = form_of(version)
    lint_form(findings, form, {**others, form.id: form})
    return [finding for finding in findings.entries if finding.level == "error"]
