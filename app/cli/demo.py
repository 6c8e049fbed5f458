"""`mingjian demo`: load the exercise, run the whole cycle, print where everything lies, serve.

A home is made, and made again, only where nothing stands or where the file DEMO marks an earlier
demonstration; that file also switches the second factor off, which every page then says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.domain.types import DomainError, Text

if TYPE_CHECKING:
    from app.exercise.cycle import Exercise
    from app.exercise.national import National
    from app.installation import Installation
    from app.supervision.verification import Verification

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
_NOT_NATIONAL = Text(
    "--counties 只用于 --scale national。没有任何改动；请加上该选项，或去掉 --counties。",
    "--counties goes with --scale national only. Nothing was changed; add that option or leave "
    "--counties out.",
)


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@click.option("--no-serve", is_flag=True, help="Stop after the report and exit.")
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--scale",
    type=click.Choice(["district", "national"]),
    default="district",
    show_default=True,
    help="Six districts of one city, or 148 counties with 2,000 experts.",
)
@click.option(
    "--counties",
    type=click.IntRange(6, 148),
    help="Of the national scale: so many, with experts and panels in proportion (default 148).",
)
def demo(home: Path, no_serve: bool, port: int, scale: str, counties: int | None) -> None:
    """Load the exercise (演练), run the whole cycle, and serve it on 127.0.0.1."""
    started = time.perf_counter()
    home = home.absolute()
    if os.environ.get("DATABASE_URL"):
        raise DomainError(_OUTSIDE)
    if counties is not None and scale != "national":
        raise DomainError(_NOT_NATIONAL)
    clear(home)
    os.environ.setdefault("MINGJIAN_PUBLIC_URL", f"http://127.0.0.1:{port}")

    from app import installation
    from app.exercise.cycle import build_exercise

    made: Exercise
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text("A demonstration: everything here may be removed.\n")
    parts = installation.create(home)
    try:
        if scale == "national":
            made, sound = nationwide(parts, counties or 148)
        else:
            made = build_exercise(parts, click.echo)
            sound = check(parts).ok
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
    command += ["serve", "--home", str(home), "--port", str(port)]
    if sys.platform == "win32":  # execv there splits arguments at spaces and gives the prompt back
        with suppress(KeyboardInterrupt):
            subprocess.call(command)
        return
    os.execv(command[0], command)


def clear(home: Path) -> None:
    """Remove an earlier demonstration; refuse anything else that is not empty."""
    if not home.exists() or (home.is_dir() and not any(home.iterdir())):
        return
    if not (home / MARKER).is_file():
        raise DomainError(_NOT_A_DEMO.format(home=home))
    shutil.rmtree(home)


def nationwide(parts: Installation, counties: int) -> tuple[National, bool]:
    """The national exercise, checked, with its summary; progress goes to the standard error."""
    from app.exercise.national import build_national, sized
    from app.exercise.watching import Bars
    from app.supervision.doctor import ROOMS

    experts, panels = sized(counties)
    bars = Bars(sys.stderr)
    made = build_national(
        parts, click.echo, bars, counties=counties, experts=experts, panels=panels
    )
    started = time.perf_counter()
    steps = count()
    bars.begin()
    found = check(parts, lambda text: bars.show("checks", next(steps), len(ROOMS) + 2))
    made.times.append(("ledger and every invariant verified", time.perf_counter() - started))
    summarise(parts, made, found)
    return made, found.ok


def summarise(parts: Installation, made: National, found: Verification) -> None:
    """Times by stage, what stands in the database, and the most memory that was used."""
    click.echo("\nSummary")
    for what, seconds in made.times:
        click.echo(f"  {seconds:7.1f} s  {what}")
    click.echo(
        f"  {made.counties} counties, {made.seats} seats, {made.sealed} sheets sealed\n"
        f"  {found.rows} rows under {found.head.size} ledger entries"
    )
    for whose, size in peak_memory():
        if size:
            click.echo(f"  {size} MiB at most in {whose}")
    size = sum(file.stat().st_size for file in parts.settings.home.rglob("*") if file.is_file())
    click.echo(f"  {size >> 20} MiB on disk")


def peak_memory() -> list[tuple[str, int]]:
    """The most memory in MiB that this process, and any one it started, has held; nothing where the
    system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return []
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # bytes there, KiB elsewhere
    return [
        (whose, resource.getrusage(which).ru_maxrss // unit)
        for whose, which in (
            ("this process", resource.RUSAGE_SELF),
            ("the largest process for a part of the report", resource.RUSAGE_CHILDREN),
        )
    ]


def check(parts: Installation, tell: Callable[[Text], None] = lambda _: None) -> Verification:
    """Every invariant by name, the ledger among them; names on the standard error what is broken.
    The supervision room shows the result."""
    from app.supervision import verification

    with parts.database.read() as session:
        made = verification.everything(session, parts.keys, parts.store, tell=tell)
    verification.keep(parts.settings.home, made)
    for each in made.checks:
        if each.count:
            click.echo(f"BROKEN {each.name}", err=True)
            for fault in each.faults[:10]:
                click.echo(f"         {fault.zh} / {fault.en}", err=True)
    if made.ok:
        click.echo("the ledger verifies, every invariant holds")
    return made


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
