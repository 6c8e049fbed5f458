// The presentation page: asks for the state every second and a half, follows it stage by stage, and shows the result ticket by
// ticket at the pace of whoever holds the keyboard. Nothing is computed here: it shows what the server has on record. A long list
// stands in pages that fit the wall: the page of the newest seat, unless somebody leafs with the arrows up and down.

import { element, say } from "./page.js";
import { face } from "./draw-dice-face.js";

const EVERY = 1500;
const AUTO = 2500;
const MARGIN = 1.2; // em kept free under the controls
const LEAST_ROWS = 3; // of the list, on however low a screen
const LAST_SKIPS = 6; // people passed over who are still on the wall, if there is room
const root = document.querySelector("[data-hall]");
const stages = ["commitment", "cosignature", "dice", "codes", "key", "result"];
const titles = {
  commitment: say("承诺", "Commitment"), cosignature: say("会签", "Cosignature"), dice: say("骰子", "Dice"),
  codes: say("口令", "Codes"), key: say("密钥", "Key"), result: say("结果", "Result"),
};
const parties = { office: say("创建办公室", "Programme office"), supervisor: say("监督人员", "Supervisor"), observer: say("见证人", "Observer") };

let state = JSON.parse(root.dataset.state);
let shown = null; // the stage on the wall; null follows the ceremony
let reached = 0; // tickets revealed
let auto = null;
let leaf = null; // the page of the list on the wall; null follows the newest seat
let leaves = 1;
let names = Boolean(state.order); // what an order is drawn of is no secret
const seatOf = (line) => (state.order ? say(`第 ${line.seat} 位`, `place ${line.seat}`) : say(`${line.panel} 第 ${line.seat} 席`, `${line.panel}, seat ${line.seat}`));

const groups = (text, size = 4) => text.match(new RegExp(`.{1,${size}}`, "g")).join(" ");
const part = (name) => root.querySelector(`[data-part=${name}]`);

/** How far the ceremony is. */
function stageNow() {
  if (state.result) return "result";
  const locked = state.sources.every((source) => source.values !== null);
  if (state.state === "committed") return "commitment";
  if (!locked) return "dice";
  return state.parties.length ? "codes" : "dice";
}

function done(stage) {
  const locked = state.sources.every((source) => source.values !== null);
  return {
    commitment: Boolean(state.commitment), cosignature: Boolean(state.cosignature), dice: locked,
    codes: locked && state.parties.every((party) => party.code), key: Boolean(state.key), result: Boolean(state.key),
  }[stage];
}

function rail() {
  const current = shown ?? stageNow();
  part("rail").replaceChildren(...stages.map((stage, i) => {
    const button = element("button", { type: "button", "aria-current": stage === current ? "step" : false, "data-stage": stage, class: done(stage) ? "done" : "" }, `${i + 1} ${titles[stage]}`);
    button.addEventListener("click", () => choose(stage));
    return element("li", {}, button);
  }));
}

function choose(stage) {
  shown = stage;
  draw();
}

function cosignature() {
  const place = part("cosignature");
  const made = state.cosignature;
  place.replaceChildren(made
    ? element("div", {},
      element("p", { class: "hall-lead" }, say("监督人员用本人设备会签：", "The supervisor's own device has cosigned:")),
      element("p", { class: "hall-huge" }, element("code", {}, made.name)),
      element("p", { class: "hall-lead" }, say("设备密钥指纹（与纸上核对）", "Fingerprint of the device key (compare with the paper)")),
      element("p", { class: "hall-large" }, element("code", {}, made.fingerprint)))
    : element("p", { class: "hall-lead" }, say("等待监督人员在本人设备上会签。会签之前不掷骰子。", "Waiting for the supervisor's own device. No die is thrown before.")));
}

function source(row) {
  const box = element("section", { class: "hall-source" }, element("h2", {}, `${say(row.title.zh, row.title.en)} · ${say(`${row.count} 个`, `${row.count} values`)} ${row.low}–${row.high}${row.when ? ` · ${row.when}` : ""}`));
  if (row.values) {
    const dice = row.kind === "sequence" && row.low === 1 && row.high === 6;
    const list = element("ol", { class: dice ? "hall-dice" : "hall-numbers", "data-values": row.values.join(" ") });
    for (const value of row.values) list.append(element("li", {}, ...(dice ? [face(value), element("span", { class: "vh" }, String(value))] : [String(value)])));
    box.append(list, element("p", { class: "hall-ok" }, say("两人录入一致，已锁定", "Both agree: locked")));
    return box;
  }
  for (const role of ["office", "supervisor"]) {
    const typed = row.typed[role];
    box.append(element("p", { class: "hall-bar" }, element("span", {}, parties[role]), element("progress", { max: row.count, value: typed, "aria-label": parties[role] }), element("b", { "data-typed": role }, say(`${typed} / ${row.count}`, `${typed} of ${row.count}`))));
  }
  if (row.differing.length) box.append(element("p", { class: "hall-wrong" }, say(`两人录入不一致：第 ${row.differing.join("、")} 个。尚未锁定。`, `The lists differ at position ${row.differing.join(", ")}. Nothing is locked.`)));
  return box;
}

function codes() {
  const list = element("ul", { class: "hall-codes" });
  for (const party of state.parties) {
    list.append(element("li", { class: party.code ? "in" : "" },
      element("b", {}, parties[party.name]),
      element("span", {}, party.code ? say("已出示", "revealed") : say("未出示", "not yet")),
      element("code", {}, party.code ? groups(party.code) : "")));
  }
  part("codes").replaceChildren(state.parties.length
    ? list
    : element("p", { class: "hall-lead" }, say("这次演练没有口令。", "This drill has no codes.")));
}

function key() {
  part("key").replaceChildren(state.key
    ? element("div", {},
      element("p", { class: "hall-lead" }, say("由骰子和口令算出的密钥；任何人可以重算", "The key that follows from dice and codes; anyone can compute it again")),
      element("p", { class: "hall-large" }, element("code", {}, groups(state.key, 8))),
      element("p", { class: "hall-small" }, say("核对任何一签：", "Check any ticket: "), element("code", {}, `printf '%s' "ticket|$KEY|${state.result[0].id}|1|${state.result[0].lines[0]?.pseudonym ?? ""}" | sha256sum`)))
    : element("p", { class: "hall-lead" }, say("密钥在全部口令出示后算出。", "The key follows when every code is in.")));
}

const allLines = () => (state.result ?? []).flatMap((panel) => panel.lines.map((line) => ({ ...line, panel: panel.id })));

function result() {
  const lines = allLines();
  const place = part("result");
  part("controls").hidden = !state.result;
  if (!state.result) {
    place.replaceChildren(element("p", { class: "hall-lead" }, say("结果在全部口令出示后自动得出。", "The result follows by itself when every code is in.")));
    return;
  }
  reached = Math.min(reached, lines.length);
  const said = (line) => state.order ? [element("b", {}, line.name)] : [names ? "" : element("code", {}, line.ticket.slice(0, 8)), element("b", {}, line.pseudonym), names && line.name ? element("span", { class: "hall-name" }, line.name) : ""];
  const last = lines[reached - 1];
  const big = element("div", { class: `hall-now${last && !last.seat ? " skipped" : ""}` });
  if (last) {
    big.append(element("p", { class: "hall-ticket" }, say("签号 ", "Ticket "), element("code", {}, `${last.ticket.slice(0, 16)}…`)),
      element("p", { class: "hall-huge" }, ...(state.order ? [last.name] : [last.pseudonym, names && last.name ? ` ${last.name}` : ""])),
      element("p", { class: "hall-verdict" }, last.seat ? seatOf(last) : say(`跳过：${last.why.zh}`, `Passed over: ${last.why.en}`)));
  } else {
    big.append(element("p", { class: "hall-lead" }, say("签号由小到大逐一揭晓。按空格或 → 开始。", "Tickets in ascending order, one by one. Press space or → to begin.")));
  }
  const seats = lines.slice(0, reached).filter((l) => l.seat);
  const seated = element("ol", { class: "hall-seats" });
  const row = (line) => element("li", {}, element("b", {}, `${state.result.length > 1 ? `${line.panel}-` : ""}${line.seat}`), ...said(line));
  const title = state.order ? say("顺序", "Order") : say("入选", "Seated");
  const head = element("h2", {}, title); // in words before anything is measured
  const skipped = element("ul", { class: "hall-skips" });
  const passedOver = lines.slice(0, reached).filter((l) => !l.seat);
  const passed = passedOver.length;
  const skips = !state.order && lines.some((line) => !line.seat); // a fair lottery passes nobody over: the wall is for the seats
  const all = reached === lines.length;
  const short = state.result.filter((panel) => panel.short).map((panel) => panel.id);
  place.replaceChildren(big, element("div", { class: skips ? "hall-lists" : "hall-lists alone" },
    element("section", {}, head, seated),
    ...(!skips ? [] : [element("section", {}, element("h2", {}, say(`跳过 ${passed} 人`, `Passed over: ${passed}`)), skipped)])));
  if (all) place.append(element("p", { class: "hall-ok" }, say("全部揭晓。", "Everything is revealed."), short.length ? say(` 未满额：${short.join("、")}`, ` Short: ${short.join(", ")}`) : ""));
  part("count").textContent = `${reached} / ${lines.length}`;
  fill(seated, seats, row, (page) => {
    head.textContent = leaves > 1 ? say(`${title} ${seats.length} · 第 ${page + 1} / ${leaves} 页`, `${title}: ${seats.length} · page ${page + 1} of ${leaves}`) : title;
  });
  for (const line of passedOver.slice(-LAST_SKIPS)) {
    skipped.append(element("li", {}, ...said(line), element("span", {}, say(line.why.zh, line.why.en))));
  }
  while (skipped.children.length > 1 && bottom() > room()) skipped.firstElementChild.remove();
}

/** The page of `seats` that is wanted, with as many rows as the wall has room for; `told` hears its number, from 0. Should they need
 * several pages while somebody leafs, the list has the wall to itself. */
function fill(list, seats, row, told) {
  const place = part("result");
  place.classList.remove("whole");
  let each = measure(list, seats, row);
  if (leaf !== null && each < seats.length) {
    place.classList.add("whole");
    each = measure(list, seats, row);
  }
  leaves = Math.max(1, Math.ceil(seats.length / each));
  const page = leaf === null ? leaves - 1 : Math.min(leaf, leaves - 1);
  list.replaceChildren(...seats.slice(page * each, (page + 1) * each).map(row));
  told(page);
  root.querySelector("[data-leaf-tools]").hidden = leaves === 1;
}

const room = () => window.innerHeight - MARGIN * parseFloat(getComputedStyle(root).fontSize);
const bottom = () => part("controls").getBoundingClientRect().bottom + window.scrollY;

/** How many rows of the list the wall has room for, counted on the first page. */
function measure(list, seats, row) {
  root.querySelector("[data-leaf-tools]").hidden = false;
  if (!seats.length) return 1;
  const longest = seats.map(row).sort((a, b) => b.textContent.length - a.textContent.length).slice(0, 3);
  list.replaceChildren(...longest);
  for (const li of longest) li.classList.add("measured");
  list.style.setProperty("--wide", `${Math.ceil(Math.max(...longest.map((li) => li.offsetWidth)))}px`);
  list.replaceChildren(...seats.slice(0, 1).map(row));
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const high = list.firstElementChild.getBoundingClientRect().height;
  let rows = Math.max(LEAST_ROWS, Math.floor((room() - list.getBoundingClientRect().top - window.scrollY) / high));
  for (;;) {
    list.replaceChildren(...seats.slice(0, rows * columns).map(row));
    if (rows === LEAST_ROWS || bottom() <= room()) return rows * columns;
    rows -= 1;
  }
}

/** Leaf through the list without revealing anything. */
function turn(by) {
  const at = leaf === null ? leaves - 1 : Math.min(leaf, leaves - 1);
  leaf = Math.min(leaves - 1, Math.max(0, at + by));
  result();
}

function draw() {
  const current = shown ?? stageNow();
  rail();
  cosignature();
  part("dice").replaceChildren(...state.sources.map(source));
  codes();
  key();
  for (const stage of stages) root.querySelector(`[data-panel=${stage}]`).hidden = stage !== current;
  result(); // last: a list is measured where it stands
  const ended = root.querySelector("[data-aborted]");
  ended.hidden = !state.aborted;
  if (state.aborted) ended.textContent = say(`本次已中止（${state.aborted.zh}）：${state.aborted.reason}`, `This attempt was aborted (${state.aborted.en}): ${state.aborted.reason}`);
  root.dataset.stage = current;
}

function step(by) {
  const whole = allLines().length;
  reached = Math.min(whole, Math.max(0, reached + by));
  // A new ticket is on the last page; who asked for all of them at once reads from the first.
  leaf = by > 1 && reached === whole ? 0 : null;
  if (auto && reached === whole) toggleAuto();
  result();
}

function toggleAuto() {
  if (auto) clearInterval(auto);
  auto = auto ? null : setInterval(() => step(1), AUTO);
  root.querySelector("[data-auto]").setAttribute("aria-pressed", String(Boolean(auto)));
}

function move(by) {
  const at = stages.indexOf(shown ?? stageNow()) + by;
  if (at >= 0 && at < stages.length) choose(stages[at]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest?.("button")) return; // it presses the button that was clicked last
  const onResult = (shown ?? stageNow()) === "result" && state.result;
  const act = {
    " ": () => (onResult ? step(1) : move(1)), ArrowRight: () => (onResult ? step(1) : move(1)), PageDown: () => (onResult ? step(1) : move(1)),
    ArrowLeft: () => (onResult && reached ? step(-1) : move(-1)), PageUp: () => (onResult && reached ? step(-1) : move(-1)),
    End: () => onResult && step(allLines().length), Home: () => onResult && step(-reached), a: () => onResult && toggleAuto(), n: () => toggleNames(),
    ArrowUp: () => onResult && turn(-1), ArrowDown: () => onResult && turn(1),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function toggleNames() {
  if (!allLines().some((line) => line.name)) return;
  names = !names;
  root.querySelector("[data-names]")?.setAttribute("aria-pressed", String(names));
  result();
}

root.querySelector("[data-next]").addEventListener("click", () => step(1));
root.querySelector("[data-previous]").addEventListener("click", () => step(-1));
root.querySelector("[data-all]").addEventListener("click", () => step(allLines().length));
root.querySelector("[data-leaf=back]").addEventListener("click", () => turn(-1));
root.querySelector("[data-leaf=on]").addEventListener("click", () => turn(1));
root.querySelector("[data-auto]").addEventListener("click", toggleAuto);
root.querySelector("[data-names]")?.addEventListener("click", toggleNames);

async function ask() {
  if (state.result || state.aborted) return;
  try {
    const answer = await fetch(root.dataset.ask, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const before = JSON.stringify(state);
    const stage = stageNow();
    state = await answer.json();
    root.dataset.live = "yes";
    if (stageNow() !== stage) shown = null; // the ceremony moved on, and so does the wall
    if (JSON.stringify(state) !== before) draw();
  } catch {
    root.dataset.live = "no"; // the server is away; what is on the wall stays, and the next tick asks again
  }
}

draw();
setInterval(ask, EVERY);
let measured = window.innerWidth * 10000 + window.innerHeight;
window.addEventListener("resize", () => {
  const now = window.innerWidth * 10000 + window.innerHeight;
  if (now !== measured && state.result) result();
  measured = now;
});
