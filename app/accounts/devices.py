"""A browser's own description of itself, in two words a person recognises."""

from __future__ import annotations

from app.domain.types import Text

# The first that fits counts: most browsers also name those they descend from.
BROWSERS = (
    ("MicroMessenger", Text("微信", "WeChat")),
    ("Edg", Text("Edge", "Edge")),
    ("QQBrowser", Text("QQ 浏览器", "QQ Browser")),
    ("Firefox", Text("Firefox", "Firefox")),
    ("Chrome", Text("Chrome", "Chrome")),
    ("CriOS", Text("Chrome", "Chrome")),
    ("Safari", Text("Safari", "Safari")),
)
MACHINES = (
    ("HarmonyOS", Text("鸿蒙", "HarmonyOS")),
    ("Android", Text("安卓", "Android")),
    ("iPad", Text("iPad", "iPad")),
    ("iPhone", Text("iPhone", "iPhone")),
    ("Windows", Text("Windows 电脑", "Windows")),
    ("Macintosh", Text("苹果电脑或 iPad", "Mac or iPad")),
    ("Linux", Text("Linux 电脑", "Linux")),
)
UNKNOWN = Text("不明设备", "Unknown device")


def device(agent: str) -> Text:
    """`Chrome · Windows`; the first forty characters of what is not known."""
    words = [
        next((words for mark, words in table if mark in agent), None)
        for table in (BROWSERS, MACHINES)
    ]
    known = [entry for entry in words if entry is not None]
    if not known:
        return Text(agent[:40], agent[:40]) if agent.strip() else UNKNOWN
    return Text(" · ".join(w.zh for w in known), " · ".join(w.en for w in known))
