// A statement as its recorder's tablet has it: what the package said, with the tablet's own log on top (docs/sync-protocol.md, section 6).

import { whole } from "../engine/canonical.js";
import { store } from "../engine/store.js";
import { of } from "../words.js";

const SIGNS = { run: "▶", pause: "⏸", over: "■" }; // marks that move the agenda begin with one of these
const STEP = /^([▶⏸])(\d+) /;
const moving = new Map(); // "key part" -> {text, error}: handed to the store, not on the disk yet
const place = (key, part) => `${key} ${part}`;

export const statementKey = (sitting) => `statement/${sitting}`;
export const statementLink = (duty, part = "") => `#/statement/${duty.sitting}${part && `/${part}`}`;

/** The agenda after one mark: which step, since when it runs, what it had used before. */
function agendaAfter(agenda, { words }, at) {
  const used = agenda.used + (agenda.since === null ? 0 : Math.max(0, at - agenda.since));
  if (words.startsWith(SIGNS.over)) return { ...agenda, used, since: null, over: true };
  const [, sign, number] = STEP.exec(words) ?? [];
  if (!sign) return agenda;
  const position = Number(number) - 1;
  const same = position === agenda.position && !agenda.over;
  return { position, used: same ? used : 0, since: sign === SIGNS.run ? at : null, over: false };
}

/** {duty, seats, opened, outline, questions, base, marks, photos, closed, agenda, refused, waiting}; `base`: the version of the
    record whose words this tablet has seen, or written itself. */
export function statementView(duty) {
  const entries = store.log(duty.key);
  const included = store.pack()?.included?.[duty.key] ?? 0;
  const packed = duty.statement;
  const came = new Map();
  const view = {
    duty,
    opened: packed && { name: packed.name, post: packed.post, proxy: packed.proxy, identity: packed.identity, at: packed.opened_at },
    outline: packed?.outline ?? "",
    questions: packed?.questions ?? "",
    base: packed?.rev ?? 0,
    marks: [],
    photos: [],
    closed: packed?.closed_at ? { at: packed.closed_at, waiting: false } : null,
    agenda: { position: -1, used: 0, since: null, over: false },
    refused: entries.filter(({ receipt, acknowledged }) => receipt?.status === "refused" && !acknowledged),
    waiting: entries.filter(({ waiting }) => waiting).length,
  };
  for (const { op, waiting, receipt } of entries) {
    if (receipt?.status === "refused") continue;
    const at = Date.parse(op.at);
    if (["open", "write"].includes(op.kind) && receipt) view.base = Math.max(view.base, receipt.rev);
    if (op.kind === "attend") came.set(op.seat, op.at);
    else if (op.kind === "open") view.opened = { name: op.name, post: op.post, proxy: op.proxy ?? "", identity: op.identity, at: op.at };
    else if (op.kind === "write" && (op.seq > included || !packed)) view[op.part] = op.text;
    else if (op.kind === "attach") view.photos.push({ ...op, arrived: store.arrived(op.sha256) });
    else if (op.kind === "close") view.closed = { at: op.at, name: op.confirmed_name, signed: Boolean(op.signature?.length), unconfirmed: op.unconfirmed, waiting };
    else if (op.kind === "mark") {
      view.agenda = agendaAfter(view.agenda, op, at);
      view.marks.push({ id: op.id, at: op.at, words: op.words });
    }
  }
  for (const part of ["outline", "questions"]) view[part] = moving.get(place(duty.key, part))?.text ?? view[part];
  view.failed = ["outline", "questions"].map((part) => [part, moving.get(place(duty.key, part))]).filter(([, step]) => step?.error);
  view.seats = duty.seats.map((seat) => ({ ...seat, present: seat.present || came.has(seat.id), at: came.get(seat.id) ?? null }));
  return view;
}

/** Write one part of the record: shown at once, and kept on the page when the tablet could not store it. `tell` redraws. */
export function write(view, part, text, tell) {
  const { key } = view.duty;
  const step = { text: whole(text), error: null };
  moving.set(place(key, part), step);
  const { base } = statementView(view.duty); // of now: a receipt may have come since the page was drawn
  tell();
  return store.record(key, "write", { part, text: step.text, base }).then(
    () => {
      if (moving.get(place(key, part)) === step) moving.delete(place(key, part));
      tell();
    },
    (error) => {
      step.error = error;
      tell();
    },
  );
}

/** On locking: the next person on this tablet must not meet what this one typed. */
export const forgetWords = () => moving.clear();

export function mark(view, words) {
  const since = view.opened ? Math.max(0, Date.now() - Date.parse(view.opened.at)) : 0;
  return store.record(view.duty.key, "mark", { at_ms: Math.round(since), words: whole(words).slice(0, 200) });
}

/** A mark in words: a recorder's own never begins with a sign of the agenda's. */
export const note = (view, words) => mark(view, words.trim().replace(/^[▶⏸■]+/, "·"));

/** Move the agenda: "run" or "pause" at a step, or "over". */
export const moveAgenda = (view, what, position) => mark(view, what === "over" ? SIGNS.over : `${SIGNS[what]}${position + 1} ${of(view.duty.steps[position])}`);

/** The clock of the present step: {elapsed, limit, running, up, beyond} in milliseconds. A hard limit stands still when it is reached. */
export function clockOf({ agenda, duty }, now = Date.now()) {
  const step = duty.steps[agenda.position];
  if (!step) return { elapsed: 0, limit: 0, running: false, up: false, beyond: false };
  const limit = step.minutes * 60_000;
  const passed = agenda.used + (agenda.since === null ? 0 : Math.max(0, now - agenda.since));
  const up = step.hard && passed >= limit;
  return { elapsed: up ? limit : passed, limit, running: agenda.since !== null && !up, up, beyond: !step.hard && passed >= limit };
}

/** Where a statement stands, for the list of duties: [kind, words key]. */
export function standingOf(view) {
  if (view.closed) return view.closed.waiting ? "closing" : "closed";
  if (view.opened) return "open";
  return view.seats.some(({ present }) => present) ? "gathering" : "planned";
}
