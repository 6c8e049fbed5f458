// The recorder's screens of one sitting without signal: who is there, the statement opened, written down with papers and marks, closed.

import { whole } from "../engine/canonical.js";
import { store } from "../engine/store.js";
import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { clock, of, say } from "../words.js";
import { Dock, Timeline } from "./agenda.js";
import { Closing, Code } from "./closing.js";
import { Heading, Line, Note, Status, Trouble, Typed, useAct } from "./frame.js";
import { Photo } from "./photo.js";
import { refusalWords } from "./refusals.js";
import { statementLink, statementView, write } from "./statement_log.js";

export { forgetWords } from "./statement_log.js";

const LONGEST = 20_000; // characters of one part of the record: an operation holds 128 KiB
const WRITING = 1500; // ms of rest before what was typed becomes an operation
const PARTS = ["presence", "open", "record", "timeline", "close"];
const TITLES = {
  presence: () => say("到场", "Presence"), open: () => say("开始陈述", "Opening"), record: () => say("陈述记录", "Record"),
  timeline: () => say("议程和时间线", "Agenda and timeline"), close: () => say("结束和解锁码", "Close and unlock code"),
};
const IDENTITY = {
  id_card: () => say("已核对居民身份证", "Identity card checked"), work_pass: () => say("已核对工作证件", "Work pass checked"),
  known: () => say("工作人员当面确认", "Confirmed in person by staff who know the presenter"),
}; // no number of any card is kept
const wordsOf = { outline: () => say("陈述要点", "Outline of the statement"), questions: () => say("提问与回答", "Questions and answers") };

function Rail({ view, here }) {
  const came = view.seats.filter(({ present }) => present).length;
  const done = { presence: came > 0 && came === view.seats.length, open: Boolean(view.opened), record: Boolean(view.outline.trim()), timeline: view.marks.length > 0, close: Boolean(view.closed) };
  const beside = { presence: `${came}/${view.seats.length}`, timeline: view.marks.length || "" };
  return html`<nav class="rail" aria-label=${say("陈述的各步", "Steps of the statement")}><ol>${PARTS.map((part) => html`<li key=${part}><a href=${statementLink(view.duty, part)} aria-current=${part === here ? "step" : undefined}>
    <span class="mark ${done[part] ? "done" : ""}"><span aria-hidden="true">${done[part] ? "●" : "○"}</span><span class="vh">${done[part] ? say("已完成", "done") : say("未完成", "not done")}</span></span> <span class="name">${TITLES[part]()}</span> <span class="num">${beside[part]}</span></a></li>`)}</ol></nav>`;
}

function Presence({ view, off }) {
  const [asked, ask] = useState(null);
  const [run, busy, error] = useAct();
  const came = view.seats.filter(({ present }) => present).length;
  const tick = (seat) => run(async () => {
    await store.record(view.duty.key, "attend", { seat: seat.id });
    ask(null);
  });
  return html`<${Heading}>${say("到场登记", "Who is present")}<//>
    <p>${say(`逐席核对身份后登记。已到 ${came} 人，共 ${view.seats.length} 席。`, `Check each identity, then tick. ${came} of ${view.seats.length} present.`)}</p><${Trouble} error=${error} />
    <section class="card"><ul class="plain">${view.seats.map((seat) => html`<li class="duty" key=${seat.id}><div><b class="num">${say(`第 ${seat.number} 席`, `Seat ${seat.number}`)}</b> ${seat.name}</div>
      ${seat.present ? html`<${Status} kind="ok">${seat.at ? say(`已到 ${clock(seat.at)}`, `present ${clock(seat.at)}`) : say("已到", "present")}<//>`
        : html`${asked === seat.id && html`<button type="button" onClick=${() => ask(null)}>${say("取消", "Cancel")}</button>`}
          <button type="button" class=${asked === seat.id ? "primary" : ""} disabled=${off || busy} aria-label=${asked === seat.id ? say(`确认第 ${seat.number} 席到场`, `Confirm that seat ${seat.number} is present`) : say(`第 ${seat.number} 席到场`, `Seat ${seat.number} is present`)} onClick=${() => (asked === seat.id ? tick(seat) : ask(seat.id))}>${asked === seat.id ? say("确认到场", "Confirm") : say("到场", "Present")}</button>`}</li>`)}</ul></section>
    <p class="quiet">${say("登记后不能撤销，所以每席按两次。", "A tick cannot be taken back, so each takes two taps.")}</p>`;
}

function Opening({ view }) {
  const [name, put] = useState("");
  const [post, hold] = useState("");
  const [proxy, letter] = useState("");
  const [identity, check] = useState(null);
  const [run, busy, error] = useAct();
  const { opened } = view;
  if (opened) return html`<${Heading}>${say("陈述已开始", "The statement has begun")}<//>
    <dl class="kv card"><dt>${say("陈述人", "Presenter")}</dt><dd>${opened.name}</dd><dt>${say("职务", "Post")}</dt><dd>${opened.post}</dd><dt>${say("委托书编号", "Proxy letter")}</dt><dd>${opened.proxy || "—"}</dd><dt>${say("身份核对", "Identity")}</dt><dd>${IDENTITY[opened.identity]?.() ?? "—"}</dd><dt>${say("开始时间", "Began")}</dt><dd>${clock(opened.at)}</dd></dl>
    <div class="actions"><a class="button primary" href=${statementLink(view.duty, "record")}>${say("去记录", "To the record")}</a></div>`;
  const open = () => run(async () => {
    await store.record(view.duty.key, "open", { name: whole(name.trim()), post: whole(post.trim()), proxy: proxy.trim() ? whole(proxy.trim()) : null, identity });
    location.hash = statementLink(view.duty, "record");
  });
  return html`<${Heading}>${say("开始陈述", "Open the statement")}<//>
    <p>${say("核对陈述人身份和委托书；委托书可在“陈述记录”页拍照留存。", "Check the presenter's identity and proxy letter; the letter can be photographed under “Record”.")}</p>
    <${Line} id="presenter" label=${say("陈述人姓名", "Presenter's name")} maxlength="200" value=${name} onValue=${put} /><${Line} id="post" label=${say("职务", "Post")} maxlength="200" value=${post} onValue=${hold} />
    <${Line} id="proxy" label=${say("委托书编号（没有可不填）", "Number of the proxy letter (if any)")} maxlength="200" value=${proxy} onValue=${letter} />
    <fieldset class="choice"><legend>${say("身份核对（证件号码不记录）", "Identity (no number of a card is kept)")}</legend>${Object.entries(IDENTITY).map(([code, words]) => html`<label class="tick ${identity === code ? "on" : ""}" key=${code}><input type="radio" name="identity" checked=${identity === code} onChange=${() => check(code)} /> <span>${words()}</span></label>`)}</fieldset><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !name.trim() || !post.trim() || !identity} onClick=${open}>${say("开始陈述", "Open the statement")}</button></div>`;
}

function Papers({ view, off }) {
  const [run, busy, error] = useAct();
  const took = (kind) => (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) run(() => store.attach(view.duty.key, kind, file, null, file.name));
  };
  const kinds = [["attachment", say("拍材料", "Photograph a paper")], ["proxy", say("拍委托书", "Photograph the proxy letter")]];
  return html`<section class="card" aria-labelledby="papers-title"><h2 id="papers-title">${say("材料照片", "Photos of papers")}</h2>
    ${view.photos.length > 0 && html`<ul class="plain papers">${view.photos.map((photo) => html`<${Photo} key=${photo.id} photo=${photo} title=${photo.item === "proxy" ? say("委托书", "Proxy letter") : say("陈述材料", "Paper")} off />`)}</ul>`}
    ${!off && html`<div class="actions">${kinds.map(([kind, words]) => html`<label key=${kind} class="button file ${busy ? "busy" : ""}">${busy ? say("正在保存…", "Keeping…") : words}<input type="file" accept="image/jpeg,image/png,image/webp" capture="environment" disabled=${busy} aria-label=${words} onChange=${took(kind)} /></label>`)}</div>`}<${Trouble} error=${error} /></section>`;
}

function Record({ view, off, redraw }) {
  const heading = html`<${Heading}>${say("陈述记录", "Record of the statement")}<//>`;
  if (!view.opened) return html`${heading}<${Note} kind="waits"><p>${say("先登记陈述人，开始陈述。", "First name the presenter and open the statement.")}</p><a class="button" href=${statementLink(view.duty, "open")}>${say("开始陈述", "Open the statement")}</a><//>`;
  const stale = view.refused.some(({ op, receipt }) => op.kind === "write" && receipt.why === "stale");
  const save = (part) => (text) => write(view, part, text, redraw);
  const more = () => {
    const begun = `${view.questions}${view.questions ? "\n" : ""}${say("问：", "Q: ")}`;
    save("questions")(`${begun}\n${say("答：", "A: ")}`);
    requestAnimationFrame(() => { // the field holds the new lines now: write on after "Q:"
      const area = document.getElementById("questions");
      area?.focus();
      area?.setSelectionRange(begun.length, begun.length);
    });
  };
  return html`${heading}
    ${view.failed.map(([part, { text, error }]) => html`<${Note} kind="wrong" role="alert" key=${part}><p>${wordsOf[part]()}：${of(error)}</p><button type="button" onClick=${() => save(part)(text)}>${say("再存一次", "Try again")}</button><//>`)}
    ${["outline", "questions"].map((part) => html`<div class="row-field" key=${part}><label for=${part}>${wordsOf[part]()}</label>
      <${Typed} id=${part} rows=${part === "outline" ? 7 : 9} maxlength=${LONGEST} pause=${WRITING} value=${view[part]} disabled=${off || stale} save=${save(part)} /></div>`)}
    ${!off && !stale && html`<div class="actions"><button type="button" onClick=${more}>${say("＋ 一问一答", "+ Question and answer")}</button><span class="quiet">${say("边写边存，保存时间见页首", "Saved as you write; the time is at the top")}</span></div>`}
    <${Papers} view=${view} off=${off} />`;
}

/** What the server refused; words that somebody else's overtook are shown beside, and put in again only by the recorder. */
function Refused({ view, online, redraw }) {
  const [run, busy, error] = useAct();
  const { key } = view.duty;
  const last = new Map(); // of the writes of one part only the last one matters: it has the others in it
  for (const entry of view.refused) last.set(entry.op.kind === "write" ? entry.op.part : entry.op.id, entry);
  const seen = ({ op }) => Promise.all(view.refused.filter((other) => other.op.id === op.id || (op.kind === "write" && other.op.part === op.part)).map((other) => store.acknowledge(key, other.op.id)));
  const mine = (entry) => run(async () => {
    await seen(entry);
    await write(view, entry.op.part, entry.op.text, redraw);
  });
  return html`${[...last.values()].map((entry) => {
    const { op, receipt } = entry;
    const stale = receipt.why === "stale";
    const read = view.base > op.base; // the words that overtook these are on this tablet
    return html`<${Note} kind="wrong" key=${op.id} title=${say("服务器没有接受一项记录", "The server refused an entry")}>
      <p>${op.kind === "write" ? wordsOf[op.part]() : { attend: say("到场登记", "Presence"), open: say("开始陈述", "Opening"), mark: say("标记", "Mark"), attach: say("照片", "Photo"), close: say("结束陈述", "Closing") }[op.kind]} · ${of(receipt.text) || refusalWords(receipt.why)}</p>
      ${op.kind === "write" && html`<p class="as-typed">${op.text}</p>`}
      <div class="actions">${stale && !read && html`<button type="button" class="primary" disabled=${busy || !online} onClick=${() => run(() => store.takeOffline())}>${say("取来网页上的文字对照", "Get the other words to compare")}</button>`}
        ${stale && read && !view.closed && html`<button type="button" disabled=${busy} onClick=${() => mine(entry)}>${say("改用我写的", "Put mine in instead")}</button>`}
        ${(!stale || read) && html`<button type="button" disabled=${busy} onClick=${() => run(() => seen(entry))}>${stale ? say("保留网页上的", "Keep the other words") : say("知道了", "I have seen it")}</button>`}</div><${Trouble} error=${error} /><//>`;
  })}`;
}

export function Recorder({ statement, part, state, redraw }) {
  const duty = store.duties().find(({ key }) => key === statement);
  useEffect(() => {
    store.openSheet(statement);
    return () => store.closeSheet();
  }, [statement]);
  if (!duty) return html`<div class="page"><${Note} kind="waits"><p>${say("这台平板上没有这次陈述。", "This statement is not on this tablet.")}</p><//><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
  const view = statementView(duty);
  const here = PARTS.includes(part) ? part : view.closed ? "close" : view.opened ? "record" : "presence";
  const off = Boolean(view.closed); // no more words; the agenda goes on, with inspection and scoring
  const screens = {
    presence: () => html`<${Presence} view=${view} off=${false} />`, // a member who comes late is ticked after the closing, too
    open: () => html`<${Opening} view=${view} />`,
    record: () => html`<${Record} view=${view} off=${off} redraw=${redraw} />`,
    timeline: () => html`<${Heading}>${TITLES.timeline()}<//><${Timeline} view=${view} />`,
    close: () => (view.closed ? html`<${Code} view=${view} />` : html`<${Closing} view=${view} />`),
  };
  return html`<div class="work"><${Rail} view=${view} here=${here} /><div class="middle" key=${here}><${Refused} view=${view} online=${state.online} redraw=${redraw} />${screens[here]()}</div></div>
    <${Dock} view=${view} />`;
}
