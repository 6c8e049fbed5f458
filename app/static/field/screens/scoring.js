// What app.js fetches after its first screen: the duties, and everything of one sheet by its status.

import { store } from "../engine/store.js";
import { html, useEffect } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { forgetSteps } from "./edits.js";
import { Note } from "./frame.js";
import { Branch } from "./gates.js";
import { Refusals, Review, Sealed } from "./review.js";
import { Sheet } from "./sheet.js";
import { standing } from "./standing.js";
import { forgetWords } from "./statement_log.js";

export { Duties, Receipts } from "./duties.js";
export { watchEdits } from "./edits.js";
export { CodeFromLink } from "./gates.js";
export { Recorder } from "./recorder.js";

/** On locking: nothing half done stays for the next person on this tablet. */
export function forget() {
  forgetSteps();
  forgetWords();
}

export function OpenSheet({ sheetKey, part, state }) {
  useEffect(() => {
    store.openSheet(sheetKey);
    return () => store.closeSheet();
  }, [sheetKey]);
  const stand = standing(sheetKey);
  if (!stand) return html`<div class="page"><${Note} kind="waits"><p>${say("这台平板上没有这张评分表。", "This sheet is not on this tablet.")}</p><//><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a></div>`;
  const at = (place) => `#/sheet/${encodeURIComponent(sheetKey)}/${place}`;
  const { sheet } = stand;
  const props = { sheetKey, stand, at, user: state.user };
  if (sheet.status === "branch") return html`<${Branch} ...${props} online=${state.online} />`;
  if (["sealed", "sealing"].includes(sheet.status)) return html`<${Sealed} ...${props} />`;
  const refused = sheet.refused.length > 0 && html`<div class="page wide"><${Refusals} sheet=${sheet} /></div>`;
  if (part === "review") return html`${refused}<${Review} ...${props} />`;
  return html`${refused}<${Sheet} ...${props} here=${Math.min(Number(part) || 0, stand.groups.length - 1)} />`;
}
