"""`mingjian forms`: check the scoring library and show a form as the instrument the tablet reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import library_path, load_library, read_files, read_text
from app.domain.scoring.lint import lint_files
from app.domain.scoring.lint_findings import Finding
from app.domain.types import DomainError


@click.group("forms")
def forms_group() -> None:
    """Check and show score forms and schemes."""


@forms_group.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check PATHS (files, or directories holding forms/ and schemes/); default: the library.

    A single file is checked together with the library, so that its references can be followed.
    Exit code 1 when there is an error.
    """
    try:
        files, wanted = _files(paths)
    except DomainError as error:
        _fail(error)
    findings = [entry for entry in lint_files(files) if wanted is None or entry.file in wanted]
    errors = sum(entry.level == "error" for entry in findings)
    warnings = len(findings) - errors
    checked = len(files) if wanted is None else len(wanted)
    if as_json:
        body = {
            "files": checked,
            "errors": errors,
            "warnings": warnings,
            "findings": [asdict(entry) for entry in findings],
        }
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        for entry in findings:
            click.echo(_line(entry))
        click.echo(f"{checked} 个文件：{errors} 个错误，{warnings} 个提示")
        click.echo(f"{checked} file(s): {errors} error(s), {warnings} warning(s)")
    if errors:
        raise SystemExit(1)


def _files(paths: tuple[Path, ...]) -> tuple[dict[str, str], set[str] | None]:
    """Texts to lint by name, and the names asked for (None: all of them)."""
    if not paths:
        return read_files(), None
    directories = [path for path in paths if path.is_dir()]
    singles = [path for path in paths if not path.is_dir()]
    files: dict[str, str] = {}
    wanted: set[str] = set()
    for directory in directories:
        found = {str(directory / name): text for name, text in read_files(directory).items()}
        if not found:
            found = {str(file): read_text(file) for file in sorted(directory.glob("*.yaml"))}
        files.update(found)
        wanted.update(found)
    if singles:
        asked = {file.resolve() for file in singles}
        root = library_path()
        for name, text in read_files(root).items():
            if (root / name).resolve() not in asked:
                files.setdefault(name, text)
        for file in singles:
            files[str(file)] = read_text(file)
            wanted.add(str(file))
    return files, wanted


def _line(entry: Finding) -> str:
    place = f"{entry.file}:{entry.line}: {entry.level}: {entry.where} [{entry.code}]"
    return (
        f"{place}\n    {entry.what.en} / {entry.what.zh}\n    fix: {entry.fix.en} / {entry.fix.zh}"
    )


@forms_group.command("show")
@click.argument("form_id")
@click.option("--fact", "facts", multiple=True, help="A property of the subject, as NAME=yes|no.")
def show(form_id: str, facts: tuple[str, ...]) -> None:
    """Print the instrument JSON of FORM_ID. Facts not given are taken as yes."""
    try:
        library = load_library()
    except DomainError as error:
        _fail(error)
    form = library.forms.get(form_id)
    if form is None:
        raise click.ClickException(
            f"没有这张表 / no such form: {form_id}; known: {', '.join(sorted(library.forms))}"
        )
    chosen = {fact.name: True for fact in form.facts}
    for fact in facts:
        name, separator, value = fact.partition("=")
        if name not in chosen or not separator or value not in ("yes", "no"):
            raise click.BadParameter(f"{fact}: NAME=yes|no, names: {', '.join(chosen) or 'none'}")
        chosen[name] = value == "yes"
    try:
        instrument = compile_form(form, FormContext(chosen, library.vetoes_of_form(form_id)))
    except DomainError as error:
        _fail(error)
    click.echo(json.dumps(instrument, ensure_ascii=False, indent=2))


def _fail(error: DomainError) -> NoReturn:
    click.echo(f"错误: {error.text.zh}\nerror: {error.text.en}", err=True)
    raise SystemExit(1)
