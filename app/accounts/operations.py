"""Everything that changes accounts, by subject; each verb leaves a ledger entry, none commits.

Rules of passwords: `passwords`; roles: `grants`; one-time links: `invitations`; second factor:
`factors`; sessions: `sign_ins`; bound tablets: `tablets`; lock-outs: `throttling`; a lost second factor: `resets`.
"""

from __future__ import annotations

from app.accounts.factors import (
    end_second_factor,
    enrol_by_link,
    needs_second_factor,
    second_factor_fits,
    start_totp,
)
from app.accounts.grants import create_account, grant_role, may_grant, revoke_role
from app.accounts.invitations import (
    enter_by_link,
    entry_link,
    first_link,
    invite,
    make_link,
    reset_by_link,
    set_password,
    sign_up,
    use_invitation,
    void_links,
)
from app.accounts.passwords import (
    HASHER,
    check_password,
    hash_password,
    new_code,
    password_fits,
    plain_code,
    slot,
)
from app.accounts.resets import (
    decide,
    keep_envelope,
    look_at,
    means_for,
    propose,
    renew_by_link,
    request_by_id,
)
from app.accounts.sign_ins import open_sign_in, revoke_all, revoke_sign_in, revoke_token
from app.accounts.tablets import (
    answer_challenge,
    bind_tablet,
    challenge,
    own_code,
    revoke_tablet,
    tablet_seen,
)
from app.accounts.throttling import clear_failures, count_failure, locked

__all__ = [
    "HASHER",
    "answer_challenge",
    "bind_tablet",
    "challenge",
    "check_password",
    "clear_failures",
    "count_failure",
    "create_account",
    "decide",
    "end_second_factor",
    "enrol_by_link",
    "enter_by_link",
    "entry_link",
    "first_link",
    "grant_role",
    "hash_password",
    "invite",
    "keep_envelope",
    "locked",
    "look_at",
    "make_link",
    "may_grant",
    "means_for",
    "needs_second_factor",
    "new_code",
    "open_sign_in",
    "own_code",
    "password_fits",
    "plain_code",
    "propose",
    "renew_by_link",
    "request_by_id",
    "reset_by_link",
    "revoke_all",
    "revoke_role",
    "revoke_sign_in",
    "revoke_tablet",
    "revoke_token",
    "second_factor_fits",
    "set_password",
    "sign_up",
    "slot",
    "start_totp",
    "tablet_seen",
    "use_invitation",
    "void_links",
]
