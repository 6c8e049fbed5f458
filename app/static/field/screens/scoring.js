// What app.js fetches after its first screen: the duties, and everything of one sheet by its status. What comes after scoring (the
// review and the seal), what a recorder does, and what few meet (two tablets for one sheet) comes when it is opened, all of it at once.

import { store } from "../engine/store.js";
import { html, useEffect } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { forgetSteps } from "./edits.js";
import { Heading, Note } from "./frame.js";
import { Later, opened } from "./later.js";
import { forgetPlaces } from "./photos.js";
import { Sheet } from "./sheet.js";
import { standing } from "./standing.js";

export { Duties } from "./duties.js";
export { watchEdits } from "./edits.js";

const review = (name, props) => html`<${Later} key=${name} file="review" load=${() => import("./review.js")} name=${name} whole ...${props} />`;

export const Recorder = (props) => html`<${Later} file="recorder" load=${() => import("./recorder.js")} name="Recorder" whole ...${props} />`;
export const Receipts = (props) => html`<${Later} file="receipts" load=${() => import("./receipts.js")} name="Receipts" whole ...${props} />`;
export const CodeFromLink = (props) => html`<${Later} file="code_link" load=${() => import("./code_link.js")} name="CodeFromLink" whole ...${props} />`;
const Branch = (props) => html`<${Later} file="branch" load=${() => import("./branch.js")} name="Branch" whole ...${props} />`;

/** On locking: nothing half done stays for the next person on this tablet. */
export function forget() {
  forgetSteps();
  forgetPlaces();
  opened("recorder")?.forgetWords();
}

export function OpenSheet({ sheetKey, part, state }) {
  useEffect(() => {
    store.openSheet(sheetKey);
    return () => store.closeSheet();
  }, [sheetKey]);
  const stand = standing(sheetKey);
  if (!stand) return html`<div class="page"><${Heading}>${say("没有这张评分表", "No such sheet")}<//><${Note} kind="waits"><p>${say("这台平板上没有这张评分表。", "This sheet is not on this tablet.")}</p><//><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
  const at = (place) => `#/sheet/${encodeURIComponent(sheetKey)}/${place}`;
  const { sheet } = stand;
  const props = { sheetKey, stand, at, user: state.user };
  if (sheet.status === "branch") return html`<${Branch} ...${props} online=${state.online} />`;
  if (["sealed", "sealing"].includes(sheet.status)) return review("Sealed", props);
  const refused = sheet.refused.length > 0 && html`<div class="page wide">${review("Refusals", { sheet, whole: false })}</div>`;
  if (part === "review") return html`${refused}${review("Review", props)}`;
  return html`${refused}<${Sheet} ...${props} here=${Math.min(Number(part) || 0, stand.groups.length - 1)} />`;
}
