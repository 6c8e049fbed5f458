"""The transcript: one ZIP from which anyone repeats the draw without this software (section 10).

Written deterministically: fixed order, fixed timestamps, no compression, canonical JSON.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from .commitment import Commitment
from .objects import Candidate, Exclusion, Result, canonical, excluded_by_panel, refuse
from .replacement import ReplacementResult, result_document
from .roster import exclusion_leaf, leaf_list, roster_leaf, type_codes
from .seed import read_sources
from .tickets import ticket_list

EPOCH = (1980, 1, 1, 0, 0, 0)
TICKETS_LISTED = 50_000  # above this many tickets the list is left out: it can be recomputed
JSON_FILES = frozenset(
    [
        "commitment.json",
        "roster.json",
        "exclusions.json",
        "lotteries.json",
        "seed.json",
        "result.json",
        "tickets.json",
        "acts.json",
        "labels.json",
        "anchor.json",
        "manifest.json",
    ]
)


def seed_document(
    commitment: Commitment,
    source_values: Mapping[str, Sequence[int]],
    codes: Mapping[str, str],
    photographs: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Source values and codes of act 1 in committed order, hashes of photographs by source."""
    photos = photographs or {}
    return {
        "codes": [[p.name, codes[p.name]] for p in commitment.parties],
        "photographs": [[name, photos[name]] for name in sorted(photos)],
        "sources": [
            [s.name, list(source_values[s.name])]
            for _, s in read_sources(commitment.sources, commitment.fallbacks, source_values)
        ],
    }


def ticket_lists(
    commitment: Commitment, roster: Sequence[Candidate], exclusions: Sequence[Exclusion], key: str
) -> list[list[Any]] | None:
    """[[panel, [[ticket, expert], ...]], ...] ascending, or None above 50,000 tickets."""
    out = excluded_by_panel(exclusions)
    panels = commitment.panels
    if sum(len(roster) - len(out.get(p.id, ())) for p in panels) > TICKETS_LISTED:
        return None
    return [
        [p.id, ticket_list(key, p.id, 1, [c.id for c in roster if c.id not in out.get(p.id, ())])]
        for p in panels
    ]


def write_transcript(
    *,
    commitment: Commitment,
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    source_values: Mapping[str, Sequence[int]],
    codes: Mapping[str, str],
    key: str,
    result: Result,
    acts: Sequence[ReplacementResult] = (),
    photographs: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    checkpoint: str | None = None,
    anchor: Mapping[str, Any] | None = None,
    cosignature: str | None = None,
    act_cosignatures: Mapping[int, str] | None = None,
) -> bytes:
    """The bytes of the ZIP; the same arguments give the same bytes.

    `labels`: code -> the words it stands for. `checkpoint`: a C2SP signed note. `anchor`:
    {"event": canonical JSON text of the ledger event that carries the commitment hash, "index": its
    leaf index, "proof": [hex, ...] RFC 6962 inclusion proof, "keys": [C2SP verifier keys]}; for a
    cosigned draw also "cosigners": [C2SP verifier keys of devices] and "acts": [{"act", "event",
    "index", "proof"}, ...]. `cosignature` is the checkpoint with the device's line, `act_cosignatures`
    the note over each act's removals.
    """
    attributes = commitment.document["type_attributes"]
    documents: dict[str, Any] = {
        "commitment.json": commitment.document,
        "lotteries.json": [commitment.lotteries[p] for p in sorted(commitment.lotteries)],
        "seed.json": seed_document(commitment, source_values, codes, photographs),
        "result.json": result_document(commitment, key, result),
        "acts.json": [act.document for act in acts],
        "labels.json": [[code, words] for code, words in sorted((labels or {}).items())],
    }
    tickets = ticket_lists(commitment, roster, exclusions, key)
    if tickets is not None:
        documents["tickets.json"] = tickets
    if anchor is not None:
        documents["anchor.json"] = dict(anchor)
    files = {name: canonical(document) for name, document in documents.items()}
    types = type_codes(roster, attributes)
    files["roster.json"] = leaf_list(roster_leaf(c, types[c.id]) for c in roster)
    files["exclusions.json"] = leaf_list(exclusion_leaf(e) for e in exclusions)
    if checkpoint is not None:
        files["checkpoint.txt"] = checkpoint.encode("utf-8")
    if cosignature is not None:
        files["cosignature.txt"] = cosignature.encode("utf-8")
    for number, note in (act_cosignatures or {}).items():
        files[f"act-{number}-cosignature.txt"] = note.encode("utf-8")
    files["manifest.json"] = canonical(
        [[name, hashlib.sha256(files[name]).hexdigest()] for name in sorted(files)]
    )
    return pack(files)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A ZIP with sorted names, the date 1980-01-01 and no compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return out.getvalue()


def read_transcript(data: bytes) -> dict[str, Any]:
    """File name -> parsed JSON (or text of the checkpoint). Reads only: app/verify.py judges."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                name: json.loads(archive.read(name))
                if name in JSON_FILES
                else archive.read(name).decode("utf-8")
                for name in archive.namelist()
            }
    except (zipfile.BadZipFile, ValueError) as error:
        raise refuse("不是抽取记录包", "this is not a draw transcript") from error
