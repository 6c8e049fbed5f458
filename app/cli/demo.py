"""`mingjian demo`: load the exercise, run the whole cycle, print where everything lies, serve.

A home is made, and made again, only where nothing stands or where the file DEMO marks an earlier
demonstration; that file also switches the second factor off, which every page then says.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.domain.types import DomainError, Text

if TYPE_CHECKING:
    from app.exercise.cycle import Exercise
    from app.installation import Installation

MARKER = "DEMO"
_NOT_A_DEMO = Text(
    "{home} 里已有内容，但没有演示标记。没有任何改动；请换一个目录（--home）。",
    "{home} exists and does not carry the mark of a demonstration. Nothing was changed; choose "
    "another directory (--home).",
)
_OUTSIDE = Text(
    "设置了 DATABASE_URL：演示只使用自己的数据库。没有任何改动；请取消该变量后重试。",
    "DATABASE_URL is set, and the demonstration uses a database of its own. Nothing was changed; "
    "unset it and try again.",
)


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@click.option("--no-serve", is_flag=True, help="Stop after the report and exit.")
@click.option("--port", default=8000, show_default=True)
def demo(home: Path, no_serve: bool, port: int) -> None:
    """Load the exercise (演练), run the whole cycle, and serve it on 127.0.0.1."""
    started = time.perf_counter()
    home = home.absolute()
    if os.environ.get("DATABASE_URL"):
        raise DomainError(_OUTSIDE)
    clear(home)
    os.environ.setdefault("MINGJIAN_PUBLIC_URL", f"http://127.0.0.1:{port}")

    from app import installation
    from app.exercise.cycle import build_exercise

    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text("A demonstration: everything here may be removed.\n")
    parts = installation.create(home)
    try:
        made = build_exercise(parts, click.echo)
        sound = check(parts)
        tell(parts, made)
    finally:
        parts.close()
    click.echo(f"\n{time.perf_counter() - started:.0f} s in all.")
    if not sound:
        click.echo("错误: 演练数据未通过检查。\nerror: the exercise failed its checks.", err=True)
        sys.exit(1)
    if no_serve:
        return
    click.echo(f"Serving on http://127.0.0.1:{port} (stop with Ctrl-C)", nl=True)
    sys.stdout.flush()
    command = [sys.executable, "-c", "from app.cli import main; main()"]
    os.execv(command[0], [*command, "serve", "--home", str(home), "--port", str(port)])


def clear(home: Path) -> None:
    """Remove an earlier demonstration; refuse anything else that is not empty."""
    if not home.exists() or (home.is_dir() and not any(home.iterdir())):
        return
    if not (home / MARKER).is_file():
        raise DomainError(_NOT_A_DEMO.format(home=home))
    shutil.rmtree(home)


def check(parts: Installation) -> bool:
    """Every invariant by name, the ledger among them; False when one is broken. The supervision room
    shows the result."""
    from app.supervision import verification

    with parts.database.read() as session:
        made = verification.everything(session, parts.keys, parts.store)
    verification.keep(parts.settings.home, made)
    for check in made.checks:
        if check.count:
            click.echo(f"BROKEN {check.name}", err=True)
            for fault in check.faults[:10]:
                click.echo(f"         {fault.zh} / {fault.en}", err=True)
    if made.ok:
        click.echo("the ledger verifies, every invariant holds")
    return made.ok


def tell(parts: Installation, made: Exercise) -> None:
    """Where things lie and how to sign in."""
    from app.exercise.crew import PASSWORD
    from app.ledger import prove

    with parts.database.read() as session:
        head = prove.head(session)
    click.echo("\nRating report 评审报告")
    click.echo(f"  {made.report_zh}\n  {made.report_en}")
    click.echo("Transcripts of the draws (mingjian verify FILE)")
    for path in made.transcripts.values():
        click.echo(f"  {path}")
    click.echo(f"Ledger head\n  {head}")
    click.echo(f"\nLogins (password of all: {PASSWORD}; no second factor in the demonstration)")
    for login, role, name in made.logins:
        click.echo(f"  {login:<18}{role:<12}{name}")
    if made.live:
        click.echo("Codes for the draw of the live round (its dice stand on the page)")
        for party, code in made.live.codes.items():
            click.echo(f"  {party:<12}{code}")
    for whose, url in made.links:
        click.echo(f"\nOne-time link, {whose}\n  {url}")
        qr(url)


def qr(url: str) -> None:
    """The link as a small QR code of characters; nothing when the terminal cannot show them."""
    import qrcode

    code = qrcode.QRCode(border=2, error_correction=qrcode.ERROR_CORRECT_L)
    code.add_data(url)
    try:
        code.print_ascii(out=sys.stdout)
    except UnicodeEncodeError:
        click.echo("  (this terminal cannot draw the QR code)")
