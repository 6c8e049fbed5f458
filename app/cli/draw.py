"""`mingjian draw` and `mingjian verify`: the draw engine from a spreadsheet (docs/draw-protocol.md 12).

Nothing is written unless everything is right. A headless draw has no ledger and no witness, and
says so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.draw_files import fail, publish_once, read_text, read_yaml
from app.cli.draw_guards import show_guards, words
from app.domain.types import DomainError, Text

if TYPE_CHECKING:
    from app.domain.draw.objects import Kind

UNWITNESSED = (
    "unwitnessed: nobody but you holds this commitment; publish its hash before the seed exists"
)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal of the engine into a message and exit code 2."""
    try:
        yield
    except DomainError as error:
        fail(error.text)


def load(roster_path: Path, request_path: Path, entropy: Callable[[int], bytes]) -> Any:
    """(roster, exclusions, request, labels) of the two files, with salts from `entropy`."""
    from app.domain.draw.request import parse_request
    from app.domain.draw.roster_file import Codebook, parse_roster

    codes = Codebook()
    table = parse_roster(read_text(roster_path), roster_path.name, codes)
    data, marks = read_yaml(request_path)
    request = parse_request(data, request_path.name, marks, table, codes)
    roster = table.candidates({i: entropy(16) for i in table.people})
    exclusions = request.exclusion_records([entropy(16) for _ in request.exclusions])
    return roster, exclusions, request, codes


class Progress:
    """Says on stderr how far a long computation is: each new phase, else once every `every` seconds."""

    every = 1.0

    def __init__(self, codes: Any) -> None:
        self.codes, self.phase, self.last = codes, "", 0.0

    def __call__(self, done: float, phase: Text) -> None:
        """`done` is 0 to 1, of this phase or, for lotteries, of all of them."""
        now = time.monotonic()
        if phase.en == self.phase and now - self.last < self.every:
            return
        self.phase, self.last = phase.en, now
        click.echo(f"[{int(done * 100):3d}%] {words(phase, self.codes).en}", err=True)


@click.group("draw")
def draw_group() -> None:
    """Draw experts from a roster, so that anyone can check it."""


FILE = click.Path(path_type=Path)


@draw_group.command()
@click.argument("roster", type=FILE)
@click.argument("request", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fairness(roster: Path, request: Path, as_json: bool) -> None:
    """Everybody's chance: no seed, no draw, nothing written.

    A request that the pool cannot meet is answered with "feasible": false and the smallest
    relaxations (exit 0: the question was answered). A request out of shape is an error (exit 2).
    """
    started = time.perf_counter()
    # A what-if publishes nothing, so its salts need not be secret, only distinct.
    counter = iter(range(1 << 62))
    with refusals():
        from app.domain.draw import (
            check_feasible,
            check_guards,
            meetings,
            prepare_lotteries,
            probabilities,
        )

        people, exclusions, wanted, codes = load(
            roster, request, lambda n: next(counter).to_bytes(n, "big")
        )
        relaxations = check_feasible(wanted.panels, people, exclusions)
        out: dict[str, Any] = {
            "method": "none",
            "seats": sum(p.seats for p in wanted.panels),
            "pool": len(people),
            "feasible": not relaxations,
            "min": None,
            "max": None,
            "gini": None,
            "certified": False,
            "relaxations": [
                {"zh": t.zh, "en": t.en} for t in (words(r.text, codes) for r in relaxations)
            ],
            "probabilities": {},
            "pairs": [],
        }
        if not relaxations:
            # Fewer drill keys for a large batch: a what-if should answer within a minute or two.
            draws = max(200, min(2_000, 20_000_000 // (len(people) * len(wanted.panels))))
            tell = Progress(codes)
            tables = prepare_lotteries(wanted.panels, people, exclusions, tell=tell)
            found = probabilities(
                wanted.panels, people, exclusions, wanted.load_cap,
                lotteries=tables, draws=draws, tell=tell,
            )  # fmt: skip
            met = meetings(tables, wanted.eligible(people))
            out |= {
                "method": found.method,
                "pool": len(found.pool),
                "feasible": not found.draws or found.short_draws < found.draws,
                "min": float(found.minimum),
                "max": float(found.maximum),
                "gini": float(found.gini),
                "certified": found.certified,
                "probabilities": {
                    i: float(found.probabilities[i]) for i in sorted(found.probabilities)
                },
                "pairs": [
                    {
                        "panel": m.panel,
                        "one_of": list(m.first),
                        "and_one_of": list(m.second),
                        "together": float(m.together),
                        "independent": float(m.apart),
                    }
                    for m in met
                ],
            }
            show_guards(
                check_guards(wanted.panels, people, exclusions, wanted.load_cap, found), codes
            )
        out["seconds"] = round(time.perf_counter() - started, 3)
    if as_json:
        click.echo(json.dumps(out, ensure_ascii=False))
        return
    for key in (
        "method",
        "seats",
        "pool",
        "feasible",
        "min",
        "max",
        "gini",
        "certified",
        "seconds",
    ):
        click.echo(f"{key}: {out[key]}")
    for relaxation in out["relaxations"]:
        click.echo(f"{relaxation['zh']}\n{relaxation['en']}")
    for expert, chance in out["probabilities"].items():
        click.echo(f"{expert}\t{chance:.6f}")
    if out["pairs"]:
        click.echo(
            "furthest from being drawn independently (panel, who, together, if independent):"
        )
    for pair in out["pairs"]:
        who = f"{'/'.join(pair['one_of'])} + {'/'.join(pair['and_one_of'])}"
        click.echo(f"{pair['panel']}\t{who}\t{pair['together']:.6f}\t{pair['independent']:.6f}")


@draw_group.command()
@click.argument("roster", type=FILE)
@click.argument("request", type=FILE)
@click.option("-o", "--output", "directory", type=FILE, required=True, help="A new directory.")
@click.option("--drill", is_flag=True, help="A rehearsal that can never be passed off as a draw.")
def commit(roster: Path, request: Path, directory: Path, drill: bool) -> None:
    """Fix pool, exclusions, quotas and seed sources; print the hash to publish."""
    with refusals():
        from app.cli.draw_commit import Names, committed, keep, refuse_used

        refuse_used(directory)
        kind: Kind = "drill" if drill else "real"
        people, exclusions, wanted, codes = load(roster, request, os.urandom)
        commitment = committed(
            people, exclusions, wanted, codes, Names(roster.name, request.name), kind=kind,
            tell=Progress(codes),
        )  # fmt: skip
    keep(directory, commitment, people, exclusions, codes.labels)
    click.echo(commitment.hash)
    click.echo("drill" if drill else "real draw")
    click.echo(UNWITNESSED)


def pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    """NAME=VALUE options as a mapping."""
    out: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or name in out:
            fail(
                Text(
                    f"{option} 须为 名称=值，且每个名称一次：{value}",
                    f"{option} must be NAME=VALUE, once per name: {value}",
                )
            )
        out[name] = rest.strip()
    return out


@draw_group.command()
@click.argument("directory", type=FILE)
@click.option("--dice", help='The values of the only source, in order: "1 6 3 ...".')
@click.option("--source", "named", multiple=True, help="NAME=VALUES, for several sources.")
@click.option("--code", "codes", multiple=True, help="PARTY=HEX, for each party.")
def run(directory: Path, dice: str | None, named: tuple[str, ...], codes: tuple[str, ...]) -> None:
    """Draw from a commitment and its seed, once; write DIR/transcript.zip."""
    with refusals():
        from app.cli.draw_directory import opened
        from app.domain.draw import derive_key, parse_values, select, write_transcript

        target = directory / "transcript.zip"
        if target.exists():
            fail(Text(f"{directory} 已经抽取过，不得重抽", f"{directory} has been drawn already"))
        held = opened(directory)
        commitment, people, exclusions = held.commitment, held.people, held.exclusions
        given = pairs(named, "--source")
        if dice is not None:
            if len(commitment.sources) != 1 or given:
                fail(
                    Text(
                        "--dice 只用于唯一的来源，请用 --source",
                        "--dice is for a single source, use --source",
                    )
                )
            given = {commitment.sources[0].name: dice}
        fallbacks = commitment.fallbacks
        sources = {s.name: s for row in (commitment.sources, *fallbacks.values()) for s in row}
        ways = [[s.name, *(f.name for f in fallbacks.get(s.name, ()))] for s in commitment.sources]
        if any(len(set(way) & set(given)) != 1 for way in ways) or set(given) - set(sources):
            names = ", ".join(" / ".join(way) for way in ways)
            fail(Text(f"须给出每个来源的值：{names}", f"give the values of every source: {names}"))
        for way in ways:
            if way[0] not in given:
                used = next(name for name in way if name in given)
                click.echo(
                    f"提示: 以替补来源“{used}”代替“{way[0]}”，任何人都会查证后者确未产生\n"
                    f"warning: fallback '{used}' in place of '{way[0]}': anybody will check that the "
                    "latter did not come about",
                    err=True,
                )
        values = {name: parse_values(text, sources[name]) for name, text in given.items()}
        revealed = pairs(codes, "--code")
        key = derive_key(commitment, values, revealed)
        result = select(commitment, people, exclusions, key)
        transcript = write_transcript(
            commitment=commitment,
            roster=people,
            exclusions=exclusions,
            source_values=values,
            codes=revealed,
            key=key,
            result=result,
            labels=held.labels,
        )
    publish_once(target, transcript)
    click.echo(f"commitment: {commitment.hash}\nkey: {key}")
    for panel in result.panels:
        if held.is_order:
            for number, place in enumerate(panel.seats, 1):
                click.echo(f"{number}\t{held.labels[place.expert]}")
            continue
        click.echo(
            f"{panel.id}{' (short)' if panel.short else ''}: "
            + " ".join(s.expert for s in panel.seats)
        )
    click.echo(f"written: {target}")
    if commitment.kind == "drill":
        click.echo("drill: this is not a real draw")
    click.echo(UNWITNESSED)


@click.command("verify")
@click.argument("file", type=FILE)
@click.option("--head", help="Commitment hash, or the ledger head (text or a file) to expect.")
@click.option("--openings", type=FILE, help="The file that opens names: they are checked too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_command(file: Path, head: str | None, openings: Path | None, as_json: bool) -> None:
    """Check a draw transcript: exit 0 and "verified", or exit 1 and the failing step."""
    from app.verify import verify_transcript

    if head and Path(head).is_file():
        head = Path(head).read_text("utf-8")
    report = verify_transcript(file, head, openings)
    if as_json:
        click.echo(json.dumps(report.__dict__, ensure_ascii=False))
    else:
        click.echo("\n".join(report.lines()), err=not report.ok)
    if not report.ok:
        raise SystemExit(1)


# These add their commands to the group.
from app.cli import draw_acts, draw_openings, draw_order, draw_supplement  # noqa: E402,F401
