"""A one-time link says whom it makes, so that several of them are not mixed up."""

from __future__ import annotations

from typing import Any


def test_the_link_names_its_role(client_as: Any) -> None:
    admin = client_as("admin")
    shown = admin.post("/accounts", data={"role": "keeper"}).text
    assert "一次性链接：专家库管理员" in shown and "/join/" in shown
    assert "一次性链接：创建办公室" in admin.post("/accounts", data={"role": "office"}).text
    assert "一次性链接：" not in admin.get("/accounts").text
