"""Materials: who files, what is refused, who reads."""

from __future__ import annotations

import io
import zipfile

import pytest

from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.programme import operations, queries
from app.programme.invariants import materials_are_there
from app.programme.materials import Upload, material_by_id, materials_of

from .conftest import PDF


@pytest.fixture
def haidian(session, people, round_, districts):
    person = session.get(Person, people["presenter"].person_id)
    operations.set_presenter(session, people["office"], districts["海淀区"], person)
    return districts["海淀区"]


def kept(session):
    """Everything that lies in the store, half-written files included."""
    return [path for path in session.info["store"].root.rglob("*") if path.is_file()]


def archive(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in files:
            made.writestr(name, data)
    return buffer.getvalue()


def test_presenter_files_for_the_own_county_only(session, people, round_, districts, haidian):
    made = operations.upload_material(
        session, people["presenter"], haidian, PDF, "C:\\docs\\供地台账.pdf", ["A6", "A7", "A6"]
    )
    assert (made.name, made.mime, made.size) == ("供地台账.pdf", "application/pdf", len(PDF))
    assert made.items == ["A6", "A7"] and made.uploaded_by == people["presenter"].id
    assert session.info["store"].open(made.file_sha256).read() == PDF
    beside = queries.materials_by_item(session, haidian)
    assert {item: [m.id for m in found] for item, found in beside.items()} == {
        "A6": [made.id],
        "A7": [made.id],
    }
    with pytest.raises(NotFound):
        operations.upload_material(session, people["presenter"], districts["丰台区"], PDF, "a.pdf")
    for role in ("supervisor", "expert", "keeper", "admin"):
        with pytest.raises(Forbidden):
            operations.upload_material(session, people[role], haidian, PDF, "a.pdf")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<html><script>alert(1)</script></html>", "harmless.pdf"),
        (PDF.replace(b"<<>>", b"<</JavaScript 1>>", 1), "script.pdf"),
        (b"", "empty.pdf"),
        (PDF[:-12], "cut.pdf"),
        (b"MZ\x90\x00", "program.pdf"),
        (b"\x89PNG\r\n\x1a\nbroken", "picture.png"),
        (archive(("a.pdf", PDF)), "archive.xlsx"),
    ],
)
def test_hostile_upload_is_refused_and_nothing_kept(session, people, haidian, data, name):
    with pytest.raises(DomainError) as caught:
        operations.upload_material(session, people["presenter"], haidian, data, name)
    assert caught.value.field == "file"
    assert kept(session) == [] and materials_of(session, haidian) == []


def test_unknown_items_and_duplicates_are_refused(session, people, districts, haidian):
    office = people["office"]
    with pytest.raises(DomainError) as caught:
        operations.upload_material(session, office, haidian, PDF, "a.pdf", ["A6", "B1"])
    assert caught.value.field == "items" and "B1" in caught.value.text.zh  # no mines
    operations.upload_material(session, office, haidian, PDF, "a.pdf")
    with pytest.raises(Conflict):
        operations.upload_material(session, office, haidian, PDF, "b.pdf")
    other = operations.upload_material(session, office, districts["丰台区"], PDF, "a.pdf")
    assert other.subject_id == districts["丰台区"].id


def test_withdrawing_keeps_the_file_and_the_reason(session, people, round_, haidian):
    made = operations.upload_material(session, people["office"], haidian, PDF, "a.pdf", ["A6"])
    with pytest.raises(DomainError):
        operations.withdraw_material(session, people["presenter"], made, " ")
    operations.withdraw_material(session, people["presenter"], made, "版本有误")
    assert queries.materials_by_item(session, haidian) == {}
    assert made.withdrawn_reason == "版本有误" and session.info["store"].has(made.file_sha256)
    with pytest.raises(Conflict):
        operations.withdraw_material(session, people["office"], made, "再次")
    again = operations.upload_material(session, people["office"], haidian, PDF, "b.pdf")
    assert again.id == made.id and again.withdrawn_at is None and again.name == "b.pdf"


def test_who_may_read(session, people, round_, districts, haidian):
    own = operations.upload_material(session, people["office"], haidian, PDF, "a.pdf")
    other = operations.upload_material(session, people["office"], districts["丰台区"], PDF, "a.pdf")

    def may(role, material, *, seated=False):
        return queries.may_read_material(session, people[role], material, seated=seated)

    assert may("office", own) and may("supervisor", own) and may("presenter", own)
    assert not may("presenter", other) and not may("presenter", other, seated=True)
    assert may("expert", own, seated=True) and not may("expert", own)
    assert not may("admin", own, seated=True) and not may("keeper", own, seated=True)
    with pytest.raises(NotFound):
        material_by_id(session, people["presenter"], round_, other.id, seated=False)
    operations.withdraw_material(session, people["office"], own, "有误")
    assert not may("expert", own, seated=True) and may("presenter", own)


def test_folder_goes_to_counties_and_items(session, people, round_, districts):
    files = [
        Upload(
            "all.zip",
            archive(
                ("海淀区/A6/台账.pdf", PDF),
                ("110106丰台/年鉴.pdf", PDF + b"2%%EOF"),
                ("__MACOSX/海淀区/._x.pdf", b"junk"),
                (".DS_Store", b"junk"),
            ),
        ),
        Upload("东城区说明.pdf", PDF + b"3%%EOF"),
    ]
    made = operations.import_folder(session, people["office"], round_, files)
    assert {(m.subject_id, m.name, tuple(m.items)) for m in made} == {
        (districts["海淀区"].id, "台账.pdf", ("A6",)),
        (districts["丰台区"].id, "年鉴.pdf", ()),
        (districts["东城区"].id, "东城区说明.pdf", ()),
    }
    assert operations.import_folder(session, people["office"], round_, files) == []


def test_names_in_gbk_archives_are_read(session, people, round_, districts):
    data = archive(("XXXXXX/a.pdf", PDF)).replace(b"XXXXXX", "海淀区".encode("gbk"))
    made = operations.import_folder(session, people["office"], round_, [Upload("a.zip", data)])
    assert [m.subject_id for m in made] == [districts["海淀区"].id]


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ([("海淀区/a.pdf", PDF), ("丰台区/b.pdf", b"<script>")], "丰台区/b.pdf"),
        ([("海淀区/a.pdf", PDF), ("朝阳区/b.pdf", PDF)], "朝阳区/b.pdf"),
        ([("海淀区/../../b.pdf", PDF)], "路径不安全"),
    ],
)
def test_folder_is_all_or_nothing(session, people, round_, districts, files, wrong):
    upload = [Upload("a.zip", archive(*files))]
    with pytest.raises(DomainError) as caught:
        operations.import_folder(session, people["office"], round_, upload)
    assert wrong in caught.value.text.zh
    assert kept(session) == []
    assert materials_of(session, districts["海淀区"]) == []


def test_a_lost_or_damaged_file_is_noticed(session, people, round_, haidian):
    made = operations.upload_material(session, people["office"], haidian, PDF, "a.pdf")
    assert materials_are_there(session) == []
    store = session.info["store"]
    path = store.path(made.file_sha256)
    path.write_bytes(b"other")
    assert ["a.pdf" in text.en for text in materials_are_there(session)] == [True]
    path.unlink()
    assert ["a.pdf" in text.en for text in materials_are_there(session)] == [True]
