"""A round as one ZIP for the archives: final reports, data, transcripts, ledger proofs, verifiers.

`python3 verify_archive.py ARCHIVE.zip` holds all of it together without this system (standard library
alone). The files are stored, not compressed, so that the same files give the same bytes with any zlib
and one changed byte anywhere, in the container too, is seen.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.clock import stamp
from app.documents.sheets import Cell, write_csv
from app.domain.ledger.canonical import canonical
from app.domain.ledger.checkpoint import ED25519, key_id, parse
from app.domain.types import NotNow, Text
from app.draw import queries as draws
from app.draw.models import Draw
from app.keys import Keys
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event, SignedHead
from app.programme import queries as programme
from app.programme.models import Round
from app.report.bundle import bundle_files
from app.report.bundle_proofs import Tree
from app.report.models import Report
from app.report.verify_archive import packed

_HERE = Path(__file__).parent
READERS = ("office", "supervisor")
_NOT_ENDED = Text(
    "本届还没有结束，不能归档。请先在届次页面结束（或取消）本届；没有任何改动。",
    "The round has not ended, so it cannot be archived. Close (or cancel) it on its page first; "
    "nothing was changed.",
)
_COUNTIES = ("code", "parent", "kind", "name_zh", "name_en", "class", "basis", "status", "reason")
_FIGURES = ("county", "key", "value", "unit", "year", "source", "confirmed_at")
_OPINIONS = ("county", "item", "department", "verdict", "vetoes", "reason", "evidence", "signer",
             "signed_at")  # fmt: skip
_MATERIALS = ("county", "name", "sha256", "bytes", "items", "uploaded_at", "withdrawn_reason")
_DRAWS = ("stage", "kind", "attempt", "state", "commitment", "transcript", "drawn_at", "reason")


class Archive(NamedTuple):
    """The ZIP, its name, and its seal: SHA-256 of the list of digests inside."""

    name: str
    data: bytes
    seal: str


def sign_for_archive(session: Session, actor: Viewer | None, round_: Round) -> None:
    """The head that the archive's proofs lead to, signed. Conflict while the round is going on."""
    _may(actor, round_)
    prove.sign_head(session, session.info["keys"], "archive")


def record_archive(session: Session, actor: Viewer | None, round_: Round, made: Archive) -> None:
    """That this archive was made: its seal stands in the ledger."""
    _may(actor, round_)
    sha256 = hashlib.sha256(made.data).hexdigest()
    append(session, actor, "round.archived", round=round_.id, seal=made.seal, sha256=sha256)


def archive(session: Session, viewer: Viewer | None, round_: Round) -> Archive:
    """Everything of an ended round. `viewer` None is the command line."""
    _may(viewer, round_)
    files = _data(session, round_)
    for pin in round_.pins:
        version = pin.form_version
        files[f"forms/{version.form_id}-{version.digest[:12]}.yaml"] = version.source.encode()
    found = session.scalars(
        select(Draw).where(Draw.round_id == round_.id).order_by(Draw.created_at)
    )
    all_draws = list(found)
    for draw in all_draws:
        kept = draws.recorded_transcript(session.info["settings"], draw)
        if kept is not None:
            name = f"{draw.stage}-{draw.attempt}-{(draw.commitment_hash or '')[:12]}.zip"
            files[f"draws/{name}"] = kept
    files["draws.csv"] = _csv(_DRAWS, [_draw_row(draw) for draw in all_draws])
    reports = list(
        session.scalars(select(Report).where(Report.round_id == round_.id).order_by(Report.number))
    )
    for report in reports:
        if report.pdf_sha256 is not None:
            parts = bundle_files(session, viewer, report)
            files |= {f"reports/{report.number}/{name}": body for name, body in parts.items()}
    ids = [round_.id, *(d.id for d in all_draws), *(r.id for r in reports)]
    files["ledger.json"] = _ledger(session, ids)
    for path in (_HERE / "verify_archive.py", _HERE.parent / "verify.py"):
        files[path.name] = path.read_bytes()
    files["README.md"] = _README.format(
        zh=round_.title.zh, en=round_.title.en, kind=round_.kind, phase=round_.phase
    ).encode()
    sums = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    folder = f"{round_.slug}-archive"
    data = packed(  # type: ignore[no-untyped-call]
        {f"{folder}/{name}": body for name, body in files.items()}
    )
    return Archive(f"{folder}.zip", data, hashlib.sha256(files["SHA256SUMS"]).hexdigest())


def archives_of(session: Session, viewer: Viewer, round_: Round) -> list[dict[str, Any]]:
    """Archives on record, the last first: {seq, at, seal, sha256}."""
    viewer.require(*READERS)
    rows = session.execute(
        select(Event.seq, Event.payload)
        .where(Event.payload.contains('"kind":"round.archived"'))
        .where(Event.payload.contains(round_.id))
        .order_by(Event.seq.desc())
    )
    return [
        {"seq": seq, **{k: _said(payload, k) for k in ("seal", "sha256")}} for seq, payload in rows
    ]


def _said(payload: str, key: str) -> str:
    found = re.search(f'"{key}":"([0-9a-f]{{64}})"', payload)
    return found.group(1) if found else ""


def _may(viewer: Viewer | None, round_: Round) -> None:
    if viewer is not None:
        viewer.require(*READERS)
    if round_.phase not in ("closed", "cancelled"):
        raise NotNow(_NOT_ENDED)


def _csv(heads: Sequence[str], rows: list[list[Cell]]) -> bytes:
    target = io.BytesIO()
    write_csv(target, heads, rows)
    return target.getvalue()


def _data(session: Session, round_: Round) -> dict[str, bytes]:
    """The round's own rows, one table a file."""
    counties: list[list[Cell]] = []
    figures: list[list[Cell]] = []
    opinions: list[list[Cell]] = []
    materials: list[list[Cell]] = []
    for s in programme.subjects(session, round_):
        code = s.region_code
        counties.append(
            [code, s.parent_code, s.kind, s.name_zh, s.name_en, s.region_class, s.class_basis,
             s.status, s.withdrawn_reason]
        )  # fmt: skip
        figures += [
            [code, f.key, f.value, f.unit, f.year, f.source, _when(f.confirmed_at)]
            for f in s.figures
        ]
        opinions += [
            [code, o.item, o.department, o.verdict, " ".join(map(str, o.vetoes)), o.reason,
             o.evidence, o.signer, _when(o.signed_at)]
            for o in s.opinions
        ]  # fmt: skip
        materials += [
            [code, m.name, m.file_sha256, m.size, " ".join(map(str, m.items)),
             _when(m.uploaded_at), m.withdrawn_reason]
            for m in s.materials
        ]  # fmt: skip
    about = {
        "slug": round_.slug,
        "title": {"zh": round_.title_zh, "en": round_.title_en},
        "kind": round_.kind,
        "phase": round_.phase,
        "review_on": round_.review_on.isoformat(),
        "opened_at": _when(round_.opened_at),
        "ended_at": _when(round_.ended_at),
        "ended_reason": round_.ended_reason,
    }
    return {
        "round.json": canonical(about),
        "scheme.json": canonical(round_.scheme),
        "score_rule.json": canonical(round_.score_rule),
        "rules.json": canonical(round_.rules),
        "counties.csv": _csv(_COUNTIES, counties),
        "figures.csv": _csv(_FIGURES, figures),
        "opinions.csv": _csv(_OPINIONS, opinions),
        "materials.csv": _csv(_MATERIALS, materials),
    }


def _when(moment: Any) -> str | None:
    return None if moment is None else stamp(moment)


def _draw_row(draw: Draw) -> list[Cell]:
    return [
        draw.stage, draw.kind, draw.attempt, draw.state, draw.commitment_hash,
        draw.transcript_sha256, _when(draw.drawn_at), draw.abort_reason,
    ]  # fmt: skip


def _ledger(session: Session, ids: Sequence[str]) -> bytes:
    """The last signed head and every public entry that names the round, its draws or its reports."""
    note = session.scalars(
        select(SignedHead.note).order_by(SignedHead.size.desc(), SignedHead.made_at.desc()).limit(1)
    ).one()
    size = parse(note).size
    tree = Tree(list(session.scalars(select(Event.leaf).order_by(Event.seq))))
    found = session.execute(
        select(Event.seq, Event.payload)
        .where(Event.seq < size, or_(*(Event.payload.contains(key) for key in ids)))
        .order_by(Event.seq)
    )
    return canonical(
        {
            "spec": "mingjian round archive 1",
            "key": _verifier_key(session.info["keys"]),
            "note": note,
            "entries": [
                {
                    "seq": seq,
                    "payload": payload,
                    "proof": [step.hex() for step in tree.path(seq, size)],
                }
                for seq, payload in found
            ],
        }
    )


def _verifier_key(keys: Keys) -> str:
    """The ledger's public key as C2SP writes it: name+hash+base64."""
    blob = base64.b64encode(ED25519 + keys.public).decode()
    return f"{keys.name}+{key_id(keys.name, keys.public).hex()}+{blob}"


_README = """# {zh}：届次档案 / {en}: archive of the round

性质 / kind: {kind} · 状态 / phase: {phase}

档案含全部评分，只交创建办公室和监督人员保存。The archive holds every mark; it is for the programme office and the
supervisor only.

## 核验 / Verify

不需要本系统，也不需要网络；只需 Python 3.9 或更新版本。Without this system and without a network; Python 3.9 or newer:

    python3 verify_archive.py

或者对压缩包本身（任何一个字节被改动都能发现）/ or the ZIP itself, where any changed byte is found:

    python3 verify_archive.py ARCHIVE.zip

最后一行为 "everything agrees / 全部一致"。其上一行是档案码：与归档时账本中的记录（届次的归档页面）逐字核对。改动文件的人可以
连摘要一起重写，只有账本中的档案码改不了；核验程序也请另取一份可信的。
The last line is "everything agrees". The line above it is the seal: compare it with the ledger's entry (the round's archive
page). Whoever changes a file can write the digests anew, but not the seal in the ledger; get the program, too, from somebody
you trust.

## 文件 / Files

| 文件 / file | 内容 / content |
|---|---|
| round.json | 届次 / the round |
| scheme.json, score_rule.json, rules.json | 方案、计分规则、回避与抽取规则 / scheme, score rule, conflict and draw rules |
| forms/ | 固定的评分表 / the forms that were fixed |
| counties.csv, figures.csv, opinions.csv, materials.csv | 区县、数据、资格审查意见、材料目录（SHA-256） / counties, figures, opinions, list of materials by digest |
| draws/, draws.csv | 抽取记录 / transcripts of the draws |
| reports/N/ | 第 N 号定稿报告的资料包：PDF、得分表、每一个分数、recompute.py / bundle of final report no. N |
| ledger.json | 本届的账本记录、证明和签名的账本头 / the round's ledger entries, proofs, the signed head |
| verify_archive.py, verify.py | 核验程序，只用标准库 / the verifiers, standard library only |
| SHA256SUMS | 各文件摘要 / digests of the files |

材料原件不在档案内，由备份保存；materials.csv 中的摘要可核对原件。Materials themselves are kept by the backups, not here;
materials.csv has the digests to hold them against.
"""
