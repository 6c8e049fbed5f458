"""A paper put together from parts: the same words, one structure, and nothing else is taken for a part."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest
from pypdf.generic import NullObject

from app.documents.pdf import DocumentError, render_parts, render_pdf
from app.documents.pdf_merge import MergeError, merge
from tests.documents import fixtures

AT = datetime(2012, 11, 20, tzinfo=UTC)


def annex(n: int, rows: int = 30) -> dict[str, Any]:
    return {
        "title": f"第{n}表 (见 12 0 R)", "number": n,
        "blocks": [
            {"kind": "heading", "level": 2, "text": f"县{n}"},
            {
                "kind": "table", "caption": f"表{n}", "columns": [{"title": "甲"}, {"title": "乙"}],
                "rows": [[f"喆{n}-{i}", f"堃镕珺龑 {i}"] for i in range(rows)],
            },
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def parts() -> list[dict[str, Any]]:
    common = {"title": "评审报告", "language": "zh", "drill": True}
    sections = fixtures.report()["sections"]
    return [
        {**common, "sections": sections, "annexes": [annex(1)], "signatures": [], "closing": False},
        {**common, "annexes": [annex(2, 80)], "signatures": [], "closing": False},
        {**common, "annexes": [annex(3)], "signatures": [{"role": "组长"}]},
    ]


@pytest.fixture(scope="module")
def merged(parts: list[dict[str, Any]]) -> bytes:
    heard: list[tuple[int, int]] = []
    made = render_parts(
        "report", parts, published_at=AT, progress=lambda done, total: heard.append((done, total))
    )
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
    return made


def words(pdf: bytes) -> list[str]:
    """Everything printed but what stands on every page."""
    pages = pypdf.PdfReader(io.BytesIO(pdf), strict=True).pages
    text = "\n".join(page.extract_text() for page in pages)
    lines = [re.sub(r"\s", "", x) for x in text.split("\n")]
    gone = r"—\d+—|演练|演练文书不具效力|甲乙|"  # page numbers, the drill's marks, repeated heads
    return [x for x in lines if not re.fullmatch(gone, x)]


def test_the_parts_say_what_the_whole_says(parts: Any, merged: bytes) -> None:
    whole = {**parts[0], "annexes": [p["annexes"][0] for p in parts], "signatures": parts[2]["signatures"]}  # fmt: skip
    whole.pop("closing")
    once = render_pdf("report", whole, published_at=AT)
    assert words(merged) == words(once) and len(words(once)) > 300
    assert render_parts("report", parts, published_at=AT) == merged


def test_pages_outline_and_structure_are_one(merged: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(merged), strict=True)
    root: Any = reader.trailer["/Root"]
    tree: Any = root["/StructTreeRoot"]
    count = len(reader.pages)
    for number, page in enumerate(reader.pages, 1):
        assert f"— {number} —" in page.extract_text()
        assert page["/Parent"].raw_get("/Kids")[number - 1].idnum == page.indirect_reference.idnum  # type: ignore[union-attr,index]
    nums = tree["/ParentTree"]["/Nums"]
    owners = dict(zip(map(int, nums[::2]), nums[1::2], strict=True))
    assert sorted(owners) == list(range(len(owners))) and tree["/ParentTreeNextKey"] == len(owners)
    for page in reader.pages:
        marked = [e for e in owners[page["/StructParents"]] if not isinstance(e, NullObject)]
        assert any(e["/Pg"] == page for e in marked)
    names = [str(name) for name in tree["/IDTree"]["/Names"][::2]]
    assert names == sorted(names) and len(set(names)) == len(names)
    ids, heads, tops = set(), set(), []

    def walk(element: Any, above: Any) -> None:
        element = element.get_object()
        if not isinstance(element, dict) or "/S" not in element:
            return
        assert element["/P"] == above
        if "/ID" in element:
            ids.add(str(element["/ID"]))
        for attribute in element.get("/A", []):
            heads.update(map(str, attribute.get("/Headers", [])))
        kids = element.get("/K", [])
        for kid in kids if isinstance(kids, list) else [kids]:
            if not isinstance(kid, int):
                walk(kid, element)

    for top in tree["/K"]:
        tops.append(top["/S"])
        walk(top, tree)
    assert tops == ["/Document"] and ids == set(names) and heads <= ids
    titles = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert titles[0] == "一、基本情况" and titles[-1] == "签字与核验"
    assert [t for t in titles if t.startswith("附件")] == [
        f"附件 {n}　第{n}表 (见 12 0 R)" for n in (1, 2, 3)
    ]
    xml = root["/Metadata"].get_data().decode()
    assert f"<xmpTPg:NPages>{count}</xmpTPg:NPages>" in xml
    assert "<pdfaid:part>2</pdfaid:part>" in xml and "<pdfuaid:part>1</pdfuaid:part>" in xml
    places = [int(x) for x in re.findall(rb"\n(\d{10}) 00000 n", merged)]
    for number, place in enumerate(places, 1):
        assert merged[place:].startswith(b"%d 0 obj\n" % number)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils are missing")
def test_another_reader_finds_nothing_wrong(merged: bytes, tmp_path: Path) -> None:
    file = tmp_path / "merged.pdf"
    file.write_bytes(merged)
    done = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    text = re.sub(r"\s", "", done.stdout.decode())
    assert all(f"喆{n}-29" in text for n in (1, 2, 3)) and "堃镕珺龑" in text
    file.write_bytes(merged.replace(b"/FlateDecode", b"/FlateDecodx"))
    broken = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=False, timeout=60)
    assert broken.stderr != b""


def test_what_is_no_part_is_refused(merged: bytes, parts: Any) -> None:
    other = render_pdf("report", parts[0], published_at=AT)
    for wrong in (
        b"%PDF-1.7\nnothing", other[:-200], other.replace(b"\nxref\n", b"\nxxxx\n"),
        other.replace(b"/ParentTreeNextKey", b"/ParentTreeNextKex"),
        other.replace(b"1 0 obj", b"1 0 obx"), b"GIF89a",
    ):  # fmt: skip
        with pytest.raises((MergeError, ValueError)):
            merge([other, wrong])
    with pytest.raises(ValueError, match="nothing"):
        merge([])
    assert merge([other]) == other
    bad = {**parts[1], "annexes": [{"title": "x", "blocks": [{"kind": "no such"}]}]}
    with pytest.raises(DocumentError, match="unknown block kind"):
        render_parts("report", [parts[0], bad], published_at=AT)
