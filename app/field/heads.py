"""What every duty of a package says of its sitting, and how texts and times travel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.domain.types import Text
from app.panel.models import Sitting
from app.programme.instruments import stage_text


def both(text: Text) -> dict[str, str]:
    """A phrase in both languages: the tablet chooses without asking again."""
    return {"zh": text.zh, "en": text.en}


def moment(value: datetime | None) -> str | None:
    """`YYYY-MM-DDTHH:MM:SSZ`: times of the protocol are whole seconds."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def head(
    sitting: Sitting, seat_number: int | None, closes: datetime | None = None
) -> dict[str, Any]:
    """What every duty says of its sitting."""
    panel, subject = sitting.panel, sitting.subject
    return {
        "round": {"slug": panel.round.slug, "title": both(panel.round.title)},
        "sitting": sitting.id,
        "county": {"code": subject.region_code, **both(subject.name)},
        "stage": {"code": panel.stage, **both(stage_text(panel.stage))},
        "on": sitting.on.isoformat(),
        "place": sitting.place,
        "phase": sitting.phase,
        "panel": panel.code,
        "seat_number": seat_number,
        "with_statement": sitting.with_statement,
        "deadline": moment(closes),  # None: it ends when the office closes it
    }
