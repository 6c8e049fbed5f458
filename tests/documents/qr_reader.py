"""Reads a QR code back from a page of pixels (ISO/IEC 18004), written apart from the drawing in app/documents/qr.py.

Upright, undamaged codes of versions 2 to 9 with error correction M, as the papers print them: the error
correction itself is not used, so a wrong module is a wrong text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CELLS = {2: (6, 18), 3: (6, 22), 4: (6, 26), 5: (6, 30), 6: (6, 34), 7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46)}  # fmt: skip
# Version -> data codewords of each block at level M (table 9 of the standard).
BLOCKS = {2: [28], 3: [44], 4: [32] * 2, 5: [43] * 2, 6: [27] * 4, 7: [31] * 4, 8: [38] * 2 + [39] * 2, 9: [36] * 3 + [37] * 2}  # fmt: skip
MASKS: list[Any] = [
    lambda i, j: (i + j) % 2, lambda i, j: i % 2, lambda i, j: j % 3, lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2, lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2, lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
]  # fmt: skip
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def _runs(line: Any) -> list[tuple[int, int, bool]]:
    """(start, end, dark) of each run of a line."""
    edges = [0, *(np.flatnonzero(np.diff(line)) + 1), len(line)]
    return [(int(a), int(b), bool(line[a])) for a, b in zip(edges, edges[1:], strict=False)]


def _centres(dark: Any) -> list[tuple[float, float, float]]:
    """(x, y, size of a module) of every finder pattern: 1:1:3:1:1 along its row and its column."""
    found: list[tuple[float, float, float]] = []
    for y, line in enumerate(dark):
        for x, module in _in_line(line):
            for y2, module2 in _in_line(dark[:, round(x)]):
                near = abs(y2 - y) < module and abs(module2 - module) < 0.4 * module
                if near and not any(abs(x - a) + abs(y2 - b) < 4 * module for a, b, _ in found):
                    found.append((x, y2, module))
    return found


def _in_line(line: Any) -> list[tuple[float, float]]:
    runs = _runs(line)
    found = []
    for first in range(len(runs) - 4):
        five = runs[first : first + 5]
        widths = [b - a for a, b, _ in five]
        module = sum(widths) / 7
        wanted = (1, 1, 3, 1, 1)
        if five[0][2] and module >= 2 and all(
            abs(width - n * module) <= 0.6 * module for width, n in zip(widths, wanted, strict=True)
        ):  # fmt: skip
            found.append(((five[2][0] + five[2][1]) / 2, module))
    return found


def modules(dark: Any) -> Any:
    """The code's modules out of a page's dark pixels (rows of booleans). ValueError where none is found."""
    centres = _centres(dark)
    corners = [
        (x - left, left, x, top, y, (m + n + o) / 3)
        for left, top, m in centres for x, y1, n in centres for x1, y, o in centres
        if x - left > 10 * m and abs(y1 - top) < m and abs(x1 - left) < m
        and abs((x - left) - (y - top)) < m
    ]  # fmt: skip
    if not corners:
        raise ValueError(f"{len(centres)} finder patterns, no code")
    _, left, right, top, bottom, module = max(corners)
    size = round((right - left) / module) + 7
    size = 17 + 4 * round((size - 17) / 4)
    step_x, step_y = (right - left) / (size - 7), (bottom - top) / (size - 7)
    at = np.arange(size) - 3
    return dark[
        np.ix_(np.rint(top + at * step_y).astype(int), np.rint(left + at * step_x).astype(int))
    ]


def _reserved(version: int, size: int) -> Any:
    taken = np.zeros((size, size), bool)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6, :] = taken[:, 6] = True
    last = CELLS[version][-1]
    for y in CELLS[version]:
        for x in CELLS[version]:
            if (y, x) not in ((6, 6), (6, last), (last, 6)):
                taken[y - 2 : y + 3, x - 2 : x + 3] = True
    if version >= 7:
        taken[:6, -11:-8] = taken[-11:-8, :6] = True
    return taken


def text_of(code: Any) -> str:
    """The text of a square of modules."""
    size = len(code)
    version = (size - 17) // 4
    spots = [
        *((8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)),
        (7, 8),
        *((y, 8) for y in (5, 4, 3, 2, 1, 0)),
    ]
    told = int("".join("1" if code[spot] else "0" for spot in spots), 2) ^ 0x5412
    if told >> 13 != 0:
        raise ValueError("not error correction M")
    mask = MASKS[told >> 10 & 7]
    taken = _reserved(version, size)
    bits: list[int] = []
    columns = [x for x in range(size - 1, 0, -1) if x > 6][::2] + [5, 3, 1]
    for number, x in enumerate(columns):
        rows = range(size) if number % 2 else range(size - 1, -1, -1)
        bits += [
            int(code[y, x0]) ^ int(mask(y, x0) == 0)
            for y in rows for x0 in (x, x - 1) if not taken[y, x0]
        ]  # fmt: skip
    words = [int("".join(map(str, bits[n : n + 8])), 2) for n in range(0, len(bits) - 7, 8)]
    lengths = BLOCKS[version]
    blocks: list[list[int]] = [[] for _ in lengths]
    at = iter(words)
    for place in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if place < length:
                block.append(next(at))
    return _decoded("".join(f"{word:08b}" for block in blocks for word in block))


def _decoded(stream: str) -> str:
    out, at = b"", 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(stream[at - count : at], 2)

    while at + 4 <= len(stream) and (mode := take(4)):
        if mode == 4:
            out += bytes(take(8) for _ in range(take(8)))
        elif mode == 2:
            count = take(9)
            for _ in range(count // 2):
                pair = take(11)
                out += (ALPHANUMERIC[pair // 45] + ALPHANUMERIC[pair % 45]).encode()
            out += ALPHANUMERIC[take(6)].encode() if count % 2 else b""
        elif mode == 1:
            count = take(10)
            for _ in range(count // 3):
                out += f"{take(10):03}".encode()
            out += {0: lambda: b"", 1: lambda: f"{take(4)}".encode(), 2: lambda: f"{take(7):02}".encode()}[count % 3]()  # fmt: skip
        else:
            raise ValueError(f"mode {mode}")
    return out.decode()
