"""Who looks and who acts: a small value that every query and operation takes explicitly."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.types import Forbidden, Text

ROLE_TEXT = {
    "office": Text("创建办公室", "Programme office"),
    "keeper": Text("专家库管理员", "Pool keeper"),
    "supervisor": Text("监督人员", "Supervisor"),
    "expert": Text("评审专家", "Expert"),
    "presenter": Text("陈述人", "Presenter"),
    "admin": Text("系统管理员", "System administrator"),
}

NOT_YOURS = Text(
    "您的角色（{role}）不能做这件事。没有任何改动；请由有权限的人员办理。",
    "Your role ({role}) cannot do this. Nothing was changed; ask somebody who may.",
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """An account with its one live role. `id` is the account's."""

    id: str
    person_id: str
    name: str
    role: str

    @property
    def role_text(self) -> Text:
        return ROLE_TEXT[self.role]

    def require(self, *roles: str) -> None:
        """Raise Forbidden unless the viewer holds one of `roles`."""
        if self.role not in roles:
            raise Forbidden(NOT_YOURS.format(role=self.role_text))
