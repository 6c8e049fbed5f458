"""`mingjian report pdf | bundle ROUND NUMBER FILE`: a rating report as it stands, and everything behind a final
one in one ZIP."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app import installation
from app.domain.types import DomainError, Language, NotFound

FILES = 16  # about how many a bundle holds: the bar's length


@click.group()
def report_group() -> None:
    """Rating reports."""


@report_group.command("pdf")
@click.argument("round_slug", metavar="ROUND")
@click.argument("number", type=click.IntRange(1))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", help="Edition (default: zh)")
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
def pdf_command(round_slug: str, number: int, file: Path, lang: Language, home: str | None) -> None:
    """Write report NUMBER of ROUND as a PDF: the kept one when it is final and Chinese, else made now. An
    existing FILE is not overwritten."""
    from sqlalchemy import select

    from app.programme.models import Round
    from app.report import papers, queries
    from app.report.models import Report

    if file.exists():
        _refuse(f"{file} 已存在，没有写入", f"{file} exists; nothing was written")
    parts = installation.open_existing(home)
    try:
        with parts.database.read() as session:
            found = session.scalar(
                select(Report).join(Round).where(Round.slug == round_slug, Report.number == number)
            )
            if found is None:
                raise NotFound(queries.ABSENT)
            if found.pdf_sha256 and lang == "zh":
                with session.info["store"].open(found.pdf_sha256) as kept:
                    data = kept.read()
            else:
                with click.progressbar(length=1, label="pdf", file=sys.stderr) as bar:

                    def show(done: int, total: int) -> None:
                        bar.length = total
                        bar.update(done - bar.pos)

                    data = papers.report_pdf(session, found, lang, progress=show)
    except DomainError as error:
        _refuse(error.text.zh, error.text.en)
    finally:
        parts.close()
    _write(file, data)
    click.echo(f"{file}  {len(data)} bytes")


@report_group.command("bundle")
@click.argument("round_slug", metavar="ROUND")
@click.argument("number", type=click.IntRange(1))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
def bundle_command(round_slug: str, number: int, file: Path, home: str | None) -> None:
    """Write the bundle of report NUMBER of ROUND: papers, marks, rule, ledger proofs, transcripts and
    recompute.py, which redoes every figure from them. An existing FILE is not overwritten."""
    from sqlalchemy import select

    from app.programme.models import Round
    from app.report import bundle as bundles
    from app.report import queries
    from app.report.models import Report

    if file.exists():
        _refuse(f"{file} 已存在，没有写入", f"{file} exists; nothing was written")
    parts = installation.open_existing(home)
    try:
        with parts.database.read() as session:
            found = session.scalar(
                select(Report).join(Round).where(Round.slug == round_slug, Report.number == number)
            )
            if found is None:
                raise NotFound(queries.ABSENT)
            with click.progressbar(
                length=FILES, label="bundle", file=sys.stderr, item_show_func=lambda name: name
            ) as bar:
                data = bundles.bundle(session, None, found, progress=lambda n: bar.update(1, n))
    except DomainError as error:
        _refuse(error.text.zh, error.text.en)
    finally:
        parts.close()
    _write(file, data)
    click.echo(f"{file}  {len(data)} bytes\n解压后运行 / unpack it and run: python3 recompute.py")


def _write(file: Path, data: bytes) -> None:
    """It holds every mark: nobody but the caller may read the file."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)


def _refuse(zh: str, en: str) -> None:
    click.echo(f"错误: {zh} / error: {en}", err=True)
    raise click.exceptions.Exit(2)
