"""`mingjian draw replace`: a replacement act over files (docs/draw-protocol.md sections 9 and 12).

Who leaves is fixed first, in a file that is written once and whose hash is published; only then do the
parties reveal their codes, and the vacancies are filled.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import clock
from app.cli.draw import FILE, UNWITNESSED, draw_group, pairs, refusals
from app.cli.draw_files import fail, publish_once
from app.cli.draw_table import read_table, wrong
from app.domain.types import Text

if TYPE_CHECKING:
    from app.cli.draw_directory import Drawn

COLUMNS = ("panel", "id", "reason", "evidence")


@draw_group.command("replace")
@click.argument("directory", type=FILE)
@click.argument("removals", type=FILE, required=False)
@click.option("--code", "codes", multiple=True, help="PARTY=HEX, each party's code of this act.")
def replace_command(directory: Path, removals: Path | None, codes: tuple[str, ...]) -> None:
    """Fix who leaves (REMOVALS.csv: panel, id, reason, evidence), then fill the vacancies.

    With parties in two steps: first with REMOVALS.csv, which prints the hash to publish, then without it
    and with every party's next code. Without parties, or with reserves, in one.
    """
    with refusals():
        from app.cli.draw_directory import drawn, transcript_name
        from app.domain.draw import leaf_hash

        draw = drawn(directory)
        if draw.held.is_order:
            fail(Text("抽的是顺序，没有更换", "an order of things has no replacement acts"))
        act = len(draw.acts) + 2
        path = directory / f"removals-{act}.json"
        if removals is not None:
            if path.exists():
                fail(
                    Text(
                        f"第 {act} 次的更换已固定在 {path}，不得更改；请凭口令补抽",
                        f"the removals of act {act} are fixed in {path} and do not change: fill them, "
                        "with the codes",
                    )
                )
            if codes:
                fail(
                    Text(
                        "先固定更换并公布其哈希，各方才出示口令",
                        "removals are fixed and their hash is published before any code is revealed",
                    )
                )
            fixed = _fixed(removals, draw, act)
            publish_once(
                path, json.dumps(fixed, ensure_ascii=False, sort_keys=True).encode(), 0o600
            )
        fixed = _kept(path, act)
        click.echo(f"act: {act}\nremoval hash: {leaf_hash(fixed['record'])}")
        document = draw.held.commitment.document
        needs = document["parties"] and document["replacement"] != "reserves"
        if needs and not codes:
            who = ", ".join(party["name"] for party in document["parties"])
            click.echo(
                f"fixed: {path}\npublish this hash, then reveal the code of act {act} of every party "
                f"({who}): mingjian draw replace {directory} --code PARTY=HEX ..."
            )
            return
        _fill(directory / transcript_name(act), draw, fixed, pairs(codes, "--code"), act)
    click.echo(UNWITNESSED)


def _fixed(path: Path, draw: Drawn, act: int) -> dict[str, Any]:
    """The removal record of REMOVALS.csv with the openings of its evidence; exit 2 with the place of
    what is wrong."""
    from app.domain.draw import Removal, leaf_hash, previous_hash, removal_record
    from app.domain.draw.roster_file import Codebook

    book = Codebook()
    seen: dict[tuple[str, str], int] = {}
    removals, evidence = [], []
    for row, cells in read_table(path, COLUMNS):
        panel, expert = book.code(cells["panel"]), cells["id"]
        if panel not in {p.id for p in draw.result.panels}:
            wrong(
                path, row, "panel", f"没有评审组“{cells['panel']}”", f"there is no panel '{cells['panel']}'"
            )  # fmt: skip
        people, vacant = draw.occupants(panel)
        if expert not in {e for n, e in enumerate(people, 1) if n not in vacant}:
            wrong(
                path, row, "id",
                f"“{expert}”不在评审组“{cells['panel']}”就座",
                f"'{expert}' holds no seat on panel '{cells['panel']}'",
            )  # fmt: skip
        if (panel, expert) in seen:
            wrong(
                path, row, "id", f"与第 {seen[panel, expert]} 行重复", f"repeats row {seen[panel, expert]}"
            )  # fmt: skip
        seen[panel, expert] = row
        opening = {"evidence": {"text": cells["evidence"]}, "nonce": os.urandom(16).hex()}
        evidence.append({"panel": panel, "expert": expert, **opening})
        when = int(clock.now().timestamp())
        removals.append(
            Removal(panel, expert, book.code(cells["reason"]), leaf_hash(opening), when)
        )
    previous = previous_hash(draw.held.commitment, draw.key, draw.standing)
    return {
        "record": removal_record(act, previous, removals),
        "evidence": evidence,
        "labels": book.labels,
    }


def _kept(path: Path, act: int) -> dict[str, Any]:
    """The fixed removals of the act, or exit 2."""
    if not path.exists():
        fail(
            Text(
                f"第 {act} 次还没有固定更换：请给出 REMOVALS.csv",
                f"no removals of act {act} are fixed yet: give REMOVALS.csv",
            )
        )
    try:
        fixed = dict(json.loads(path.read_bytes()))
        whole = fixed["record"]["act"] == act and isinstance(fixed["labels"], dict)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        fail(Text(f"{path} 已损坏，没有补抽", f"{path} is damaged: nothing was drawn"))
    return fixed


def _fill(
    target: Path, draw: Drawn, fixed: dict[str, Any], codes: dict[str, str], act: int
) -> None:
    """Compute the act and write its transcript, once."""
    from app.cli.draw_directory import removals_of
    from app.domain.draw import previous_hash, replace, write_transcript

    held = draw.held
    if fixed["record"]["previous"] != previous_hash(held.commitment, draw.key, draw.standing):
        fail(
            Text(
                "固定的更换不接在最近一次之后，没有补抽",
                "the fixed removals do not follow the latest act: nothing was drawn",
            )
        )
    done = replace(
        held.commitment, held.people, held.exclusions, draw.key, draw.standing,
        removals_of(fixed["record"]), codes, act,
    )  # fmt: skip
    labels = held.labels | fixed["labels"]
    transcript = write_transcript(
        commitment=held.commitment,
        roster=held.people,
        exclusions=held.exclusions,
        source_values=draw.values,
        codes=draw.codes,
        key=draw.key,
        result=draw.result,
        acts=[*draw.acts, done],
        labels=labels,
    )
    publish_once(target, transcript)
    for fill in done.fills:
        then = f"{fill.expert} ({fill.how})" if fill.expert else "vacant"
        panel = labels.get(fill.panel, fill.panel)
        click.echo(f"{panel} seat {fill.seat}: {fill.leaver} -> {then}")
    if done.vacant:
        click.echo("vacant seats are drawn for again by: mingjian draw supplement")
    click.echo(f"written: {target}")
