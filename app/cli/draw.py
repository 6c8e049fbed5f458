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
from typing import Any

import click

from app.cli.draw_files import fail, publish_once, read_text, read_yaml, write_all
from app.cli.draw_guards import refuse_guarded, show_guards, words
from app.domain.types import DomainError, Text

UNWITNESSED = (
    "unwitnessed: nobody but you holds this commitment; publish its hash before the seed exists"
)
REHEARSING = Text("用练习密钥试抽", "rehearsing with drill keys")
REHEARSALS = 200
NODES = 1_000_000


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
        from app.domain.draw import (
            SearchTooLong,
            build_commitment,
            check_feasible,
            check_guards,
            drill_keys,
            exclusion_leaves,
            probabilities,
            rehearse,
            roster_leaves,
        )
        from app.domain.draw.objects import canonical

        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            fail(Text(f"{directory} 已存在且不为空", f"{directory} exists and is not empty"))
        people, exclusions, wanted, codes = load(roster, request, os.urandom)
        relaxations = check_feasible(wanted.panels, people, exclusions)
        if relaxations:
            texts = [words(r.text, codes) for r in relaxations]
            fail(
                Text(
                    f"{request.name} 的名额在 {roster.name} 中无法满足。"
                    + "；".join(t.zh for t in texts),
                    f"{request.name} cannot be met from {roster.name}: "
                    + "; ".join(t.en for t in texts),
                )
            )
        tell = Progress(codes)
        commitment = build_commitment(
            kind="drill" if drill else "real",
            purpose={"scheme": "headless"},
            attempt=1,
            panels=wanted.panels,
            roster=people,
            exclusions=exclusions,
            load_cap=wanted.load_cap,
            replacement=wanted.replacement,
            sources=wanted.sources,
            parties=wanted.parties,
            rule_set_hash="",
            previous_head="",
            tell=tell,
        )
        # Few keys for a large batch: the rehearsal is there to find a search that would not end.
        tickets = [p for p in wanted.panels if p.mode == "tickets"]
        keys = drill_keys(
            max(2, min(REHEARSALS, 2_000_000 // (len(people) * len(tickets)))) if tickets else 0
        )
        try:
            rehearsed = rehearse(
                commitment.panels,
                people,
                exclusions,
                wanted.load_cap,
                commitment.lotteries,
                keys,
                NODES,
                lambda done: tell(done, REHEARSING),
            )
        except SearchTooLong:
            fail(
                Text(
                    f"{request.name}：演练的搜索超过 {NODES} 步，请放宽名额或限制",
                    f"{request.name}: a rehearsal needed more than {NODES} steps, loosen quotas or limits",
                )
            )
        if rehearsed and all(any(p.short for p in r.panels) for r in rehearsed):
            fail(
                Text(
                    f"{request.name}：各组合在一起无法全部组成（日期或场次上限）",
                    f"{request.name}: the panels cannot all be formed together (dates or load cap)",
                )
            )
        chances = probabilities(
            wanted.panels, people, exclusions, wanted.load_cap,
            lotteries=commitment.lotteries, tell=tell,
            draws=max(200, min(1_000, 2_000_000 // (len(people) * max(1, len(tickets))))),
        )  # fmt: skip
        # From too few drill draws a chance of zero or above one half would be luck.
        known = None if chances.rough else chances
        found = check_guards(wanted.panels, people, exclusions, wanted.load_cap, known)
        refuse_guarded(found, wanted.accepted, codes)
        attributes = commitment.document["type_attributes"]
        files = {
            "commitment.json": (canonical(commitment.document), 0o644),
            "lotteries.json": (
                canonical([commitment.lotteries[p] for p in sorted(commitment.lotteries)]),
                0o644,
            ),
            "labels.json": (canonical(sorted(map(list, codes.labels.items()))), 0o600),
            "roster.json": (canonical(roster_leaves(people, attributes)), 0o600),
            "exclusions.json": (canonical(exclusion_leaves(exclusions)), 0o600),
        }
    write_all(directory, files)
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
        from app.domain.draw import (
            Commitment,
            candidates_from_leaves,
            derive_key,
            exclusions_from_leaves,
            parse_values,
            select,
            write_transcript,
        )
        from app.domain.draw.roster import exclusion_leaves, root_of, roster_leaves

        target = directory / "transcript.zip"
        if target.exists():
            fail(Text(f"{directory} 已经抽取过，不得重抽", f"{directory} has been drawn already"))
        try:
            data = {
                name: json.loads((directory / f"{name}.json").read_bytes())
                for name in ("commitment", "lotteries", "labels", "roster", "exclusions")
            }
            people = candidates_from_leaves(data["roster"])
            exclusions = exclusions_from_leaves(data["exclusions"])
            tables = {t["panel"]: t for t in data["lotteries"]}
            commitment = Commitment(data["commitment"], tables)
            whole = (
                root_of(roster_leaves(people, commitment.document["type_attributes"]))
                == commitment.document["roster_root"]
                and root_of(exclusion_leaves(exclusions)) == commitment.document["exclusions_root"]
                and commitment.holds_lotteries()
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            fail(
                Text(
                    f"{directory} 不是完整的承诺目录（{error}）",
                    f"{directory} is not a complete commitment directory ({error})",
                )
            )
        if not whole:
            fail(
                Text(
                    f"{directory} 的名单、回避或抽签表与承诺不符，没有抽取",
                    f"roster, exclusions or tables in {directory} differ from the commitment: nothing drawn",
                )
            )
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
        sources = {s.name: s for s in commitment.sources}
        if set(given) != set(sources):
            names = ", ".join(sources)
            fail(Text(f"须给出每个来源的值：{names}", f"give the values of every source: {names}"))
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
            labels=dict(data["labels"]),
        )
    publish_once(target, transcript)
    click.echo(f"commitment: {commitment.hash}\nkey: {key}")
    for panel in result.panels:
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


from app.cli import draw_openings  # noqa: E402,F401  (adds its command to the group)
