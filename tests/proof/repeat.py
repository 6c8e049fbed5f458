"""The process that draws again: reads a commitment and a seed, prints the hash of the transcript.

python -m tests.proof.repeat < REQUEST.json; standard library only, so that any Python will do.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from app.domain.draw import (
    Commitment,
    Removal,
    candidates_from_leaves,
    derive_key,
    exclusions_from_leaves,
    replace,
    select,
    write_transcript,
)
from tests.domain.draw.pools import codes


def main(request: dict[str, Any]) -> str:
    """SHA-256 of the transcript of the draw and of one act after it."""
    commitment = Commitment(request["commitment"], request["lotteries"])
    roster = candidates_from_leaves(request["roster"])
    out = exclusions_from_leaves(request["exclusions"])
    key = derive_key(commitment, request["values"], codes(1))
    result = select(commitment, roster, out, key)
    gone = [Removal(p.id, p.seats[0].expert, "ill", "cd" * 32, 5) for p in result.panels]
    act = replace(commitment, roster, out, key, result, gone, codes(2), 2)
    transcript = write_transcript(
        commitment=commitment, roster=roster, exclusions=out, source_values=request["values"],
        codes=codes(1), key=key, result=result, acts=[act], labels=request["labels"],
    )  # fmt: skip
    return hashlib.sha256(transcript).hexdigest()


if __name__ == "__main__":
    print(main(json.load(sys.stdin)))
