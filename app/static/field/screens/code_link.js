// The statement's code: typed before a sheet opens, or read from the recorder's QR code.

import { sha256 } from "../engine/canonical.js";
import { store } from "../engine/store.js";
import { FieldError } from "../engine/words_later.js";
import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { of, say, titleOf } from "../words.js";
import { Heading, Line, Note, Trouble, useAct } from "./frame.js";
import { ConflictButton } from "./gates.js";
import { BY_CODE } from "./states.js";

/** Every sheet with its button, for a screen that is about none of them. */
export function Conflicts() {
  const sheets = store.duties().map(({ key }) => store.sheet(key)).filter(Boolean);
  return html`<ul class="plain duties">${sheets.map((sheet) => html`<li class="duty" key=${sheet.key}><div>${titleOf(sheet.duty)}</div><${ConflictButton} sheet=${sheet} listed /></li>`)}</ul>`;
}

/** The recorder's QR code was scanned: it opens every sheet of that statement, and goes to the county's own. */
export function CodeFromLink({ code }) {
  const [run, busy, error] = useAct();
  const sheets = store.duties().filter((duty) => duty.kind !== "statement");
  const unlock = () => run(async () => {
    const hash = await sha256(code);
    const theirs = sheets.filter((duty) => duty.unlock_hash === hash);
    if (!theirs.length) throw new FieldError("unlock_code");
    for (const { key, status, ready } of theirs) if (status === "not_open" && BY_CODE.includes(ready?.code)) await store.unlockStatement(key, code);
    location.replace(`#/sheet/${encodeURIComponent(theirs[0].key)}/0`);
  });
  useEffect(() => { unlock(); }, [code]);
  return html`<div class="page"><${Heading}>${say("用二维码开始评分", "Begin with the QR code")}<//>${busy && html`<p role="status">${say("正在核对解锁码…", "Checking the code…")}</p>`}<${Trouble} error=${error} />
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>
    <${Conflicts} /></div>`;
}

export function StatementCode({ sheet }) {
  const [code, put] = useState("");
  const [run, busy, error] = useAct();
  return html`<div class="page"><${Heading}>${say("输入陈述结束代码", "Enter the statement's code")}<//>
    <${Note} kind="waits"><p>${of(sheet.duty.ready) || say("陈述结束后才能评分。", "Scoring opens when the statement is over.")}</p><//>
    <p>${say("陈述结束时，记录员的屏幕上显示 16 个字符。没有信号时请照此输入，或用平板相机扫旁边的二维码，即可开始评分。", "When the statement is closed, the recorder's screen shows 16 characters. Without signal, type them here, or scan the QR code beside them with the tablet's camera, and begin.")}</p>
    <${Line} id="unlock" label=${say("代码（字母数字，空格和横线不计）", "Code (letters and digits; blanks and hyphens do not matter)")} value=${code} onValue=${put} autocapitalize="characters" class="code" />
    <${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !code.trim()} onClick=${() => run(() => store.unlockStatement(sheet.key, code))}>${say("开始评分", "Begin scoring")}</button><a class="button" href="#/">${say("返回", "Back")}</a><${ConflictButton} sheet=${sheet} /></div></div>`;
}
