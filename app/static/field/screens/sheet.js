// One group of a sheet: criteria rail, the items with their controls, scoring standard and materials beside them.

import { store } from "../engine/store.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import { language, of, say } from "../words.js";
import { canUndo, change, tryAgain, undo } from "./edits.js";
import { Control } from "./controls.js";
import { Heading, Note, Status, Trouble, Typed, useAct, useBlob } from "./frame.js";
import { ConflictButton, Stopped } from "./gates.js";
import { Later } from "./later.js";
import { Photos } from "./photos.js";
import { pointsText } from "./standing.js";
import { BY_CODE, left, problemWords, rangeWords } from "./states.js";

const SIGNS = {
  done: ["●", () => say("已完成", "done")], partial: ["◐", () => say("部分完成", "partly done")],
  empty: ["○", () => say("未填写", "empty")], flagged: ["⚠", () => say("需改正", "needs attention")],
};

export function Mark({ mark }) {
  const [sign, word] = SIGNS[mark];
  return html`<span class="mark ${mark}"><span aria-hidden="true">${sign}</span><span class="vh">${word()}</span></span>`;
}

function Rail({ at, stand, here }) {
  return html`<nav class="rail" aria-label=${say("评分表的各部分", "Parts of the sheet")}><ol>
    ${stand.groups.map((group, index) => html`<li key=${group.section.id}><a href=${at(index)} aria-current=${index === here ? "step" : undefined}>
      <${Mark} mark=${group.mark} /> <span class="name">${of(group.section.title)}</span> <span class="num">${group.items.length ? `${group.done}/${group.items.length}` : say("只读", "read only")}</span></a></li>`)}
    <li><a href=${at("review")} aria-current=${here === "review" ? "step" : undefined}><span class="mark" aria-hidden="true">✓</span> <span class="name">${say("核对并封存", "Review and seal")}</span></a></li>
  </ol></nav>`;
}

const needsReason = (item, entry, problems) =>
  entry?.reason || entry?.type === "not_applicable" || problems.some(({ code, about }) => code === "needs_reason" && !about.document)
  || (entry?.type === "mark" && item.scale.levels?.find(({ id }) => id === entry.value?.level)?.reason);

function Remarks({ item, fields, set, off, open, wanted }) {
  if (!open) return null;
  const phrases = store.phrases();
  const insert = (phrase) => set([["reason", fields.reason ? `${fields.reason}${say("；", "; ")}${of(phrase)}` : of(phrase)]]);
  return html`<div class="row-field"><label for="${item.id}-reason">${wanted ? say("理由（必填）", "Reason (required)") : say("理由或备注", "Reason or remark")}</label>
    <${Typed} id="${item.id}-reason" rows="2" value=${fields.reason} disabled=${off} save=${(text) => set([["reason", text]])} /></div>
    ${!off && phrases.length > 0 && html`<details><summary>${say("常用语", "Phrases")}</summary><div class="chips phrases" role="group" aria-label=${say("常用语", "Phrases")}>${phrases.map((phrase) => html`<button type="button" class="chip" key=${phrase.zh} onClick=${() => insert(phrase)}>${of(phrase)}</button>`)}</div></details>`}`;
}

const unsettled = ({ sheet }) => sheet.duty.to_confirm ?? [];

export const ToConfirm = ({ stand, item }) => unsettled(stand).includes(item.id) && html` <${Status} kind="waits">${say("待确认", "To confirm")}<//>`;

export const Standard = ({ shown, show }) => html`<button type="button" class="plain standard" aria-expanded=${shown ? "true" : "false"} onClick=${show}>${say("标准", "Standard")}</button>`;

/** The filed documents of an item and those of the whole county, each once. */
function materialsOf({ sheet }, item) {
  const listed = sheet.duty.materials.filter((one) => !one.item || one.item === item.id);
  return listed.filter(({ id }, at) => listed.findIndex((one) => one.id === id) === at);
}

function Item({ sheetKey, stand, item, about, onAbout, off }) {
  const [open, setOpen] = useState(false);
  const entry = stand.entries[item.id];
  const fields = stand.fieldsFor(item);
  const problems = stand.problems[item.id] ?? [];
  const set = (pairs) => change(sheetKey, item, pairs);
  const excused = fields.na === "on";
  const wanted = Boolean(needsReason(item, entry, problems));
  const result = stand.sum.items[item.id];
  const shown = problems.filter(({ code }) => code !== "missing" || entry);
  const failed = stand.failed.find(([path]) => path.startsWith(`${item.id}.`));
  const judged = ["veto", "passfail"].includes(item.scale.type);
  const documents = materialsOf(stand, item);
  const state = !entry ? "empty" : problems.length ? (entry.type === "missing" ? "partial" : "flagged") : "done";
  return html`<section class="card item ${about ? "about" : ""}" id="item-${item.id}" aria-labelledby="title-${item.id}" onfocusin=${onAbout} onClick=${onAbout}>
    <header class="item-head"><h2 id="title-${item.id}"><${Mark} mark=${state} /> <span class="num">${item.id}</span> ${of(item.title)}<${ToConfirm} stand=${stand} item=${item} /></h2>
      ${!judged && item.max !== null && html`<span class="quiet num">${say(`满分 ${item.max}`, `max ${item.max}`)}</span>`}
      <${Standard} shown=${about} show=${() => onAbout(true)} /></header>
    ${!excused && html`<${Control} item=${item} entry=${entry} fields=${fields} set=${set} off=${off} documents=${documents} />`}
    ${item.not_applicable === "allowed" && html`<label class="tick ${excused ? "on" : ""}"><input type="checkbox" checked=${excused} disabled=${off} onChange=${(event) => set([["na", event.target.checked ? "on" : ""]])} /> <span>${say("不适用（须写理由）", "Not applicable (state the reason)")}</span></label>`}
    <${Remarks} item=${item} fields=${fields} set=${set} off=${off} wanted=${wanted} open=${open || wanted} />
    <p class="item-state ${shown.length ? "wrong-text" : ""}" aria-live="polite">${failed ? html`<b>${of(failed[1].error)}</b>` : shown.length ? shown.map(problemWords).join(say("；", "; ")) : pointsText(result) !== null ? say(`得 ${pointsText(result)} 分`, `${pointsText(result)} points`) : result && result.outcome !== "points" ? { pass: say("符合", "Yes"), fail: say("不符合", "No"), veto: say("一票否决", "Veto"), no_veto: say("未发现否决情形", "No veto found"), not_applicable: say("不适用", "Not applicable") }[result.outcome] : ""}</p>
    <div class="item-foot">${!off && !wanted && !open && html`<button type="button" class="plain" onClick=${() => setOpen(true)}>${say("＋ 备注", "+ Remark")}</button>`}
      <${Photos} sheetKey=${sheetKey} item=${item} list=${stand.sheet.attachments[item.id] ?? []} off=${off} /></div>
  </section>`;
}

function Material({ material }) {
  const url = useBlob(() => store.material(material.id), material.id);
  const name = html`${of(material.title)} <code>${material.sha256.slice(0, 8)}</code>`;
  if (!url) return html`<li><span class="quiet">${name} ${say("（未下载）", "(not on this tablet)")}</span></li>`;
  return html`<li><a class="button wide" href=${url} target="_blank" rel="noopener">${name}</a>${material.mime.startsWith("image/") && html`<img src=${url} alt=${of(material.title)} />`}</li>`;
}

function Drawer({ stand, item, open, onClose }) {
  if (!open) return null;
  const { scale } = item;
  const materials = materialsOf(stand, item);
  const rows = scale.levels?.map((level) => [of(level.title), rangeWords(level)])
    ?? (scale.items ?? scale.table ?? scale.ladder)?.map((row) => [of(row.title), row.points]);
  return html`<aside class="drawer" aria-label=${say("评分标准和材料", "Scoring standard and materials")}>
    <header><h2><span class="num">${item.id}</span> ${of(item.title)}</h2><button type="button" class="plain" aria-label=${say("收起", "Close")} onClick=${onClose}>✕</button></header>
    ${item.guidance && html`<h3>${say("评分标准", "Standard")}</h3><p>${of(item.guidance)}</p>`}
    ${rows && html`<ul class="plain rows">${rows.map(([title, points]) => html`<li key=${title}><span>${title}</span> <b class="num">${points}</b></li>`)}</ul>`}
    ${item.evidence && html`<h3>${say("佐证", "Evidence")}</h3><p>${of(item.evidence)}</p>`}
    ${item.note && html`<p class="quiet">${of(item.note)}</p>`}
    <h3>${say("材料", "Materials")}</h3>
    ${materials.length ? html`<ul class="plain">${materials.map((one) => html`<${Material} key=${one.id} material=${one} />`)}</ul>` : html`<p class="quiet">${say("这一项没有材料", "No materials for this item")}</p>`}
  </aside>`;
}

export function UndoButton({ sheetKey, off }) {
  const back = () => {
    const item = undo(sheetKey);
    if (item) document.getElementById(`item-${item.id}`)?.scrollIntoView({ block: "nearest" });
  };
  return html`<button type="button" disabled=${off || !canUndo(sheetKey)} onClick=${back}>${say("撤销上一步", "Undo")}</button>`;
}

/** "3 items missing, 1 needs a reason", or that nothing is. */
export function tally({ missing, reasons, wrong }) {
  const parts = [missing && say(`${missing} 项未填`, `${missing} missing`), reasons && say(`${reasons} 项须写理由`, reasons === 1 ? "1 needs a reason" : `${reasons} need a reason`), wrong && say(`${wrong} 项需改正`, `${wrong} to correct`)];
  return parts.filter(Boolean).join(say("，", ", ")) || say("已填完", "all filled in");
}

export function Unsaved({ sheetKey, stand }) {
  if (!stand.failed.length) return null;
  return html`<${Note} kind="wrong" role="alert" title=${say(`${stand.failed.length} 处改动没有存下，仍在页面上`, `${stand.failed.length} change(s) not saved, still on this page`)}>
    <p>${of(stand.failed[0][1].error)}</p><button type="button" onClick=${() => tryAgain(sheetKey)}>${say("再存一次", "Try again")}</button><//>`;
}

export function WhyNot({ sheet }) {
  const [run, busy, error] = useAct();
  if (sheet.mayWrite || !sheet.why) return null;
  return html`<${Note} kind="waits"><p>${of(sheet.why)}</p>
    ${sheet.status === "read_only" && html`<button type="button" disabled=${busy} onClick=${() => run(() => store.takeOver(sheet.key))}>${say("改在这台平板上填写", "Go on with this tablet")}</button>`}<${Trouble} error=${error} /><//>`;
}

const wide = () => matchMedia("(min-width: 60rem)").matches;

/** `make`'s card of an item: the one of before while nothing of the item has changed, so that a tap draws one card and not all of them. */
function cardOf(kept, stand, item, more, make) {
  const result = stand.sum.items[item.id];
  const failed = stand.failed.find(([path]) => path.startsWith(`${item.id}.`));
  const told = JSON.stringify([stand.entries[item.id], stand.problems[item.id], stand.sheet.attachments[item.id], failed]);
  const seen = [language(), stand.sheet.duty, told, pointsText(result), result?.outcome, ...more];
  const before = kept.get(item.id);
  if (before && seen.every((one, place) => one === before.seen[place])) return before.card;
  const card = make();
  kept.set(item.id, { seen, card });
  return card;
}

export function Sheet({ sheetKey, stand, here, at }) {
  const [aboutId, setAbout] = useState(null);
  const [open, setOpen] = useState(wide);
  const cards = useRef({ here, kept: new Map() }).current;
  if (cards.here !== here) Object.assign(cards, { here, kept: new Map() });
  const { sheet } = stand;
  const group = stand.groups[here] ?? stand.groups[0];
  const all = [...group.items, ...group.others];
  const about = all.find(({ id }) => id === aboutId) ?? all[0];
  const show = ({ id }) => {
    setAbout(id);
    setOpen(true);
  };
  const defaults = unsettled(stand).length;
  const off = !sheet.mayWrite;
  useEffect(() => setAbout(null), [here]);
  if (sheet.status === "stopped") return html`<${Stopped} sheet=${sheet} />`;
  if (sheet.status === "not_open" && sheet.duty.unlock_hash && BY_CODE.includes(sheet.duty.ready?.code)) return html`<${Later} file="code_link" load=${() => import("./code_link.js")} name="StatementCode" sheet=${sheet} />`;
  const next = here + 1 < stand.groups.length ? at(here + 1) : at("review");
  return html`<div class="work ${open ? "with-drawer" : ""}">
    <${Rail} at=${at} stand=${stand} here=${here} />
    <div class="middle">
      <${Heading} key=${here}>${of(group.section.title)}${group.section.effective_max !== "0" && html` <small class="num">${say("满分", "max")} ${group.section.effective_max}</small>`}<//>
      ${defaults > 0 && html`<p><${Status} kind="waits">${say(`本表 ${defaults} 项待管理员确认`, `An administrator has yet to confirm ${defaults} of this form`)}<//></p>`}
      <${Unsaved} sheetKey=${sheetKey} stand=${stand} /><${WhyNot} sheet=${sheet} />
      ${group.items.map((item) => cardOf(cards.kept, stand, item, [open && about === item, off], () => html`<${Item} key=${item.id} sheetKey=${sheetKey} stand=${stand} item=${item} about=${open && about === item} off=${off}
        onAbout=${(asked) => (asked === true ? show(item) : setAbout(item.id))} />`))}
      ${group.others.length > 0 && html`<${Later} file="computed" load=${() => import("./computed.js")} name="Computed" stand=${stand} items=${group.others} about=${open && about} onAbout=${show} />`}
    </div>
    <${Drawer} stand=${stand} item=${about} open=${open} onClose=${() => setOpen(false)} />
  </div>
  <div class="dock" role="region" aria-label=${say("小计", "Subtotal")}>
    <span class="sum">${stand.maximum !== "0" && html`<small>${say("小计", "Subtotal")}</small> <b class="num">${stand.marked}</b> <span class="num">/ ${stand.maximum}</span> `}<span class=${`tally ${stand.missing + stand.reasons + stand.wrong ? "" : "ok"}`} role="status">${tally(stand)}</span>${sheet.deadline && !off && html` <small>${left(sheet.deadline)}</small>`}</span>
    <span class="dock-actions"><${ConflictButton} sheet=${sheet} /><${UndoButton} sheetKey=${sheetKey} off=${off} />
      ${here > 0 && html`<a class="button" href=${at(here - 1)}>${say("上一部分", "Back")}</a>`}
      <a class="button primary" href=${next}>${here + 1 < stand.groups.length ? say("下一部分", "Next part") : say("核对并封存", "Review and seal")}</a></span>
  </div>`;
}
