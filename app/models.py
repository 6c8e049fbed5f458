"""Every mapped class, imported once: for migrations, `doctor`, and the ledger's walk."""

from app.accounts import models as accounts
from app.aggregation import models as aggregation
from app.aggregation import models_corrections as aggregation_corrections
from app.aggregation import models_flags as aggregation_flags
from app.aggregation import models_holds as aggregation_holds
from app.aggregation import models_release as aggregation_release
from app.directory import models as directory
from app.draw import models as draw
from app.draw import models_calls as draw_calls
from app.draw import models_ceremony as draw_ceremony
from app.draw import models_order as draw_order
from app.draw import models_refusals as draw_refusals
from app.draw import models_release as draw_release
from app.draw import models_request as draw_request
from app.draw import models_rules as draw_rules
from app.draw import models_work as draw_work
from app.field import models as field
from app.field import models_desk as field_desk
from app.field import models_media as field_media
from app.ledger import models as ledger
from app.panel import models as panel
from app.panel import models_statement as panel_statement
from app.panel import models_trainees as panel_trainees
from app.panel import models_votes as panel_votes
from app.programme import models as programme
from app.programme import models_score_rule as programme_score_rule
from app.registry import models as registry
from app.report import models as report
from app.scoring import models as scoring
from app.scoring import models_paper as scoring_paper
from app.supervision import models as supervision

__all__ = [
    "accounts",
    "aggregation",
    "aggregation_corrections",
    "aggregation_flags",
    "aggregation_holds",
    "aggregation_release",
    "directory",
    "draw",
    "draw_calls",
    "draw_ceremony",
    "draw_order",
    "draw_refusals",
    "draw_release",
    "draw_request",
    "draw_rules",
    "draw_work",
    "field",
    "field_desk",
    "field_media",
    "ledger",
    "panel",
    "panel_statement",
    "panel_trainees",
    "panel_votes",
    "programme",
    "programme_score_rule",
    "registry",
    "report",
    "scoring",
    "scoring_paper",
    "supervision",
]
