// Changes on their way to the disk: shown at once, told as saved only by the store, and taken back by "undo".

import { store } from "../engine/store.js";
import { fieldsOf, merged } from "../entries.js";

const moving = new Map(); // key -> Map(path -> {value, error}): handed to the store, not on the disk yet
const steps = new Map(); // key -> [{item, before, path, at}]: what undo puts back
const watchers = new Set();
const LAST = ["prior", "none", "vetoes"]; // parts that stand only after another one does
const TYPING = 2000; // ms: keystrokes of one field in this time are one step back

export function watchEdits(call) {
  watchers.add(call);
  return () => watchers.delete(call);
}

const tell = () => watchers.forEach((call) => call());
const under = (map, key, make) => map.get(key) ?? map.set(key, make()).get(key);

const LOST = { zh: "本机没有存下", en: "Not saved on this tablet" };

/** What the store holds in memory alone because the disk was full: [[path, {value, error}], …]. */
function notStored(sheet) {
  if (!store.state().unsaved) return [];
  const stored = (path) => {
    const item = sheet.instrument.items.find(({ id }) => path.startsWith(`${id}.`));
    return fieldsOf(item, sheet.entries[item.id])[path.slice(item.id.length + 1)];
  };
  const differ = Object.entries(sheet.fields).filter(([path, value]) => JSON.stringify(value) !== JSON.stringify(stored(path)));
  return differ.filter(([path]) => !moving.get(sheet.key)?.has(path)).map(([path, value]) => [path, { value, error: LOST }]);
}

/** {sheet, entries, fieldsFor(item), failed}: the sheet with what is on its way to the disk. */
export function look(key) {
  const sheet = store.sheet(key);
  if (!sheet) return null;
  const here = [...notStored(sheet), ...(moving.get(key) ?? [])];
  const entries = here.length ? merged(sheet.instrument.items, sheet.entries, Object.fromEntries(here.map(([path, { value }]) => [path, value]))) : sheet.entries;
  return { sheet, entries, fieldsFor: (item) => fieldsOf(item, entries[item.id]), failed: here.filter(([, { error }]) => error) };
}

function hand(key, path, value) {
  const step = { value, error: null };
  under(moving, key, () => new Map()).set(path, step);
  return store.set(key, path, value).then(
    () => { // the store has told of it, and what it holds now reads the same
      if (moving.get(key)?.get(path) === step) moving.get(key).delete(path);
    },
    (error) => {
      step.error = error;
      tell();
    },
  );
}

/** Change parts of one item: [[part, value], …], one after another. */
export function change(key, item, pairs, undoable = true) {
  const before = look(key).fieldsFor(item);
  if (undoable) {
    const list = under(steps, key, () => []);
    const path = pairs.length === 1 ? `${item.id}.${pairs[0][0]}` : "";
    const last = list.at(-1);
    if (!(path && last?.path === path && Date.now() - last.at < TYPING)) list.push({ item, before, path, at: Date.now() });
    else last.at = Date.now();
  }
  const done = Promise.all(pairs.map(([part, value]) => hand(key, `${item.id}.${part}`, value)));
  tell();
  return done;
}

export const canUndo = (key) => Boolean(steps.get(key)?.length);

/** On locking: the next person on this tablet must not meet what this one typed. */
export function forgetSteps() {
  steps.clear();
  moving.clear();
}

/** Take back the last change; gives the item it was about. */
export function undo(key) {
  const step = steps.get(key)?.pop();
  if (!step) return null;
  const now = look(key).fieldsFor(step.item);
  const differ = Object.entries(step.before).filter(([part, value]) => JSON.stringify(value) !== JSON.stringify(now[part]));
  differ.sort(([a], [b]) => LAST.indexOf(a) - LAST.indexOf(b) || Number(b === "na") - Number(a === "na"));
  change(key, step.item, differ, false);
  return step.item;
}

/** Hand over again what could not be saved. */
export const tryAgain = (key) => Promise.all(look(key).failed.map(([path, { value }]) => hand(key, path, value)));
