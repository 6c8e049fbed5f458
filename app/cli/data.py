"""`mingjian import experts FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app import installation


@click.group("import")
def import_group() -> None:
    """Import from XLSX or CSV."""


@import_group.command()
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
@click.option("--dry-run", is_flag=True, help="Show what would happen; write nothing")
@click.option("--new-employers", is_flag=True, help="Create employers that are not known yet")
@click.option("--screening-document", default="", help="Admit on this screening decision")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def experts(
    home: str | None, dry_run: bool, new_employers: bool, screening_document: str, file: Path
) -> None:
    """Import experts from FILE: all or nothing, every error by row and column."""
    from app.registry.imports import ImportReport, import_experts

    parts = installation.open_existing(home)
    data = file.read_bytes()

    def read(*, dry: bool) -> ImportReport:
        with parts.database.write() as session:
            return import_experts(
                session,
                None,
                data,
                file.name,
                dry_run=dry,
                new_employers=new_employers,
                screening_document=screening_document,
            )

    report = read(dry=True)
    for duplicate in report.duplicates:
        click.echo(f"第 {duplicate.row} 行：{duplicate.name}：{duplicate.why.zh}")
        click.echo(f"row {duplicate.row}: {duplicate.name}: {duplicate.why.en}")
    for problem in report.problems:
        click.echo(f"第 {problem.row} 行，{problem.column}：{problem.text.zh}", err=True)
        click.echo(f"row {problem.row}, {problem.column}: {problem.text.en}", err=True)
    for employer in report.new_employers:
        click.echo(
            f"单位尚未登记：{employer}\nemployer not known yet: {employer}", err=not new_employers
        )
    if report.problems:
        click.echo(
            "错误: 没有导入任何人。请改正以上各行后重试。\n"
            "error: Nobody was imported. Correct the rows above and try again.",
            err=True,
        )
        sys.exit(1)
    if report.new_employers and not new_employers:
        click.echo(
            "错误: 没有导入任何人。请核对以上单位；加 --new-employers 则新建这些单位。\n"
            "error: Nobody was imported. Check the employers above; --new-employers creates them.",
            err=True,
        )
        sys.exit(1)
    ready = len(report.ready)
    if dry_run:
        click.echo(f"可导入 {ready} 人；没有写入\n{ready} would be imported; nothing was written")
    else:
        created = read(dry=False).created
        click.echo(f"已导入 {created} 人\n{created} imported")
    parts.close()
