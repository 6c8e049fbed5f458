"""What speaks against a headless commitment: said as a warning, or refused (docs/draw-protocol.md 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from app.cli.draw_files import fail
from app.domain.types import Text

EXCEPTION = Text(
    "机会为零或高于一半，可在请求文件中写明 accept_zero 或 accept_high 及理由代码；其他拒绝只能改请求或名册。",
    "A chance of zero or above one half can be accepted in the request by accept_zero or accept_high "
    "with a coded reason; anything else takes another request or roster.",
)


def words(text: Text, codes: Any) -> Text:
    """Codes in a sentence turned back into the words of the files."""
    zh, en = text.zh, text.en
    for code, label in codes.labels.items():
        zh, en = zh.replace(code, label), en.replace(code, label)
    return Text(zh, en)


def show_guards(
    guards: Sequence[Any], codes: Any, accepted: Mapping[str, str] | None = None
) -> None:
    """Each guard as a warning on stderr, with the reason where it was accepted."""
    for guard in guards:
        text, reason = words(guard.text, codes), (accepted or {}).get(guard.code)
        why = f" (accepted: {reason})" if reason else ""
        click.echo(f"提示: {text.zh}\nwarning: {text.en}{why}", err=True)


def refuse_guarded(guards: Sequence[Any], accepted: Mapping[str, str], codes: Any) -> None:
    """Show what speaks against a commitment; exit 2 with what refuses it, unless the request takes
    the exception by name, as the office and the supervisor do in the application."""
    refused = [g for g in guards if g.level == "refuse" and g.code not in accepted]
    if refused:
        texts = [words(g.text, codes) for g in refused]
        fail(
            Text(
                "没有提交承诺：" + "；".join(t.zh for t in texts) + "。" + EXCEPTION.zh,
                "nothing was committed: " + "; ".join(t.en for t in texts) + ". " + EXCEPTION.en,
            )
        )
    show_guards(guards, codes, accepted)
