// Photos of an item: taken or chosen, with the place if the person agrees to it.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Trouble, useAct } from "./frame.js";
import { Later } from "./later.js";

const later = { file: "photo", load: () => import("./photo.js") };
let agreed = null; // null: not asked yet on this visit; true or false: what the person said about places

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
    ${list.length > 0 && html`<ul class="plain">${list.map((photo) => html`<${Later} ...${later} name="Photo" key=${photo.sha256} sheetKey=${sheetKey} item=${item} photo=${photo} off=${off} run=${run} />`)}</ul>`}
    ${!off && html`<label class="button file ${busy ? "busy" : ""}">${busy ? say("正在保存照片…", "Keeping the photo…") : say("拍照取证", "Add a photo")}
      <input type="file" accept="image/jpeg,image/png,image/webp" capture="environment" disabled=${busy} aria-label=${say(`给 ${item.id} 拍照`, `Photo for ${item.id}`)} onChange=${took} /></label>`}
    <${Trouble} error=${error} />
    ${asking && html`<${Later} ...${later} name="PlaceConsent" onAnswer=${answer} onClose=${() => ask(null)} />`}
  </div>`;
}
