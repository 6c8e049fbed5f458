// Photos of an item: taken or chosen, shown small, with the place if the person agrees to it.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { amount, clock, say } from "../words.js";
import { Dialog, Trouble, useAct, useBlob } from "./frame.js";

let agreed = null; // null: not asked yet on this visit; true or false: what the person said about places

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

export function Photos({ sheetKey, item, list, off }) {
  const [run, busy, error] = useAct();
  const [asking, ask] = useState(null); // a file that waits for the answer about its place
  const add = (file, withPlace) => run(async () => {
    const place = withPlace ? await store.place().catch(() => null) : null;
    await store.attach(sheetKey, item.id, file, place, file.name);
  });
  const took = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    if (agreed === null) ask(file);
    else add(file, agreed);
  };
  const answer = (yes) => {
    agreed = yes;
    ask(null);
    add(asking, yes);
  };
  return html`<div class="photos">
    ${list.length > 0 && html`<ul class="plain">${list.map((photo) => html`<${Photo} key=${photo.sha256} sheetKey=${sheetKey} item=${item} photo=${photo} off=${off} run=${run} />`)}</ul>`}
    ${!off && html`<label class="button file ${busy ? "busy" : ""}">${busy ? say("正在保存照片…", "Keeping the photo…") : say("拍照取证", "Add a photo")}
      <input type="file" accept="image/jpeg,image/png,image/webp" capture="environment" disabled=${busy} aria-label=${say(`给 ${item.id} 拍照`, `Photo for ${item.id}`)} onChange=${took} /></label>`}
    <${Trouble} error=${error} />
    ${asking && html`<${Dialog} title=${say("记录拍摄位置吗？", "Note where it was taken?")} onClose=${() => ask(null)}>
      <p>${say("位置只随照片保存，供复核现场用；不同意也不影响评分。本次使用期间不再询问。", "The place is kept with the photo alone, to check the visit later. Saying no changes nothing else. You will not be asked again this time.")}</p>
      <div class="actions"><button type="button" onClick=${() => answer(false)}>${say("不记录", "No place")}</button><button type="button" class="primary" onClick=${() => answer(true)}>${say("记录位置", "Note the place")}</button></div><//>`}
  </div>`;
}
