// What stands before or in place of a sheet: the statement's code, a declared conflict, two columns to choose from.

import { sha256 } from "../engine/canonical.js";
import { store } from "../engine/store.js";
import { FieldError } from "../engine/words.js";
import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { fieldsOf } from "../entries.js";
import { evaluateEntry } from "../evaluate.js";
import { of, say } from "../words.js";
import { Dialog, Heading, Line, Note, Reason, Trouble, useAct } from "./frame.js";
import { pointsText } from "./standing.js";
import { BY_CODE, problemWords } from "./states.js";

const OVER = ["stopped", "sealed", "sealing"]; // nothing can be declared about these any more

/** On every screen of a sheet: a conflict of interest may come to light at any moment, open for writing or not. */
export function ConflictButton({ sheet }) {
  const [open, show] = useState(false);
  const [reason, put] = useState("");
  const [run, busy, error] = useAct();
  const declare = () => run(async () => {
    await store.declareConflict(sheet.key, reason);
    show(false);
  });
  return html`<button type="button" class="danger" disabled=${OVER.includes(sheet.status)} onClick=${() => show(true)}>${say("申报回避", "Declare a conflict")}</button>
    ${open && html`<${Dialog} title=${say("现在申报利害关系", "Declare a conflict of interest now")} onClose=${() => show(false)}>
      <p>${say("本表立即停止，内容保留，办公室会收到通知；没有信号时联网后送达。", "This sheet stops at once. What you entered is kept and the office is told; without signal, as soon as there is one.")}</p>
      <${Reason} id="conflict-reason" label=${say("是什么关系（必填）", "What relation (required)")} value=${reason} onValue=${put} />
      <${Trouble} error=${error} />
      <div class="actions"><button type="button" onClick=${() => show(false)}>${say("取消", "Cancel")}</button><button type="button" class="danger" disabled=${busy || !reason.trim()} onClick=${declare}>${say("申报并停止本表", "Declare and stop this sheet")}</button></div><//>`}`;
}

export function StatementCode({ sheet }) {
  const [code, put] = useState("");
  const [run, busy, error] = useAct();
  return html`<div class="page"><${Heading}>${say("输入陈述结束代码", "Enter the statement's code")}<//>
    <${Note} kind="waits"><p>${of(sheet.duty.ready) || say("陈述结束后才能评分。", "Scoring opens when the statement is over.")}</p><//>
    <p>${say("陈述结束时，记录员的屏幕上显示 16 个字符。没有信号时请照此输入，或用平板相机扫旁边的二维码，即可开始评分。", "When the statement is closed, the recorder's screen shows 16 characters. Without signal, type them here, or scan the QR code beside them with the tablet's camera, and begin.")}</p>
    <${Line} id="unlock" label=${say("代码（字母数字，空格和横线不计）", "Code (letters and digits; blanks and hyphens do not matter)")} value=${code} onValue=${put} autocapitalize="characters" spellcheck="false" class="code" />
    <${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !code.trim()} onClick=${() => run(() => store.unlockStatement(sheet.key, code))}>${say("开始评分", "Begin scoring")}</button><a class="button" href="#/">${say("返回", "Back")}</a><${ConflictButton} sheet=${sheet} /></div></div>`;
}

/** The recorder's QR code was scanned: it opens every sheet of that statement, and goes to the county's own. */
export function CodeFromLink({ code }) {
  const [run, busy, error] = useAct();
  const unlock = () => run(async () => {
    const hash = await sha256(code);
    const theirs = store.duties().filter((duty) => duty.kind !== "statement" && duty.unlock_hash === hash);
    if (!theirs.length) throw new FieldError("unlock_code");
    for (const { key, status, ready } of theirs) if (status === "not_open" && BY_CODE.includes(ready?.code)) await store.unlockStatement(key, code);
    location.replace(`#/sheet/${encodeURIComponent(theirs[0].key)}/0`);
  });
  useEffect(() => { unlock(); }, [code]);
  return html`<div class="page"><${Heading}>${say("用二维码开始评分", "Begin with the QR code")}<//>${busy && html`<p role="status">${say("正在核对解锁码…", "Checking the code…")}</p>`}<${Trouble} error=${error} />
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div></div>`;
}

export function Stopped({ sheet }) {
  return html`<div class="page"><${Heading}>${say("本表已停止", "This sheet has stopped")}<//>
    <${Note} kind="wrong"><p>${sheet.why ? of(sheet.why) : say("您已申报利害关系。内容保留，办公室会处理。", "You have declared a conflict. What you entered is kept; the office will act on it.")}</p><//>
    <a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
}

const PARTS = { reason: () => say("理由：", "Reason: "), evidence: () => say("依据：", "Evidence: "), cases: () => say("问题数：", "Cases: ") };
const VALUES = { yes: () => say("是", "yes"), no: () => say("否", "no") };

/** An entry in words: what was typed, and what it gives. */
function Told({ item, entry }) {
  const { items = [], table = [], levels = [], vetoes = [] } = item.scale;
  const titles = Object.fromEntries([...items, ...table, ...levels, ...vetoes].map(({ id, title }) => [id, of(title)]));
  const words = (value) => titles[value] ?? VALUES[value]?.() ?? value;
  const fields = Object.entries(fieldsOf(item, entry)).filter(([part, value]) => value.length && !["na", "none", "mark"].includes(part));
  let gives;
  try {
    const points = pointsText(evaluateEntry(item, entry));
    gives = points === null ? (entry?.type === "not_applicable" ? say("不适用", "not applicable") : "—") : say(`${points} 分`, `${points} points`);
  } catch (error) {
    gives = problemWords(error);
  }
  return html`<b class="num">${gives}</b>${fields.map(([part, value]) => html`<br key=${part} /><small>${PARTS[part]?.()}${[value].flat().map(words).join(say("、", ", "))}</small>`)}`;
}

const photosWords = (list) => (list.length ? say(`照片 ${list.length} 张`, `${list.length} photo(s)`) : "");

export function Branch({ sheetKey, stand, online }) {
  const [branch, got] = useState(null);
  const [chosen, settled] = useState(null); // the branch that was chosen here and has not been sent yet
  const [picks, pick] = useState({});
  const [reason, put] = useState("");
  const [run, busy, error] = useAct();
  const fetched = () => run(async () => {
    const found = (await store.branches(sheetKey)).filter(({ id }) => id !== chosen);
    got(found[0] ?? (chosen ? null : { items: [] }));
  });
  useEffect(() => { if (online) fetched(); }, [online]);
  if (!branch) return html`<div class="page"><${Heading}>${say("两台平板上填的不一样", "Two tablets hold different entries")}<//>
    ${chosen && html`<${Note} kind="ok"><p>${say("您的选定已存在本机，上传后生效。", "Your choice is kept on this tablet and counts once it is sent.")}</p><//>`}
    <p>${busy ? say("正在取另一台平板的内容…", "Getting the other tablet's entries…") : say("联网后取来另一台平板的内容，由您逐项选定。两边都保留着。", "With a connection the other tablet's entries are shown and you choose. Both are kept.")}</p><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy} onClick=${fetched}>${say("再试一次", "Try again")}</button><a class="button" href="#/">${say("返回", "Back")}</a></div></div>`;
  const differ = branch.items.map((row) => ({ ...row, item: stand.items.find(({ id }) => id === row.item) })).filter(({ item }) => item);
  const ready = differ.every(({ item }) => picks[item.id]) && reason.trim();
  const choose = () => run(async () => {
    await store.choose(sheetKey, branch.id, picks, reason);
    settled(branch.id);
    got(null);
    pick({});
    put("");
  });
  const choice = (item, side, title, entry, photos) => html`<label class="tick pick ${picks[item.id] === side ? "on" : ""}"><input type="radio" name="pick-${item.id}" checked=${picks[item.id] === side} onChange=${() => pick({ ...picks, [item.id]: side })} /><span><small>${title}</small><br /><${Told} item=${item} entry=${entry} /> ${photosWords(photos)}</span></label>`;
  return html`<div class="page wide"><${Heading}>${say("两台平板上填的不一样", "Two tablets hold different entries")}<//>
    <p>${say("两边都保留着，没有合并，也没有覆盖。请逐项选定，写明理由；选定之前不能封存。", "Both are kept; nothing was merged or overwritten. Choose item by item and say why; the sheet cannot be sealed before.")}</p>
    <p class="quiet">${branch.label}</p>
    ${differ.map(({ item, mine, branch: other, mine_media: here, branch_media: there }) => html`<fieldset class="card" key=${item.id}><legend><span class="num">${item.id}</span> ${of(item.title)}</legend><div class="columns">
      ${choice(item, "mine", say("评分表上的", "On the sheet"), mine, here)}${choice(item, "branch", say("另一台平板上的", "On the other tablet"), other, there)}</div></fieldset>`)}
    ${!differ.length && html`<${Note} kind="ok"><p>${say("两边内容相同。写明理由即可继续。", "Both columns say the same. Give a reason to go on.")}</p><//>`}
    <${Reason} id="branch-reason" label=${say("理由（必填）", "Reason (required)")} value=${reason} onValue=${put} /><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !ready} onClick=${choose}>${say("按此选定", "Keep these")}</button><a class="button" href="#/">${say("返回", "Back")}</a><${ConflictButton} sheet=${stand.sheet} /></div></div>`;
}
