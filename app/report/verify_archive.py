#!/usr/bin/env python3
"""Verify the archive of a round, without the system that made it and without a network.

    python3 verify_archive.py [ARCHIVE.zip | FOLDER]

Needs Python 3.9 or newer and nothing else. It holds the ZIP against its only possible form, every file
against SHA256SUMS, the entries of the round against the signed ledger head (RFC 6962), the scheme and
the score rule against the entry that made the round, computes every draw anew (verify.py) and every
figure of every final report (recompute.py). Exit code 0 only if all agrees.

本程序只用 Python 标准库：逐字节核对压缩包，核对每个文件的摘要、账本证明和签名，复算每次抽取和每份报告。
全部一致时退出码为 0。
"""

import base64
import contextlib
import hashlib
import importlib.util
import io
import json
import re
import sys
import tempfile
import zipfile
from pathlib import Path

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
NAME = re.compile(r"[a-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
SUM = re.compile(r"([0-9a-f]{64})  ([^ ].*)")


class Wrong(Exception):
    """Something does not agree: (Chinese, English)."""


def packed(files):
    """The one ZIP that holds these files: stored, in order of their names, without dates."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type, entry.create_system = zipfile.ZIP_STORED, 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return target.getvalue()


def from_zip(path):
    """(files by name below the one folder, faults)."""
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if any(not NAME.fullmatch(name) for name in names) or len(set(names)) != len(names):
            raise Wrong("压缩包内的文件名不合规", "the ZIP holds names that it may not hold")
        members = archive.infolist()  # stored: what is inside is never larger than the file
        if any(m.compress_type for m in members) or sum(m.file_size for m in members) > len(data):
            raise Wrong("压缩包的写法不合规定", "the ZIP is not written as specified")
        whole = {name: archive.read(name) for name in names}
    if packed(whole) != data:
        raise Wrong("压缩包的字节被改动过", "the bytes of the ZIP were changed")
    if len({name.split("/")[0] for name in names}) != 1:
        raise Wrong("压缩包应只有一个文件夹", "the ZIP must hold one folder")
    return {name.partition("/")[2]: body for name, body in whole.items()}


def from_folder(path):
    """Every file below the folder, by its name there."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def check_sums(files):
    """Every file against SHA256SUMS, and none beside."""
    listed = {}
    for line in files["SHA256SUMS"].decode("ascii").split("\n")[:-1]:
        found = SUM.fullmatch(line)
        if not found:
            yield ("SHA256SUMS 格式不对", "SHA256SUMS is malformed")
            return
        listed[found.group(2)] = found.group(1)
    wanted = "".join(f"{digest}  {name}\n" for name, digest in sorted(listed.items()))
    if wanted.encode() != files["SHA256SUMS"]:
        yield ("SHA256SUMS 格式不对", "SHA256SUMS is malformed")
    for name in sorted(set(listed) | set(files) - {"SHA256SUMS"}):
        if name not in files:
            yield (f"缺少文件 {name}", f"{name} is missing")
        elif name not in listed:
            yield (f"多出文件 {name}", f"{name} does not belong here")
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield (f"{name} 被改动过", f"{name} was changed")


def loaded(folder, name):
    """A checking program of the archive itself, its digest compared before."""
    spec = importlib.util.spec_from_file_location(f"archived_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


def recorded(bodies):
    """What the entries say of the round: its name and the digests of its scheme and score rule, the rule's
    as it was last put on record before the opening."""
    said = {}
    for body in bodies:
        if body["kind"] == "round.create" and not said:
            said = dict(body["data"])
        elif body["kind"] == "round.score_rule":
            said["score_rule_digest"] = body["data"]["after"]
    return said


def check_ledger(files, verifier):
    """The head's signature, every entry below it, and what the entries say of the scheme."""
    ledger, round_ = json.loads(files["ledger.json"]), json.loads(files["round.json"])
    note = ledger["note"]
    if not verifier.note_signers(note, [ledger["key"]]):
        yield ("账本头没有有效签名", "no signature on the ledger head holds")
    _, size, root, *_ = note.split("\n")
    bodies = []
    for entry in ledger["entries"]:
        leaf = hashlib.sha256(b"\x00" + entry["payload"].encode()).digest()
        proof = [bytes.fromhex(step) for step in entry["proof"]]
        held = verifier.inclusion_root(leaf, entry["seq"], int(size), proof)
        if held != base64.b64decode(root):
            yield (
                f"账本第 {entry['seq']} 条的证明不成立",
                f"the proof of ledger entry {entry['seq']} does not hold",
            )
        bodies.append(json.loads(entry["payload"]))
    said = recorded(bodies)
    if said.get("slug") != round_["slug"]:
        yield ("账本中没有创建本届的记录", "the ledger has no entry that made this round")
    for name in ("scheme", "score_rule"):
        if said.get(f"{name}_digest") != hashlib.sha256(files[f"{name}.json"]).hexdigest():
            yield (
                f"{name}.json 与账本中的摘要不符",
                f"{name}.json is not the file whose digest stands in the ledger",
            )


def check_draws(files, verifier):
    """Every draw, computed anew."""
    for name in sorted(files):
        if re.fullmatch(r"draws/[^/]+\.zip", name):
            report = verifier.verify_transcript(files[name])
            if not report.ok:
                yield (f"{name}：{report.zh}", f"{name}: {report.en}")


def check_reports(files, folder):
    """Every figure of every final report, computed anew."""
    for name in sorted(files):
        found = re.fullmatch(r"(reports/\d+)/recompute\.py", name)
        if not found:
            continue
        words = io.StringIO()
        with contextlib.redirect_stdout(words):
            status = loaded(folder / found.group(1), "recompute").main(
                [str(folder / found.group(1))]
            )
        if status:
            last = words.getvalue().strip().split("\n")[-1]
            yield (f"{found.group(1)} 复算不一致：{last}", f"{found.group(1)} differs: {last}")


def verify(path):
    """Faults as (Chinese, English), and what was looked at."""
    files = from_zip(path) if path.is_file() else from_folder(path)
    if "SHA256SUMS" not in files:
        raise Wrong("缺少 SHA256SUMS", "SHA256SUMS is missing")
    faults = list(check_sums(files))
    if faults:
        return faults, files  # what is not what was archived need not be computed
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, body in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
        verifier = loaded(folder, "verify")
        faults += check_ledger(files, verifier)
        faults += check_draws(files, verifier)
        faults += check_reports(files, folder)
    return faults, files


def main(arguments):
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        faults, files = verify(path)
    except Wrong as wrong:
        print(f"DIFFERS / 不一致: {wrong.args[1]} / {wrong.args[0]}")
        return 1
    except (
        OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, zipfile.BadZipFile,
        NotImplementedError, RuntimeError, EOFError,
    ) as error:  # fmt: skip
        print(f"cannot be read / 无法读取: {type(error).__name__}: {error}")
        return 2
    for zh, en in faults:
        print(f"DIFFERS / 不一致: {en} / {zh}")
    if faults:
        print(f"NOT in agreement: {len(faults)} difference(s) / 有 {len(faults)} 处不一致")
        return 1
    draws = sum(name.startswith("draws/") for name in files)
    reports = sum(name.endswith("/recompute.py") for name in files)
    print(f"{len(files)} files, {draws} draws, {reports} reports")
    print(f"seal / 档案码: {hashlib.sha256(files['SHA256SUMS']).hexdigest()}")
    print("everything agrees / 全部一致")
    return 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
