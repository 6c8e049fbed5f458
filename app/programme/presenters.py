"""A county representative's way in: the office hands out a one-time link for one county.

The link makes the account that speaks for the county (S1 三); who has one already gets a link that
signs his device in, as experts do at the check-in desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.operations import invite, void_links
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.types import NotNow, Text
from app.programme.counties import set_presenter
from app.programme.guards import require, while_live, words
from app.programme.models import Subject

SIGN_UP_VALID = timedelta(hours=24)  # a county is a day's post away
ENTER_VALID = timedelta(minutes=10)

_WITHDRAWN = Text(
    "{name}已撤回申报，没有生成链接。",
    "{name} has withdrawn, so no link was made.",
)
_NAME = Text("陈述人姓名", "presenter's name")


@dataclass(frozen=True, slots=True)
class PresenterLink:
    """A link's token, what it does (`signup` or `enter`), for whom, and how long it holds."""

    token: str
    purpose: str
    name: str
    valid: timedelta


def presenter_link(
    session: Session, actor: Viewer, subject: Subject, *, name: str = ""
) -> PresenterLink:
    """A one-time link for the county's presenter. With a `name`, a new person becomes the presenter
    and signs up; without, the present one is meant. A link made before for the same sign-up ends.
    """
    require(actor, "office")
    while_live(subject.round)
    if subject.status == "withdrawn":
        raise NotNow(_WITHDRAWN.format(name=subject.name))
    present = subject.presenter
    if present is not None and not accounts.login_of(session, present.id):
        void_links(session, actor, ("signup",), person_id=present.id)
    if present is None or name.strip():
        present = Person(name=words(name, _NAME, "name", 60))
        session.add(present)
        session.flush()
        set_presenter(session, actor, subject, present)
    if accounts.login_of(session, present.id):
        token = invite(session, actor, purpose="enter", person_id=present.id, valid=ENTER_VALID)
        return PresenterLink(token, "enter", present.name, ENTER_VALID)
    token = invite(
        session,
        actor,
        purpose="signup",
        role="presenter",
        person_id=present.id,
        valid=SIGN_UP_VALID,
    )
    return PresenterLink(token, "signup", present.name, SIGN_UP_VALID)
