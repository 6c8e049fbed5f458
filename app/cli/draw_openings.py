"""`mingjian draw openings`: check the names that were opened after a review against the commitment."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.cli.draw import draw_group, refusals
from app.cli.draw_files import fail, read_text
from app.domain.types import Text


@draw_group.command("openings")
@click.argument("openings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--transcript",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="the transcript of the draw: the openings must be of its commitment",
)
@click.option("--head", help="the commitment hash you hold (16 digits or more)")
def check(openings: Path, transcript: Path | None, head: str | None) -> None:
    """Does every name in OPENINGS stand behind its pseudonym in the committed roster?"""
    from app import verify
    from app.domain.draw import read_transcript
    from app.domain.draw.opening import check_openings

    try:
        document = json.loads(read_text(openings))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        fail(Text("公开文件不是 JSON 对象。", "The file of openings is not a JSON object."))
    held = (head or "").strip().lower()
    if held and (len(held) < 16 or not str(document.get("commitment", "")).startswith(held)):
        fail(Text("公开文件不属于这个承诺值。", "The openings belong to another commitment hash."))
    commitment = None
    if transcript is not None:
        data = transcript.read_bytes()
        report = verify.verify_transcript(data, held or None)
        if not report.ok:
            fail(Text(f"记录包未通过核验：{report.zh}", f"The transcript fails: {report.en}"))
        with refusals():
            commitment = read_transcript(data)["commitment.json"]
    with refusals():
        found = check_openings(document, commitment)
    for row in found:
        facts = ", ".join(f"{name}={value}" for name, value in row["facts"])
        click.echo(f"{row['pseudonym']}  {row['number']}  {row['name']}  {facts}")
    click.echo(f"opened: {len(found)} of {document['roster_size']} leaves, every one fits")
    if commitment is None and not held:
        click.echo(
            "unbound: compare the commitment "
            f"{document['commitment']} with one you hold, or give --transcript",
            err=True,
        )
