"""Short remarks that an expert can put in with one tap. They say what was seen, never how many points."""

from __future__ import annotations

from app.domain.types import Text

PHRASES = (
    Text("佐证材料齐全，与现场一致。", "Evidence complete and as seen on site."),
    Text("佐证材料不全。", "Evidence incomplete."),
    Text("材料与现场不一致。", "Evidence and site do not agree."),
    Text("台账记录不连续。", "The records have gaps."),
    Text("数据口径需要说明。", "How the figures were counted needs explaining."),
    Text("现场查看，已落实。", "Seen on site: carried out."),
    Text("现场查看，部分落实。", "Seen on site: carried out in part."),
    Text("现场查看，未落实。", "Seen on site: not carried out."),
    Text("制度已建立，执行记录不足。", "The rule exists; records of applying it are few."),
    Text("见所附照片。", "See the photo attached."),
)
