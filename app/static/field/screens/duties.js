// What this person has to do, what waits, and the way in and out: taking offline, receipts, export, sign-out.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { amount, moment, of, say, titleOf } from "../words.js";
import { Heading, Note, Status, Trouble, useAct } from "./frame.js";
import { ConflictButton } from "./gates.js";
import { Later } from "./later.js";
import { left, pendingWords, statusWords } from "./states.js";

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
      ${duty.ready && duty.status === "not_open" && html`<p class="quiet">${of(duty.ready)}</p>`}
      ${!nested && duty.phase === "statement" && store.state().online && html`<a class="button" href="/r/${duty.round.slug}/sittings/${duty.sitting}/room" target="_blank" rel="noopener">${say("陈述室（书签）", "Statement room (bookmarks)")}</a>`}</div>
    <${ConflictButton} sheet=${store.sheet(duty.key)} listed /><a class="button ${first ? "primary" : ""}" href=${sheetLink(duty.key)} aria-label=${say(`打开 ${titleOf(duty)}`, `Open ${titleOf(duty)}`)}>${duty.status === "draft" ? say("评分", "Score") : duty.status === "branch" ? say("选定", "Choose") : say("查看", "Open")}</a></li>`;
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
  const have = Boolean(state.takenAt);
  return html`<section class="card" aria-labelledby="offline-title"><h2 id="offline-title">${say("离线资料", "For use without signal")}</h2>
    <p>${have ? html`<${Status} kind="ok">${say("已下载，可离线使用", "On this tablet, ready without signal")}<//> <span class="quiet">${moment(state.takenAt)} · ${amount(state.storage?.usage ?? 0)}</span>` : say("出发前请下载：评分表、评分标准和材料。", "Before you leave: the sheets, their standards and materials.")}</p>
    ${progress && html`<p><progress max=${progress.total || 1} value=${progress.done} aria-label=${say("下载进度", "Download progress")}></progress> <span class="num">${progress.done}/${progress.total}</span> · ${amount(progress.bytes ?? 0)}</p>`}
    ${result && html`<p role="status">${say(`已下载 ${result.duties} 项任务，${amount(result.bytes)}。`, `${result.duties} duties, ${amount(result.bytes)}.`)}</p>`}
    ${result?.failed.length > 0 && html`<${Note} kind="waits"><p>${say("以下材料没有下载成功：", "These materials did not come: ")}${result.failed.map(({ title }) => of(title)).join(say("、", ", "))}</p><//>`}
    <${Trouble} error=${error} />
    <button type="button" class=${have ? "" : "primary"} disabled=${busy || !state.online} onClick=${take}>${busy ? say("正在下载…", "Downloading…") : have ? say("重新下载", "Download again") : say("下载离线资料", "Take offline")}</button>
    ${!state.online && html` <span class="quiet">${say("需要联网", "needs a connection")}</span>`}</section>`;
}

const leaving = { file: "leave", load: () => import("./leave.js") };

function Leave({ state }) {
  const [open, show] = useState(false);
  const [exporting, ask] = useState(0);
  const [run, busy, error] = useAct();
  return html`<section class="card" aria-labelledby="leave-title"><h2 id="leave-title">${say("数据和退出", "Data and signing out")}</h2>
    <div class="actions"><a class="button" href="#/receipts">${say("回执", "Receipts")}</a><button type="button" disabled=${busy} onClick=${() => run(() => store.syncNow())}>${say("立即上传", "Send now")}</button>
      <button type="button" onClick=${() => ask(exporting + 1)}>${say("导出数据包", "Export")}</button><button type="button" onClick=${() => show(true)}>${say("退出", "Sign out")}</button></div>
    <${Trouble} error=${error} />${exporting > 0 && html`<${Later} ...${leaving} key=${exporting} name="Export" />`}
    ${open && html`<${Later} ...${leaving} name="SignOut" state=${state} onClose=${() => show(false)} />`}</section>`;
}

export function Duties({ state }) {
  const duties = store.duties();
  const statements = duties.filter(({ kind }) => kind === "statement");
  const rounds = [...new Map(duties.filter(({ kind }) => kind !== "case").map(({ round }) => [round.slug, round])).values()];
  const next = duties.find(({ status }) => ["draft", "branch"].includes(status));
  return html`<div class="page wide"><${Heading}>${say("我的任务", "My duties")}<//>
    ${store.reminders().map((reminder) => html`<${Later} file="calls" load=${() => import("./calls.js")} name="Reminder" key=${reminder.id} reminder=${reminder} state=${state} />`)}
    ${store.votes().map((vote) => html`<${Later} file="calls" load=${() => import("./calls.js")} name="Vote" key=${vote.id} vote=${vote} state=${state} />`)}
    ${!duties.length && html`<${Note} kind="info"><p>${state.packAt ? say("现在没有要评分的对象。", "There is nothing to score now.") : say("还没有下载。联网后按“下载离线资料”。", "Nothing is on this tablet yet. Connect and press “Take offline”.")}</p><//>`}
    ${statements.length > 0 && html`<${Note} kind="info"><p>${say("有信号时，录音和大屏计时在办公室网页的“陈述室”。", "With signal, sound recording and the clock on the wall are in the statement room, on the office's web pages.")}</p><//>`}
    ${rounds.map((round) => html`<section class="card" key=${round.slug}><h2>${of(round.title)}</h2><ul class="plain duties">${statements.some((duty) => duty.round.slug === round.slug) && html`<${Later} file="statements" load=${() => import("./statements.js")} name="StatementDuties" statements=${statements} slug=${round.slug} />`}${duties.filter((duty) => duty.round.slug === round.slug && duty.kind === "sheet").map((duty) => html`
      <${Duty} key=${duty.key} duty=${duty} first=${duty === next} />${duties.filter((other) => other.kind === "case" && other.sitting === duty.sitting).map((other) => html`<${Duty} key=${other.key} duty=${other} first=${other === next} nested />`)}`)}</ul></section>`)}
    <${Offline} state=${state} /><${Leave} state=${state} /></div>`;
}
