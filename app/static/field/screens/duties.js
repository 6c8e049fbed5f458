// What this person has to do, what waits, and the way in and out: taking offline, receipts, export, sign-out.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { amount, moment, of, say, titleOf } from "../words.js";
import { Dialog, Heading, Note, Status, Trouble, useAct } from "./frame.js";
import { left, pendingWords, statementWords, statusWords } from "./states.js";
import { standingOf, statementLink, statementView } from "./statement_log.js";

const sheetLink = (key) => `#/sheet/${encodeURIComponent(key)}/0`;

const filledWords = (filled) => (filled ? say(`已填 ${filled} 项`, `${filled} filled in`) : "");

function Duty({ duty, nested, first }) {
  const [kind, words] = statusWords(duty.status);
  const waits = duty.waiting ? say(`待上传 ${duty.waiting} 项`, `${duty.waiting} waiting`) : "";
  const facts = [filledWords(duty.filled), waits, duty.deadline && duty.status === "draft" && left(duty.deadline), pendingWords(duty.pending)].filter(Boolean);
  const name = titleOf(duty, nested);
  return html`<li class=${nested ? "duty nested" : "duty"}><div><b>${name}</b> <${Status} kind=${kind}>${words}<//>
      ${!nested && html`<p class="quiet">${[of(store.sheet(duty.key)?.instrument.title), duty.on, duty.place, say(`第 ${duty.seat_number} 席`, `seat ${duty.seat_number}`)].filter(Boolean).join(" · ")}</p>`}
      ${facts.length > 0 && html`<p class="quiet">${facts.join(" · ")}</p>`}
      ${duty.ready && duty.status === "not_open" && html`<p class="quiet">${of(duty.ready)}</p>`}</div>
    <a class="button ${first ? "primary" : ""}" href=${sheetLink(duty.key)} aria-label=${say(`打开 ${titleOf(duty)}`, `Open ${titleOf(duty)}`)}>${duty.status === "draft" ? say("评分", "Score") : duty.status === "branch" ? say("选定", "Choose") : say("查看", "Open")}</a></li>`;
}

function StatementDuty({ duty, first }) {
  const view = statementView(duty);
  const [kind, words] = statementWords(standingOf(view));
  const came = view.seats.filter(({ present }) => present).length;
  const facts = [say(`到场 ${came}/${view.seats.length}`, `${came} of ${view.seats.length} present`), view.waiting ? say(`待上传 ${view.waiting} 项`, `${view.waiting} waiting`) : ""].filter(Boolean);
  return html`<li class="duty"><div><b>${titleOf(duty)}</b> <${Status} kind=${kind}>${words}<//>
      <p class="quiet">${[say("记录陈述", "Record the statement"), duty.on, duty.place].filter(Boolean).join(" · ")}</p><p class="quiet">${facts.join(" · ")}</p></div>
    <a class="button ${first ? "primary" : ""}" href=${statementLink(duty)} aria-label=${say(`打开 ${titleOf(duty)}`, `Open ${titleOf(duty)}`)}>${view.closed ? say("解锁码", "Code") : say("记录", "Record")}</a></li>`;
}

function Offline({ state }) {
  const [run, busy, error] = useAct();
  const [progress, tell] = useState(null);
  const [result, keep] = useState(null);
  const take = () => run(async () => {
    keep(null);
    keep(await store.takeOffline(tell));
    tell(null);
  });
  const have = Boolean(state.packAt);
  return html`<section class="card" aria-labelledby="offline-title"><h2 id="offline-title">${say("离线资料", "For use without signal")}</h2>
    <p>${have ? html`<${Status} kind="ok">${say("已下载，可离线使用", "On this tablet, ready without signal")}<//> <span class="quiet">${moment(state.packAt)} · ${amount(state.storage?.usage ?? 0)}</span>` : say("出发前请下载：评分表、评分标准和材料。", "Before you leave: the sheets, their standards and materials.")}</p>
    ${progress && html`<p><progress max=${progress.total || 1} value=${progress.done} aria-label=${say("下载进度", "Download progress")}></progress> <span class="num">${progress.done}/${progress.total}</span> · ${amount(progress.bytes ?? 0)}</p>`}
    ${result && html`<p role="status">${say(`已下载 ${result.duties} 项任务，${amount(result.bytes)}。`, `${result.duties} duties, ${amount(result.bytes)}.`)}</p>`}
    ${result?.failed.length > 0 && html`<${Note} kind="waits"><p>${say("以下材料没有下载成功：", "These materials did not come: ")}${result.failed.map(({ title }) => of(title)).join(say("、", ", "))}</p><//>`}
    <${Trouble} error=${error} />
    <button type="button" class=${have ? "" : "primary"} disabled=${busy || !state.online} onClick=${take}>${busy ? say("正在下载…", "Downloading…") : have ? say("重新下载", "Download again") : say("下载离线资料", "Take offline")}</button>
    ${!state.online && html` <span class="quiet">${say("需要联网", "needs a connection")}</span>`}</section>`;
}

function Leave({ state }) {
  const [open, show] = useState(false);
  const [wipe, choose] = useState(true);
  const [run, busy, error] = useAct();
  const [exported, told] = useState("");
  const save = () => run(async () => {
    const { blob, name } = await store.exportPackage();
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    told(name);
  });
  const waits = state.waiting + state.waitingMedia + state.unsaved;
  return html`<section class="card" aria-labelledby="leave-title"><h2 id="leave-title">${say("数据和退出", "Data and signing out")}</h2>
    <div class="actions"><a class="button" href="#/receipts">${say("回执", "Receipts")}</a><button type="button" disabled=${busy} onClick=${() => run(() => store.syncNow())}>${say("立即上传", "Send now")}</button>
      <button type="button" disabled=${busy} onClick=${save}>${say("导出数据包", "Export")}</button><button type="button" onClick=${() => show(true)}>${say("退出", "Sign out")}</button></div>
    ${exported && html`<p role="status">${say(`已导出 ${exported}，请交给办公室。`, `Exported ${exported}: hand it to the office.`)}</p>`}<${Trouble} error=${error} />
    ${open && html`<${Dialog} title=${say("退出", "Sign out")} onClose=${() => show(false)}>
      ${waits > 0 ? html`<${Note} kind="waits"><p>${say(`还有 ${waits} 项没有回执。请先联网上传；实在不行，先导出数据包。`, `${waits} item(s) have no receipt yet. Connect and send them first or, failing that, export the package.`)}</p><button type="button" disabled=${busy} onClick=${save}>${say("导出数据包", "Export")}</button><//>` : html`<p>${say("全部都有回执。", "Everything is receipted.")}</p>`}
      <label class="tick ${wipe ? "on" : ""}"><input type="checkbox" checked=${wipe} onChange=${(event) => choose(event.target.checked)} /> <span>${say("同时清除这台平板上我的内容", "Also remove what is mine from this tablet")}</span></label><${Trouble} error=${error} />
      <div class="actions"><button type="button" onClick=${() => show(false)}>${say("取消", "Cancel")}</button><button type="button" class="danger" disabled=${busy} onClick=${() => run(() => store.signOut({ wipe }))}>${say("退出", "Sign out")}</button></div><//>`}</section>`;
}

function Reminder({ reminder, state }) {
  const [run, busy, error] = useAct();
  return html`<${Note} kind="waits"><p><b>${say("创建办公室提醒您", "The office reminds you")}</b> <span class="quiet">${moment(reminder.at)}</span></p><p>${of(reminder.words)}</p><${Trouble} error=${error} />
    <button type="button" disabled=${busy || !state.online} onClick=${() => run(() => store.reminderSeen(reminder.id))}>${say("我看到了", "I have seen it")}</button>${!state.online && html` <span class="quiet">${say("需要联网", "needs a connection")}</span>`}<//>`;
}

export function Duties({ state }) {
  const duties = store.duties();
  const statements = duties.filter(({ kind }) => kind === "statement");
  const open = statements.find((duty) => !statementView(duty).closed);
  const rounds = [...new Map(duties.filter(({ kind }) => kind !== "case").map(({ round }) => [round.slug, round])).values()];
  const next = duties.find(({ status }) => ["draft", "branch"].includes(status));
  return html`<div class="page wide"><${Heading}>${say("我的任务", "My duties")}<//>
    ${store.reminders().map((reminder) => html`<${Reminder} key=${reminder.id} reminder=${reminder} state=${state} />`)}
    ${!duties.length && html`<${Note} kind="info"><p>${state.packAt ? say("现在没有要评分的对象。", "There is nothing to score now.") : say("还没有下载。联网后按“下载离线资料”。", "Nothing is on this tablet yet. Connect and press “Take offline”.")}</p><//>`}
    ${statements.length > 0 && html`<${Note} kind="info"><p>${say("有信号时，录音和大屏计时在办公室网页的“陈述室”。", "With signal, sound recording and the clock on the wall are in the statement room, on the office's web pages.")}</p><//>`}
    ${rounds.map((round) => html`<section class="card" key=${round.slug}><h2>${of(round.title)}</h2><ul class="plain duties">${statements.filter((duty) => duty.round.slug === round.slug).map((duty) => html`<${StatementDuty} key=${duty.key} duty=${duty} first=${duty === open} />`)}${duties.filter((duty) => duty.round.slug === round.slug && duty.kind === "sheet").map((duty) => html`
      <${Duty} key=${duty.key} duty=${duty} first=${duty === next} />${duties.filter((other) => other.kind === "case" && other.sitting === duty.sitting).map((other) => html`<${Duty} key=${other.key} duty=${other} first=${other === next} nested />`)}`)}</ul></section>`)}
    <${Offline} state=${state} /><${Leave} state=${state} /></div>`;
}

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
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div></div>`;
}
