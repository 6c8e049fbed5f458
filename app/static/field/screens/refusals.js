// Words for an operation that the server refused, and for why.

import { of, say } from "../words.js";

/** Why the server refused an operation. */
export const refusalWords = (why) => ({
  sealed: say("表已封存", "the sheet is sealed"), closed: say("评分已结束", "scoring has closed"), invalid: say("内容无效", "it is not valid"),
  incomplete: say("表未填完整", "the sheet is incomplete"), form_stale: say("评分表版本不符", "another version of the form"),
  not_yours: say("不是您的表", "not your sheet"), stopped: say("表已停止", "the sheet has stopped"),
  stale: say("网页上有人改过", "somebody has changed it since"), branch: say("两台平板的内容还没有选定", "two tablets differ and you have not chosen yet"),
}[why] ?? say("服务器没有接受", "the server did not take it"));

/** What an operation of a sheet was about, in words. */
export const changeWords = (op, items) => {
  const id = op.path?.split(".")[0] ?? op.item;
  const item = items.find((one) => one.id === id);
  const what = {
    attach: () => say("照片", "Photo"), detach: () => say("移除照片", "Photo removed"), seal: () => say("封存", "Seal"), withdraw: () => say("撤回", "Withdrawal"),
    unlock: () => say("陈述结束代码", "The statement's code"), conflict: () => say("申报回避", "Conflict declared"), choose: () => say("两台平板的选定", "Choice between two tablets"),
  }[op.kind]?.();
  return [item && `${id} ${of(item.title)}`, what].filter(Boolean).join(say("：", ": ")) || op.kind;
};
