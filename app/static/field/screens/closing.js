// The end of a statement on the recorder's tablet: read out, signed by the county's representative or closed with a reason, and then
// the code that opens the experts' sheets.

import { qrElement } from "../../js/draw-qr.js";
import { whole } from "../engine/canonical.js";
import { store } from "../engine/store.js";
import { html, useCallback, useState } from "../../vendor/preact-htm.js";
import { language, moment, say } from "../words.js";
import { Heading, Line, Made, Note, Reason, Trouble, useAct } from "./frame.js";
import { Signature } from "./review.js";

export const UNCONFIRMED = {
  refused: () => say("代表拒绝确认", "The representative refuses to confirm"),
  absent: () => say("代表已离场", "The representative has left"),
  technical: () => say("设备或网络故障，无法确认", "A fault of device or network"),
};

const ways = () => [["hand", say("代表在平板上签名", "Signs on this tablet")], ["name", say("代表确认，只写姓名", "Confirms by name alone")], ["none", say("未确认", "Not confirmed")]];

/** What the representative reads before he signs. */
const Words = ({ title, text }) => html`<h3>${title}</h3><p class="as-typed">${text || "—"}</p>`;

export function Closing({ view }) {
  const [by, choose] = useState("hand");
  const [name, put] = useState(view.opened?.name ?? "");
  const [strokes, draw] = useState(null);
  const [reason, pick] = useState("");
  const [remark, explain] = useState("");
  const [run, busy, error] = useAct();
  const secret = view.duty.unlock_secret;
  const heading = html`<${Heading}>${say("结束陈述", "Close the statement")}<//>`;
  if (!view.opened) return html`${heading}<${Note} kind="waits"><p>${say("陈述还没有开始。", "The statement has not begun.")}</p><//>`;
  if (!view.outline.trim()) return html`${heading}<${Note} kind="waits"><p>${say("陈述要点还是空的，写好后才能结束。", "The outline is empty; write it before you close.")}</p><//>`;
  if (!secret) return html`${heading}<${Note} kind="wrong"><p>${say("这台平板上没有解锁码，请联网重新下载离线资料。", "The unlock code is not on this tablet: connect and take the package offline again.")}</p><//>`;
  const ready = by === "none" ? reason : name.trim() && (by === "name" || strokes);
  const close = () => run(() => store.record(view.duty.key, "close", {
    secret,
    confirmed_name: by === "none" ? null : whole(name.trim()),
    signature: by === "hand" ? strokes : null,
    unconfirmed: by === "none" ? reason : null,
    note: remark.trim() ? whole(remark.trim()) : null,
  }));
  return html`${heading}
    <section class="card" aria-labelledby="read-title"><h2 id="read-title">${say("请代表核对记录", "For the representative to read")}</h2>
      <${Words} title=${say("陈述要点", "Outline")} text=${view.outline} /><${Words} title=${say("提问与回答", "Questions and answers")} text=${view.questions} /></section>
    <section class="card" aria-labelledby="sign-title"><h2 id="sign-title">${say("代表确认", "Confirmation")}</h2>
      <fieldset class="choice"><legend>${say("怎样确认", "How")}</legend>${ways().map(([value, words]) => html`<label class="tick ${by === value ? "on" : ""}" key=${value}><input type="radio" name="by" checked=${by === value} onChange=${() => { choose(value); draw(null); }} /> <span>${words}</span></label>`)}</fieldset>
      ${by === "none" ? html`<fieldset class="choice"><legend>${say("未确认的原因（必选）", "Why not (required)")}</legend>${Object.entries(UNCONFIRMED).map(([code, words]) => html`<label class="tick ${reason === code ? "on" : ""}" key=${code}><input type="radio" name="unconfirmed" checked=${reason === code} onChange=${() => pick(code)} /> <span>${words()}</span></label>`)}</fieldset>
          <${Reason} id="remark" label=${say("情况说明", "What happened")} value=${remark} onValue=${explain} />`
        : html`<${Line} id="confirmed-name" label=${say("确认人姓名", "Name of who confirms")} maxlength="200" value=${name} onValue=${put} />`}
      ${by === "hand" && html`<p class="quiet">${say("请代表在下框内签名", "The representative signs in the box")}</p><${Signature} label=${say("代表签名框", "Signature box of the representative")} onStrokes=${draw} />`}
      <p>${say("结束后记录不再改动，显示解锁码，专家开始评分。", "The record does not change after this. The unlock code is shown and the experts begin to score.")}</p>
      <${Trouble} error=${error} />
      <div class="actions"><button type="button" class="primary" disabled=${busy || !ready} onClick=${close}>${busy ? say("正在结束…", "Closing…") : say("结束陈述", "Close the statement")}</button></div></section>`;
}

/** The code, large enough to be read across a table. The QR code opens this application on an expert's tablet, also without signal. */
export function Code({ view }) {
  const { closed, duty } = view;
  const secret = duty.unlock_secret ?? "";
  const link = `${location.origin}/field#/unlock/${secret}`;
  const draw = useCallback(() => qrElement(link, say(`解锁码 ${secret}`, `Unlock code ${secret}`)), [link, language()]);
  const confirmed = closed.name ? say(`${closed.name}已确认${closed.signed ? "（手写签名）" : ""}`, `Confirmed by ${closed.name}${closed.signed ? ", signed by hand" : ""}`) : closed.unconfirmed ? `${say("未确认：", "Not confirmed: ")}${UNCONFIRMED[closed.unconfirmed]?.() ?? closed.unconfirmed}` : "";
  return html`<${Heading}>${say("陈述已结束，请出示解锁码", "Closed: show the unlock code")}<//>
    <section class="card unlock" aria-labelledby="code-title"><h2 id="code-title">${say("解锁码", "Unlock code")}</h2>
      <${Made} class="qr large" make=${draw} /><p class="code big">${secret.match(/.{1,4}/g)?.map((four) => html`<span key=${four}>${four}</span> `)}</p>
      <p>${say("专家用平板相机扫码，或在评分表页输入这 16 个字符，即可离线评分。", "Experts scan it with the tablet's camera, or type the 16 characters on the page of their sheet, and score without signal.")}</p></section>
    ${closed.waiting ? html`<${Note} kind="waits"><p>${say("结束记录已存本机，今晚联网上传后，专家离线填写的评分表才生效。", "The closing is kept on this tablet. What the experts enter counts once it has been sent: connect tonight.")}</p><//>` : html`<${Note} kind="ok"><p>${say("服务器已收到结束记录。", "The server has the closing.")}</p><//>`}
    <p class="quiet">${[moment(closed.at), confirmed].filter(Boolean).join(" · ")}</p>
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
}
