// Saves a form while it is being filled in: <form data-autosave-url data-autosave-key data-autosave-status="id of the state line">.
//
// To the server: POST {"version": v, "fields": {name: value, ...}} with the CSRF token in X-CSRFToken. Values are strings,
// or lists of strings for several checkboxes of one name. Its answers:
//   200 {"version", "saved_at": "hh:mm:ss"}             taken; only now does the page say "saved"
//   409 {"version", "fields": {name: value now there}}  changed meanwhile; nothing is overwritten, the person chooses
//   422 {"message", "errors": {name: text}}             refused; said beside the field, the others are sent without it
//   403, 409, 422 {"error": {"text"}}                   refused as a whole, in these words
// A redirect to sign-in, 400, 401 or any other 403 mean the session is over; no answer and faults are tried again.
// Until acknowledged, values stay in localStorage under the key and come back after a reload or a new sign-in, compared
// with what the server shows by then: a field that somebody else has changed is a conflict, not an overwrite.
// The form fires "autosave" events with {state, answer}; other modules may refresh totals from the answer.

import { csrf, element, keeper, say } from "./page.js";
import { toPlainNumber } from "./numbers.js";

const kept = keeper(() => localStorage);
const PAUSE = 600; // ms after the last keystroke
const FIRST_RETRY = 2000;
const LAST_RETRY = 60000;
const KEEPALIVE_LIMIT = 20000; // characters; browsers allow 64 KiB of body to outlive a page
const FIELDS = "input:not([type=hidden], [type=password], [type=file], [type=submit], [type=button]), select, textarea";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

class Autosave {
  constructor(form) {
    this.form = form;
    this.key = `mingjian.unsaved:${form.dataset.autosaveKey}`;
    this.line = document.getElementById(form.dataset.autosaveStatus);
    if (!this.line) {
      this.line = element("p", { class: "save-state", role: "status" });
      form.prepend(this.line);
    }
    this.versionInput = form.querySelector("input[type=hidden][name=version]");
    if (this.versionInput) this.versionInput.value = this.versionInput.defaultValue;
    this.composing = false;
    this.busy = null; // the request under way
    this.moved = false; // something changed since that request began
    this.timer = 0;
    this.retry = FIRST_RETRY;
    this.stopped = false; // a conflict waits for the person
    this.theirs = this.read(true); // what the server holds, as far as we know
    this.unsaved = {}; // name -> {value, was, refused}: changed here and not acknowledged
    this.elsewhere = {}; // kept under our key, but for fields this page does not show
    this.line.hidden = false;
    this.say("idle");
    this.listen();
    this.restore();
  }

  get version() {
    const text = this.versionInput?.value ?? this.form.dataset.autosaveVersion ?? "";
    return /^\d+$/.test(text) ? Number(text) : text;
  }

  set version(value) {
    if (this.versionInput) this.versionInput.value = value;
    else this.form.dataset.autosaveVersion = value;
  }

  get pending() {
    return Object.keys(this.unsaved).length > 0;
  }

  // ---- the form's values

  inputs(name) {
    return [...this.form.querySelectorAll(FIELDS)].filter((field) => field.name && (!name || field.name === name));
  }

  /** All values by name, or (asWritten) those the server wrote, whatever the browser has put back since.
      One checkbox is its value or ""; several of one name are a list. */
  read(asWritten = false) {
    const on = (field) => (asWritten ? field.defaultChecked : field.checked);
    const values = {};
    for (const field of this.inputs()) {
      const { name, type } = field;
      if (type === "radio") values[name] = on(field) ? field.value : (values[name] ?? "");
      else if (type === "checkbox") {
        if (this.inputs(name).length === 1) values[name] = on(field) ? field.value : "";
        else (values[name] ??= []).push(...(on(field) ? [field.value] : []));
      } else if (field.options) {
        const options = [...field.options].filter((option) => (asWritten ? option.defaultSelected : option.selected));
        const chosen = options.map((option) => option.value);
        values[name] = field.multiple ? chosen : (chosen.at(-1) ?? field.options[0]?.value ?? "");
      } else {
        const text = asWritten ? field.defaultValue : field.value;
        values[name] = "number" in field.dataset ? toPlainNumber(text) : text;
      }
    }
    return values;
  }

  /** Put values into the form, then let other modules (steppers) see them. */
  write(values) {
    for (const [name, value] of Object.entries(values)) {
      for (const field of this.inputs(name)) {
        if (field.type === "radio" || field.type === "checkbox") field.checked = [value].flat().includes(field.value);
        else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
        else field.value = value;
      }
    }
    for (const name of Object.keys(values)) this.inputs(name)[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  listen() {
    const { form } = this;
    form.addEventListener("compositionstart", () => (this.composing = true));
    form.addEventListener("compositionend", () => {
      this.composing = false;
      this.changed(0);
    });
    form.addEventListener("input", (event) => this.composing || event.isComposing || this.changed(PAUSE));
    form.addEventListener("change", () => this.composing || this.changed(0));
    form.addEventListener("submit", (event) => this.beforeSubmit(event), true);
    document.addEventListener("visibilitychange", () => this.save());
    window.addEventListener("pagehide", () => this.save());
    window.addEventListener("online", () => this.save());
    window.addEventListener("beforeunload", (event) => {
      if (this.pending && this.state === "lost") event.preventDefault();
    });
  }

  // ---- keeping on the device

  /** Note what differs from the server, keep it on the device, and save after a pause. */
  changed(pause) {
    for (const [name, value] of Object.entries(this.read())) {
      if (same(value, this.theirs[name]) && !this.busy) {
        if (this.unsaved[name]?.refused) this.mark(name, null);
        delete this.unsaved[name];
      } else if (!same(value, this.unsaved[name]?.value ?? this.theirs[name])) {
        this.unsaved[name] = { value, was: this.unsaved[name]?.was ?? this.theirs[name] };
      }
    }
    this.moved = true;
    this.keep();
    if (this.stopped) return;
    clearTimeout(this.timer);
    if (this.pending) this.timer = setTimeout(() => this.save(), pause);
    else if (!this.busy && this.state !== "saved") this.say("idle");
  }

  keep() {
    const fields = { ...this.elsewhere, ...this.unsaved };
    return kept.write(this.key, Object.keys(fields).length ? { fields } : null);
  }

  /** After a reload: bring back what was never acknowledged, field by field, unless the server's value moved meanwhile. */
  restore() {
    const clashes = {};
    const mine = {};
    for (const [name, { value, was }] of Object.entries(kept.read(this.key)?.fields ?? {})) {
      if (!(name in this.theirs)) this.elsewhere[name] = { value, was };
      else if (!same(this.theirs[name], value)) {
        mine[name] = value;
        this.unsaved[name] = { value, was };
        if (!same(this.theirs[name], was)) clashes[name] = this.theirs[name];
      }
    }
    this.stopped = Object.keys(clashes).length > 0;
    this.write(mine);
    if (this.stopped) this.conflict(clashes);
    else this.changed(0);
  }

  // ---- saving

  async save() {
    clearTimeout(this.timer);
    if (this.busy) return this.busy;
    const due = Object.entries(this.unsaved).filter(([, entry]) => !entry.refused);
    if (!due.length || this.composing || this.stopped) return undefined;
    this.moved = false;
    this.busy = this.send(Object.fromEntries(due.map(([name, { value }]) => [name, value])));
    await this.busy;
    this.busy = null;
    if (this.moved || this.state === "refused") return this.save();
    return undefined;
  }

  async send(sent) {
    const body = JSON.stringify({ version: this.version, fields: sent });
    this.say("saving");
    let response;
    let answer = null;
    try {
      response = await fetch(this.form.dataset.autosaveUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf() },
        body,
        credentials: "same-origin",
        redirect: "manual",
        keepalive: document.hidden && body.length < KEEPALIVE_LIMIT,
      });
      if (response.headers.get("Content-Type")?.includes("json")) answer = await response.json();
    } catch {
      this.later("offline");
      return;
    }
    if (response.ok && answer?.saved_at) this.taken(sent, answer);
    else if (response.status === 409 && answer?.fields) {
      this.version = answer.version;
      this.conflict(answer.fields, answer);
    } else if (answer && ([409, 422].includes(response.status) || (response.status === 403 && answer.error))) this.refused(sent, answer);
    else if (response.type === "opaqueredirect" || [400, 401, 403].includes(response.status)) this.later("session");
    else this.later("server");
  }

  taken(sent, answer) {
    this.version = answer.version;
    this.retry = FIRST_RETRY;
    for (const [name, value] of Object.entries(sent)) {
      this.theirs[name] = value;
      if (same(this.unsaved[name]?.value, value)) delete this.unsaved[name];
      else if (this.unsaved[name]) this.unsaved[name].was = value;
      this.mark(name, null);
    }
    this.keep();
    if (Object.values(this.unsaved).some((entry) => entry.refused)) this.say("refused");
    else this.say("saved", answer);
  }

  /** Not saved, through no fault of the values: they stay here, and are tried again unless the person must sign in first. */
  later(why) {
    this.moved = false;
    this.say(this.keep() ? "kept" : "lost", null, why);
    if (why === "session") return;
    this.timer = setTimeout(() => this.save(), this.retry * (0.75 + Math.random() / 2));
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
  }

  /** Refused values wait until they are changed; without named fields, all that was sent waits. */
  refused(sent, answer) {
    const named = Object.keys(answer.errors ?? {}).filter((name) => name in sent);
    for (const name of named.length ? named : Object.keys(sent)) {
      if (same(this.unsaved[name]?.value, sent[name])) this.unsaved[name].refused = true;
      this.mark(name, answer.errors?.[name]);
    }
    this.keep();
    this.say("refused", { ...answer, message: answer.message ?? answer.error?.text });
  }

  /** Show or clear the server's words beside a field. */
  mark(name, text) {
    const [field] = this.inputs(name);
    if (!field) return;
    const id = `${field.id || name}-refused`;
    document.getElementById(id)?.remove();
    if (!text) {
      if (field.getAttribute("aria-errormessage") !== id) return;
      field.removeAttribute("aria-errormessage");
      field.removeAttribute("aria-invalid");
      return;
    }
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", id);
    (field.closest(".field-row") ?? field.parentElement).append(element("p", { class: "error", id, role: "alert" }, text));
  }

  // ---- two people, one field

  /** Two values for one field: both are shown, nothing is merged, the person picks. */
  conflict(fields, answer = null) {
    this.stopped = true;
    this.panel?.remove();
    Object.assign(this.theirs, fields);
    const untouched = {};
    for (const [name, value] of Object.entries(fields)) {
      if (same(value, this.unsaved[name]?.value)) delete this.unsaved[name];
      else if (!(name in this.unsaved)) untouched[name] = value;
    }
    this.write(untouched);
    const rows = Object.entries(fields).filter(([name]) => name in this.unsaved);
    if (!rows.length) {
      this.resume();
      return;
    }
    const list = element("ul");
    for (const [name, value] of rows) {
      const here = [this.unsaved[name].value].flat().join(", ");
      const there = [value].flat().join(", ");
      const label = this.inputs(name)[0]?.labels?.[0]?.textContent.trim() ?? name;
      list.append(element("li", {}, say(`${label}：这里是“${here}”，服务器上是“${there}”`, `${label}: here “${here}”, on the server “${there}”`)));
    }
    const mine = element("button", { type: "button" }, say("用这里的", "Use what is here"));
    const theirs = element("button", { type: "button" }, say("用服务器上的", "Use the server's"));
    const title = say("同一内容在别处被改过，还没有覆盖。请选择：", "This was changed elsewhere meanwhile; nothing was overwritten. Please choose:");
    const choice = element("div", {}, element("p", {}, element("b", {}, title)), list, element("div", { class: "actions" }, mine, theirs));
    this.panel = element("div", { class: "note wrong", role: "alert" }, choice);
    mine.addEventListener("click", () => this.resume());
    theirs.addEventListener("click", () => {
      for (const [name] of rows) delete this.unsaved[name];
      this.write(Object.fromEntries(rows));
      this.resume();
    });
    this.form.prepend(this.panel);
    this.keep();
    this.say("conflict", answer);
  }

  resume() {
    this.panel?.remove();
    this.stopped = false;
    for (const [name, entry] of Object.entries(this.unsaved)) entry.was = this.theirs[name];
    this.changed(0);
  }

  /** A real submit (seal, next) waits until the server has acknowledged every field. */
  async beforeSubmit(event) {
    this.changed(0);
    if (!this.pending && !this.busy && !this.stopped) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    await this.busy;
    await this.save();
    if (!this.pending && !this.stopped) this.form.requestSubmit(submitter);
  }

  say(state, answer = null, why = "server") {
    const reasons = {
      offline: say("连不上服务器，会自动重试", "no connection, will try again"),
      session: say("登录已失效，重新登录后自动恢复", "signed out; it comes back when you sign in"),
      server: say("服务器没有接受，会自动重试", "the server did not take it, will try again"),
    };
    const words = {
      idle: say("没有未保存的改动", "No unsaved changes"),
      saving: say("正在保存…", "Saving…"),
      saved: say(`已保存 ${answer?.saved_at}`, `Saved ${answer?.saved_at}`),
      kept: say(`未保存，已留在本机（${reasons[why]}）`, `Not saved – kept on this device (${reasons[why]})`),
      refused: say(`未保存，已留在本机：${answer?.message ?? "请改正标出的内容"}`, `Not saved – kept on this device: ${answer?.message ?? "please correct what is marked"}`),
      conflict: say("有冲突，请选择", "Conflict – please choose"),
      lost: say("未保存，本机也无法暂存，请勿关闭本页", "Not saved and this device cannot keep it: do not close this page"),
    };
    this.state = state;
    // Pressing the link leaves the field, which tries a save once more: the link must not be replaced
    // under the finger, or the press leads nowhere.
    const signedOut = state === "kept" && why === "session";
    if (!(this.signedOut && (signedOut || state === "saving"))) {
      this.signedOut = signedOut;
      this.line.dataset.state = state;
      this.line.textContent = words[state];
      if (signedOut) {
        this.line.append(" ", element("a", { href: location.href }, say("重新登录", "Sign in again")));
      }
    }
    this.form.dispatchEvent(new CustomEvent("autosave", { bubbles: true, detail: { state, answer } }));
  }
}

for (const form of document.querySelectorAll("form[data-autosave-url]")) new Autosave(form);
