"""`mingjian draw supplement`: a commitment for seats that no act could fill, from an enlarged roster.

docs/draw-protocol.md section 9. What comes out is an ordinary commitment directory for `draw run`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.draw import FILE, UNWITNESSED, Progress, draw_group, load, refusals
from app.cli.draw_files import fail, publish_once, read_yaml
from app.domain.types import Text

if TYPE_CHECKING:
    from app.cli.draw_directory import Drawn


@draw_group.command("supplement")
@click.argument("directory", type=FILE)
@click.argument("roster", type=FILE)
@click.argument("request", type=FILE)
@click.option("-o", "--output", "target", type=FILE, required=True, help="A new directory.")
def supplement(directory: Path, roster: Path, request: Path, target: Path) -> None:
    """Commit to a draw for the vacant seats of DIRECTORY from an enlarged ROSTER.csv.

    REQUEST.yaml is that of the first draw, with exclusions of whoever is new, and sources and parties of
    this draw. Bounds follow from the committed ones less what the standing members fill.
    """
    with refusals():
        from app.cli.draw_commit import Names, committed, keep, refuse_used
        from app.cli.draw_directory import drawn

        refuse_used(target)
        draw = drawn(directory)
        act = len(draw.acts) + 2
        if (directory / f"removals-{act}.json").exists():
            fail(
                Text(
                    f"{directory} 的第 {act} 次更换尚未补抽",
                    f"act {act} of {directory} is still open",
                )
            )
        vacant = {p.id: sorted(draw.occupants(p.id)[1]) for p in draw.result.panels}
        vacant = {panel: seats for panel, seats in sorted(vacant.items()) if seats}
        if not vacant:
            fail(Text(f"{directory} 没有空缺席位", f"no seat of {directory} is vacant"))
        claim = directory / f"supplement-{len(draw.acts) + 1}.json"
        _refuse_claimed(directory, vacant)
        people, exclusions, wanted, codes = load(roster, request, os.urandom)
        wanted, kept_out = _reduced(draw, vacant, people, wanted, roster, request, codes)
        exclusions = [e for e in exclusions if e.panel in vacant] + kept_out
        first = draw.held.commitment
        _refuse_chains(draw, wanted, request)
        seats = ",".join(f"{panel}-{n}" for panel in vacant for n in vacant[panel])
        commitment = committed(
            people, exclusions, wanted, codes, Names(roster.name, request.name),
            kind="drill" if first.kind == "drill" else "real", tell=Progress(codes),
            purpose={**first.document["purpose"], "seats": seats, "supplement_of": first.hash},
        )  # fmt: skip
        body = {"commitment": commitment.hash, "seats": seats.split(",")}
        publish_once(claim, json.dumps(body).encode())
    try:
        keep(target, commitment, people, exclusions, codes.labels)
    except BaseException:
        claim.unlink(missing_ok=True)
        raise
    click.echo(commitment.hash)
    click.echo("drill" if commitment.kind == "drill" else "real draw")
    for panel in vacant:
        numbers = ", ".join(map(str, vacant[panel]))
        click.echo(f"{codes.words(panel)}: vacant seats {numbers}, filled in this order")
    click.echo(UNWITNESSED)


def _refuse_claimed(directory: Path, vacant: Mapping[str, list[int]]) -> None:
    """A vacancy belongs to one set for ever."""
    for path in sorted(directory.glob("supplement-*.json")):
        try:
            body = json.loads(path.read_bytes())
            taken = {str(seat) for seat in body["seats"]}
        except (OSError, ValueError, KeyError, TypeError):
            fail(Text(f"{path} 已损坏", f"{path} is damaged"))
        if taken & {f"{panel}-{n}" for panel in vacant for n in vacant[panel]}:
            fail(
                Text(
                    f"这些空缺已有补充抽取（{path.name}，承诺 {body['commitment']}）",
                    f"these vacancies have their supplementary draw ({path.name}, commitment "
                    f"{body['commitment']})",
                )
            )


def _refuse_chains(draw: Drawn, wanted: Any, request: Path) -> None:
    """Codes of the first draw, hashed forward, would give away those of this one."""
    from app.domain.draw import chain

    for new in wanted.parties:
        for old in draw.held.commitment.parties:
            one, two = bytes.fromhex(new.commitment_hex), bytes.fromhex(old.commitment_hex)
            for _ in range(max(new.index, old.index) + 1):
                if one.hex() == old.commitment_hex or two.hex() == new.commitment_hex:
                    fail(
                        Text(
                            f"{request.name}：“{new.name}”的口令链在第一次抽取中用过，请另做一条",
                            f"{request.name}: the chain of '{new.name}' belongs to the first draw; make a "
                            "new one",
                        )
                    )
                one, two = chain(one, 1), chain(two, 1)


def _reduced(
    draw: Drawn,
    vacant: Mapping[str, list[int]],
    people: list[Any],
    wanted: Any,
    roster: Path,
    request: Path,
    codes: Any,
) -> tuple[Any, list[Any]]:
    """(the request as far as it is vacant, exclusions that follow from who sits already)."""
    from app.domain.draw import Exclusion
    from app.domain.draw.vacancies import bounds_left, tied

    facts = {person.id: person.facts for person in people}
    asked = {panel.id: panel for panel in wanted.panels}
    ever = draw.ever()
    panels, kept_out = [], []
    for spec in draw.held.commitment.panels:
        if spec.id not in vacant:
            continue
        mine = _as_committed(
            spec, asked.get(spec.id), request, codes, draw.held.labels.get(spec.id, spec.id)
        )
        occupants, gone = draw.occupants(spec.id)
        members = [e for n, e in enumerate(occupants, 1) if n not in gone]
        lost = sorted(set(members) - facts.keys())
        if lost:
            fail(
                Text(
                    f"{roster.name}“id”列：缺少评审组“{codes.words(spec.id)}”的在任成员 {lost[0]}",
                    f"{roster.name}, column 'id': the standing member {lost[0]} of panel "
                    f"'{codes.words(spec.id)}' is missing",
                )
            )
        standing = [facts[e] for e in members]
        out = set(mine.exclude)
        for key in sorted(facts):
            rules = ["D-09"] if key in ever else []
            rules = rules or (["C-10"] if [*tied(facts[key], spec.pair_limits, standing)] else [])
            for rule in rules:
                evidence = hashlib.sha256(
                    f"seated {draw.held.commitment.hash}".encode()
                ).hexdigest()
                kept_out.append(Exclusion(spec.id, key, rule, evidence, "rules", os.urandom(16)))
                out.add(key)
        seats = len(vacant[spec.id])
        panels.append(
            replace(
                spec,
                seats=seats,
                quotas=bounds_left(spec.quotas, seats, standing),
                mode="tickets" if len(vacant) > 1 else spec.mode,
                exclude=frozenset(out),
            )
        )
    document = draw.held.commitment.document
    # One vacancy of one type leaves most people no chance and a few a high one: the shortage itself.
    accepted = {"probability_high": "small_pool", "probability_zero": "not_needed"}
    made = replace(
        wanted, panels=tuple(panels), load_cap=document["load_cap"],
        exclusions=tuple(e for e in wanted.exclusions if e.panel in vacant),
        replacement=document["replacement"], accepted=accepted | dict(wanted.accepted),
    )  # fmt: skip
    return made, kept_out


def _as_committed(spec: Any, mine: Any, request: Path, codes: Any, named: str) -> Any:
    """The panel of the request; exit 2, with its place, unless it is there as it was committed."""
    data, marks = read_yaml(request)
    at = [n for n, row in enumerate(data["panels"]) if codes.code(str(row["id"])) == spec.id]
    line, column = marks[("panels", *at)] if at else marks.get(("panels",), (1, 1))
    place = Text(
        f"{request.name} 第 {line} 行第 {column} 列（评审组“{named}”）：",
        f"{request.name}, row {line}, column {column} (panel '{named}'): ",
    )
    if mine is None:
        fail(
            Text(place.zh + "缺少有空缺的评审组", place.en + "the panel with vacancies is missing")
        )
    for name in ("seats", "quotas", "pair_limits", "subjects", "dates"):
        one, two = getattr(spec, name), getattr(mine, name)
        if name in ("subjects", "dates"):
            one, two = tuple(sorted(set(one))), tuple(sorted(set(two)))
        if one != two:
            fail(
                Text(
                    f"{place.zh}{name} 与第一次抽取的承诺不同",
                    f"{place.en}{name} differs from the commitment of the first draw",
                )
            )
    return mine
