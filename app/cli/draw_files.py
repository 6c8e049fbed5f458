"""Files of the headless draw: read with the place of every value, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import click
import yaml

from app.domain.types import Text

MOST_BYTES = 20 * 1024 * 1024
_MOST_DIGITS = 100  # of a whole number; longer ones stay words, and are refused as such


def fail(text: Text, code: int = 2) -> NoReturn:
    """Print both languages on stderr and leave with an exit code."""
    click.echo(f"错误: {text.zh}\nerror: {text.en}", err=True)
    raise SystemExit(code)


def read_text(path: Path) -> str:
    """UTF-8, or GB 18030 as Chinese spreadsheets save it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            mib = MOST_BYTES // (1024 * 1024)
            fail(
                Text(
                    f"{path} 超过 {mib} MB，未读取",
                    f"{path} is larger than {mib} MB and was not read",
                )
            )
        data = path.read_bytes()
    except OSError as error:
        fail(Text(f"{path} 无法读取：{error.strerror}", f"{path} cannot be read: {error.strerror}"))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    fail(Text(f"{path} 不是 UTF-8 或 GB18030 文本", f"{path} is neither UTF-8 nor GB 18030 text"))


def read_yaml(path: Path) -> tuple[Any, dict[tuple[str | int, ...], tuple[int, int]]]:
    """(document, place of every value). Keys stay as written; only whole numbers become numbers.

    YAML's own typing would turn a value named `no` or `1e3` into something else.
    """
    marks: dict[tuple[str | int, ...], tuple[int, int]] = {}
    seen: set[int] = set()

    def build(node: yaml.Node, at: tuple[str | int, ...]) -> Any:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if id(node) in seen:  # ten lines of aliases can stand for more values than memory holds
            fail(
                Text(
                    f"{path.name} 第 {line} 行第 {column} 列：不允许使用锚点和别名，请把内容写全",
                    f"{path.name}, row {line}, column {column}: anchors and aliases are not allowed, write it out",
                )
            )
        seen.add(id(node))
        marks.setdefault(at, (line, column))
        if isinstance(node, yaml.MappingNode):
            out: dict[str, Any] = {}
            for key, value in node.value:
                name = str(key.value)
                line, column = key.start_mark.line + 1, key.start_mark.column + 1
                if name in out or not isinstance(key, yaml.ScalarNode):
                    fail(
                        Text(
                            f"{path.name} 第 {line} 行第 {column} 列：键“{name}”重复或无效",
                            f"{path.name}, row {line}, column {column}: key '{name}' is repeated or not valid",
                        )
                    )
                marks[*at, name] = (line, column)
                out[name] = build(value, (*at, name))
            return out
        if isinstance(node, yaml.SequenceNode):
            return [build(item, (*at, n)) for n, item in enumerate(node.value)]
        written = str(node.value)
        if node.tag == "tag:yaml.org,2002:int" and written.lstrip("+-").isdecimal():
            return int(written) if len(written) <= _MOST_DIGITS else written
        return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)

    try:
        node = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
        return (build(node, ()) if node is not None else None), marks
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        fail(
            Text(
                f"{path.name} 第 {line} 行第 {column} 列：不是有效的 YAML",
                f"{path.name}, row {line}, column {column}: not valid YAML",
            )
        )
    except RecursionError:
        fail(Text(f"{path.name} 不是有效的 YAML", f"{path.name}: not valid YAML"))


def write_all(directory: Path, files: dict[str, tuple[bytes, int]]) -> None:
    """All files of a new directory or none."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            for name, (data, mode) in files.items():
                handle = os.open(staging / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
            if directory.exists():
                directory.rmdir()
            staging.rename(directory)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    except OSError as error:
        fail(Text(f"{directory} 无法写入：{error}", f"{directory} cannot be written: {error}"), 1)


def publish_once(target: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file whole, and only if there is none: two runs at once give one transcript."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".transcript.")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            os.chmod(name, mode)
            os.link(name, target)
        finally:
            os.unlink(name)
    except FileExistsError:
        fail(
            Text(
                f"{target} 已经存在，不得重抽",
                f"{target} exists: this commitment was drawn already",
            )
        )
    except OSError as error:
        fail(Text(f"{target} 无法写入：{error}", f"{target} cannot be written: {error}"), 1)
