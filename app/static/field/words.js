// Words of the field screens: Chinese and English side by side. The language itself is kept by engine/words.js.

import { say } from "./engine/words.js";

export { language, say, setLanguage, tooShort } from "./engine/words.js";

/** A {zh, en} of the instrument or the package, or one string that serves both. */
export const of = (text) => (text === null || text === undefined ? "" : typeof text === "string" ? text : say(text.zh, text.en || text.zh));

/** The county, and the case file of a case sheet (alone when the county is said above it). */
export function titleOf(duty, alone = false) {
  const file = duty.case ? `${duty.case.number} ${of(duty.case.title)}` : "";
  return file && alone ? file : [of(duty.county), file].filter(Boolean).join(" · ");
}

/** hh:mm:ss on this tablet. */
export const clock = (iso) => (iso ? new Date(iso).toLocaleTimeString(say("zh-CN", "en-GB"), { hour12: false }) : "");
export const moment = (iso) => (iso ? new Date(iso).toLocaleString(say("zh-CN", "en-GB"), { hour12: false }) : "");

/** Bytes as people say them. */
export const amount = (bytes) => (bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);
