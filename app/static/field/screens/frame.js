// What every screen is made of: notes, buttons that tell when they failed, dialogs, typed fields that survive an input method.

import { toPlainNumber } from "../../js/numbers.js";
import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import { of, say, tooShort } from "../words.js";

const PAUSE = 500; // ms after the last keystroke

export function Note({ kind = "info", title, role, children }) {
  const sign = { ok: "✓", wrong: "✗", waits: "!", info: "i" }[kind];
  return html`<div class="note ${kind}" role=${role}><span class="sign" aria-hidden="true">${sign}</span><div>${title && html`<p><b>${title}</b></p>`}${children}</div></div>`;
}

export const Status = ({ kind, children }) => html`<span class="status ${kind}"><span aria-hidden="true">${{ ok: "✓", wrong: "✗", waits: "…", info: "·" }[kind]}</span> ${children}</span>`;

/** [run, busy, error]: run(action) keeps what went wrong as words; a second tap while one is under way does nothing. */
export function useAct() {
  const [state, set] = useState({ busy: false, error: null });
  const busy = useRef(false);
  const run = async (action) => {
    if (busy.current) return false;
    busy.current = true;
    set({ busy: true, error: null });
    try {
      await action();
      busy.current = false;
      set({ busy: false, error: null });
      return true;
    } catch (error) {
      busy.current = false;
      set({ busy: false, error: error?.zh ? error : { zh: `本机出错：${error?.message}`, en: `Something failed here: ${error?.message}` } });
      return false;
    }
  };
  return [run, state.busy, state.error];
}

/** Words of an error, with what they may add: attempts left, the end of a wait. */
export function Trouble({ error }) {
  if (!error) return null;
  return html`<div class="error" role="alert">${of(error)}${" "}
    ${error.left !== undefined && say(`还可以试 ${error.left} 次。`, `${error.left} tries left.`)}
    ${error.until && say(`请等到 ${new Date(error.until).toLocaleTimeString("zh-CN", { hour12: false })}。`, `Wait until ${new Date(error.until).toLocaleTimeString("en-GB")}.`)}</div>`;
}

/** A dialog over everything: focus goes in and comes back; Escape closes it. */
export function Dialog({ title, onClose, children }) {
  const box = useRef();
  useEffect(() => {
    const back = document.activeElement;
    box.current.showModal();
    return () => back?.isConnected && back.focus();
  }, []);
  return html`<dialog ref=${box} aria-labelledby="dialog-title" onClose=${onClose} oncancel=${onClose}><h2 id="dialog-title" tabindex="-1">${title}</h2>${children}</dialog>`;
}

const composing = (event) => event.isComposing || event.keyCode === 229;

/** An Enter from an input method or a keyboard does nothing in a one-line field. */
export const noEnter = (event) => {
  if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
};

/** A text field of half-typed words: handed over after a pause, at the end of a composition, on leaving, on hiding the page. */
export function Typed({ value, save, number = false, rows = 0, pause = PAUSE, onArrow, ...rest }) {
  const [draft, setDraft] = useState(null);
  const now = useRef({ timer: 0, composing: false, draft: null, value, save });
  const self = now.current;
  Object.assign(self, { value, save });
  const commit = () => {
    clearTimeout(self.timer);
    if (self.draft === null) return;
    const text = number ? toPlainNumber(self.draft) : self.draft;
    self.draft = null;
    if (text !== self.value) self.save(text);
    setDraft(null);
  };
  const put = (text, wait) => {
    self.draft = text;
    setDraft(text);
    clearTimeout(self.timer);
    if (!self.composing) self.timer = setTimeout(commit, wait);
  };
  useEffect(() => {
    const hide = () => document.hidden && commit();
    document.addEventListener("visibilitychange", hide);
    window.addEventListener("pagehide", commit);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      window.removeEventListener("pagehide", commit);
      commit();
    };
  }, []);
  const props = {
    ...rest,
    value: draft ?? value,
    autocomplete: "off",
    onInput: (event) => put(event.target.value, pause),
    oncompositionstart: () => { self.composing = true; clearTimeout(self.timer); },
    oncompositionend: (event) => { self.composing = false; put(event.target.value, 0); commit(); },
    onBlur: () => { self.composing = false; commit(); },
    onKeyDown: (event) => {
      if (composing(event)) return;
      noEnter(event);
      if (onArrow && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        commit();
        onArrow(event.key === "ArrowUp" ? 1 : -1, toPlainNumber(event.target.value));
      }
    },
  };
  if (number) Object.assign(props, { type: "text", inputmode: "decimal", "data-number": "" });
  return rows ? html`<textarea rows=${rows} maxlength="2000" ...${props}></textarea>` : html`<input ...${props} />`;
}

/** A line of text of a form that is not a sheet: local until its button is pressed. `tidy` puts it in order, never under an input method. */
export function Line({ id, label, hint, value, onValue, type = "text", tidy = (text) => text, ...rest }) {
  return html`<div class="row-field"><label for=${id}>${label}</label>${hint && html`<p class="quiet" id="${id}-hint">${hint}</p>`}
    <input id=${id} type=${type} value=${value} aria-describedby=${hint ? `${id}-hint` : undefined} autocomplete="off" spellcheck=${false} onKeyDown=${noEnter}
      onInput=${({ isComposing, target }) => onValue(isComposing ? target.value : tidy(target.value))} oncompositionend=${({ target }) => onValue(tidy(target.value))} ...${rest} /></div>`;
}

/** `kind`: the operation that it is for, which says how short it may be. */
export function Reason({ id, label, kind, value, onValue }) {
  const short = tooShort(kind, value);
  return html`<div class="row-field"><label for=${id}>${label}</label>${short && html`<p class="quiet" id="${id}-hint">${of(short)}</p>`}
    <textarea id=${id} rows="3" maxlength="2000" aria-describedby=${short ? `${id}-hint` : undefined} value=${value} onInput=${(event) => onValue(event.target.value)}></textarea></div>`;
}

/** A heading that takes the focus when its screen opens, so that a reader starts at its top. */
export function Heading({ children, focus = true }) {
  const at = useRef();
  useEffect(() => {
    if (focus) at.current.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return html`<h1 ref=${at} tabindex="-1">${children}</h1>`;
}

/** An element made elsewhere (a QR code, a canvas). */
export function Made({ make, ...rest }) {
  const at = useRef();
  useEffect(() => at.current.replaceChildren(make()), [make]);
  return html`<div ref=${at} ...${rest}></div>`;
}

/** The address of a blob for as long as the component lives; null until it is there. */
export function useBlob(get, ...on) {
  const [url, set] = useState(null);
  useEffect(() => {
    let made = null;
    let gone = false;
    get().then((blob) => {
      if (gone || !blob) return;
      made = URL.createObjectURL(blob);
      set(made);
    }, () => {});
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, on);
  return url;
}
