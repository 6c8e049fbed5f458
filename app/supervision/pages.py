"""What the pages of the supervision room share: the blueprint, and the two kinds of draw."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("supervision", __name__, url_prefix="/supervision")
KINDS = ("real", "drill")
