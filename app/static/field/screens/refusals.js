// Words for why the server refused an operation.

import { say } from "../words.js";

/** Why the server refused an operation. */
export const refusalWords = (why) => ({
  sealed: say("表已封存", "the sheet is sealed"), closed: say("评分已结束", "scoring has closed"), invalid: say("内容无效", "it is not valid"),
  incomplete: say("表未填完整", "the sheet is incomplete"), form_stale: say("评分表版本不符", "another version of the form"),
  not_yours: say("不是您的表", "not your sheet"), stopped: say("表已停止", "the sheet has stopped"),
  stale: say("网页上有人改过", "somebody has changed it since"),
}[why] ?? why ?? "");
