"""`mingjian ledger verify|checkpoint`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from app import installation
from app.ledger import prove


@click.group()
def ledger() -> None:
    """The append-only record."""


@ledger.command()
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
@click.option("--head", help="A printed head (mj1:SIZE:ROOT), or a file with a checkpoint")
@click.option("--json", "as_json", is_flag=True)
def verify(home: str | None, head: str | None, as_json: bool) -> None:
    """Rebuild the root, check signatures, hold every row against its leaf; exit 1 on a fault."""
    parts = installation.open_existing(home)
    printed = None
    if head:
        printed = prove.TreeHead.parse(_text_or_file(head))
    with parts.database.read() as session:
        report = prove.verify(session, parts.keys, printed)
    parts.close()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": report.ok,
                    "head": str(report.head),
                    "events": report.events,
                    "rows": report.rows,
                    "checkpoints": report.checkpoints,
                    "faults": [{"zh": f.zh, "en": f.en} for f in report.faults],
                },
                ensure_ascii=False,
            )
        )
    else:
        click.echo(
            f"账本 {report.events} 条，{report.rows} 行，{report.checkpoints} 个签名检查点\n"
            f"{report.events} entries, {report.rows} rows, {report.checkpoints} checkpoints\n"
            f"head {report.head}"
        )
        for fault in report.faults:
            click.echo(f"错误: {fault.zh}\nerror: {fault.en}", err=True)
        click.echo("核验通过\nverified" if report.ok else "核验未通过\nNOT verified")
    sys.exit(0 if report.ok else 1)


def _text_or_file(given: str) -> str:
    """A head as it was typed, or the content of a file of that name."""
    try:
        path = Path(given)
        return path.read_text("utf-8", errors="replace") if path.is_file() else given
    except (OSError, ValueError):  # a whole checkpoint is too long for a file name
        return given


@ledger.command()
@click.option(
    "--home", type=click.Path(), help="Installation (default: MINGJIAN_HOME or ./instance)"
)
@click.option("--reason", default="manual", help="Why the head is signed now")
def checkpoint(home: str | None, reason: str) -> None:
    """Sign the present head and print the note."""
    parts = installation.open_existing(home)
    with parts.database.write() as session:
        note = prove.sign_head(session, parts.keys, reason[:64])
    parts.close()
    click.echo(str(note), nl=False)
    click.echo(str(prove.TreeHead(note.size, note.root)))
