"""Who sat along in training, as the report says it: one line for each, and that nothing of it counts."""

from __future__ import annotations

from app.domain.types import Text
from app.panel.trainees import of_panels
from app.report.blocks import day
from app.report.source import Source

_SAT = Text(
    "{n}（{e}）自{d}起在 {p} 组列席见习，所填评分表留存，不计入任何结果。",
    "{n} ({e}) sat along in training on panel {p} from {d}; the sheets are kept and count nowhere.",
)


def sat_along(s: Source) -> list[Text]:
    """One line a trainee, in the order of panels. A trainee was not drawn: the name is no secret."""
    return [
        _SAT.format(
            n=row.seat.expert.person.name,
            e=row.seat.expert.number,
            d=day(row.appointed_at, s.zone),
            p=row.panel.code,
        )
        for row in of_panels(s.session, list({sitting.panel_id for sitting in s.sittings}))
    ]
