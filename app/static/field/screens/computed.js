// Items that the system computes or others score: read only, with the figures, documents and words behind them.

import { html } from "../../vendor/preact-htm.js";
import { of, say } from "../words.js";
import { Standard, ToConfirm } from "./sheet.js";
import { pointsText } from "./standing.js";

/** The figures as they were entered for this county. */
function Figures({ item, rows }) {
  const title = say(`${item.id} 的数据`, `Figures of ${item.id}`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table><caption class="vh">${title}</caption>
    <thead><tr><th scope="col">${say("数据", "Figure")}</th><th scope="col" class="num">${say("数值", "Value")}</th><th scope="col">${say("单位", "Unit")}</th><th scope="col">${say("年份", "Year")}</th><th scope="col">${say("来源", "Source")}</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.title.zh}><th scope="row">${of(row.title)}</th><td class="num">${row.value}</td><td>${of(row.unit)}</td><td>${row.year ?? "—"}</td><td>${of(row.source)}</td></tr>`)}</tbody></table></div>`;
}

/** With `onAbout`, each opens the drawer: standard, evidence, documents. */
export function Computed({ stand, items, about, onAbout }) {
  if (!items.length) return null;
  const told = Object.fromEntries((stand.sheet.duty.computed ?? []).map((row) => [row.item, row]));
  const { scorers } = stand.sheet.instrument;
  return html`<section class="card"><h2>${say("系统计算和他方评定的项目（只读）", "Computed and non-expert items (read only)")}</h2><ul class="plain rows">${items.map((item) => html`
    <li key=${item.id}><span class="num">${item.id}</span> <span>${of(item.title)}<${ToConfirm} stand=${stand} item=${item} /><br /><small>${of(told[item.id]?.words) || of(scorers[item.scorer])}</small></span>
      <b class="num">${pointsText(stand.given[item.id]) ?? "—"}${item.max !== null && html` <small>/ ${item.max}</small>`}</b>
      ${onAbout && html`<${Standard} shown=${about === item} show=${() => onAbout(item)} />`}
      ${told[item.id]?.inputs?.length > 0 && html`<${Figures} item=${item} rows=${told[item.id].inputs} />`}</li>`)}</ul></section>`;
}
