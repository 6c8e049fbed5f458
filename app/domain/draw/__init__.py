"""The draw engine PDRAW/1: commitment x seed -> result, a pure function anyone can repeat.

What the rest of the product calls; docs/draw-protocol.md is the specification, app/verify.py the
independent check. Nothing here reads a clock, a file or a random number: entropy is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .commitment import Commitment, build_commitment
from .fairness import Fairness, drill_keys, probabilities
from .guards import Guard, check_guards
from .lottery import Lottery, prepare_lotteries, prepare_lottery
from .meetings import Meeting, meetings, pair_lifts
from .objects import (
    Candidate,
    Exclusion,
    PanelResult,
    PanelSpec,
    Party,
    Result,
    Seat,
    Skip,
    Source,
    leaf_hash,
    merkle_root,
)
from .quotas import SearchTooLong
from .relaxation import BoundChange, Relaxation, check_feasible
from .replacement import Fill, Removal, ReplacementResult, previous_hash, removal_record, replace
from .roster import (
    candidates_from_leaves,
    exclusion_leaf,
    exclusion_leaves,
    exclusions_from_leaves,
    roster_leaf,
    roster_leaves,
    type_codes,
)
from .seed import chain, check_values, draw_key, parse_values
from .selection import Batch, rehearse
from .tickets import lot, order_of_things, panel_ticket, ticket
from .transcript import read_transcript, write_transcript

__all__ = [
    "BoundChange", "Candidate", "Commitment", "Exclusion", "Fairness", "Fill", "Guard", "Lottery",
    "Meeting", "PanelResult", "PanelSpec", "Party", "Relaxation", "Removal", "ReplacementResult", "Result",
    "SearchTooLong", "Seat", "Skip", "Source", "build_commitment", "candidates_from_leaves", "chain",
    "check_feasible", "check_guards", "check_values", "derive_key", "drill_keys", "exclusion_leaf",
    "exclusion_leaves", "exclusions_from_leaves", "leaf_hash", "lot", "meetings", "merkle_root",
    "order_of_things", "pair_lifts", "panel_ticket", "parse_values", "prepare_lotteries", "prepare_lottery",
    "previous_hash", "probabilities", "read_transcript", "rehearse", "removal_record", "replace",
    "roster_leaf", "roster_leaves", "select", "ticket", "type_codes", "write_transcript",
]  # fmt: skip


def derive_key(
    commitment: Commitment, source_values: Mapping[str, Sequence[int]], codes: Mapping[str, str]
) -> str:
    """DRAWKEY (lower-case hex) from the values of every source and the act-1 code of every party."""
    return draw_key(
        commitment.hash,
        commitment.kind,
        commitment.sources,
        source_values,
        commitment.parties,
        codes,
        commitment.fallbacks,
    )


def select(
    commitment: Commitment,
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    key: str,
) -> Result:
    """Draw all panels of a commitment with its key."""
    return Batch(
        commitment.panels, roster, exclusions, commitment.load_cap, key, commitment.lotteries
    ).run()
