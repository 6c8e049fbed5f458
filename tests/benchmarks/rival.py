"""Run by an interpreter of its own, with sortition-algorithms and nothing of this product.

    python rival.py REQUEST.json [SECONDS]      -> one JSON line: seconds, least chance

`find_distribution_maximin` with HiGHS is the nearest that package has without a licence for Gurobi:
it raises the least chance, as leximin's first level does, and leaves the others where they fall.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time


def main() -> None:
    from sortition_algorithms import features, people, settings
    from sortition_algorithms.committee_generation import find_distribution_maximin

    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    wanted, _, _ = features.read_in_features(
        ["feature", "value", "min", "max"],
        [
            {"feature": a, "value": v, "min": str(low), "max": str(high)}
            for a, v, low, high in request["rows"]
        ],
    )
    head = ["id", *request["attributes"]]
    pool, _ = people.read_in_people(
        head,
        [dict(zip(head, row, strict=True)) for row in request["people"]],
        wanted,
        settings.Settings(id_column="id", columns_to_keep=[]),
    )
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        committees, shares, _ = find_distribution_maximin(wanted, pool, request["seats"], [])
    spent = time.perf_counter() - started
    chances = {row[0]: 0.0 for row in request["people"]}
    for committee, share in zip(committees, shares, strict=True):
        for person in committee:
            chances[person] += share
    print(json.dumps({"seconds": spent, "least": min(chances.values())}))


if __name__ == "__main__":
    main()
