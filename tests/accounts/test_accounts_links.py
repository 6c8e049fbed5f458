"""An expert's QR link over HTTP: one tablet, once; staff never; no link serves another purpose."""

from __future__ import annotations

import pytest

from app.accounts import operations


def signed_in(client):
    return client.get("/account").status_code == 200


def qr_link(door, viewer):
    with door.database.write() as session:
        return operations.invite(session, None, purpose="enter", person_id=viewer.person_id)


def test_an_experts_qr_link_signs_in_one_tablet_once(door, make, clocked):
    viewer, _ = door.account(make, "expert", "eve", totp=False)
    token = qr_link(door, viewer)
    tablet = door.app.test_client()
    assert tablet.get(f"/enter/{token}").status_code == 200, "looking does not spend it"
    assert tablet.get(f"/enter/{token}").status_code == 200
    assert not signed_in(tablet)
    assert tablet.post(f"/enter/{token}").status_code == 302 and signed_in(tablet)
    other = door.app.test_client()
    assert other.post(f"/enter/{token}").status_code == 404 and not signed_in(other)
    assert other.get(f"/enter/{token}").status_code == 404
    late = qr_link(door, viewer)
    clocked(hours=1)
    assert other.post(f"/enter/{late}").status_code == 404 and not signed_in(other)
    assert other.get("/enter/" + "x" * 43).status_code == 404


@pytest.mark.parametrize("role", ["office", "keeper", "supervisor", "admin"])
def test_staff_never_enter_by_a_link(door, make, role):
    viewer, _ = door.account(make, role, role)
    token = qr_link(door, viewer)
    client = door.app.test_client()
    assert client.post(f"/enter/{token}").status_code == 403
    assert not signed_in(client) and door.sessions() == []


def test_a_link_of_one_purpose_serves_no_other(door, make):
    viewer, _ = door.account(make, "expert", "eve", totp=False)
    client = door.app.test_client()
    with door.database.write() as session:
        reset = operations.invite(session, None, purpose="reset", person_id=viewer.person_id)
        signup = operations.invite(session, None, purpose="signup", role="office")
    enter = qr_link(door, viewer)
    assert client.post(f"/enter/{reset}").status_code == 404
    assert client.post(f"/enter/{signup}").status_code == 404
    assert client.get(f"/join/{enter}").status_code == 404
