// One photo of an item or a statement: shown small, and large when it is tapped; whether its place may be noted.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { amount, clock, say } from "../words.js";
import { Dialog, useBlob } from "./frame.js";

export function Photo({ sheetKey, item, photo, off, run, title }) {
  const url = useBlob(() => store.photo(photo.sha256), photo.sha256);
  const [large, show] = useState(false);
  const name = `${title ?? say("照片", "Photo")} ${clock(photo.taken_at)}`;
  return html`<li class="photo">
    <button type="button" class="thumb" aria-label=${say(`放大：${name}`, `Enlarge: ${name}`)} onClick=${() => show(true)}>${url ? html`<img src=${url} alt="" />` : html`<span aria-hidden="true">▦</span>`}</button>
    <div>${title && html`${title} · `}<code>${photo.sha256.slice(0, 8)}</code> · ${amount(photo.size)}<br />
      <small>${photo.arrived ? say("✓ 已上传", "✓ arrived") : say("… 待上传", "… waiting")}${photo.place && say(` · 位置 ±${Math.round(photo.place.accuracy)} 米`, ` · place ±${Math.round(photo.place.accuracy)} m`)}</small></div>
    ${!off && html`<button type="button" class="plain" aria-label=${say(`移除${name}`, `Remove ${name}`)} onClick=${() => run(() => store.detach(sheetKey, item.id, photo.sha256))}>✕</button>`}
    ${large && html`<${Dialog} title=${name} onClose=${() => show(false)}>${url && html`<img class="large" src=${url} alt=${name} />`}<p><code class="whole">${photo.sha256}</code></p>
      <div class="actions"><button type="button" onClick=${() => show(false)}>${say("关闭", "Close")}</button></div><//>`}
  </li>`;
}

/** Asked once between two lockings, when the first photo is kept. */
export function PlaceConsent({ onAnswer }) {
  return html`<${Dialog} title=${say("记录拍摄位置吗？", "Note where it was taken?")} onClose=${() => onAnswer(false)}>
      <p>${say("照片已存下。位置只随照片保存，供复核现场用；不同意也不影响评分。锁定前不再询问。", "The photo is kept. The place is kept with the photo alone, to check the visit later. Saying no changes nothing else. You will not be asked again until the tablet is locked.")}</p>
      <div class="actions"><button type="button" onClick=${() => onAnswer(false)}>${say("不记录", "No place")}</button><button type="button" class="primary" onClick=${() => onAnswer(true)}>${say("记录位置", "Note the place")}</button></div><//>`;
}
