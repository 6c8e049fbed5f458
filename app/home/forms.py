"""Shape of this room's input."""

from __future__ import annotations

from app.programme.forms import RoundForm


class CopyForm(RoundForm):
    """A round made from another: the scheme is that round's, the note is not copied."""

    scheme_id = None
    note = None
    note_en = None
