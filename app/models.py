"""Every mapped class, imported once: for migrations, `doctor`, and the ledger's walk."""

from app.accounts import models as accounts
from app.aggregation import models as aggregation
from app.directory import models as directory
from app.draw import models as draw
from app.ledger import models as ledger
from app.panel import models as panel
from app.programme import models as programme
from app.registry import models as registry
from app.report import models as report
from app.scoring import models as scoring

__all__ = [
    "accounts",
    "aggregation",
    "directory",
    "draw",
    "ledger",
    "panel",
    "programme",
    "registry",
    "report",
    "scoring",
]
