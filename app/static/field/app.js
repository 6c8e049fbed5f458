// The field application: one screen at a time over the store, a header that always tells three facts.
// Addresses are #/ (duties), #/sheet/KEY/GROUP, #/sheet/KEY/review, #/statement/SITTING/PART, #/unlock/CODE (a recorder's QR code),
// #/receipts; any other fragment is a one-time code.

import { watchNumbers } from "../js/numbers.js";
import { html, render, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { store } from "./engine/store.js";
import { Bind, Unlock } from "./screens/entry.js";
import { Later } from "./screens/later.js";
import { clock, language, of, say, setLanguage, titleOf } from "./words.js";

const where = () => location.hash.slice(1);

// The screens of a sheet come after the first one is shown: signing in must not wait for them on a bad line.
let scoring = null;

/** What is said once in a while to a screen reader: where the writing stands. */
function facts(state) {
  const saved = state.unsaved
    ? ["wrong", "✗", say(`${state.unsaved} 项未存下`, `${state.unsaved} not saved`)]
    : state.savedAt ? ["ok", "✓", say(`本机已保存 ${clock(state.savedAt)}`, `Saved here ${clock(state.savedAt)}`)] : ["info", "·", say("尚无改动", "No changes yet")];
  const waits = state.waiting + (state.waitingMedia ?? 0);
  return {
    net: state.online ? ["ok", "●", say("在线", "Online")] : ["waits", "○", say("离线", "Offline")],
    saved,
    sent: waits ? ["waits", state.syncing ? "↑" : "…", say(`待上传 ${waits} 项`, `${waits} to send`)] : ["ok", "✓", say("全部已回执", "All receipted")],
  };
}

const Fact = ({ name, fact: [kind, sign, words] }) => html`<span class="fact ${kind}" data-fact=${name}><span aria-hidden="true">${sign}</span> ${words}</span>`;

function Header({ state, title, redraw }) {
  const { net, saved, sent } = facts(state);
  const spoken = useRef("");
  const [aloud, speak] = useState("");
  const told = `${net[2]} ${saved[0]} ${sent[0]}`;
  useEffect(() => {
    if (spoken.current && spoken.current !== told) speak([net, saved, sent].map(([, , words]) => words).join(say("，", ", ")));
    spoken.current = told;
  }, [told]);
  const turn = () => {
    setLanguage(language() === "en" ? "zh" : "en");
    redraw();
  };
  const open = state.phase === "open";
  return html`<header class="bar">
    ${open ? html`<a class="brand" href="#/" aria-label=${say("明鉴：我的任务", "Mingjian: my duties")}>${title ? "‹" : ""} <span class=${title ? "roomy" : ""}>${say("明鉴", "Mingjian")}</span></a>` : html`<span class="brand">${say("明鉴", "Mingjian")}</span>`}
    ${title && html`<span class="where">${title}</span>`}
    ${state.secure && html`<span class="facts"><${Fact} name="net" fact=${net} />${state.phase !== "unbound" && html`<${Fact} name="saved" fact=${saved} /><${Fact} name="sent" fact=${sent} />`}</span>`}
    <span class="tools"><button type="button" class="plain" lang=${language() === "en" ? "zh-CN" : "en"} onClick=${turn}>${language() === "en" ? "中文" : "English"}</button>
      ${open && html`<button type="button" class="plain" onClick=${() => store.lock()}>${say("锁定", "Lock")}</button>`}</span>
    <span class="vh" role="status" aria-live="polite">${aloud}</span></header>`;
}

// What is said on a screen of its own, and what of the tablet itself, said on the duties, does not take the room of a sheet.
const ELSEWHERE = ["insecure"];
const ON_DUTIES = [...ELSEWHERE, "not_persistent"];

function Notices({ state, sheet }) {
  const listed = [...(state.error ? [state.error] : []), ...(state.notices ?? []).filter(({ code }) => !(sheet ? ON_DUTIES : ELSEWHERE).includes(code))];
  if (!listed.length) return null;
  return html`<div class="notices" role="region" aria-label=${say("提示", "Notices")}>${listed.map((notice) => html`<p key=${notice.code} class="notice ${["full", "no_storage", "revoked", "chain", "stopped"].includes(notice.code) ? "wrong" : ""}"><span aria-hidden="true">!</span> <span>${of(notice)}</span>
    ${notice.code === "update" && !state.waiting && html`<button type="button" onClick=${() => store.applyUpdate()}>${say("更新", "Update")}</button>`}</p>`)}</div>`;
}

function App() {
  const [, again] = useState(0);
  const redraw = () => again((count) => count + 1);
  const [path, go] = useState(where());
  useEffect(() => {
    const moved = () => go(where());
    const stop = store.subscribe(redraw);
    import("./screens/scoring.js").then((loaded) => {
      scoring = loaded;
      scoring.watchEdits(redraw);
      redraw();
    });
    const tick = setInterval(redraw, 30000);
    window.addEventListener("hashchange", moved);
    return () => {
      stop();
      clearInterval(tick);
      window.removeEventListener("hashchange", moved);
    };
  }, []);
  const state = store.state();
  useEffect(() => {
    if (state.phase !== "open") scoring?.forget();
  }, [state.phase]);
  useEffect(() => {
    document.title = `${say("明鉴 · 现场评分", "Mingjian · Field scoring")}`;
  });
  const [, kind, key, part] = path.startsWith("/") ? path.split("/").map(decodeURIComponent) : [];
  const sheetKey = kind === "sheet" ? key : null;
  const statement = kind === "statement" ? `statement/${key}` : null;
  const shown = sheetKey ?? statement;
  const duty = shown ? store.duties().find((one) => one.key === shown) : null;
  const fragment = path && !path.startsWith("/") ? path : "";
  const bound = () => {
    if (where().startsWith("/")) return; // already gone on: the duties show before the first package is in
    history.replaceState(null, "", "#/");
    go("/");
  };
  let screen;
  if (!state.secure) screen = html`<${Later} file="insecure" load=${() => import("./screens/insecure.js")} name="Insecure" whole />`;
  else if (state.phase === "starting" || (state.phase === "open" && !scoring)) screen = html`<p class="page" role="status">${say("正在打开…", "Opening…")}</p>`;
  else if (state.phase === "unbound" || (state.phase === "locked" && fragment)) screen = html`<${Bind} fragment=${fragment} onBound=${bound} />`;
  else if (state.phase === "locked") screen = html`<${Unlock} key=${state.user.tablet} user=${state.user} />`;
  else if (sheetKey) screen = html`<${scoring.OpenSheet} key=${sheetKey} sheetKey=${sheetKey} part=${part} state=${state} />`;
  else if (statement) screen = html`<${scoring.Recorder} key=${statement} statement=${statement} part=${part} state=${state} redraw=${redraw} />`;
  else if (kind === "unlock") screen = html`<${scoring.CodeFromLink} key=${key} code=${key ?? ""} />`;
  else if (kind === "receipts") screen = html`<${scoring.Receipts} key="receipts" state=${state} />`;
  else screen = html`<${scoring.Duties} key="duties" state=${state} />`;
  return html`<${Header} state=${state} title=${state.phase === "open" && duty ? titleOf(duty) : ""} redraw=${redraw} /><${Notices} state=${state} sheet=${state.phase === "open" && Boolean(duty)} />${screen}`;
}

watchNumbers();
await store.start();
const field = document.getElementById("field");
field.replaceChildren(); // "opening", as the shell came
render(html`<${App} />`, field);
