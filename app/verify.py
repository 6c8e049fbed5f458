"""Offline verifier of a PDRAW/1 draw transcript: one file, standard library only.

    python verify.py FILE.zip [--head HEAD] [--openings FILE] [--json]

Written from docs/draw-protocol.md, it shares no code with the draw engine. Every step has a name in
Chinese and English; the first failing step is reported and nothing after it is believed. Ed25519 is
written out from RFC 8032, the inclusion proof from RFC 6962, HKDF from RFC 5869, the checkpoint from
C2SP signed-note and tlog-cosignature. Get this file from someone you trust, not from a transcript.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import io
import json
import re
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

STEPS = {
    "archive": ("压缩包", "archive"),
    "canonical": ("规范形式", "canonical form"),
    "manifest": ("文件清单", "manifest"),
    "form": ("字段与类型", "fields and types"),
    "commitment": ("承诺书", "commitment"),
    "head": ("给定的承诺哈希或账本头", "given commitment hash or ledger head"),
    "roster": ("专家名单根", "roster root"),
    "exclusions": ("回避名单根", "exclusions root"),
    "labels": ("代码对照", "labels"),
    "lottery": ("公平抽签表", "lottery table"),
    "seed": ("种子来源与口令", "seed values and codes"),
    "key": ("抽取密钥", "draw key"),
    "tickets": ("号码", "tickets"),
    "selection": ("抽取结果", "selection"),
    "rules": ("名额、回避与限制", "quotas, exclusions and limits"),
    "acts": ("补抽", "replacement acts"),
    "anchor": ("账本锚定", "ledger anchor"),
    "cosignature": ("监督会签", "cosignature"),
    "openings": ("姓名公开文件", "openings of names"),
}
ORIGINAL = [
    "commitment",
    "roster",
    "exclusions",
    "lotteries",
    "seed",
    "result",
    "acts",
    "labels",
    "manifest",
]
HEX = re.compile(r"[0-9a-f]{64}")
SALT = re.compile(r"[0-9a-f]{32}")
SIZE = re.compile(r"0|[1-9][0-9]{0,14}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
COSIGNER = re.compile(r"supervisor-[0-9a-f]{8}")
ACT_NOTE = re.compile(r"act-([2-9]|[1-9][0-9]{1,6})-cosignature\.txt")
LOTS = 2**40
TICKETS_LISTED = 50_000
DEEPEST = 16  # levels of lists and objects in a file


class Failure(Exception):
    """A step does not hold."""

    def __init__(self, step: str, zh: str, en: str) -> None:
        super().__init__(f"{step}: {en}")
        self.step, self.zh, self.en = step, zh, en


@dataclass
class Report:
    """`ok`, the steps that held, and the first that did not; `anchored` needs a valid checkpoint.

    `cosigners`: [name, fingerprint of the device's key] of every device that signed; `fallbacks`: [source,
    the fallback that was read in its place]; `seated`: [panel,
    place, pseudonym, name] of the last occupants, once openings were given.
    """

    ok: bool = False
    steps: list[str] = field(default_factory=list)
    failed: str = ""
    zh: str = ""
    en: str = ""
    kind: str = ""
    commitment_hash: str = ""
    anchored: bool = False
    signers: list[str] = field(default_factory=list)
    cosigned: bool = False
    cosigners: list[list[str]] = field(default_factory=list)
    fallbacks: list[list[str]] = field(default_factory=list)
    seated: list[list[Any]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What to print: the verdict first, Chinese and English."""
        if not self.ok:
            zh, en = STEPS[self.failed]
            out = [f"未通过：{zh}：{self.zh}", f"not verified: step '{en}': {self.en}"]
        else:
            out = ["核验通过", "verified"]
            if self.kind == "drill":
                out += ["这是演练，不是正式抽取", "this is a drill, not a real draw"]
            if self.anchored:
                who = ", ".join(self.signers)
                out += [f"已锚定，签名者：{who}", f"anchored, signed by: {who}"]
            else:
                out += ["未锚定：没有账本头为其作证", "not anchored: no checkpoint witnesses it"]
            for name, print_ in self.cosigners:
                out += [f"已会签：{name}，设备指纹 {print_}，请与监督人员的纸卡核对"]
                out += [f"cosigned: {name}, fingerprint {print_}: compare the supervisor's card"]
            if not self.cosigned:
                out += [
                    "未会签：没有监督人员本人设备的签名",
                    "not cosigned: no supervisor's device signed",
                ]
        for name, other in self.fallbacks if self.ok else ():
            out += [f"以替补来源“{other}”代替“{name}”：请查证后者确未产生"]
            out += [f"fallback '{other}' in place of '{name}': check that it did not come about"]
        if self.commitment_hash:
            out += [f"承诺哈希 / commitment hash: {self.commitment_hash}"]
        for panel, place, who, name in self.seated:
            out += [f"  {panel}-{place}  {who or '（空缺 vacant）'}  {name}".rstrip()]
        return out + [f"  [ok] {STEPS[s][0]} / {STEPS[s][1]}" for s in self.steps]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def jcs(value: Any) -> bytes:
    """RFC 8785 for objects with ASCII keys, strings, integers and lists: all that PDRAW/1 uses."""
    return ENCODER.encode(value).encode()


def leaf(value: Any) -> str:
    return sha(b"\0" + jcs(value)).hex()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1. Pairing neighbours and carrying an odd last one up is its split."""
    if not leaves:
        return sha(b"")
    level = leaves
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        level = [sha(b"\1" + a + b) for a, b in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


def root(opened: list[Any]) -> str:
    return root_of([leaf(o) for o in opened])


def root_of(hashes: list[str]) -> str:
    return tree(sorted(map(bytes.fromhex, hashes))).hex()


def hkdf(salt: bytes, material: bytes, info: str) -> str:
    """32 bytes of RFC 5869 with SHA-256: one block of expand."""
    prk = hmac.digest(salt, material, "sha256")
    return hmac.digest(prk, info.encode("ascii") + b"\1", "sha256").hex()


def rising(items: list[Any]) -> bool:
    """Strictly ascending?"""
    return all(a < b for a, b in zip(items, items[1:], strict=False))


def strict_base64(text: str) -> bytes:
    """Standard base64, padded, without stray characters or bits; ValueError for anything else."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def need(condition: object, step: str, zh: str, en: str) -> None:
    if not condition:
        raise Failure(step, zh, en)


# -- files ------------------------------------------------------------------------------------------


def load(data: bytes, held: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The JSON files of the archive, and its signed notes by file name; notes steps in `held`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            # Before anything is unpacked: a transcript is stored, so it is never larger inside.
            if any(i.compress_type for i in infos) or sum(i.file_size for i in infos) > len(data):
                raise ValueError("packed / 有压缩")
            raw = {info.filename: archive.read(info) for info in infos}
            comment = archive.comment
    except Exception as error:
        raise Failure("archive", f"无法读取（{error}）", f"cannot be read ({error})") from error
    known = {f"{n}.json" for n in ORIGINAL} | {"tickets.json", "anchor.json"}
    names = [info.filename for info in infos]
    known |= {
        n for n in names if n in ("checkpoint.txt", "cosignature.txt") or ACT_NOTE.fullmatch(n)
    }
    need(
        names == sorted(set(names)), "archive", "文件重复或次序不对", "duplicate or unsorted files"
    )
    extra = sorted(set(names) - known) + sorted({f"{n}.json" for n in ORIGINAL} - set(names))
    need(not extra, "archive", f"文件多余或缺少：{extra}", f"extra or missing files: {extra}")
    plain = all(
        i.date_time == (1980, 1, 1, 0, 0, 0)
        and i.compress_type == 0
        and not i.extra
        and not i.comment
        for i in infos
    )
    need(
        plain and not comment,
        "archive",
        "压缩包不是规定的写法",
        "the archive is not written as specified",
    )
    need(
        repack(raw) == data,
        "archive",
        "压缩包字节与规定写法不符",
        "archive bytes are not as specified",
    )
    held.append("archive")
    files: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for name, body in raw.items():
        try:
            if name.endswith(".txt"):
                notes[name] = body.decode("utf-8")
                continue
            files[name[:-5]] = json.loads(body)
            same = plain_json(files[name[:-5]]) and jcs(files[name[:-5]]) == body
        except (ValueError, RecursionError):
            same = False
        need(same, "canonical", f"{name} 不是规范 JSON", f"{name} is not canonical JSON")
    held.append("canonical")
    sums = [[n, hashlib.sha256(raw[n]).hexdigest()] for n in sorted(raw) if n != "manifest.json"]
    listed = files["manifest"] if isinstance(files["manifest"], list) else []
    for have, want in zip(listed + [None] * len(sums), sums, strict=False):
        need(
            have == want,
            "manifest",
            f"{want[0]} 与清单不符",
            f"{want[0]} differs from the manifest",
        )
    need(listed == sums, "manifest", "清单有多余的行", "the manifest has extra lines")
    held.append("manifest")
    return files, notes


def repack(raw: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(raw):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, raw[name])
    return out.getvalue()


def plain_json(value: Any, depth: int = 1) -> bool:
    """Only strings, integers within 2^53, lists and objects with ASCII keys, at most 16 deep."""
    kind = type(value)
    if kind is str:
        return True
    if kind is int:
        return abs(int(value)) < 2**53
    if depth > DEEPEST:
        return False
    if kind is dict:
        return all(k.isascii() for k in value) and plain_json(list(value.values()), depth)
    if kind is list:
        for v in value:  # noqa: SIM110  (twice as fast as all() on some 100,000 values)
            if type(v) is not str and not plain_json(v, depth + 1):
                return False
        return True
    return False


# -- fields and types -------------------------------------------------------------------------------

# A form is str or int; [form] a list of it; a tuple a list of exactly these; a dict an object with
# exactly these keys. WORDS is any object of strings and integers, COUNT a string or an integer.
WORDS, COUNT = "words", "count"
PAIRS = [(str, str)]
INDEXED = [(int, int)]
QUOTAS = [(str, str, int, int)]


def fields(strings: str, integers: str = "", **others: Any) -> dict[str, Any]:
    return {**dict.fromkeys(strings.split(), str), **dict.fromkeys(integers.split(), int), **others}


FORMS: dict[str, Any] = {
    "commitment": fields(
        "spec kind roster_root exclusions_root replacement rule_set previous_head",
        "attempt roster_size load_cap",
        purpose=WORDS,
        exclusion_counts=[(str, COUNT)],
        type_attributes=[str],
        panels=[
            fields(
                "id mode lottery_root",
                "seats",
                subjects=[str],
                dates=[str],
                quotas=QUOTAS,
                pair_limits=[(str, int)],
            )
        ],
        sources=[fields("name kind when", "count low high")],
        parties=[fields("name commitment", "index")],
    ),
    "roster": [fields("expert salt type", facts=PAIRS)],
    "exclusions": [fields("decided_by evidence expert panel rule salt", "when")],
    "lotteries": [
        fields(
            "panel",
            "certified seats",
            attributes=[str],
            quota_rows=QUOTAS,
            rows=[(int, INDEXED)],
            types=[(str, int, [str])],
            certificate=[
                fields("", "seats", before=[int], free=INDEXED, rows=INDEXED, settled=INDEXED)
            ],
        )
    ],
    "seed": fields("", codes=PAIRS, photographs=PAIRS, sources=[(str, [int])]),
    "result": fields(
        "commitment key kind",
        order=[str],
        restarts=[str],
        panels=[fields("id", "lot row short", seats=PAIRS, skips=[(str, str, str)])],
    ),
    "acts": [
        fields(
            "key previous removal_hash",
            "act",
            codes=PAIRS,
            fills=[(str, int, str, str, str, str)],
            removals=[fields("evidence expert panel reason", "when")],
        )
    ],
    "labels": PAIRS,
    "tickets": [(str, PAIRS)],
    "anchor": fields("event", "index", keys=[str], proof=[str]),
}
# Keys that a commitment may leave out.
OPTIONAL: dict[str, Any] = {
    "requires_cosignature": int,
    "fallbacks": [fields("of name kind when", "count low high")],
}
COSIGNED = {
    **FORMS["anchor"],
    "cosigners": [str],
    "acts": [fields("event", "act index", proof=[str])],
}
OPENED = fields("facts name number pseudonym salt", facts=PAIRS)
OPENINGS = fields(
    "spec commitment roster_root",
    "roster_size",
    openings=[fields("", "index", identity=OPENED, leaf=FORMS["roster"][0], proof=[str])],
)


def formed(value: Any, form: Any) -> bool:
    """Has `value` (strings, integers, lists, objects) this form?"""
    kind = type(value)
    if form is str or form is int:
        return kind is form
    if form is COUNT:
        return kind is str or kind is int
    if form is WORDS:
        return kind is dict and all(formed(v, COUNT) for v in value.values())
    shape = type(form)
    if shape is dict:
        if kind is not dict or value.keys() != form.keys():
            return False
        parts = [(value[k], form[k]) for k in form]
    elif kind is not list:
        return False
    elif shape is tuple:
        if len(value) != len(form):
            return False
        parts = list(zip(value, form, strict=True))
    else:
        row = form[0]
        if type(row) is tuple and all(f is str or f is int for f in row):
            kinds = list(row)
            return all(type(v) is list and [type(x) for x in v] == kinds for v in value)
        if type(row) is dict and all(f is str or f is int for f in row.values()):
            return flat(value, row)
        parts = [(v, row) for v in value]
    for item, wanted in parts:
        if type(item) is not wanted and not formed(item, wanted):
            return False
    return True


def flat(rows: list[Any], form: dict[str, Any]) -> bool:
    """Are all rows objects with exactly these keys, each a string or an integer?"""
    names, kinds = sorted(form), [form[name] for name in sorted(form)]
    return all(
        type(row) is dict
        and len(row) == len(names)
        and row.keys() == form.keys()
        and [type(row[name]) for name in names] == kinds
        for row in rows
    )


def check_form(files: dict[str, Any]) -> None:
    for name, form in FORMS.items():
        if name == "anchor" and "cosigners" in files.get(name, ()):
            form = COSIGNED
        if name == "commitment":
            form = {**form, **{key: OPTIONAL[key] for key in OPTIONAL if key in files[name]}}
        need(
            name not in files or formed(files[name], form),
            "form",
            f"{name}.json 的字段或类型不符",
            f"{name}.json has other fields or types than PDRAW/1",
        )


def ascending(rows: list[Any], count: int) -> bool:
    """Do the rows begin with strictly ascending indices of a list of `count`?"""
    return rising([r[0] for r in rows]) and all(0 <= r[0] < count for r in rows)


# -- the draw ---------------------------------------------------------------------------------------


class Draw:
    """One transcript, checked step by step in the order of STEPS."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files, self.c = files, files["commitment"]
        self.hash = leaf(self.c)
        self.shapes: dict[Any, Cells] = {}

    def commitment(self) -> None:
        c, step = self.c, "commitment"

        def hold(condition: object, zh: str, en: str) -> None:
            need(condition, step, zh, en)

        hold(c["spec"] == "PDRAW/1", "协议版本不是 PDRAW/1", "the protocol is not PDRAW/1")
        hold(c["kind"] in ("real", "drill"), "种类不明", "kind is neither real nor drill")
        hold(c["replacement"] in ("act", "reserves"), "补抽方式不明", "unknown replacement policy")
        hold(c.get("requires_cosignature", 1) == 1, "会签要求无效", "requires_cosignature is not 1")
        hold(c["attempt"] >= 1 and c["load_cap"] >= 0, "次数或上限无效", "attempt or load cap")
        ids = [p["id"] for p in c["panels"]]
        hold(ids and rising(ids), "评审组重复或未排序", "panels repeated or unsorted")
        kinds: set[str] = set()
        subjects: list[str] = []
        for p in c["panels"]:
            hold(NAME.fullmatch(p["id"]) and p["seats"] >= 1, "评审组无效", "panel not valid")
            sorted_ = rising(p["subjects"]) and rising(p["dates"])
            hold(sorted_, "对象或日期未排序", "subjects or dates unsorted")
            hold(p["mode"] in ("tickets", "lottery"), "抽取方式不明", "unknown mode")
            table = bool(HEX.fullmatch(p["lottery_root"])) if p["lottery_root"] else None
            hold(table is (True if p["mode"] == "lottery" else None), "抽签表缺失", "lottery root")
            cells = [(q[0], q[1]) for q in p["quotas"]]
            hold(rising(cells), "名额行重复或未排序", "quota rows repeated or unsorted")
            pairs = p["pair_limits"]
            named = [n for cell in cells for n in cell] + [a for a, _ in pairs]
            hold(all(map(NAME.fullmatch, named)), "属性或值无效", "an attribute or value")
            right = rising([a for a, _ in pairs]) and all(k >= 1 for _, k in pairs)
            hold(right, f"{p['id']} 的同值上限无效", f"pair limits of {p['id']} are not valid")
            names = {a for a, *_ in p["quotas"]}
            fits = all(0 <= q[2] <= q[3] for q in p["quotas"])
            for a in names:
                low = sum(q[2] for q in p["quotas"] if q[0] == a)
                high = sum(q[3] for q in p["quotas"] if q[0] == a)
                fits = fits and low <= p["seats"] <= high
            hold(
                fits,
                f"{p['id']} 的名额自相矛盾",
                f"quotas of {p['id']} contradict themselves",
            )
            kinds |= names | ({a for a, _ in pairs} if p["mode"] == "lottery" else set())
            subjects += p["subjects"]
        hold(len(subjects) == len(set(subjects)), "对象重复", "a subject is in two panels")
        days = Counter(d for p in c["panels"] for d in p["dates"])
        for p in c["panels"] if len(ids) > 1 else ():
            free = all(days[d] == 1 for d in p["dates"]) and not 0 < c["load_cap"] < len(ids)
            hold(
                p["mode"] == "tickets" or free,
                f"{p['id']} 不能用公平抽签",
                f"{p['id']} cannot be a lottery: shared dates or a load cap",
            )
        hold(c["type_attributes"] == sorted(kinds), "类型属性不符", "type attributes do not match")
        spare = c.get("fallbacks", [])
        called = [x["name"] for x in c["sources"] + spare + c["parties"]]
        hold(
            c["sources"] and len(set(called)) == len(called), "来源无效", "sources or parties named"
        )
        known = {x["name"] for x in c["sources"]}
        hold(
            "fallbacks" not in c or (spare and all(x["of"] in known for x in spare)),
            "替补来源无效",
            "fallbacks are not of a source",
        )
        for x in c["sources"] + spare:
            right = (
                x["kind"] in ("sequence", "set") and x["count"] >= 1 and 0 <= x["low"] < x["high"]
            )
            right = right and (x["kind"] != "set" or x["count"] <= x["high"] - x["low"] + 1)
            hold(right, f"来源“{x['name']}”无效", f"source '{x['name']}' is not valid")
        for x in c["parties"]:
            right = bool(HEX.fullmatch(x["commitment"])) and 1 <= x["index"] <= 2**20
            hold(right, f"“{x['name']}”的承诺无效", f"the chain of '{x['name']}' is not valid")
        chains = {x["commitment"] for x in c["parties"]}
        hold(len(chains) == len(c["parties"]), "各方口令链相同", "two parties share a chain")

    def head(self, head: str | None, note: str | None) -> None:
        """HEAD may be the commitment hash (16 hex digits or more), or a ledger head."""
        if not head:
            return
        given = head.strip()
        if re.fullmatch(r"[0-9a-f]{16,64}", given) and self.hash.startswith(given):
            return
        lines = (note or "").split("\n")
        if len(lines) > 3:
            size, digest = lines[1], lines[2]
            try:
                plain = strict_base64(digest).hex()
            except ValueError:
                plain = digest
            forms = {digest, plain, f"{size}:{digest}", f"{size}:{plain}", f"mj1:{size}:{plain}"}
            forms.add("\n".join(lines[:3]))
            if given in forms or "\n".join(given.split("\n")[:3]) in forms:
                return
        raise Failure("head", "与记录不符", "does not match the transcript")

    def roster(self) -> None:
        people, attributes, step = self.files["roster"], self.c["type_attributes"], "roster"
        hashes = [leaf(p) for p in people]
        fits = root_of(hashes) == self.c["roster_root"]
        need(fits, step, "与承诺不符", "differs from the commitment")
        need(len(people) == self.c["roster_size"], step, "人数不符", "the number of people differs")
        need(hashes == sorted(hashes), step, "次序不符", "leaves are not in order of their hashes")
        self.facts = {p["expert"]: dict(p["facts"]) for p in people}
        self.encoded = [(i, i.encode()) for i in self.facts]
        need(len(self.facts) == len(people), step, "编号重复", "an id occurs twice")
        need(all(NAME.fullmatch(i) for i in self.facts), step, "编号无效", "an id is not valid")
        right = all(
            SALT.fullmatch(p["salt"]) and rising([a for a, _ in p["facts"]]) for p in people
        )
        need(right, step, "事实未排序或盐无效", "facts unsorted, or a salt is not valid")
        vectors = {i: tuple(f.get(a, "") for a in attributes) for i, f in self.facts.items()}
        number = {v: f"T{n}" for n, v in enumerate(sorted(set(vectors.values())), 1)}
        right = all(number[vectors[p["expert"]]] == p["type"] for p in people)
        need(right, step, "类型代码不符", "a type code does not follow from the facts")

    def exclusions(self) -> None:
        records, step = self.files["exclusions"], "exclusions"
        hashes = [leaf(r) for r in records]
        fits = root_of(hashes) == self.c["exclusions_root"]
        need(fits, step, "与承诺不符", "differs from the commitment")
        need(hashes == sorted(hashes), step, "次序不符", "leaves are not in order of their hashes")
        counts: dict[str, int] = {}
        self.out: dict[str, set[str]] = {p["id"]: set() for p in self.c["panels"]}
        for r in records:
            known = r["panel"] in self.out and r["expert"] in self.facts
            need(known, step, "指向不存在的人或组", "names an unknown person or panel")
            need(SALT.fullmatch(r["salt"]), step, "盐无效", "a salt is not valid")
            self.out[r["panel"]].add(r["expert"])
            counts[r["rule"]] = counts.get(r["rule"], 0) + 1
        right = [a for a, _ in self.c["exclusion_counts"]] == sorted(counts) and all(
            n == counts[a] or (n == "<5" and counts[a] < 5) for a, n in self.c["exclusion_counts"]
        )
        need(right, step, "分项计数不符", "the counts per rule differ")

    def labels(self) -> None:
        """A code of words is "u" and the first 12 hex digits of their SHA-256."""
        listed = [code for code, _ in self.files["labels"]]
        need(rising(listed), "labels", "未排序或重复", "unsorted or repeated")
        for code, words in self.files["labels"]:
            made = "u" + hashlib.sha256(words.encode()).hexdigest()[:12]
            need(
                code == made,
                "labels",
                f"{code} 不是“{words}”的代码",
                f"{code} is not the code of '{words}'",
            )

    def lottery(self) -> None:
        step = "lottery"
        panels = [p for p in self.c["panels"] if p["mode"] == "lottery"]
        tables = self.files["lotteries"]
        need(len(tables) == len(panels), step, "抽签表数目不符", "the number of tables differs")
        self.tables = {}
        for p, t in zip(panels, tables, strict=False):
            need(
                leaf(t) == p["lottery_root"],
                step,
                f"{p['id']} 与承诺不符",
                f"{p['id']} differs from the commitment",
            )
            self.tables[p["id"]] = t
            self._table(p, t)

    def _table(self, p: dict[str, Any], t: dict[str, Any]) -> None:
        step, name = "lottery", p["id"]
        attributes = sorted({q[0] for q in p["quotas"]} | {a for a, _ in p["pair_limits"]})
        sizes: dict[tuple[str, ...], int] = {}
        for expert, facts in self.facts.items():
            if expert not in self.out[name]:
                vector = tuple(facts.get(a, "") for a in attributes)
                sizes[vector] = sizes.get(vector, 0) + 1
        types: list[Any] = [[f"T{n}", sizes[v], list(v)] for n, v in enumerate(sorted(sizes), 1)]
        right = t["attributes"] == attributes and t["types"] == types and t["panel"] == name
        need(
            right and t["seats"] == p["seats"],
            step,
            "类型与名单不符",
            "the types do not follow from the roster",
        )
        rows = {(a, v): (lo, hi) for a, v, lo, hi in p["quotas"]}
        for a, k in p["pair_limits"]:
            for v in {vector[attributes.index(a)] for vector in sizes} - {""}:
                lo, hi = rows.get((a, v), (0, k))
                rows[a, v] = (lo, min(hi, k))
        listed = [[a, v, lo, hi] for (a, v), (lo, hi) in sorted(rows.items())]
        need(t["quota_rows"] == listed, step, "名额行不符", "the quota rows differ")
        inside = [
            {i for i, (_, _, v) in enumerate(types) if v[attributes.index(a)] == value}
            for a, value, _, _ in listed
        ]
        dense: list[list[int]] = []
        for lots, counts in t["rows"]:
            row = [0] * len(types)
            indexed = ascending(counts, len(types)) and all(n >= 1 for _, n in counts)
            need(indexed, step, f"{name} 的一行无效", f"a row of {name} is not valid")
            for i, n in counts:
                row[i] = n
            dense.append(row)
            fits = (
                lots > 0
                and sum(row) == p["seats"]
                and all(0 <= n <= size for n, (_, size, _) in zip(row, types, strict=False))
            )
            for members, (_, _, lo, hi) in zip(inside, listed, strict=False):
                fits = fits and lo <= sum(row[i] for i in members) <= hi
            need(fits, step, f"{name} 的一行不满足名额", f"a row of {name} breaks the quotas")
        rising = all(a < b for a, b in zip(dense, dense[1:], strict=False))
        need(rising, step, "各行未按计数排序", "the rows are not sorted by their counts")
        need(
            sum(r[0] for r in t["rows"]) == LOTS,
            step,
            "签数之和不是 2^40",
            "the lots do not add up to 2^40",
        )
        chance = [
            Fraction(
                sum(r[0] * row[i] for r, row in zip(t["rows"], dense, strict=False)),
                LOTS * types[i][1],
            )
            for i in range(len(types))
        ]
        for level in t["certificate"]:
            right = (
                ascending([[i] for i in level["before"]], len(types))
                and ascending(level["free"], len(types))
                and ascending(level["settled"], len(types))
                and ascending(level["rows"], len(listed))
            )
            need(right, step, "证书的下标无效", "an index of the certificate is not valid")
        fair = self._certificate(t, types, inside, chance)
        need(
            t["certified"] == int(fair),
            step,
            "公平证书不符",
            "the fairness certificate does not hold",
        )

    @staticmethod
    def _certificate(
        t: dict[str, Any], types: list[Any], inside: list[set[int]], chance: list[Fraction]
    ) -> bool:
        """Weak duality, level by level: is the smallest free chance within 2^-30 of its upper bound?"""
        before: set[int] = set()
        fair = True
        for level in t["certificate"]:
            if set(level["before"]) != before or len(before) == len(types):
                return False
            w, v = (dict(level[k]) for k in ("free", "settled"))
            if any(n < 0 for n in [*w.values(), *v.values()]) or set(w) & before or set(v) - before:
                return False
            if w and not sum(w.values()):
                return False
            upper = Fraction(level["seats"] * t["seats"])
            price = [level["seats"]] * len(types)
            for r, n in level["rows"]:
                upper += n * t["quota_rows"][r][3 if n > 0 else 2]
                for i in inside[r]:
                    price[i] += n
            for i, (_, size, _) in enumerate(types):
                upper += max(0, w.get(i, 0) + v.get(i, 0) - size * price[i])
            upper -= sum((n * chance[i] for i, n in v.items()), Fraction(0))
            upper = upper / sum(w.values()) if w else Fraction(1)
            smallest = min(chance[i] for i in range(len(types)) if i not in before)
            fair = fair and upper - smallest <= Fraction(1, 2**30)
            before |= set(w)
            if not w:
                return fair and t["certificate"][-1] is level
        return fair and len(before) == len(types)

    def seed(self) -> None:
        c, s, step = self.c, self.files["seed"], "seed"
        spare = c.get("fallbacks", [])
        choices = [[x, *(y for y in spare if y["of"] == x["name"])] for x in c["sources"]]
        names = [[x["name"] for x in row] for row in choices]
        need(
            len(s["sources"]) == len(names)
            and all(n in row for row, (n, _) in zip(names, s["sources"], strict=False)),
            step,
            "来源不符",
            "the sources are not those committed",
        )
        self.material, self.fallbacks = "", []
        for row, called, (name, values) in zip(choices, names, s["sources"], strict=False):
            place = called.index(name)
            source = row[place]
            if place:
                self.fallbacks.append([called[0], name])
                self.material += f"~{place}:"
            right = len(values) == source["count"] and all(
                source["low"] <= v <= source["high"] for v in values
            )
            if source["kind"] == "set":
                right = right and all(a < b for a, b in zip(values, values[1:], strict=False))
            need(
                right,
                step,
                f"来源“{source['name']}”的值不符",
                f"values of '{source['name']}' are not as committed",
            )
            self.material += "".join(f"{v}." for v in values) + "/"
        self.salt = self._codes(s["codes"], 1, step)

    def _codes(self, codes: list[list[str]], act: int, step: str) -> bytes:
        parties = self.c["parties"]
        right = [n for n, _ in codes] == [p["name"] for p in parties]
        need(right, step, "出示口令的各方不符", "the parties are not those committed")
        joined = b""
        for party, (_, code) in zip(parties, codes, strict=False):
            need(
                HEX.fullmatch(code) and act <= party["index"],
                step,
                "口令无效",
                "a code is not valid",
            )
            value = bytes.fromhex(code)
            joined += value
            for _ in range(act):
                value = sha(value)
            same = value.hex() == party["commitment"]
            need(
                same,
                step,
                f"“{party['name']}”的口令与承诺不符",
                f"the code of '{party['name']}' does not match",
            )
        return sha(joined) if parties else bytes(32)

    def key(self) -> None:
        result, step = self.files["result"], "key"
        info = f"pdraw/1|{self.c['kind']}|{self.hash}"
        self.k = hkdf(self.salt, self.material.encode(), info)
        need(result["commitment"] == self.hash, step, "承诺哈希不符", "the commitment hash differs")
        need(result["kind"] == self.c["kind"], step, "演练标记不符", "drill and real are mixed up")
        need(
            result["key"] == self.k,
            step,
            "密钥不是由种子得出",
            "the key does not follow from the seed",
        )

    def ticket(self, key: str, panel: str, act: int, expert: str) -> str:
        return sha(f"ticket|{key}|{panel}|{act}|{expert}".encode()).hex()

    def eligible(self, panel: str) -> list[str]:
        return [i for i in self.facts if i not in self.out[panel]]

    def tickets(self) -> None:
        step, listed = "tickets", self.files.get("tickets")
        panels = [p["id"] for p in self.c["panels"]]
        few = sum(len(self.facts) - len(self.out[p]) for p in panels) <= TICKETS_LISTED
        need(
            few == (listed is not None),
            step,
            "号码表的有无不符",
            "the list of tickets should (not) be there",
        )
        if listed is not None:
            need([n for n, _ in listed] == panels, step, "评审组不符", "the panels differ")
            for name, rows in listed:
                made = sorted([self.ticket(self.k, name, 1, i), i] for i in self.eligible(name))
                need(rows == made, step, f"{name} 的号码不符", f"the tickets of {name} differ")

    def selection(self) -> None:
        step, result = "selection", self.files["result"]
        order = sorted(
            (p["id"] for p in self.c["panels"]),
            key=lambda p: (sha(f"panel|{self.k}|{p}".encode()), p),
        )
        self.panels = {p["id"]: p for p in self.c["panels"]}
        drawn = {p["id"]: p for p in result["panels"]}
        need(
            [p["id"] for p in result["panels"]] == sorted(self.panels),
            step,
            "评审组不符",
            "the panels differ",
        )
        need(len(result["restarts"]) <= 3 * len(order), step, "重来次数过多", "too many restarts")
        for failing in result["restarts"]:
            stuck = self._pass(order, None, False)
            need(stuck == failing, step, "重来的评审组不符", "a restart names another panel")
            order.remove(failing)
            order.insert(0, failing)
        need(result["order"] == order, step, "评审组次序不符", "the order of the panels differs")
        stuck = self._pass(order, drawn, len(result["restarts"]) == 3 * len(order))
        need(not stuck, step, f"{stuck} 无法组成", f"{stuck} cannot be completed")

    def _pass(self, order: list[str], drawn: dict[str, Any] | None, last: bool) -> str:
        """Draw all panels; the id of the panel that cannot be completed, or "".

        With `drawn`, the published panels must come out; a published panel that meets every rule is
        itself the proof that each of its members could be seated.
        """
        loads: dict[str, int] = {}
        days: dict[str, set[str]] = {}
        for name in order:
            p = self.panels[name]
            published = drawn[name] if drawn else None
            if p["mode"] == "lottery":
                members = self._lottery(name, published)
            else:
                got = self._walk(p, published, loads, days, last)
                if got is None:
                    return name
                members = got
            for expert in members:
                loads[expert] = loads.get(expert, 0) + 1
                for day in p["dates"]:
                    days.setdefault(day, set()).add(expert)
        return ""

    def _lottery(self, name: str, published: dict[str, Any] | None) -> list[str]:
        t = self.tables[name]
        lot = int.from_bytes(sha(f"lot|{self.k}|{name}".encode())[-5:], "big")
        passed, row = t["rows"][0][0], 0
        while passed <= lot:
            row += 1
            passed += t["rows"][row][0]
        pools: dict[tuple[str, ...], list[list[str]]] = {}
        for i in self.eligible(name):
            vector = tuple(self.facts[i].get(a, "") for a in t["attributes"])
            pools.setdefault(vector, []).append([i, self.ticket(self.k, name, 1, i)])
        seats: list[list[str]] = []
        for index, count in t["rows"][row][1]:
            pool = pools[tuple(t["types"][index][2])]
            seats += sorted(pool, key=lambda s: (s[1], s[0]))[:count]
        seats.sort(key=lambda s: (s[1], s[0]))
        if published is not None:
            made = {"id": name, "lot": lot, "row": row, "seats": seats, "short": 0, "skips": []}
            need(
                published == made,
                "selection",
                f"{name} 的结果不符",
                f"the result of {name} differs",
            )
        return [s[0] for s in seats]

    def _walk(
        self,
        p: dict[str, Any],
        published: dict[str, Any] | None,
        loads: dict[str, int],
        days: dict[str, set[str]],
        last: bool,
    ) -> list[str] | None:
        name, step = p["id"], "selection"
        clash: set[str] = set().union(*(days.get(d, set()) for d in p["dates"]))
        cap = self.c["load_cap"]
        capped = {i for i, n in loads.items() if cap and n >= cap}
        filling = Filling(p, self.facts, self.out[name] | clash | capped, self.shapes)
        witness: set[str] = set()
        if published is not None:
            met = {i for i, _ in published["seats"]}
            if filling.valid(met):
                witness = met
        short = not witness and not filling.possible([])
        if short and not last:
            return None
        prefix = hashlib.sha256(f"ticket|{self.k}|{name}|1|".encode())
        limit = b"\xff" * 33
        if published is not None and not published["short"] and published["seats"]:
            limit = bytes.fromhex(max(t for _, t in published["seats"])) + b"\0"
        walk: list[tuple[str, str]] = []
        begun, away = prefix.copy, self.out[name]  # a batch of panels spends its time in this loop
        for i, text in self.encoded:
            state = begun()
            state.update(text)
            if (digest := state.digest()) < limit and i not in away:
                walk.append((digest.hex(), i))
        walk.sort()
        members: list[str] = []
        seats, skips = [], []
        for ticket, i in walk:
            if len(members) == p["seats"]:
                break
            why = "load_cap" if i in capped else "date" if i in clash else filling.full(i, members)
            if not why and i not in witness and not short:
                why = "" if filling.possible([*members, i]) else "completion"
            if why:
                skips.append([i, ticket, why])
            else:
                members.append(i)
                seats.append([i, ticket])
        if published is not None:
            made = {
                "id": name,
                "lot": -1,
                "row": -1,
                "seats": seats,
                "short": int(short),
                "skips": skips,
            }
            need(published == made, step, f"{name} 的结果不符", f"the result of {name} differs")
        return members

    def rules(self) -> None:
        """The published panels against the request, whatever the walk said."""
        for p in self.files["result"]["panels"]:
            members = {i for i, _ in p["seats"]}
            barred = sorted(members & self.out[p["id"]])
            need(
                not barred,
                "rules",
                f"{p['id']} 抽中应回避者 {barred}",
                f"{p['id']} seats excluded {barred}",
            )
            fits = p["short"] or Filling(self.panels[p["id"]], self.facts, set()).valid(members)
            need(fits, "rules", f"{p['id']} 不满足名额", f"{p['id']} does not meet its quotas")

    def acts(self) -> None:
        step, previous = "acts", leaf(self.files["result"])
        seats = {p["id"]: [i for i, _ in p["seats"]] for p in self.files["result"]["panels"]}
        vacant: set[tuple[str, int]] = set()
        removed: set[str] = set()
        for number, act in enumerate(self.files["acts"], 2):
            record = {k: act[k] for k in ("act", "previous", "removals")}
            need(act["act"] == number, step, "序号不符", "the acts are not numbered 2, 3, ...")
            need(
                act["previous"] == previous,
                step,
                "前一次的哈希不符",
                "the hash of the act before differs",
            )
            need(
                act["removal_hash"] == leaf(record),
                step,
                "离席哈希不符",
                "the removal hash differs",
            )
            if self.c["replacement"] == "reserves":
                need(act["codes"] == [], step, "候补不出示口令", "reserves take no codes")
                key, ticket_act = self.k, 1
            else:
                info = (
                    f"pdraw/1|replace|{self.c['kind']}|{self.hash}|{number}|{act['removal_hash']}"
                )
                salt = self._codes(act["codes"], number, step)
                key, ticket_act = hkdf(salt, bytes.fromhex(self.k), info), number
            need(act["key"] == key, step, "密钥不符", "the key differs")
            holes = []
            for r in act["removals"]:
                held = r["expert"] in seats.get(r["panel"], [])
                place = seats[r["panel"]].index(r["expert"]) + 1 if held else 0
                held = (
                    held and (r["panel"], place) not in vacant and (r["panel"], place) not in holes
                )
                need(held, step, "离席者并不在座", "a removed person holds no seat")
                holes.append((r["panel"], place))
                removed.add(r["expert"])
            pairs = [(r["panel"], r["expert"]) for r in act["removals"]]
            need(
                pairs and pairs == sorted(pairs),
                step,
                "离席记录未排序",
                "the removals are not sorted",
            )
            vacant |= set(holes)
            fills = []
            for name, place in sorted(holes):
                leaver = seats[name][place - 1]
                expert, ticket, how = self._substitute(
                    name, place, seats, vacant, removed, key, ticket_act
                )
                fills.append([name, place, leaver, expert, ticket, how])
                if expert:
                    seats[name][place - 1] = expert
                    vacant.discard((name, place))
            need(act["fills"] == fills, step, "递补者不符", "a substitute differs")
            previous = leaf(act)
        self.last = [
            [panel, n, "" if (panel, n) in vacant else i]
            for panel, people in sorted(seats.items())
            for n, i in enumerate(people, 1)
        ]

    def _substitute(
        self,
        name: str,
        place: int,
        seats: dict[str, list[str]],
        vacant: set[tuple[str, int]],
        removed: set[str],
        key: str,
        act: int,
    ) -> tuple[str, str, str]:
        p = self.panels[name]
        barred = self.out[name] | removed | set(seats[name])
        loads: dict[str, int] = {}
        for other, people in seats.items():
            for n, i in enumerate(people, 1):
                if (other, n) not in vacant:
                    loads[i] = loads.get(i, 0) + 1
                    if other != name and set(p["dates"]) & set(self.panels[other]["dates"]):
                        barred.add(i)
        barred |= {i for i, n in loads.items() if self.c["load_cap"] and n >= self.c["load_cap"]}
        leaver = self.facts[seats[name][place - 1]]
        rest = [self.facts[i] for n, i in enumerate(seats[name], 1) if n != place]
        attributes = {q[0] for q in p["quotas"]}
        best: dict[str, tuple[str, str]] = {}
        for i, facts in self.facts.items():
            if i in barred:
                continue
            if any(
                facts.get(a) and sum(f.get(a) == facts[a] for f in rest) >= k
                for a, k in p["pair_limits"]
            ):
                continue
            changed = {a for a in attributes if facts.get(a, "") != leaver.get(a, "")}
            rows = {(a, v): (lo, hi) for a, v, lo, hi in p["quotas"] if a in changed}
            if any((a, f.get(a, "")) not in rows for a in changed for f in (facts, leaver)):
                continue
            kept = all(
                sum(f.get(a) == leaver.get(a) for f in rest) >= rows[a, leaver[a]][0]
                and sum(f.get(a) == facts[a] for f in rest) + 1 <= rows[a, facts[a]][1]
                for a in changed
            )
            if kept:
                found = (self.ticket(key, name, act, i), i)
                for how in ["swap"] if changed else ["type", "swap"]:
                    best[how] = min(best.get(how, found), found)
        for how in ("type", "swap"):
            if how in best:
                return best[how][1], best[how][0], how
        return "", "", "none"


Cells = dict[tuple[str, ...], dict[tuple[str, ...], int]]


class Filling:
    """Can a panel be completed? Depth first over numbers per type, then pair limits by flow or naming."""

    def __init__(
        self,
        p: dict[str, Any],
        facts: dict[str, dict[str, str]],
        barred: set[str],
        everyone: dict[Any, Cells] | None = None,
    ) -> None:
        self.seats, self.facts, self.barred = p["seats"], facts, barred
        self.rows = [((a, v), lo, hi) for a, v, lo, hi in p["quotas"]]
        self.attributes = sorted({a for (a, _), _, _ in self.rows})
        self.limits = [(a, k) for a, k in p["pair_limits"]]
        self.pool: Cells | None = None
        self.everyone = {} if everyone is None else everyone  # counts by shape, for many panels

    def kind(self, i: str) -> tuple[str, ...]:
        return tuple(self.facts[i].get(a, "") for a in self.attributes)

    def bond(self, i: str) -> tuple[str, ...]:
        return tuple(self.facts[i].get(a, "") for a, _ in self.limits)

    def count(self, members: list[str] | set[str]) -> list[int]:
        return [sum(self.facts[i].get(a) == v for i in members) for (a, v), _, _ in self.rows]

    def valid(self, members: set[str]) -> bool:
        """A full panel of people who may sit, within every bound and limit."""
        if len(members) != self.seats or members & self.barred:
            return False
        if not all(i in self.facts for i in members):
            return False
        listed = {cell for cell, _, _ in self.rows}
        if any(
            (a, self.facts[i].get(a, "")) not in listed for i in members for a in self.attributes
        ):
            return False
        if any(
            not lo <= n <= hi
            for n, (_, lo, hi) in zip(self.count(members), self.rows, strict=False)
        ):
            return False
        return all(
            sum(self.facts[j].get(a) == v for j in members) <= k
            for a, k in self.limits
            for v in {self.facts[i].get(a) for i in members} - {None, ""}
        )

    def full(self, i: str, members: list[str]) -> str:
        """Is a bound reached for this person: "max", "pair" or ""."""
        mine = self.facts[i]
        cells = {cell: hi for cell, _, hi in self.rows}
        for a in self.attributes:
            held = sum(self.facts[j].get(a) == mine.get(a, "") for j in members)
            if held >= cells.get((a, mine.get(a, "")), 0):
                return "max"
        for a, k in self.limits:
            if mine.get(a) and sum(self.facts[j].get(a) == mine[a] for j in members) >= k:
                return "pair"
        return ""

    def possible(self, members: list[str]) -> bool:
        """Is there a valid panel that contains `members`?"""
        if self.pool is None:
            self.pool = self._pool()
        have = self.count(members)
        if any(n > hi for n, (_, _, hi) in zip(have, self.rows, strict=False)):
            return False
        self.free = {t: dict(cells) for t, cells in self.pool.items()}
        for i in members:
            self.free[self.kind(i)][self.bond(i)] -= 1
        self.used: dict[tuple[int, str], int] = {}
        for i in members:
            for n, v in enumerate(self.bond(i)):
                if v:
                    self.used[n, v] = self.used.get((n, v), 0) + 1
        if any(n > self.limits[a][1] for (a, _), n in self.used.items()):
            return False
        low = [max(0, lo - n) for n, (_, lo, _) in zip(have, self.rows, strict=False)]
        high = [hi - n for n, (_, _, hi) in zip(have, self.rows, strict=False)]
        place = {cell: r for r, (cell, _, _) in enumerate(self.rows)}
        self.types: list[tuple[tuple[str, ...], list[int], int]] = []
        for t, cells in sorted(self.free.items()):
            number = sum(cells.values())
            rows = [place.get((a, v), -1) for a, v in zip(self.attributes, t, strict=False)]
            if -1 not in rows and number:
                self.types.append((t, rows, number))
        self.dead: set[Any] = set()
        return self._fill(low, high, self.seats - len(members), [n for *_, n in self.types], {})[0]

    def _pool(self) -> Cells:
        """How many people may sit, by quota values and then by pair values."""
        shape = (tuple(self.attributes), tuple(a for a, _ in self.limits))
        if shape not in self.everyone:
            counts: Cells = {}
            for i in self.facts:
                found = counts.setdefault(self.kind(i), {})
                found[self.bond(i)] = found.get(self.bond(i), 0) + 1
            self.everyone[shape] = counts
        pool = {t: dict(found) for t, found in self.everyone[shape].items()}
        for i in self.barred:
            pool[self.kind(i)][self.bond(i)] -= 1
        return pool

    def _fill(
        self, low: list[int], high: list[int], left: int, stock: list[int], plan: dict[Any, int]
    ) -> tuple[bool, bool]:
        """(a completion exists, a plan by type existed that only the pair limits refused)."""
        if not left:
            if any(low):
                return False, False
            fits = not self.limits or self._bonds(plan)
            return fits, not fits
        state = (tuple(low), tuple(high), left, tuple(min(s, left) for s in stock))
        if state in self.dead:
            return False, False
        usable = [
            n
            for n, (_, rows, _) in enumerate(self.types)
            if stock[n] and all(high[r] for r in rows)
        ]
        supply = [0] * len(low)
        for n in usable:
            for r in self.types[n][1]:
                supply[r] += stock[n]
        bad = (
            any(s < lo for s, lo in zip(supply, low, strict=False))
            or sum(stock[n] for n in usable) < left
        )
        for a in self.attributes:
            group = [r for r, ((b, _), _, _) in enumerate(self.rows) if b == a]
            bad = bad or sum(low[r] for r in group) > left
            bad = bad or sum(min(high[r], supply[r]) for r in group) < left
        refused = False
        if not bad:
            wanted = [r for r in range(len(low)) if low[r]]
            if wanted:
                tight = min(wanted, key=lambda r: supply[r] - low[r])
                usable = [n for n in usable if tight in self.types[n][1]]
            usable.sort(key=lambda n: (-sum(low[r] > 0 for r in self.types[n][1]), -stock[n]))
            stock = list(stock)
            for n in usable:
                t, rows, _ = self.types[n]
                stock[n] -= 1
                plan[t] = plan.get(t, 0) + 1
                found, pairs = self._fill(
                    [max(0, x - (r in rows)) for r, x in enumerate(low)],
                    [x - (r in rows) for r, x in enumerate(high)],
                    left - 1, stock, plan,
                )  # fmt: skip
                if found:
                    return True, False
                refused = refused or pairs
                plan[t] -= 1
                stock[n] = 0
        if not refused:
            self.dead.add(state)
        return False, refused

    def _bonds(self, plan: dict[Any, int]) -> bool:
        todo = [t for t, n in sorted(plan.items()) for _ in range(n)]
        if len(self.limits) == 1:
            return self._flow(todo)
        return self._names(todo, 0)

    def _names(self, todo: list[Any], start: int) -> bool:
        if start == len(todo):
            return True
        cells = self.free[todo[start]]
        for values in sorted(cells):
            keys = [(n, v) for n, v in enumerate(values) if v]
            if cells[values] < 1 or any(self.used.get(k, 0) >= self.limits[k[0]][1] for k in keys):
                continue
            cells[values] -= 1
            for k in keys:
                self.used[k] = self.used.get(k, 0) + 1
            fits = self._names(todo, start + 1)
            cells[values] += 1
            for k in keys:
                self.used[k] -= 1
            if fits:
                return True
        return False

    def _flow(self, todo: list[Any]) -> bool:
        """Each seat is a node; breadth-first augmenting paths over values with room left."""
        limit = self.limits[0][1]
        given: list[str | None] = [None] * len(todo)
        for first in range(len(todo)):
            came: dict[str, tuple[int, str | None]] = {}
            queue, goal = [first], None
            while queue and goal is None:
                seat = queue.pop(0)
                for (v,), n in self.free[todo[seat]].items():
                    mine = sum(1 for s, g in enumerate(given) if g == v and todo[s] == todo[seat])
                    if v in came or mine >= n:
                        continue
                    came[v] = (seat, given[seat])
                    if not v or self.used.get((0, v), 0) + given.count(v) < limit:
                        goal = v
                        break
                    queue += [s for s, g in enumerate(given) if g == v]
            if goal is None:
                return False
            value: str | None = goal
            while value is not None:
                seat, old = came[value]
                given[seat] = value
                value = old
        return True


# -- the ledger anchor ------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def _x(y: int, sign: int) -> int | None:
    """RFC 8032 section 5.1.3: the x of a compressed point, or None."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n: int, p: Point) -> Point:
    out: Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = _add(out, p)
        p, n = _add(p, p), n >> 1
    return out


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032 section 5.1.7, without multiplying by the cofactor."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    base_y = 4 * pow(5, P - 2, P) % P
    base_x = _x(base_y, 0)
    assert base_x is not None
    left, right = _times(s, (base_x, base_y, 1, base_x * base_y % P)), _add(r, _times(k, a))
    return (
        not (left[0] * right[2] - right[0] * left[2]) % P
        and not (left[1] * right[2] - right[1] * left[2]) % P
    )


def inclusion_root(leaf_hash: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that an RFC 6962 inclusion proof leads to (RFC 9162 section 2.1.3.2), or None."""
    if not 0 <= index < size or any(len(h) != 32 for h in [leaf_hash, *proof]):
        return None
    fn, sn, node = index, size - 1, leaf_hash
    for step in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = sha(b"\1" + step + node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = sha(b"\1" + node + step)
        fn, sn = fn >> 1, sn >> 1
    return node if sn == 0 else None


def note_signers(note: str, keys: list[str]) -> list[str]:
    """Names of the given verifier keys (C2SP "name+hash+base64"), each of which signed the note.

    Key type 1 signs the note text; type 4 (tlog-cosignature) signs its timestamped form.
    """
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    good: list[str] = []
    if len(set(keys)) != len(keys):
        raise ValueError("a key is listed twice")
    for key in keys:
        before = len(good)
        name, _, rest = key.partition("+")
        tag, _, blob = rest.partition("+")
        raw = strict_base64(blob)
        if (
            not name
            or hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != tag
            or len(raw) != 33
        ):
            raise ValueError("malformed verifier key")
        for line in signatures.split("\n"):
            if not line.startswith(f"— {name} "):
                continue
            signed = strict_base64(line.removeprefix(f"— {name} "))
            if len(signed) < 4:
                raise ValueError("malformed signature")
            if signed[:4].hex() != tag:
                continue
            if raw[0] == 1:
                held = ed25519_verify(raw[1:], text.encode(), signed[4:])
            else:
                stamp = int.from_bytes(signed[4:12], "big")
                body = f"cosignature/v1\ntime {stamp}\n{text}".encode()
                held = raw[0] == 4 and ed25519_verify(raw[1:], body, signed[12:])
            if not held:
                raise ValueError(f"the signature of {name} does not hold")
            good.append(name)
        if len(good) == before:
            raise ValueError(f"{name} did not sign")
    return good


def carries(value: Any, wanted: str) -> bool:
    if isinstance(value, dict):
        return any(carries(v, wanted) for v in value.values())
    if isinstance(value, list):
        return any(carries(v, wanted) for v in value)
    return bool(value == wanted)


def no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def check_anchor(files: dict[str, Any], note: str | None, commitment_hash: str) -> list[str]:
    """Signers of a checkpoint over a ledger that contains the commitment; [] if not anchored."""
    step, anchor = "anchor", files.get("anchor")
    need((anchor is None) == (note is None), step, "锚定不完整", "the anchor is not complete")
    if anchor is None or note is None:
        return []
    try:
        event = json.loads(anchor["event"], parse_constant=no_constant)
        _, size, digest, _, *_ = note.split("\n")
        if not SIZE.fullmatch(size) or not all(map(HEX.fullmatch, anchor["proof"])):
            raise ValueError("size or proof")
        leaf_hash = sha(b"\0" + anchor["event"].encode())
        proof = [bytes.fromhex(h) for h in anchor["proof"]]
        made = inclusion_root(leaf_hash, anchor["index"], int(size), proof)
        signers = note_signers(note, anchor["keys"])
        same = made == strict_base64(digest)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Failure(
            step, f"账本头或证明无效（{error}）", f"checkpoint or proof not valid ({error})"
        ) from error
    need(
        carries(event, commitment_hash),
        step,
        "账本记录不含此承诺",
        "the ledger event lacks this commitment",
    )
    need(same, step, "包含证明不成立", "the inclusion proof does not lead to the root")
    need(signers, step, "没有有效签名", "no signature holds")
    return signers


# -- the supervisor's own device --------------------------------------------------------------------


def device_keys(listed: list[str], ledger: list[str]) -> dict[str, bytes]:
    """Verifier keys of supervisors' devices, none of them the ledger's: text -> public key."""
    taken = [strict_base64(key.split("+", 2)[2])[1:] for key in ledger]
    out: dict[str, bytes] = {}
    for key in listed:
        name, tag, blob = key.split("+", 2)
        raw = strict_base64(blob)
        if (
            not COSIGNER.fullmatch(name)
            or len(raw) != 33
            or raw[0] != 1
            or sha(name.encode() + b"\n" + raw)[:4].hex() != tag
            or sha(raw[1:]).hex()[:8] != name.removeprefix("supervisor-")
        ):
            raise ValueError("malformed verifier key")
        if raw[1:] in taken:
            raise ValueError("a key is listed twice, or is the ledger's")
        taken.append(raw[1:])
        out[key] = raw[1:]
    return out


def signing_key(text: str, line: str, keys: list[str]) -> str:
    """The key of type 1 whose signature over `text` this line is; ValueError if there is none."""
    for key in keys:
        name, tag, blob = key.split("+", 2)
        raw = strict_base64(blob)
        if raw[0] != 1 or not line.startswith(f"— {name} "):
            continue
        signed = strict_base64(line.removeprefix(f"— {name} "))
        if signed[:4].hex() == tag and ed25519_verify(raw[1:], text.encode(), signed[4:]):
            return key
    raise ValueError("a line is not signed by a listed key")


def cosigned_by(files: dict[str, Any], notes: dict[str, str]) -> list[str]:
    """The verifier key of every note in order: of the commitment, then of the acts."""
    anchor, checkpoint = files["anchor"], notes["checkpoint.txt"]
    listed, own = list(device_keys(anchor["cosigners"], anchor["keys"])), notes["cosignature.txt"]
    text, _, _ = checkpoint.partition("\n\n")
    line = own.removeprefix(checkpoint)
    if not checkpoint.endswith("\n") or line == own or not line.endswith("\n"):
        raise ValueError("not the checkpoint with one more line")
    used = [signing_key(text + "\n", line[:-1], listed)]
    for proof in anchor["acts"]:
        note = notes[f"act-{proof['act']}-cosignature.txt"]
        text, _, tail = note.partition("\n\n")
        origin, size, digest = text.split("\n")
        first, second, end = tail.split("\n")
        if origin != checkpoint.split("\n")[0] or end or not SIZE.fullmatch(size):
            raise ValueError("not a checkpoint of this ledger with two lines")
        signing_key(text + "\n", first, anchor["keys"])
        used.append(signing_key(text + "\n", second, listed))
        event = json.loads(proof["event"], parse_constant=no_constant)
        if not all(map(HEX.fullmatch, proof["proof"])) or not carries(
            event, files["acts"][proof["act"] - 2]["removal_hash"]
        ):
            raise ValueError("the ledger event lacks these removals")
        steps = [bytes.fromhex(h) for h in proof["proof"]]
        leaf_hash = sha(b"\0" + proof["event"].encode())
        if inclusion_root(leaf_hash, proof["index"], int(size), steps) != strict_base64(digest):
            raise ValueError("the inclusion proof does not lead to the root")
    if list(dict.fromkeys(used)) != listed:
        raise ValueError("keys are not those that signed, in order")
    return listed


def check_cosignature(draw: Draw, notes: dict[str, str]) -> list[list[str]]:
    """[[name, fingerprint], ...] of the devices that cosigned; [] if none did."""
    step, files = "cosignature", draw.files
    anchor, own = files.get("anchor", {}), "cosignature.txt" in notes
    found = [ACT_NOTE.fullmatch(n) for n in notes]
    acts = sorted(int(m[1]) for m in found if m)
    bound, drawn = "requires_cosignature" in draw.c, [act["act"] for act in files["acts"]]
    if "cosigners" not in anchor:
        need(not own and not acts, step, "缺少会签公钥", "the cosigners are not listed")
        need(
            not bound,
            step,
            "承诺书要求会签，记录包中却没有",
            "the commitment requires it; it is not there",
        )
        return []
    real = bound or draw.c["kind"] == "real"
    need(own or not real, step, "须经会签而未会签", "a draw that must be cosigned is not")
    need(
        set(acts) <= set(drawn) and (acts == drawn or not real) and (own or not acts),
        step,
        "补抽会签与补抽不符",
        "the cosignatures of the acts are not those of the acts",
    )
    listed = [proof["act"] for proof in anchor["acts"]]
    need(listed == acts, step, "补抽证明与会签不符", "the proofs are not those of the acts")
    if not own:
        need(not anchor["cosigners"], step, "有公钥而无会签", "a cosigner who did not sign")
        return []
    try:
        keys = cosigned_by(files, notes)
        return [
            [key.split("+")[0], fingerprint(strict_base64(key.split("+", 2)[2])[1:])]
            for key in keys
        ]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise Failure(
            step, f"会签无效（{error}）", f"the cosignature does not hold ({error})"
        ) from error


def fingerprint(public: bytes) -> str:
    """First 128 bits of SHA-256 over the raw key in groups of four digits, as on the card."""
    digits = sha(public).hex()
    return " ".join(digits[n : n + 4] for n in range(0, 32, 4))


# -- names that were opened -------------------------------------------------------------------------


def check_openings(draw: Draw, data: bytes) -> dict[str, str]:
    """Pseudonym -> name, each proved to be the one that the committed roster binds."""

    def hold(condition: object, zh: str, en: str) -> None:
        need(condition, "openings", zh, en)

    try:
        document = json.loads(data)
        same = plain_json(document) and jcs(document) == data and formed(document, OPENINGS)
    except (ValueError, RecursionError):
        same = False
    hold(same, "不是规范的公开文件", "not a canonical file of openings")
    hold(document["spec"] == "PDRAW/1 openings", "不是公开文件", "not a file of openings")
    bound = (draw.hash, draw.c["roster_root"], draw.c["roster_size"])
    given = (document["commitment"], document["roster_root"], document["roster_size"])
    hold(given == bound, "不属于这次抽取的承诺", "of another commitment")
    meaning: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    rows = document["openings"]
    for row in rows:
        who, person, place = row["identity"], row["leaf"], row["index"]
        stated = dict(map(tuple, person["facts"])).get("identity")
        fits = stated == leaf(who) and person["expert"] == who["pseudonym"]
        hold(fits, "姓名与身份哈希不符", "a name does not fit the identity that was committed")
        inside = 0 <= place < len(draw.files["roster"]) and draw.files["roster"][place] == person
        hold(inside, "不在名单的该位置", "a leaf is not the one at its place of the roster")
        hold(all(map(HEX.fullmatch, row["proof"])), "证明格式不对", "a proof is malformed")
        made = inclusion_root(
            bytes.fromhex(leaf(person)), place, bound[2], [bytes.fromhex(h) for h in row["proof"]]
        )
        hold(made and made.hex() == bound[1], "包含证明不成立", "an inclusion proof fails")
        hold(SALT.fullmatch(who["salt"]), "盐值无效", "a salt is not valid")
        hold(rising([a for a, _ in who["facts"]]), "事实未排序", "the facts are unsorted")
        said = dict(map(tuple, who["facts"]))
        for attribute, code in person["facts"]:
            if attribute in said:
                known = meaning.setdefault((attribute, code), said[attribute])
                hold(known == said[attribute], "同一代码含义不一", "a code means two things")
        names[who["pseudonym"]] = who["name"]
    people = [row["identity"]["pseudonym"] for row in rows]
    hold(rising(people), "代号重复或未排序", "pseudonyms repeated or unsorted")
    return names


def verify_transcript(
    path: str | Path | bytes, head: str | None = None, openings: str | Path | bytes | None = None
) -> Report:
    """Check one transcript (a path, or its bytes); `head`: commitment hash or ledger head to expect;
    `openings`: the file that opens names, to be checked against it.

    Never raises for a bad transcript: the report names the first failing step.
    """
    report, step = Report(), "archive"
    try:
        data = path if isinstance(path, bytes) else Path(path).read_bytes()
        files, notes = load(data, report.steps)
        step = "form"
        check_form(files)
        report.steps.append(step)
        draw = Draw(files)
        report.commitment_hash, report.kind = draw.hash, str(draw.c["kind"])
        for step in list(STEPS)[4:-3]:
            if step == "head":
                draw.head(head, notes.get("checkpoint.txt"))
                if not head:
                    continue
            else:
                getattr(draw, step)()
            report.steps.append(step)
        step = "anchor"
        report.signers = check_anchor(files, notes.get("checkpoint.txt"), draw.hash)
        report.anchored = bool(report.signers)
        if report.anchored:
            report.steps.append(step)
        step = "cosignature"
        report.cosigners = check_cosignature(draw, notes)
        report.cosigned = bool(report.cosigners)
        report.fallbacks = draw.fallbacks
        if report.cosigned:
            report.steps.append(step)
        if openings is not None:
            step = "openings"
            held = openings if isinstance(openings, bytes) else Path(openings).read_bytes()
            names = check_openings(draw, held)
            report.seated = [[*seat, names.get(seat[2], "")] for seat in draw.last]
            report.steps.append(step)
        report.ok = True
    except Failure as failure:
        report.failed, report.zh, report.en = failure.step, failure.zh, failure.en
    except OSError as error:
        report.failed, report.zh, report.en = (
            step if step == "openings" else "archive",
            f"无法读取（{error}）",
            f"cannot be read ({error})",
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        # A field of the wrong shape: the step that stumbled over it is the one that fails.
        report.failed, report.zh, report.en = step, "内容格式不对", f"malformed content ({error!r})"
    return report


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 and "verified", or 1 and the failing step; 2 for wrong arguments."""
    todo = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in todo
    if as_json:
        todo.remove("--json")
    given: dict[str, str] = {}
    for option in ("--head", "--openings"):
        if option in todo and todo.index(option) + 1 < len(todo):
            place = todo.index(option)
            given[option] = todo[place + 1]
            del todo[place : place + 2]
    if len(todo) != 1 or todo[0].startswith("-"):
        usage = "usage: python verify.py FILE.zip [--head HEAD] [--openings FILE] [--json]"
        print(usage, file=sys.stderr)
        return 2
    gc.disable()  # nothing here forms cycles, and walking millions of values again takes a third more
    report = verify_transcript(todo[0], given.get("--head"), given.get("--openings"))
    print(json.dumps(report.__dict__, ensure_ascii=False) if as_json else "\n".join(report.lines()))
    return 0 if report.ok else 1


if __name__ == "__main__":
    # Output to a file in a code page without Chinese must not end like a rejection.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
