"""`mingjian import`: experts, and the lists behind eligibility, rotation and recusal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app import installation

HOME = click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
DRY = click.option("--dry-run", is_flag=True, help="Show what would happen; write nothing")
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
# As in app.registry.register_import.LAYOUTS; named here because starting up reads no room.
LISTS = {
    "engagements": "Past panels: who sat when, for which round and county (rotation).",
    "sanctions": "Sanctions of experts (eligibility).",
    "heads": "Heads of counties.",
    "contractors": "Contractors of counties' applications.",
    "posts": "Former and side posts of experts.",
    "interests": "Links of experts.",
    "residences": "Birthplaces and residences of experts.",
}


@click.group("import")
def import_group() -> None:
    """Import from XLSX or CSV."""


def _pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for value in values:
        left, sign, right = value.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise click.BadParameter(f"{value!r} is not of the form A=B", param_hint=option)
        found[left.strip()] = right.strip()
    return found


@import_group.command()
@HOME
@DRY
@click.option("--new-employers", is_flag=True, help="Create employers that are not known yet")
@click.option("--screening-document", default="", help="Admit on this screening decision")
@click.option("--update", is_flag=True, help="Change what the file states otherwise than the pool")
@click.option(
    "--column", "chosen", multiple=True, help="FIELD=HEADING where a heading is not known"
)
@click.option("--answer", "answered", multiple=True, help="ROW=NUMBER, ROW=new or ROW=skip")
@FILE
def experts(
    home: str | None,
    dry_run: bool,
    new_employers: bool,
    screening_document: str,
    update: bool,
    chosen: tuple[str, ...],
    answered: tuple[str, ...],
    file: Path,
) -> None:
    """Import experts from FILE: all or nothing, every error by row and column."""
    from app.registry import imports

    named = _pairs(chosen, "--column")
    said = _pairs(answered, "--answer")
    if wrong := [row for row in said if not row.isdecimal()]:
        raise click.BadParameter(f"{wrong[0]!r} is no row", param_hint="--answer")
    answers = {int(row): value for row, value in said.items()}
    parts = installation.open_existing(home)
    data = file.read_bytes()

    def read(*, dry: bool) -> imports.ImportReport:
        with parts.database.write() as session:
            return imports.import_experts(
                session,
                None,
                data,
                file.name,
                dry_run=dry,
                new_employers=new_employers,
                screening_document=screening_document,
                given_columns=_columns(session, data, file.name, named),
                answers=answers,
                accept=imports.ALL if update else (),
            )

    report = read(dry=True)
    _show(report, update=update, new_employers=new_employers)
    if report.problems:
        _stop(
            "没有导入任何人。请改正以上各行后重试。",
            "Nobody was imported. Correct the rows above and try again.",
        )
    if report.open_questions:
        _stop(
            "没有导入任何人。请用 --answer 行=编号、行=new 或 行=skip 回答以上各行。",
            "Nobody was imported. Answer the rows above: --answer ROW=NUMBER, ROW=new or ROW=skip.",
        )
    if report.new_employers and not new_employers:
        _stop(
            "没有导入任何人。请核对以上单位；加 --new-employers 则新建这些单位。",
            "Nobody was imported. Check the employers above; --new-employers creates them.",
        )
    if dry_run:
        n, m = len(report.ready), len(report.updates) if update else 0
        click.echo(f"可导入 {n} 人；没有写入\n{n} would be imported; nothing was written")
        if update:
            click.echo(f"可更新 {m} 人\n{m} would be updated")
    else:
        done = read(dry=False)
        click.echo(f"已导入 {done.created} 人\n{done.created} imported")
        if update:
            click.echo(f"已更新 {done.updated} 人\n{done.updated} updated")
    parts.close()


def _columns(session: Any, data: bytes, name: str, named: dict[str, str]) -> dict[str, str] | None:
    """The columns named on the command line, over those that are remembered or known."""
    if not named:
        return None
    from app.documents.tables import read_table
    from app.registry import columns, imports, mapping

    headers = read_table(data, name, max_rows=imports.MAX_ROWS, score=columns.known_heads).headers
    kept = mapping.remembered(session, headers)
    known = {columns.field_of(head): head for head in headers}
    found = kept.columns if kept else {k: v for k, v in known.items() if k is not None}
    return {k: v for k, v in found.items() if v not in named.values()} | named


def _show(report: Any, *, update: bool, new_employers: bool) -> None:
    for text in report.notices:
        click.echo(f"{text.zh}\n{text.en}")
    for row in report.duplicates:
        click.echo(f"第 {row.row} 行：{row.name}：{row.why.zh}")
        click.echo(f"row {row.row}: {row.name}: {row.why.en}")
        for change in row.update.changes if row.update else ():
            from app.registry import words

            label, old = words.FIELD[change.field], change.old or "—"
            click.echo(f"    {label.zh} {label.en}: {old} -> {change.new}")
    if report.updates and not update:
        n = len(report.updates)
        click.echo(
            f"以上 {n} 人与库中不同，没有改动；加 --update 则全部改动\n"
            f"{n} of them differ from the pool and are not changed; --update makes all the changes"
        )
    for question in report.open_questions:
        who = "、".join(f"{o.number} {o.employer}" for o in question.options)
        click.echo(f"第 {question.row} 行：{question.name}：{question.why.zh}：{who}", err=True)
        click.echo(f"row {question.row}: {question.name}: {question.why.en}: {who}", err=True)
    for problem in report.problems:
        click.echo(f"第 {problem.row} 行，{problem.column}：{problem.text.zh}", err=True)
        click.echo(f"row {problem.row}, {problem.column}: {problem.text.en}", err=True)
    for employer in report.new_employers:
        click.echo(
            f"单位尚未登记：{employer}\nemployer not known yet: {employer}", err=not new_employers
        )


def _stop(zh: str, en: str) -> None:
    click.echo(f"错误: {zh}\nerror: {en}", err=True)
    sys.exit(1)


def _list_command(kind: str, words: str) -> Callable[..., None]:
    @import_group.command(kind, help=f"{words} FILE is entered whole or not at all.")
    @HOME
    @DRY
    @FILE
    def command(home: str | None, dry_run: bool, file: Path) -> None:
        from app.registry.register_import import import_register

        parts = installation.open_existing(home)
        with parts.database.write() as session:
            report = import_register(
                session, None, kind, file.read_bytes(), file.name, dry_run=True
            )
        for problem in report.problems:
            click.echo(f"第 {problem.row} 行，{problem.column}：{problem.text.zh}", err=True)
            click.echo(f"row {problem.row}, {problem.column}: {problem.text.en}", err=True)
        if report.problems:
            _stop(
                "没有登记任何一条。请改正以上各行后重试。",
                "Nothing was entered. Correct the rows above and try again.",
            )
        n = len(report.ready)
        if dry_run:
            click.echo(f"可登记 {n} 条；没有写入\n{n} would be entered; nothing was written")
        else:
            with parts.database.write() as session:
                report = import_register(
                    session, None, kind, file.read_bytes(), file.name, dry_run=False
                )
            m = len(report.repeated)
            click.echo(
                f"已登记 {n - m} 条，{m} 条原已登记\n{n - m} entered, {m} were there already"
            )
        parts.close()

    return command


for _kind, _words in LISTS.items():
    _list_command(_kind, _words)


@import_group.command()
@click.argument("kind", type=click.Choice(["experts", *LISTS]))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(kind: str, file: Path) -> None:
    """Write the template of KIND (an XLSX FILE with one example row, to be deleted)."""
    from app.documents.sheets import Sheet, write_xlsx
    from app.registry import columns, register_import

    table = columns.template_table() if kind == "experts" else register_import.template_table(kind)
    write_xlsx(file, [Sheet(kind, table[0], table[1])])
    click.echo(f"模板已写入 {file}\nthe template was written to {file}")
