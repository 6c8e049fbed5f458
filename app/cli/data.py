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
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def experts(home: str | None, dry_run: bool, file: Path) -> None:
    """Import experts from FILE: all or nothing, errors by row and column."""
    from app.registry.imports import import_experts

    parts = installation.open_existing(home)
    with parts.database.write() as session:
        report = import_experts(session, None, file.read_bytes(), file.name, dry_run=dry_run)
    parts.close()
    for fault in report.errors:
        click.echo(str(fault), err=True)
    click.echo(report.summary.en)
    sys.exit(1 if report.errors else 0)
