// What every form on the site gets: plain figures, no Enter from an input method taken for a submit, a question before
// a destructive button (data-confirm), one submission per click, and typed text that outlives an expired session (data-keep).

import { element, keeper, say, viewer } from "./page.js";
import { watchNumbers } from "./numbers.js";

const kept = keeper(() => sessionStorage);
const PREFIX = "mingjian.form:";
const RETRY_AFTER = 8000; // a lost connection must not leave a dead button; the server refuses true duplicates

// ---- Enter that commits a Chinese candidate (keyCode 229) never submits; data-no-enter forms never submit by Enter
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.("input")) return;
  if (event.target.matches("[type=submit], [type=button], [type=file]")) return;
  if (event.isComposing || event.keyCode === 229 || event.target.closest("form[data-no-enter]")) event.preventDefault();
}, true);

// ---- ask before a destructive step; the dialog says what will happen and what is kept
const confirmed = new WeakSet();

function ask(button) {
  const agree = element("button", { type: "button", class: "danger" }, button.textContent.trim());
  const cancel = element("button", { type: "button", autofocus: true }, say("取消", "Cancel"));
  const heading = element("h2", { id: "confirm-title" }, say("请确认", "Please confirm"));
  const dialog = element("dialog", { "aria-labelledby": "confirm-title" }, heading, element("p", {}, button.dataset.confirm));
  if (button.dataset.kept) dialog.append(element("p", { class: "quiet" }, say("保留：", "Kept: "), button.dataset.kept));
  dialog.append(element("div", { class: "actions" }, cancel, agree));
  cancel.addEventListener("click", () => dialog.close());
  agree.addEventListener("click", () => {
    dialog.close();
    confirmed.add(button);
    button.form.requestSubmit(button);
    confirmed.delete(button);
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    button.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

// ---- one submission per click
const sent = new WeakMap();

function release(form) {
  clearTimeout(sent.get(form));
  sent.delete(form);
  form.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented) return;
  if (submitter?.dataset.confirm && !confirmed.has(submitter)) {
    event.preventDefault();
    ask(submitter);
    return;
  }
  if (form.getAttribute("method")?.toLowerCase() !== "post" || "repeat" in form.dataset) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  sent.set(form, setTimeout(() => release(form), RETRY_AFTER));
  if ("forgets" in form.dataset) for (const key of kept.keys(PREFIX)) kept.write(key, null);
  if (form.dataset.keep) remember(form, true);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) release(form);
});

// ---- typed text is kept until the server has taken it (post, redirect, get by the same person)
const KEPT_FIELDS = "textarea, select, input:not([type=hidden], [type=password], [type=file], [type=submit], [type=button])";

const place = (form) => PREFIX + form.dataset.keep;

function values(form) {
  const out = {};
  for (const field of form.querySelectorAll(KEPT_FIELDS)) {
    if (!field.name) continue;
    if (field.type === "checkbox" || field.type === "radio") (out[field.name] ??= []).push(...(field.checked ? [field.value] : []));
    else (out[field.name] ??= []).push(field.value);
  }
  return out;
}

function remember(form, submitted) {
  kept.write(place(form), { owner: viewer(), page: location.pathname + location.search, submitted, values: values(form) });
}

function refill(form, stored) {
  const taken = {};
  for (const field of form.querySelectorAll(KEPT_FIELDS)) {
    const list = stored[field.name];
    if (!list) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = list.includes(field.value);
    else {
      const before = field.value;
      field.value = list[(taken[field.name] = (taken[field.name] ?? -1) + 1)] ?? before;
      const fold = field.value !== before && field.closest("details");
      if (fold) fold.open = true; // what is back must be seen to be checked
    }
  }
}

function tell(form) {
  const discard = element("button", { type: "button" }, say("不要，恢复原样", "Discard and start again"));
  const text = say("您上次填写、尚未提交成功的内容已恢复，请核对后再提交。", "What you typed before and could not submit is back. Please check it, then submit.");
  const box = element("div", { class: "note waits", role: "status" }, element("div", {}, element("p", {}, text), discard));
  discard.addEventListener("click", () => {
    kept.write(place(form), null);
    form.reset();
    box.remove();
  });
  form.prepend(box);
}

function settle() {
  const signedIn = viewer() !== "";
  const errorPage = document.documentElement.dataset.outcome === "error";
  const redirected = (performance.getEntriesByType("navigation")[0]?.redirectCount ?? 0) > 0;
  for (const key of kept.keys(PREFIX)) {
    const record = kept.read(key);
    if (!record) continue;
    if (record.submitted && signedIn && redirected && !errorPage) kept.write(key, null);
    else if (record.submitted) kept.write(key, { ...record, submitted: false });
  }
  const page = kept.keys(PREFIX).map((key) => kept.read(key)?.page).find(Boolean);
  for (const link of document.querySelectorAll("a[data-sign-in]")) {
    if (page) link.search = new URLSearchParams({ next: page }); // back to the form that waits, not to the first page
  }
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const record = kept.read(place(form));
    const refused = form.querySelector("[aria-invalid=true]") || document.querySelector(".problems");
    if (record && record.owner === viewer() && !refused) {
      const before = JSON.stringify(values(form));
      refill(form, record.values);
      if (JSON.stringify(values(form)) === before) kept.write(place(form), null);
      else tell(form);
    } else if (record && record.owner !== viewer()) kept.write(place(form), null);
    form.addEventListener("input", (event) => event.isComposing || remember(form, false));
    form.addEventListener("compositionend", () => remember(form, false));
    form.addEventListener("change", () => remember(form, false));
    form.addEventListener("reset", () => kept.write(place(form), null));
  }
}

// ---- "3 minutes ago" on hover, beside the local time that stays in the text
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

document.addEventListener("mouseover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (!time) return;
  const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? UNITS[3];
  if (Number.isFinite(seconds)) time.title = new Intl.RelativeTimeFormat(say("zh-CN", "en")).format(Math.round(seconds / size), unit);
});

watchNumbers();
settle();
document.querySelector(".problems")?.focus();
