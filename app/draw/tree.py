"""The organisations as the recusal rules see them: chains of superiors, employers, a county's bodies."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory import queries as directory
from app.directory.models import Organisation
from app.domain.draw.rules_facts import Employment
from app.domain.types import Text

PUBLIC_BODIES = ("government", "authority")
_CODE = re.compile(r"[1-9][0-9]{5}")


class Tree:
    """The organisations with their chains of superiors, read once."""

    def __init__(self, session: Session) -> None:
        self.bodies = {row.id: row for row in session.scalars(select(Organisation))}
        self.chains = directory.organisation_chain(session)

    def employer(self, organisation_id: str) -> str:
        """The body that counts as one employer (C-10): the highest one of the same nature.

        A ministry is not the employer of its institutes, nor a county of its bureaus.
        """
        found = organisation_id
        for above in self.chains[organisation_id][1:]:
            below, kind = self.bodies[found].kind, self.bodies[above].kind
            if kind in PUBLIC_BODIES and kind != below:
                break
            found = above
        return found

    def below(self, roots: set[str]) -> frozenset[str]:
        """These organisations and everything under them."""
        return frozenset(key for key, chain in self.chains.items() if not roots.isdisjoint(chain))

    def of_region(self, code: str) -> frozenset[str]:
        """A county's government and authorities with everything below them."""
        roots = {
            row.id
            for row in self.bodies.values()
            if row.region_code == code and row.kind in PUBLIC_BODIES
        }
        return self.below(roots)

    def post(
        self, organisation_id: str, relation: str, since: date | None, until: date | None
    ) -> Employment:
        """One post or holding as the rules read it."""
        body = self.bodies[organisation_id]
        region = (
            body.region_code if body.region_code and _CODE.fullmatch(body.region_code) else None
        )
        return Employment(
            organisation_id=body.id,
            organisation=Text(body.name, body.name),
            chain=self.chains[body.id],
            employer_root=self.employer(body.id),
            region_code=region,
            relation=relation,  # type: ignore[arg-type]
            central=body.central,
            since=since,
            until=until,
        )
