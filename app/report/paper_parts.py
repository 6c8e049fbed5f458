"""A report in parts that can each be laid out in little memory; small rounds stay in one.

A part ends only before a block that opens something: a heading, or a table where an annex has none. What
stands on more pages carries its annex's title with "continued".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.report.blocks import Block

# Cells to a part: about 200 MB while it is laid out.
ENOUGH = 8_000
_OPENERS = ("marks", "table", "chart")


def parts(data: dict[str, Any], enough: int = ENOUGH) -> list[dict[str, Any]]:
    """`data` of report.typ in one part or several, which together hold the same blocks in order."""
    common = {
        k: v for k, v in data.items() if k not in ("sections", "annexes", "signatures", "ledger")
    }
    made: list[dict[str, Any]] = [{**common, "sections": data["sections"], "annexes": []}]
    full = sum(weight(b) for blocks in data["sections"].values() for b in blocks)
    for number, annex in enumerate(data["annexes"], 1):
        for place, blocks in enumerate(_pieces(annex["blocks"], enough)):
            load = sum(map(weight, blocks))
            if full and full + load > enough:
                made.append({**common, "annexes": []})
                full = 0
            piece = {"title": annex["title"], "number": number, "blocks": blocks}
            if place:
                piece["continued"] = True
            made[-1]["annexes"].append(piece)
            full += load
    for part in made[:-1]:
        part |= {"closing": False, "signatures": []}
    made[-1] |= {k: data[k] for k in ("signatures", "ledger") if k in data}
    return made


def _pieces(blocks: list[Block], enough: int) -> Iterator[list[Block]]:
    """An annex's blocks, cut where it may be cut, each piece as large as one part can be."""
    openers = ("heading",) if any(b["kind"] == "heading" for b in blocks) else _OPENERS
    piece: list[Block] = []
    load = 0
    for group in _groups(blocks, openers):
        more = sum(map(weight, group))
        if piece and load + more > enough:
            yield piece
            piece, load = [], 0
        piece = [*piece, *group]
        load += more
    yield piece


def _groups(blocks: list[Block], openers: tuple[str, ...]) -> Iterator[list[Block]]:
    """Each opener with what follows it."""
    group: list[Block] = []
    for block in blocks:
        if block["kind"] in openers and group:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def weight(block: Block) -> int:
    """About how many cells of a table a block is worth."""
    match block["kind"]:
        case "table":
            return len(block["rows"]) * len(block["columns"])
        case "marks":
            return len(block["items"]) * (len(block["raters"]) + 4)
        case "arithmetic":
            return sum(1 + len(line["text"].zh) // 100 for line in block["lines"])
        case "facts":
            return 2 * len(block["rows"])
        case "list":
            return len(block["items"])
        case "chart":
            return len(block["svg"]) // 500
    return 1
