"""The pages of the pool. URLs:

/pool, /pool/export.xlsx, /pool/template.xlsx   the list and its files
/pool/new, /pool/<id>/edit, /pool/import        who is in it and what is known
/pool/corrections                               what experts ask to be corrected
/pool/<id>[/<action>]                           one expert: screening, consent, status, sanctions ...
/pool/interests                                 declarations; the supervisor decides
/me/expert[/<action>]                           an expert's own record and what he declares
/registers[/<register>]                         heads, contractors, supervising bodies, and lists
"""

from __future__ import annotations

from app.registry import (  # noqa: F401  (each module adds its pages to the blueprint)
    views_corrections,
    views_declarations,
    views_expert,
    views_import,
    views_pool,
    views_registers,
)
from app.registry.pages import blueprint

__all__ = ["blueprint"]
