// Photos of an item: taken or chosen, with the place if the person agrees to it.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Trouble, useAct } from "./frame.js";
import { Later } from "./later.js";

const later = { file: "photo", load: () => import("./photo.js") };
let agreed = null; // null: not asked yet since unlocking; true or false: what the person said about places

/** On locking: the next person is asked again. */
export const forgetPlaces = () => {
  agreed = null;
};

export function Photos({ sheetKey, item, list, off }) {
  const [run, busy, error] = useAct();
  const [asking, ask] = useState(null); // the first photo's hash: it is kept without its place until that may be noted
  // The photo is on the disk first, and the next one can be taken: a position may take long, or not come at all.
  const place = (sha256) => store.place().then((found) => store.locate(sheetKey, sha256, found)).catch(() => {});
  const add = (file) => run(async () => {
    const { sha256 } = await store.attach(sheetKey, item.id, file, null, file.name);
    if (agreed) place(sha256);
    else if (agreed === null) ask(sha256);
  });
  const took = (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) add(file);
  };
  const answer = (yes) => {
    agreed = yes;
    ask(null);
    if (yes) place(asking);
  };
  return html`<div class="photos">
    ${list.length > 0 && html`<ul class="plain">${list.map((photo) => html`<${Later} ...${later} name="Photo" instead=${html`<li>${say("照片已存本机", "Photo kept on this tablet")}</li>`} key=${photo.sha256} sheetKey=${sheetKey} item=${item} photo=${photo} off=${off} run=${run} />`)}</ul>`}
    ${!off && html`<label class="button file ${busy ? "busy" : ""}">${busy ? say("正在保存照片…", "Keeping the photo…") : say("拍照取证", "Add a photo")}
      <input type="file" accept="image/jpeg,image/png,image/webp" capture="environment" disabled=${busy} aria-label=${say(`给 ${item.id} 拍照`, `Photo for ${item.id}`)} onChange=${took} /></label>`}
    <${Trouble} error=${error} />
    ${asking && html`<${Later} ...${later} name="PlaceConsent" instead="" onAnswer=${answer} />`}
  </div>`;
}
