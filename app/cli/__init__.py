"""The `mingjian` command. Each subcommand's module is imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import io
import sys
from typing import Any

import click

from app import __version__
from app.domain.types import DomainError, Text

# name -> (module, attribute, one line of help)
COMMANDS = {
    "init": (
        "admin",
        "init",
        "生成密钥和数据库，打印首个注册链接 / Create keys and database; print the first sign-up link.",
    ),
    "demo": ("demo", "demo", "载入演练，走完整个流程 / Load the exercise and run the whole cycle."),
    "cert": (
        "cert",
        "cert_group",
        "局域网平板用的证书 / The office's certificate for tablets in the local network.",
    ),
    "serve": ("admin", "serve", "启动服务 / Serve the application."),
    "user": ("admin", "user", "账号 / Accounts from the command line."),
    "doctor": ("admin", "doctor", "核对现有数据 / Check the invariants over live data."),
    "backup": (
        "admin",
        "backup_command",
        "备份（不停服务） / Write a backup while the server is in use.",
    ),
    "restore": ("admin", "restore_command", "恢复或演练恢复 / Load a backup into an empty place."),
    "move": (
        "move",
        "move_command",
        "从 SQLite 搬到 PostgreSQL 或反向 / Move between SQLite and PostgreSQL.",
    ),
    "import": ("data", "import_group", "导入 XLSX 或 CSV / Import from XLSX or CSV."),
    "forms": ("forms", "forms_group", "评分表 / Scoring forms."),
    "ledger": ("ledger", "ledger", "核验账本，签署账本头 / Verify the ledger, sign its head."),
    "draw": ("draw", "draw_group", "脱离网页应用的抽取 / The draw without the web application."),
    "verify": ("draw", "verify_command", "核验抽取记录 / Verify a draw transcript."),
    "round": ("round", "round_group", "届次档案 / The archive of an ended round, and its check."),
    "report": (
        "report",
        "report_group",
        "评审报告的全部数据包 / The bundle behind a final rating report.",
    ),
    "aggregate": (
        "statistics",
        "aggregate_command",
        "由打分表计算得分 / Scores from a table of marks.",
    ),
    "agree": ("statistics", "agree_command", "评分者一致性 / Agreement between raters."),
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


def _say_what_it_can() -> None:
    """Output that goes to a file is in Windows' own code page, in which one language or a mark may be
    missing: that is written escaped. A command never fails over its words after it has done its work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: a refused rule is one clear line on stderr and exit code 2."""
    _say_what_it_can()
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
