"""The objects of PDRAW/1 and their hashes: people, exclusions, panels, sources, parties, results.

Canonical form is RFC 8785; every hash of an object is the RFC 6962 leaf hash of its canonical
form, and every root is the RFC 6962 tree over the leaf hashes in ascending order.
See docs/draw-protocol.md sections 2 and 3.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain.types import DomainError, Text

SPEC = "PDRAW/1"
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
LOTS = 1 << 40  # a lottery table shares out exactly this many lots
MAX_SAFE = 2**53 - 1
# Without floats, and with ASCII keys, the standard library's C encoder writes RFC 8785 byte for byte.
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True,
    separators=(",", ":"),
).encode  # fmt: skip

Mode = Literal["tickets", "lottery"]
Kind = Literal["real", "drill"]
Bounds = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person of the pool: pseudonym, frozen facts (attribute -> code), 16 random bytes."""

    id: str
    facts: Mapping[str, str]
    salt: bytes


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Who may not sit on which panel, by which rule, on what evidence, decided by whom and when."""

    panel: str
    expert: str
    rule: str
    evidence_hash: str
    decided_by: str
    salt: bytes
    when: int = 0


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """What is asked of one panel.

    `quotas[attribute][code] = (min, max)` seats; `pair_limits[attribute] = k`: at most k members
    share one value (a person without the attribute is not limited). A kin or mutual pair is an
    attribute of its own that only the two carry, with k = 1. `exclude` repeats the ids that the
    exclusion records name for this panel; the records decide.
    """

    id: str
    seats: int
    subjects: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    quotas: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    pair_limits: Mapping[str, int] = field(default_factory=dict)
    mode: Mode = "tickets"
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A public source: `count` integers between low and high, known only after `when`."""

    name: str
    kind: Literal["sequence", "set"]
    count: int
    low: int
    high: int
    when: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A party with a one-time-code chain: commitment = H applied `index` times to its secret."""

    name: str
    commitment_hex: str
    index: int = 32


@dataclass(frozen=True, slots=True)
class Seat:
    expert: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Someone met on the walk and not seated; `reason` is one of load_cap, date, max, pair, completion."""

    expert: str
    ticket: str
    reason: str


@dataclass(frozen=True, slots=True)
class PanelResult:
    """One panel as drawn; `lot` and `row` are -1 but for a lottery panel."""

    id: str
    seats: tuple[Seat, ...]
    skips: tuple[Skip, ...]
    short: bool = False
    lot: int = -1
    row: int = -1

    def document(self) -> dict[str, Any]:
        """The JSON form that the transcript carries."""
        return {
            "id": self.id,
            "lot": self.lot,
            "row": self.row,
            "seats": [[s.expert, s.ticket] for s in self.seats],
            "short": 1 if self.short else 0,
            "skips": [[s.expert, s.ticket, s.reason] for s in self.skips],
        }


@dataclass(frozen=True, slots=True)
class Result:
    """All panels of a commitment (sorted by id), the order they were drawn in, every restart."""

    panels: tuple[PanelResult, ...]
    order: tuple[str, ...]
    restarts: tuple[str, ...] = ()

    def panel(self, panel_id: str) -> PanelResult:
        """The result of one panel; KeyError if there is none."""
        for panel in self.panels:
            if panel.id == panel_id:
                return panel
        raise KeyError(panel_id)


def refuse(zh: str, en: str, field: str | None = None, **values: Any) -> DomainError:
    """A bilingual refusal, `{name}` fields filled from `values`."""
    return DomainError(Text(zh, en).format(**values), field=field)


def check_id(value: str, what_zh: str, what_en: str) -> str:
    """`value` if it is an identifier of the protocol; DomainError otherwise."""
    if not IDENTIFIER.fullmatch(value):
        raise refuse(
            "{w}“{v}”只能由字母、数字、点、下划线、连字符组成，长度 1 至 64",
            "{w} '{v}' must be 1 to 64 letters, digits, dots, underscores or hyphens",
            w=Text(what_zh, what_en),
            v=value,
        )
    return value


def canonical(document: Any) -> bytes:
    """RFC 8785 bytes of a document made of strings, integers, lists and objects with ASCII keys.

    Text stays as it is (the ledger brings its own to NFC, but a label's code is the hash of its
    words). TypeError for floats and other types; ValueError for keys that are not ASCII, integers
    beyond 2^53 - 1 and lone surrogates.
    """
    _admit(document)
    return bytes(_encode(document).encode())


def _admit(value: Any) -> None:
    """Refuses what has no canonical form here; lists of text are most of a transcript."""
    kind = type(value)
    if kind is list or kind is tuple:
        for item in value:
            if type(item) is not str:
                _admit(item)
    elif kind is dict:
        for key, item in value.items():
            if not key.isascii():
                raise ValueError(f"a key must be ASCII: {key!r}")
            if type(item) is not str:
                _admit(item)
    elif kind is int:
        if abs(value) > MAX_SAFE:
            raise ValueError(f"integer beyond 2^53 - 1: {value}")
    elif kind is not str and kind is not bool and value is not None:
        raise TypeError(f"{kind.__name__} has no canonical form here: {value!r}")


def leaf_hash(document: Any) -> str:
    """SHA-256(0x00 || JCS(document)), lower-case hex (the leaf hash of RFC 6962)."""
    return hashlib.sha256(b"\x00" + canonical(document)).hexdigest()


def merkle_root(leaves: Iterable[str]) -> str:
    """RFC 6962 root over leaf hashes (hex) in ascending order; no leaves: SHA-256 of nothing."""
    level = [bytes.fromhex(leaf) for leaf in sorted(leaves)]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    # Pairing neighbours and carrying the odd last one up gives RFC 6962's largest-power-of-two split.
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()


def excluded_by_panel(exclusions: Sequence[Exclusion]) -> dict[str, set[str]]:
    """Panel id -> ids that may not sit on it."""
    out: dict[str, set[str]] = {}
    for exclusion in exclusions:
        out.setdefault(exclusion.panel, set()).add(exclusion.expert)
    return out
