// What the server has receipted: seals with their codes, and the latest changes.

import { store } from "../engine/store.js";
import { html } from "../../vendor/preact-htm.js";
import { moment, say, titleOf } from "../words.js";
import { Conflicts } from "./code_link.js";
import { Heading } from "./frame.js";

export function Receipts({ state }) {
  const receiptsOf = (duty) => (duty.kind === "statement" ? store.log(duty.key).flatMap(({ receipt }) => receipt ?? []) : (store.sheet(duty.key)?.receipts ?? []));
  const rows = store.duties().flatMap((duty) => receiptsOf(duty).map((receipt) => ({ duty, receipt })));
  const seals = rows.filter(({ receipt }) => receipt.code);
  const others = rows.filter(({ receipt }) => !receipt.code).slice(-100).reverse();
  const line = ({ duty, receipt }) => html`<tr key=${receipt.id}><th scope="row">${titleOf(duty)}</th><td>${receipt.code ? html`<b class="code">${receipt.code}</b>` : html`<code>${receipt.hash.slice(0, 8)}</code>`}</td><td class="num">${receipt.leaf}</td><td>${moment(receipt.at)}</td></tr>`;
  const table = (title, list) => html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table><caption>${title}</caption><thead><tr><th scope="col">${say("评分表", "Sheet")}</th><th scope="col">${say("回执", "Receipt")}</th><th scope="col" class="num">${say("账本条目", "Ledger entry")}</th><th scope="col">${say("时间", "Time")}</th></tr></thead><tbody>${list.map(line)}</tbody></table></div>`;
  return html`<div class="page wide"><${Heading}>${say("回执", "Receipts")}<//>
    <p>${say(`共 ${rows.length} 张回执；待上传 ${state.waiting} 项。`, `${rows.length} receipts; ${state.waiting} waiting.`)}</p>
    ${seals.length > 0 && table(say("封存", "Seals"), seals)}${others.length > 0 && table(say("最近的改动", "Latest changes"), others)}
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>
    ${store.state().user?.role === "expert" && html`<details class="card"><summary>${say("申报回避", "Declare a conflict")}</summary><${Conflicts} /></details>`}</div>`;
}
