"""`mingjian draw order`: commit to an order of things, or to a sample (docs/draw-protocol.md section 13).

What comes out is an ordinary commitment directory for `draw run`, which prints the order.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import click

from app.cli.draw import FILE, UNWITNESSED, draw_group, refusals
from app.cli.draw_files import fail, read_yaml
from app.cli.draw_table import read_table, wrong
from app.domain.types import Text

STAGES = ("order-statements", "order-counties", "order-cases", "tie")


@draw_group.command("order")
@click.argument("things", type=FILE)
@click.argument("request", type=FILE, required=False)
@click.option("-o", "--output", "directory", type=FILE, required=True, help="A new directory.")
@click.option("--stage", type=click.Choice(STAGES), required=True, help="What is put in order.")
@click.option(
    "--count", type=int, help="The size of a sample; left out, everything is put in order."
)
@click.option("--drill", is_flag=True, help="A rehearsal that can never be passed off as a draw.")
def order(
    things: Path, request: Path | None, directory: Path, stage: str, count: int | None, drill: bool
) -> None:
    """Fix the list THINGS.csv (one column: name) and the seed's sources; print the hash to publish.

    REQUEST.yaml, if given, has `sources` or `dice`, and `parties`; else fifty dice, nobody's codes.
    """
    with refusals():
        from app.cli.draw_commit import keep, refuse_used
        from app.domain.draw import Candidate, PanelSpec, build_commitment
        from app.domain.draw.request import parse_seed_plan

        refuse_used(directory)
        labels: dict[str, str] = {}
        rows: dict[str, int] = {}
        for row, cells in read_table(things, ("name",)):
            words = cells["name"]
            code = "u" + hashlib.sha256(words.encode("utf-8")).hexdigest()[:12]
            if code in rows:
                wrong(
                    things, row, "name", f"“{words}”与第 {rows[code]} 行重复",
                    f"'{words}' repeats row {rows[code]}",
                )  # fmt: skip
            rows[code], labels[code] = row, words
        if len(labels) < 2:
            only = next(iter(rows.values()))
            wrong(
                things,
                only,
                "name",
                "不足两项，没有顺序可抽",
                "fewer than two things have no order",
            )
        if count is not None and not 1 <= count <= len(labels):
            fail(
                Text(
                    f"--count 须为 1 至 {len(labels)}（{things.name} 共 {len(labels)} 项）",
                    f"--count must be 1 to {len(labels)}, the things in {things.name}",
                )
            )
        data, marks = read_yaml(request) if request is not None else ({}, {})
        plan = parse_seed_plan(data, request.name if request else "-", marks)
        people = [Candidate(code, {}, os.urandom(16)) for code in sorted(labels)]
        commitment = build_commitment(
            kind="drill" if drill else "real",
            purpose={"scheme": "headless", "stage": stage},
            attempt=1,
            panels=[PanelSpec(stage, count or len(people))],
            roster=people,
            exclusions=[],
            load_cap=None,
            replacement="act",
            sources=plan.sources,
            parties=plan.parties,
            fallbacks=plan.fallbacks,
            rule_set_hash="",
            previous_head="",
        )
        keep(directory, commitment, people, [], labels)
    click.echo(commitment.hash)
    click.echo("drill" if drill else "real draw")
    click.echo(f"{count or len(people)} of {len(people)} things")
    click.echo(UNWITNESSED)
