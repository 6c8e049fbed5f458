"""The `mingjian` command. Each subcommand's module is imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import sys
from typing import Any

import click

from app import __version__
from app.domain.types import DomainError, Text

# name -> (module, attribute, one line of help)
COMMANDS = {
    "init": ("admin", "init", "Create keys and database; print the first sign-up link."),
    "demo": ("demo", "demo", "Load the exercise and run the whole cycle."),
    "cert": ("cert", "cert_group", "The office's certificate for tablets in the local network."),
    "serve": ("admin", "serve", "Serve the application."),
    "user": ("admin", "user", "Accounts from the command line."),
    "doctor": ("admin", "doctor", "Check the invariants over live data."),
    "backup": ("admin", "backup_command", "Write a backup while the server is in use."),
    "restore": ("admin", "restore_command", "Load a backup into an empty place."),
    "import": ("data", "import_group", "Import from XLSX or CSV."),
    "forms": ("forms", "forms_group", "Scoring forms."),
    "ledger": ("ledger", "ledger", "Verify the ledger, sign its head."),
    "draw": ("draw", "draw_group", "The draw without the web application."),
    "verify": ("draw", "verify_command", "Verify a draw transcript."),
    "report": ("report", "report_group", "The bundle behind a final rating report."),
    "aggregate": ("statistics", "aggregate_command", "Scores from a table of marks."),
    "agree": ("statistics", "agree_command", "Agreement between raters."),
}

_DISK_FULL = Text(
    "磁盘空间不足，没有写入；已有的数据不受影响。请腾出空间后重试。",
    "The disk is full and nothing was written; existing data are untouched. Free some space and "
    "try again.",
)


class Lazy(click.Group):
    """Start-up stays fast: only the chosen command's imports are paid for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f"app.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=Lazy)
@click.version_option(__version__, prog_name="mingjian")
def cli() -> None:
    """Mingjian (明鉴): expert review with a random draw that anyone can check."""


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: a refused rule is one clear line on stderr and exit code 2."""
    try:
        return cli.main(args=arguments, prog_name="mingjian")
    except DomainError as error:
        refusal = error.text
    except Exception as error:
        if getattr(error, "errno", None) != errno.ENOSPC and "disk is full" not in str(error):
            raise
        refusal = _DISK_FULL
    click.echo(f"错误: {refusal.zh} / error: {refusal.en}", err=True)
    sys.exit(2)
