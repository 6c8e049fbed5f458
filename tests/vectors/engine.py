"""Requests of tests/vectors/pdraw, put to the product's own engine."""

from __future__ import annotations

from typing import Any

from app.domain.draw import (
    Candidate,
    Commitment,
    Exclusion,
    PanelSpec,
    Party,
    Removal,
    Source,
    build_commitment,
    chain,
    check_feasible,
    derive_key,
    replace,
    select,
    write_transcript,
)
from app.domain.draw.replacement import result_document
from app.domain.draw.transcript import ticket_lists


def panels(request: dict[str, Any]) -> list[PanelSpec]:
    out = []
    for p in request["panels"]:
        quotas: dict[str, dict[str, tuple[int, int]]] = {}
        for a, v, low, high in p["quotas"]:
            quotas.setdefault(a, {})[v] = (low, high)
        limits = dict(p["pair_limits"])
        out.append(PanelSpec(p["id"], p["seats"], tuple(p["subjects"]), tuple(p["dates"]), quotas, limits, p["mode"]))  # fmt: skip
    return out


def people(request: dict[str, Any]) -> list[Candidate]:
    return [Candidate(i, facts, bytes.fromhex(s)) for i, facts, s in request["roster"]]


def exclusions(request: dict[str, Any]) -> list[Exclusion]:
    return [
        Exclusion(e["panel"], e["expert"], e["rule"], e["evidence"], e["decided_by"], bytes.fromhex(e["salt"]), e["when"])
        for e in request["exclusions"]
    ]  # fmt: skip


def codes(request: dict[str, Any], act: int) -> dict[str, str]:
    return {n: chain(bytes.fromhex(s), i - act).hex() for n, s, i in request["parties"]}


def committed(request: dict[str, Any]) -> Commitment:
    """DomainError for a request that no commitment may carry. Lottery tables are those of the solver."""
    return build_commitment(
        kind=request["kind"],
        purpose=request["purpose"],
        attempt=request["attempt"],
        panels=panels(request),
        roster=people(request),
        exclusions=exclusions(request),
        load_cap=request["load_cap"],
        replacement=request["replacement"],
        sources=[Source(s["name"], s["kind"], s["count"], s["low"], s["high"], s["when"]) for s in request["sources"]],
        parties=[Party(n, chain(bytes.fromhex(s), i).hex(), i) for n, s, i in request["parties"]],
        rule_set_hash=request["rule_set"],
        previous_head=request["previous_head"],
    )  # fmt: skip


def relaxations(request: dict[str, Any]) -> list[Any]:
    """[[basis, [[attribute, value, bound, old, new], ...]], ...] of an infeasible request."""
    return [
        [r.basis, [[c.attribute, c.value, c.bound, c.old, c.new] for c in r.changes]]
        for r in check_feasible(panels(request), people(request), exclusions(request))
    ]


def drawn(request: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """What second_generator.generate gives, by the engine, from this commitment."""
    tables = {t["panel"]: t for t in request["lotteries"]}
    commitment = Commitment(document, tables)
    assert commitment.holds_lotteries()
    roster, out = people(request), exclusions(request)
    key = derive_key(commitment, request["values"], codes(request, 1))
    result = select(commitment, roster, out, key)
    acts: list[Any] = []
    standing: Any = result
    for act, wanted in enumerate(request["removals"], 2):
        sitting = (
            {p.id: [s.expert for s in p.seats] for p in result.panels}
            if act == 2
            else standing.occupants
        )
        gone = [Removal(p, sitting[p][n - 1], why, "cd" * 32, when) for p, n, why, when in wanted]
        reserves = request["replacement"] == "reserves"
        shown = {} if reserves else codes(request, act)
        standing = replace(commitment, roster, out, key, standing, gone, shown, act)
        acts.append(standing)
    labels = {"u" + _sha(w)[:12]: w for w in request["labels"]}
    values = {s["name"]: request["values"][s["name"]] for s in request["sources"]}
    for source in request["sources"]:
        if source["kind"] == "set":
            values[source["name"]] = sorted(values[source["name"]])
    return {
        "commitment": commitment.document,
        "hash": commitment.hash,
        "key": key,
        "tickets": ticket_lists(commitment, roster, out, key),
        "result": result_document(commitment, key, result),
        "acts": [a.document for a in acts],
        "zip": write_transcript(
            commitment=commitment, roster=roster, exclusions=out, source_values=values,
            codes=codes(request, 1), key=key, result=result, acts=acts, labels=labels,
        ),
    }  # fmt: skip


def _sha(words: str) -> str:
    import hashlib

    return hashlib.sha256(words.encode()).hexdigest()
