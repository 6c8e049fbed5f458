"""Opening names leaf by leaf after the review: who stands behind a pseudonym, checkable by anyone.

A roster leaf of the application carries the fact `identity`, a salted hash. Its preimage names the
person and says in words what the leaf shows under codes (docs/draw-protocol.md, "Openings"):

    identity = leaf({"facts": [[attribute, value], ...], "name", "number", "pseudonym", "salt"})
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.ledger.merkle import inclusion_proof, verify_inclusion

from .objects import canonical, leaf_hash, refuse

SPEC = "PDRAW/1 openings"
IDENTITY = "identity"


def identity_document(
    pseudonym: str, number: str, name: str, facts: Mapping[str, str], salt: str
) -> dict[str, Any]:
    """The preimage of one identity hash; `salt` is 16 random bytes in hex."""
    return {
        "facts": [[attribute, facts[attribute]] for attribute in sorted(facts)],
        "name": name,
        "number": number,
        "pseudonym": pseudonym,
        "salt": salt,
    }


def identity_hash(document: Mapping[str, Any]) -> str:
    """What stands in the roster leaf: 64 hex digits."""
    return leaf_hash(dict(document))


def openings(
    commitment_hash: str,
    commitment: Mapping[str, Any],
    leaves: Sequence[Mapping[str, Any]],
    identities: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The file that opens `identities`; `leaves` are all roster leaves in ascending hash order."""
    hashes = [hashlib.sha256(b"\x00" + canonical(dict(leaf))).digest() for leaf in leaves]
    place = {leaf["expert"]: index for index, leaf in enumerate(leaves)}
    rows = []
    for identity in sorted(identities, key=lambda row: str(row["pseudonym"])):
        index = place[identity["pseudonym"]]
        rows.append(
            {
                "identity": dict(identity),
                "index": index,
                "leaf": dict(leaves[index]),
                "proof": [step.hex() for step in inclusion_proof(hashes, index)],
            }
        )
    return {
        "commitment": commitment_hash,
        "openings": rows,
        "roster_root": commitment["roster_root"],
        "roster_size": commitment["roster_size"],
        "spec": SPEC,
    }


def check_openings(
    document: Mapping[str, Any], commitment: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The identities of an openings file, each proved to stand in the committed roster.

    Without `commitment` (the document of a verified transcript) the file's own root is believed, and
    the caller has to compare it. DomainError names the first entry that fails.
    """
    try:
        if document["spec"] != SPEC:
            raise refuse("不是公开文件", "this is not a file of openings")
        root, size = document["roster_root"], document["roster_size"]
        if commitment is not None and (
            leaf_hash(dict(commitment)) != document["commitment"]
            or (commitment["roster_root"], commitment["roster_size"]) != (root, size)
        ):
            raise refuse(
                "公开文件不属于这次抽取的承诺", "the openings belong to another commitment"
            )
        found = [_checked(row, str(root), int(size)) for row in document["openings"]]
    except (KeyError, TypeError, ValueError) as error:
        raise refuse("公开文件的格式不对", "the file of openings is not in shape") from error
    meaning: dict[tuple[str, str], str] = {}
    for row, identity in zip(document["openings"], found, strict=True):
        said = dict(identity["facts"])
        for attribute, code in row["leaf"]["facts"]:
            if (
                attribute in said
                and meaning.setdefault((attribute, code), said[attribute]) != said[attribute]
            ):
                raise refuse(
                    "代号“{p}”：代码 {c} 的含义前后不一",
                    "'{p}': the code {c} means two things",
                    p=identity["pseudonym"],
                    c=code,
                )
    if len({row["pseudonym"] for row in found}) != len(found):
        raise refuse("同一代号公开了两次", "a pseudonym is opened twice")
    return found


def _checked(row: Mapping[str, Any], root: str, size: int) -> dict[str, Any]:
    leaf, identity = dict(row["leaf"]), dict(row["identity"])
    name = str(identity["pseudonym"])
    if set(identity) != {"facts", "name", "number", "pseudonym", "salt"} or leaf["expert"] != name:
        raise refuse("代号“{p}”：格式不对", "'{p}': not in shape", p=name)
    if dict(leaf["facts"]).get(IDENTITY) != identity_hash(identity):
        raise refuse(
            "代号“{p}”：姓名与承诺中的身份哈希不符",
            "'{p}': the name does not fit the identity hash that was committed",
            p=name,
        )
    proof = [bytes.fromhex(step) for step in row["proof"]]
    if not verify_inclusion(
        bytes.fromhex(leaf_hash(leaf)), int(row["index"]), size, proof, bytes.fromhex(root)
    ):
        raise refuse("代号“{p}”：不在承诺的名单中", "'{p}' is not in the committed roster", p=name)
    return identity
