"""What the server should say, in sixty lines: one sheet, several tablets, and nothing of the program.

Written from docs/sync-protocol.md alone. Entries are remembered as the last word for each path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class ServerModel:
    """One expert's sheet on the server. `complete` are the paths without which no seal stands."""

    complete: frozenset[str]
    active: str | None = None
    sealed: bool = False
    words: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, dict[str, Any]] = field(default_factory=dict)  # tablet -> its own words
    seen: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # id -> status, why

    def arrive(self, op: Json, knows: Any = None) -> tuple[str, str | None]:
        """The verdict on one operation that is next in its log; the first one counts for ever.
        `knows`: the words on which a seal was made, or the tablet whose branch a choice is about."""
        if op["id"] not in self.seen:
            self.seen[op["id"]] = self._judge(op, knows)
        return self.seen[op["id"]]

    def _judge(self, op: Json, knows: Any) -> tuple[str, str | None]:
        tablet, kind = op["tablet"], op["kind"]
        if self.active is not None and tablet != self.active:
            if kind == "set":
                self.beside.setdefault(tablet, {})[op["path"]] = op["new"]
            return "branch", None
        verdict = self._apply(op, knows)
        if verdict[0] == "accepted":
            self.active = tablet
        return verdict

    def _apply(self, op: Json, knows: Any) -> tuple[str, str | None]:
        match op["kind"]:
            case "withdraw":
                if not self.sealed:
                    return "refused", "invalid"
                self.sealed = False
            case _ if self.sealed:
                return "refused", "sealed"
            case "set":
                self.words[op["path"]] = op["new"]
            case "choose":
                if knows not in self.beside:
                    return "refused", "invalid"
                theirs = self.beside[knows]
                differ = {p.partition(".")[0] for p, w in theirs.items() if self.word(p) != w}
                if set(op["picks"]) != differ:
                    return "refused", "invalid"
                del self.beside[knows]
                for path, word in theirs.items():
                    if op["picks"].get(path.partition(".")[0]) == "branch":
                        self.words[path] = word
            case "seal":
                if self.beside:
                    return "refused", "branch"
                if said(knows) != said(self.words):
                    return "refused", "invalid"
                if not self.complete <= said(self.words).keys():
                    return "refused", "incomplete"
                self.sealed = True
        return "accepted", None

    def word(self, path: str) -> Any:
        return self.words.get(path, "")


def said(words: dict[str, Any]) -> dict[str, Any]:
    """Without what was emptied again."""
    return {path: word for path, word in words.items() if word}
