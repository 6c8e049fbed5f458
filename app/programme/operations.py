"""What can be done in this room. Each verb checks the actor, leaves a ledger entry, never commits.

The verbs live by subject: forms in `versions`, `rounds`, `counties`, `materials`, `figures`,
`figure_import` and `qualification`. Other rooms import them from here.
"""

from __future__ import annotations

from app.programme.counties import (
    add_subject,
    set_class,
    set_facts,
    set_guidance,
    set_presenter,
    withdraw_subject,
)
from app.programme.figure_import import import_figures, plan_figures
from app.programme.figures import confirm_figure, confirm_figures, enter_figure
from app.programme.materials import import_folder, upload_material, withdraw_material
from app.programme.qualification import (
    conclude_qualification,
    confirm_opinion,
    record_opinion,
)
from app.programme.rounds import (
    cancel_round,
    close_round,
    create_round,
    open_round,
    pin_form,
    pin_latest,
)
from app.programme.versions import add_form_version, load_forms, sign_form_version

__all__ = [
    "add_form_version",
    "add_subject",
    "cancel_round",
    "close_round",
    "conclude_qualification",
    "confirm_opinion",
    "confirm_figure",
    "confirm_figures",
    "create_round",
    "enter_figure",
    "import_figures",
    "import_folder",
    "load_forms",
    "open_round",
    "pin_form",
    "pin_latest",
    "plan_figures",
    "record_opinion",
    "set_class",
    "set_facts",
    "set_guidance",
    "set_presenter",
    "sign_form_version",
    "upload_material",
    "withdraw_material",
    "withdraw_subject",
]
