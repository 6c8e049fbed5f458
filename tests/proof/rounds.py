"""Invented rounds of which the truth is known: quality, severity, noise, all from SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.observed import Observed
from app.domain.statistics.streams import normals, uniforms

Floats = NDArray[np.float64]
MEAN = 75.0


@dataclass(frozen=True)
class World:
    """Standard deviations in points of 100; `panels`: experts of a subject, drawn from `experts`."""

    subjects: int = 30
    experts: int = 9
    panels: int | None = None
    quality: float = 5.0
    severity: float = 3.0
    noise: float = 4.0


@dataclass(frozen=True)
class Made:
    """One round: true quality and severity, marks (NaN: not on the panel)."""

    quality: Floats
    severity: Floats
    marks: Floats

    def observed(self) -> Observed:
        """The marks in long form."""
        row, column = np.nonzero(~np.isnan(self.marks))
        return Observed(
            tuple(f"S{r:03}" for r in row),
            tuple(f"E{c:02}" for c in column),
            tuple(float(v) for v in self.marks[row, column]),
        )

    def subjects(self, stage: str = "desk") -> list[SubjectMarks]:
        """The marks as sheets with totals."""
        return [
            SubjectMarks(
                f"S{r:03}",
                {
                    stage: StageMarks(
                        sheets={
                            f"E{c:02}": Sheet(total=Decimal(f"{mark:.1f}"))
                            for c, mark in enumerate(row)
                            if not np.isnan(mark)
                        }
                    )
                },
            )
            for r, row in enumerate(self.marks)
        ]


def make(world: World, seed: int, label: str) -> Made:
    """Round `label` of a series; marks have one decimal."""
    n, m = world.subjects, world.experts
    z = normals(seed, f"{label}|marks", n + m + n * m)
    quality, severity = world.quality * z[:n], world.severity * z[n : n + m]
    marks = MEAN + quality[:, None] + severity[None, :] + world.noise * z[n + m :].reshape(n, m)
    marks = np.round(marks, 1)
    if world.panels is not None:
        order = uniforms(seed, f"{label}|panels", n * m).reshape(n, m).argsort(axis=1)
        marks = np.where(order.argsort(axis=1) < world.panels, marks, np.nan)
    return Made(quality, severity, marks)


def items(world: World, count: int, seed: int, label: str) -> list[SubjectMarks]:
    """Sheets of `count` items from 0 to 10 in steps of a half, with a halo over each sheet."""
    n, m = world.subjects, world.experts
    z = normals(seed, f"{label}|items", n + m + n * m + n * m * count)
    quality, severity = z[:n], 0.5 * z[n : n + m]
    halo = 0.5 * z[n + m : n + m + n * m].reshape(n, m)
    noise = z[n + m + n * m :].reshape(n, m, count)
    marks = 7.0 + quality[:, None, None] + severity[None, :, None] + halo[:, :, None] + noise
    halves = np.clip(np.round(2 * marks), 0, 20).astype(int)
    values = [Decimal(h) / 2 for h in range(21)]
    names = [f"I{i:02}" for i in range(count)]
    return [
        SubjectMarks(
            f"S{r:03}",
            {
                "desk": StageMarks(
                    sheets={
                        f"E{c:02}": Sheet(
                            items={name: values[h] for name, h in zip(names, sheet, strict=True)}
                        )
                        for c, sheet in enumerate(row)
                    }
                )
            },
        )
        for r, row in enumerate(halves)
    ]
