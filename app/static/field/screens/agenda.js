// The agenda of a sitting on the recorder's tablet, with the tablet's own clock. Each step's beginning and pause is a mark of the timeline.

import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { clock, of, say } from "../words.js";
import { Line, Status, Trouble, useAct } from "./frame.js";
import { clockOf, moveAgenda, note } from "./statement_log.js";

const two = (number) => String(number).padStart(2, "0");
const minutes = (ms) => `${two(Math.floor(ms / 60000))}:${two(Math.floor(ms / 1000) % 60)}`;
const limitWords = ({ minutes: n, hard }) => (hard ? say(`限时 ${n} 分钟`, `${n} min, hard limit`) : say(`约 ${n} 分钟`, `about ${n} min`));
const QUICK = [["提问", "Question"], ["回答", "Answer"], ["出示材料", "Document shown"], ["中断", "Interruption"]];

/** Always at the foot of the screen: the present step, its time, and the taps that move it. */
export function Dock({ view }) {
  const [, tick] = useState(0);
  const [run, busy, error] = useAct();
  const { agenda, duty } = view;
  const tells = clockOf(view);
  useEffect(() => {
    if (agenda.since === null) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, [agenda.since]);
  const step = duty.steps[agenda.position];
  const begun = step && !agenda.over;
  const next = agenda.position + 1;
  const go = (what, position) => run(() => moveAgenda(view, what, position));
  const left = tells.limit - tells.elapsed;
  const aloud = tells.up ? say("时间到", "Time is up") : tells.beyond ? say("已超时", "Over time") : begun && tells.running && left <= 60000 ? say("还剩一分钟", "One minute left") : "";
  return html`<div class="dock" role="region" aria-label=${say("议程计时", "Agenda clock")}>
    <span class="sum">${begun ? html`<small class="num">${next}/${duty.steps.length}</small> ${of(step)} <b class="num timer ${tells.up || tells.beyond ? "wrong-text" : ""}" role="timer">${minutes(tells.elapsed)}</b> <span class="num">/ ${minutes(tells.limit)}</span> ${tells.up ? html`<${Status} kind="wrong">${say("时间到", "Time is up")}<//>` : tells.beyond ? html`<${Status} kind="waits">${say("超时", "over time")}<//>` : !tells.running && html`<${Status} kind="waits">${say("已暂停", "paused")}<//>`}`
      : agenda.over ? say("议程已结束", "The agenda is over") : say("议程未开始", "The agenda has not begun")}<span class="vh" role="status">${aloud}</span><${Trouble} error=${error} /></span>
    <span class="dock-actions">${begun && !tells.up && html`<button type="button" disabled=${busy} onClick=${() => go(tells.running ? "pause" : "run", agenda.position)}>${tells.running ? say("暂停计时", "Pause") : say("继续计时", "Resume")}</button>`}
      ${begun && next >= duty.steps.length ? html`<button type="button" disabled=${busy} onClick=${() => go("over")}>${say("结束议程", "End of agenda")}</button>`
        : !agenda.over && html`<button type="button" class=${tells.up ? "primary" : ""} disabled=${busy} onClick=${() => go("run", next)}>${begun ? say("下一环节", "Next step") : say("开始计时", "Start the clock")}</button>`}</span></div>`;
}

/** The steps of the form, and all that was marked. */
export function Timeline({ view }) {
  const [words, put] = useState("");
  const [run, busy, error] = useAct();
  const { agenda, duty } = view;
  const add = (text) => run(async () => {
    await note(view, text);
    if (text === words) put("");
  });
  return html`<section class="card" aria-labelledby="agenda-title"><h2 id="agenda-title">${say("议程", "Agenda")}</h2><ol class="plain rows">${duty.steps.map((step, at) => {
    const here = at === agenda.position && !agenda.over;
    return html`<li key=${at} aria-current=${here ? "step" : undefined}><span class="step-name"><span class="num">${at + 1}</span> ${of(step)} <small>${limitWords(step)}</small></span>
      ${here ? html`<${Status} kind="ok">${say("进行中", "now")}<//>` : html`<button type="button" disabled=${busy} aria-label=${say(`进入${of(step)}`, `Go to ${of(step)}`)} onClick=${() => run(() => moveAgenda(view, "run", at))}>${say("进入", "Go")}</button>`}</li>`;
  })}</ol></section>
  <section class="card" aria-labelledby="marks-title"><h2 id="marks-title">${say("时间线", "Timeline")}</h2>
    <div class="chips phrases" role="group" aria-label=${say("常用标记", "Common marks")}>${QUICK.map(([zh, en]) => html`<button type="button" class="chip" key=${zh} disabled=${busy} onClick=${() => add(say(zh, en))}>${say(zh, en)}</button>`)}</div>
      <${Line} id="mark" label=${say("标记此刻", "Mark this moment")} maxlength="200" value=${words} onValue=${put} />
      <div class="actions"><button type="button" disabled=${busy || !words.trim()} onClick=${() => add(words)}>${say("标记", "Mark")}</button></div>
    <${Trouble} error=${error} />
    ${view.marks.length ? html`<ul class="plain rows">${view.marks.toReversed().map(({ id, at, words: said }) => html`<li key=${id}><span>${said}</span> <small class="num">${clock(at)}</small></li>`)}</ul>` : html`<p class="quiet">${say("还没有标记", "Nothing is marked yet")}</p>`}</section>`;
}
