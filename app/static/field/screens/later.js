// Screens that most people do not open on their first visit: fetched when they are, and with the offline package.

import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Heading, Note } from "./frame.js";

const here = new Map(); // address -> its module, once it came
let dressed = null;

/** Their part of the styles, once. */
function dress() {
  dressed ??= new Promise((done) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/static/field/later.css" });
    sheet.onload = sheet.onerror = done;
    document.head.append(sheet);
  });
  return dressed;
}

/** The component `name` of what `load` imports. `file` names the module; `instead` is shown when it cannot come, `whole`: it is a page. */
export function Later({ file, load, name, instead, whole, ...props }) {
  const [loaded, came] = useState(here.get(file));
  const [failed, fail] = useState(false);
  useEffect(() => {
    if (loaded) return;
    Promise.all([load(), dress()]).then(([module]) => {
      here.set(file, module);
      came(module);
    }, () => fail(true));
  }, []);
  if (loaded) return html`<${loaded[name]} ...${props} />`;
  if (failed && instead !== undefined) return instead;
  if (!failed) return html`<p class="page" role="status">${say("正在打开…", "Opening…")}</p>`;
  return html`<div class="page">${whole && html`<${Heading}>${say("还没有下载", "Not here yet")}<//>`}<${Note} kind="waits" role="alert"><p>${say("这一页还没有下载到这台平板，现在没有信号。已填写的内容都在。", "This page is not on the tablet yet, and there is no signal now. What was typed is all kept.")}</p>
    <button type="button" onClick=${() => location.reload()}>${say("再试一次", "Try again")}</button><//></div>`;
}

/** What a module left in memory, if it was ever opened. */
export const opened = (file) => here.get(file) ?? null;
