"""Parts of one paper, each compiled by itself, put together into one tagged, archivable PDF.

A paper of thousands of tables takes gigabytes to lay out at once, and little when it is laid out in parts.
This joins what `pdf.render_pdf` made: files of typst's writer, whose objects stand uncompressed, one after
the other (ISO 32000-1, 7.5). Objects are renumbered; page tree, outline, structure tree (14.7, with its
parent tree and the ids of table headings) become one; title, colour profile and metadata are those of the
first part. The same parts give the same bytes. A file of another shape is an error, never half read.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence

Parts = tuple[bytes, bytes]  # an object's dictionary, its stream (empty for most)

_STRING = rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\))*\)|<[0-9A-Fa-f\s]+>"
_REFERENCE = re.compile(_STRING + rb"|\b(\d+) 0 R\b", re.DOTALL)
_KEYED = re.compile(_STRING + rb"|(/StructParents?) (\d+)", re.DOTALL)
_ID = re.compile(rb"\(U(\d+x\d+y\d+)\)")
_NAMED = re.compile(rb"(\([^()]*\))(\d+ 0 R)")
_LEAF = re.compile(rb"(\d+) (\d+ 0 R)")


class MergeError(ValueError):
    """A part is not what typst writes."""


class _File:
    """One part, taken apart: object number -> (dictionary, stream)."""

    def __init__(self, data: bytes) -> None:
        start = int(_one(rb"startxref\s+(\d+)\s+%%EOF\s*$", data[-64:]))
        table = data[start:].split(b"\n")
        if not data.startswith(b"%PDF-1.7") or table[0] != b"xref":
            raise MergeError("no cross-reference table")
        self.head = data[: data.index(b"\n1 0 obj") + 1]
        count = int(table[1].split()[1])
        offsets = [int(line[:10]) for line in table[2 : 2 + count]]
        trailer = data[data.rindex(b"trailer") :]
        self.root = int(_one(rb"/Root (\d+) 0 R", trailer))
        self.info = int(_one(rb"/Info (\d+) 0 R", trailer))
        self.size = count
        self.objects: dict[int, Parts] = {}
        order = sorted(range(1, count), key=lambda n: offsets[n])
        for place, number in enumerate(order):
            end = offsets[order[place + 1]] if place + 1 < len(order) else start
            body = data[offsets[number] : end]
            label = b"%d 0 obj\n" % number
            if not body.startswith(label):
                raise MergeError(f"object {number} is not where the table says")
            body = body[len(label) : body.rindex(b"\nendobj")]
            head, mark, stream = body.partition(b"\nstream\n")
            self.objects[number] = head, mark + stream
        self.catalog = self.objects[self.root][0]

    def entry(self, name: bytes) -> int:
        """The object that the catalogue's entry points at."""
        return int(_one(b"/" + name + rb" (\d+) 0 R", self.catalog))

    def dictionary(self, number: int) -> bytes:
        return self.objects[number][0]


def merge(files: Sequence[bytes]) -> bytes:
    """One PDF of the pages of all `files`, in their order; MergeError, ValueError for none."""
    if not files:
        raise ValueError("nothing to put together")
    if len(files) == 1:
        return files[0]
    parts = [_File(data) for data in files]
    first = parts[0]
    pages, outlines, tree = (first.entry(n) for n in (b"Pages", b"Outlines", b"StructTreeRoot"))
    document = int(_one(rb"/K\[(\d+) 0 R\]/ParentTree", first.dictionary(tree)))
    made: dict[int, Parts] = {}
    kids: list[bytes] = []
    leaves: list[bytes] = []
    named: list[tuple[bytes, bytes]] = []
    inside: list[bytes] = []
    chain: list[tuple[int, int, int]] = []  # first and last heading of each part, how many
    by = key = 0
    for place, part in enumerate(parts):
        move = _mover(by)
        own = {n: part.entry(n) for n in (b"Pages", b"Outlines", b"StructTreeRoot", b"Metadata")}
        kids += re.findall(rb"\d+ 0 R", move(_one(rb"/Kids\[(.*?)\]", part.dictionary(own[b"Pages"]))))  # fmt: skip
        root = part.dictionary(own[b"StructTreeRoot"])
        top = int(_one(rb"/K\[(\d+) 0 R\]/ParentTree", root))
        nums = move(_one(rb"/Nums\[(.*?)\]>>", root))
        leaves += [b"%d %s" % (int(k) + key, ref) for k, ref in _LEAF.findall(nums)]
        names = re.search(rb"/Names\[(.*?)\]>>", root, re.DOTALL)
        if names:
            prefix = _id(place)
            found = _NAMED.findall(move(names[1]))
            named += [(_ID.sub(prefix, name), ref) for name, ref in found]
        heads = part.dictionary(own[b"Outlines"])
        if b"/First" in heads:
            a, z, n = (int(_one(p, heads)) for p in (rb"/First (\d+)", rb"/Last (\d+)", rb"/Count (\d+)"))  # fmt: skip
            chain.append((a + by, z + by, n))
        gone = {part.root, part.info, *own.values()} if place else set()
        again = {own[b"Pages"]: pages, own[b"Outlines"]: outlines, own[b"StructTreeRoot"]: tree}
        move = _mover(by, again if place else {})
        for number, (head, stream) in part.objects.items():
            if number in gone:
                continue
            text = move(head)
            if b"/StructParent" in text:
                text = _KEYED.sub(_keys(key), text)
            if text.startswith(b"<</Type/StructElem"):
                text = _ID.sub(_id(place), text)
            if place and number == top:
                text = text.replace(
                    b"/S/Document/P %d 0 R" % tree, b"/S/Part/P %d 0 R" % document, 1
                )
                inside.append(b"%d 0 R" % (number + by))
            made[number + by] = text, stream
        key += int(_one(rb"/ParentTreeNextKey (\d+)", root))
        by += part.size - 1
    _set(made, pages, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids)))
    text = made[document][0]
    if not text.endswith(b"]>>"):
        raise MergeError("the document element does not end in its children")
    _set(made, document, text[:-3] + b" " + b" ".join(inside) + b"]>>")
    roles = _one(rb"(/RoleMap<<.*?>>)", first.dictionary(tree))
    ids = b"".join(name + ref for name, ref in sorted(named))
    _set(
        made,
        tree,
        b"<</Type/StructTreeRoot%s/K[%d 0 R]/ParentTree<</Nums[%s]>>%s/ParentTreeNextKey %d>>"
        % (
            roles,
            document,
            b" ".join(leaves),
            b"/IDTree<</Names[%s]>>" % ids if ids else b"",
            key,
        ),
    )
    _join_headings(made, outlines, chain)
    digest = base64.b64encode(hashlib.sha256(b"".join(files)).digest()[:16])
    _describe(made, first.entry(b"Metadata"), len(kids), digest)
    return _written(first, made, digest)


def _join_headings(made: dict[int, Parts], root: int, chain: list[tuple[int, int, int]]) -> None:
    """The headings of all parts, one after the other."""
    for (_, last, _), (start, _, _) in zip(chain, chain[1:], strict=False):
        _set(made, last, made[last][0].replace(b"<<", b"<</Next %d 0 R" % start, 1))
        _set(made, start, made[start][0].replace(b"<<", b"<</Prev %d 0 R" % last, 1))
    if chain:
        count = sum(n for _, _, n in chain)
        what = (chain[0][0], chain[-1][1], count)
        _set(made, root, b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % what)


def _describe(made: dict[int, Parts], number: int, pages: int, digest: bytes) -> None:
    """The metadata of the whole: its number of pages and its own id."""
    head, stream = made[number]
    if b"/Filter" in head or not stream.endswith(b"\nendstream"):
        raise MergeError("the metadata are packed")
    xml = stream[len(b"\nstream\n") : -len(b"\nendstream")]
    xml = re.sub(rb"(<xmpTPg:NPages>)\d+", rb"\g<1>%d" % pages, xml)
    xml = re.sub(rb"(<xmpMM:(?:Instance|Document)ID>)[^<]*", rb"\g<1>" + digest, xml)
    head = re.sub(rb"/Length \d+", b"/Length %d" % len(xml), head)
    made[number] = head, b"\nstream\n" + xml + b"\nendstream"


def _written(first: _File, made: dict[int, Parts], digest: bytes) -> bytes:
    """The objects under numbers without gaps, with their table."""
    order = sorted(made)
    numbers = {old: new for new, old in enumerate(order, 1)}
    move = _renumbered(numbers)
    pieces, offsets, at = [first.head], [], len(first.head)
    for old in order:
        head, stream = made[old]
        piece = b"%d 0 obj\n%s%s\nendobj\n" % (numbers[old], move(head), stream)
        offsets.append(at)
        pieces.append(piece)
        at += len(piece)
    table = [b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(order) + 1)]
    table += [b"%010d 00000 n\r\n" % offset for offset in offsets]
    trailer = b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[(%s)(%s)]>>\nstartxref\n%d\n%%%%EOF"
    ends = (len(order) + 1, numbers[first.root], numbers[first.info], digest, digest, at)
    return b"".join([*pieces, *table, trailer % ends])


def _mover(by: int, again: dict[int, int] | None = None) -> Callable[[bytes], bytes]:
    """Adds `by` to every reference, but those that become another part's object."""
    known = again or {}

    def one(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[0]
        number = int(match[1])
        return b"%d 0 R" % known.get(number, number + by)

    return lambda text: _REFERENCE.sub(one, text) if by or known else text


def _renumbered(numbers: dict[int, int]) -> Callable[[bytes], bytes]:
    def one(match: re.Match[bytes]) -> bytes:
        return match[0] if match[1] is None else b"%d 0 R" % numbers[int(match[1])]

    return lambda text: _REFERENCE.sub(one, text)


def _keys(by: int) -> Callable[[re.Match[bytes]], bytes]:
    def one(match: re.Match[bytes]) -> bytes:
        return match[0] if match[1] is None else b"%s %d" % (match[1], int(match[2]) + by)

    return one


def _id(place: int) -> bytes:
    return rb"(P%03dU\1)" % place


def _set(made: dict[int, Parts], number: int, head: bytes) -> None:
    made[number] = head, made[number][1]


def _one(pattern: bytes, text: bytes) -> bytes:
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        raise MergeError(f"nothing fits {pattern!r}")
    return found[1]
