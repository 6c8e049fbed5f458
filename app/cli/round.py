"""`mingjian round archive SLUG FILE`: an ended round as one ZIP that verifies without the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app import installation
from app.domain.types import DomainError, NotFound, Text

_HOME = "Installation (default: MINGJIAN_HOME or ./instance)"
_NO_ROUND = Text("没有简称为“{slug}”的届次", "there is no round with the short name “{slug}”")


@click.group()
def round_group() -> None:
    """Rounds."""


@round_group.command("archive")
@click.argument("slug")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@click.option("--home", type=click.Path(), help=_HOME)
def archive_command(slug: str, file: Path, home: str | None) -> None:
    """Write the archive of the ended round SLUG: final reports, data, transcripts, ledger proofs and
    verify_archive.py, which checks all of it. An existing FILE is not overwritten."""
    from sqlalchemy import select

    from app.programme.models import Round
    from app.report import archive as archives

    if file.exists():
        _refuse(Text(f"{file} 已存在，没有写入", f"{file} exists; nothing was written"))
    parts = installation.open_existing(home)
    wanted = select(Round).where(Round.slug == slug)
    try:
        with parts.database.write() as session:
            round_ = session.scalar(wanted)
            if round_ is None:
                raise NotFound(_NO_ROUND.format(slug=slug))
            archives.sign_for_archive(session, None, round_)
        click.echo("正在制作档案 / making the archive ...", err=True)
        with parts.database.read() as session:
            made = archives.archive(session, None, session.scalars(wanted).one())
        # It holds every mark: nobody but the caller may read the file.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(made.data)
        with parts.database.write() as session:
            archives.record_archive(session, None, session.scalars(wanted).one(), made)
    except DomainError as error:
        _refuse(error.text)
    finally:
        parts.close()
    click.echo(f"{file}  {len(made.data)} bytes\n档案码 / seal {made.seal}")
    click.echo(
        f"核验 / check it: mingjian round verify {file}   or   python3 verify_archive.py {file}"
    )


@round_group.command("verify")
@click.argument("file", type=click.Path(exists=True, path_type=Path), metavar="FILE.zip|FOLDER")
def verify_command(file: Path) -> None:
    """Check an archive: every byte, every proof, every draw and every figure."""
    from app.report import verify_archive

    sys.exit(verify_archive.main([str(file)]))  # type: ignore[no-untyped-call]


def _refuse(text: Text) -> None:
    click.echo(f"错误: {text.zh} / error: {text.en}", err=True)
    raise click.exceptions.Exit(2)
