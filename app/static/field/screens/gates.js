// What stands in place of a sheet: a declared conflict, and the button that declares one.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { of, say, titleOf, tooShort } from "../words.js";
import { Dialog, Heading, Note, Reason, Trouble, useAct } from "./frame.js";

const SEALED = ["sealed", "sealing"];

/** On every screen of a sheet: a conflict of interest may come to light at any moment, open for writing or not. `listed`: among
    others, so that its name says whose it is. */
export function ConflictButton({ sheet, listed }) {
  const [open, show] = useState(false);
  const [reason, put] = useState("");
  const [run, busy, error] = useAct();
  const declare = () => run(async () => {
    await store.declareConflict(sheet.key, reason);
    show(false);
  });
  return html`<button type="button" class="danger" disabled=${sheet.status === "stopped"} aria-label=${listed && say(`申报回避：${titleOf(sheet.duty)}`, `Declare a conflict: ${titleOf(sheet.duty)}`)} onClick=${() => show(true)}>${say("申报回避", "Declare a conflict")}</button>
    ${open && html`<${Dialog} title=${say("现在申报利害关系", "Declare a conflict of interest now")} onClose=${() => show(false)}>
      <p><b>${titleOf(sheet.duty)}</b></p>
      <p>${SEALED.includes(sheet.status) ? say("已封存的表不变，由监督人员和办公室处理；", "The sealed sheet does not change: supervisor and office decide. ") : say("本表立即停止，内容保留，", "This sheet stops at once. What you entered is kept. ")}${say("办公室会收到通知；没有信号时联网后送达。", "The office is told; without signal, as soon as there is one.")}</p>
      <${Reason} id="conflict-reason" label=${say("是什么关系（必填）", "What relation (required)")} kind="conflict" value=${reason} onValue=${put} />
      <${Trouble} error=${error} />
      <div class="actions"><button type="button" onClick=${() => show(false)}>${say("取消", "Cancel")}</button><button type="button" class="danger" disabled=${busy || tooShort("conflict", reason)} onClick=${declare}>${say("申报并停止本表", "Declare and stop this sheet")}</button></div><//>`}`;
}

export function Stopped({ sheet }) {
  return html`<div class="page"><${Heading}>${say("本表已停止", "This sheet has stopped")}<//>
    <${Note} kind="wrong"><p>${sheet.why ? of(sheet.why) : say("您已申报利害关系。内容保留，办公室会处理。", "You have declared a conflict. What you entered is kept; the office will act on it.")}</p><//>
    <a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
}
