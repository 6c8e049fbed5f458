// Words for where a sheet or an entry stands: problems by the evaluator's code, statuses, what is pending.

import { store } from "../engine/store.js";
import { moment, of, say } from "../words.js";

/** What is wrong with an entry, by the evaluator's code; `about` as evaluate.js gives it. */
export function problemWords({ code, about = {} }) {
  const { p, s, lo, hi, t, v, l, n, w } = about;
  const figure = of(t);
  const top = hi === null || hi === undefined ? say("不限", "any") : hi;
  switch (code) {
    case "missing": return say("尚未填写", "Not filled in yet");
    case "needs_reason": return about.document ? say("加分须有正式文件", "A bonus needs a formal document") : say("须写明理由", "A reason is required");
    case "needs_evidence": return say("一票否决须写明依据材料", "A veto needs its evidence");
    case "off_grid": return say(`${p} 分不是 ${s} 分的整数倍`, `${p} is not a multiple of ${s}`);
    case "out_of_range":
      if (l) return say(`${p} 分不在“${of(l)}”一档之内`, `${p} is not inside the grade “${of(l)}”`);
      if (t) return say(`${figure}：${v} 超出范围（${lo ?? "不限"} 至 ${top}）`, `${figure}: ${v} is outside its limits (${lo ?? "any"} to ${top})`);
      if (v) return say(`数值 ${v} 不在任何一档`, `No band holds ${v}`);
      return say(`${p} 分不在 ${lo} 至 ${top} 之间`, `${p} is not between ${lo} and ${top}`);
    case "wrong_shape": return t ? say(`${figure}应为数字`, `${figure} must be a number`) : say("填写内容不符合计分方式，请改正", "This does not fit the scale; please correct it");
    case "unknown_choice": return say(`没有这个选项：${w}`, `No such choice: ${w}`);
    case "not_applicable_refused": return say("本项不得填“不适用”", "This item cannot be marked as not applicable");
    case "does_not_apply": return say("本项不适用于该对象", "This item does not apply here");
    case "missing_figure": return say(`缺少数据：${figure}`, `Missing figure: ${figure}`);
    case "sample_too_small": return say(`样本量不足 ${n}`, `The sample is smaller than ${n}`);
    case "needs_class": return say("与同类地区一并计算", "Computed together with its class");
    case "empty_section": return say(`“${figure}”各项均为“不适用”，分值无处可去`, `Every item of “${figure}” is not applicable, so its points have nowhere to go`);
    default: return say("评分表上没有这一项", "The sheet has no such item");
  }
}

/** Reasons that the statement's code does away with. */
export const BY_CODE = ["planned", "statement", "absent"];

/** [mark, word] of a sheet's status. */
export function statusWords(status) {
  return {
    not_open: ["waits", say("未开放", "Not open")],
    draft: ["info", say("填写中", "In progress")],
    stopped: ["wrong", say("已停止（回避）", "Stopped (conflict)")],
    read_only: ["waits", say("只读：在另一台平板", "Read only: other tablet")],
    branch: ["waits", say("待本人确认", "Needs your choice")],
    sealing: ["waits", say("已封存，待上传", "Sealed, waiting to send")],
    sealed: ["ok", say("已封存", "Sealed")],
  }[status] ?? ["info", status];
}

/** What the server still waits for. */
export const pendingWords = (pending) => ({
  statement: say("陈述待确认：等记录员的“陈述结束”上传后生效", "Statement pending: counts once the recorder's closing has arrived"),
  media: say("等照片全部上传后封存生效", "The seal counts once every photo has arrived"),
  late: say("迟到（离线），等监督人员裁定", "Late (offline): the supervisor decides"),
  refused: say("服务器未接受，见下方说明", "Refused by the server, see below"),
}[pending] ?? "");

/** A level's range; its upper end may belong to the next level. */
export const rangeWords = ({ low, high, high_inclusive: inclusive }) => (inclusive ? `${low}–${high}` : say(`${low}–${high}（不含）`, `${low} to below ${high}`));

/** How long until a deadline, by the server's clock. */
export function left(deadline) {
  const minutes = Math.round((Date.parse(deadline) - store.now()) / 60000);
  if (minutes <= 0) return say("已过时限", "deadline passed");
  return minutes < 120 ? say(`还有 ${minutes} 分钟`, `${minutes} minutes left`) : say(`时限 ${moment(deadline)}`, `due ${moment(deadline)}`);
}
