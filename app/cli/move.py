"""`mingjian move NEW-HOME [--database URL]`: SQLite to PostgreSQL and back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from app import installation
from app.config import portable_url


@click.command("move")
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
@click.option(
    "--database", help="postgresql://... of an empty database [default: SQLite in NEW-HOME]"
)
@click.argument("new_home", type=click.Path(path_type=Path))
def move_command(home: str | None, database: str | None, new_home: Path) -> None:
    """Move everything to NEW-HOME and another database; stop the server first.

    Keys, files and certificates go along; every table and the ledger's head are compared afterwards.
    The old place is left as it is: keep it until the new one has been in use.
    """
    from app import moving

    url = portable_url(database) if database else f"sqlite:///{new_home.absolute() / 'mingjian.db'}"
    with closing(installation.open_existing(home)) as source:
        made = moving.move(source, new_home, url, lambda name: click.echo(f"  {name}", err=True))
    rows = sum(table.rows for table in made.tables)
    for table in made.tables:
        if table.rows:
            click.echo(f"{table.sha256[:16]}  {table.rows:>8}  {table.name}")
    click.echo(
        f"{len(made.tables)} 张表、{rows} 行逐表一致，账本头一致\n"
        f"{len(made.tables)} tables with {rows} rows are equal, and so is the ledger's head\n"
        f"head {made.head}"
    )
    setting = f"MINGJIAN_HOME={new_home.absolute()}"
    if database:
        setting += " DATABASE_URL=postgresql://..."
    click.echo(f"今后使用 / from now on: {setting} mingjian serve")
