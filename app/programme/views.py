"""The pages of the programme room. URLs:

/forms                                  forms library, /forms/<id> one version
/rounds, /rounds/new                    every round; making one
/r/<slug>/                              where the round stands; forms, guidance, open, close, cancel
/r/<slug>/score-rule[.yaml]             the score rule: in words, as a file, put on record
/r/<slug>/counties[/<id>]               counties, materials, presenter, class and facts
/r/<slug>/materials/<id>, /import       downloads, withdrawal, folder import
/r/<slug>/figures[...]                  figures by county, confirmation, import
/r/<slug>/qualification[/<id>[/<item>]] opinions and conclusions
/r/<slug>/cases[/<id>[...]], /import    case files: the list, its closing, the sample
"""

from __future__ import annotations

from app.programme import (  # noqa: F401  (each module adds its pages to the blueprint)
    views_cases,
    views_counties,
    views_figures,
    views_form_editing,
    views_forms,
    views_presenters,
    views_qualification,
    views_rounds,
    views_score_rule,
    views_ties,
)
from app.programme.pages import blueprint

__all__ = ["blueprint"]
