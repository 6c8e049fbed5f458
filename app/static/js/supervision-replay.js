// A completed draw computed again from its transcript (docs/draw-protocol.md sections 3 to 10), in the supervisor's own browser.
// The search over quotas, the replacements and the named steps are those of verify.html, whose script the page loads as it is.
// The keys are computed twice where the browser allows it: by the written-out SHA-256 and by crypto.subtle; they must agree.
// Nothing that the server says is shown with a tick unless it was computed here.

import { element, say } from "./page.js";
import { fromHex, sha256, toHex } from "./draw-hash.js";

const utf8 = new TextEncoder();
const root = document.querySelector("[data-replay]");
const list = root?.querySelector("[data-steps]");
const state = root?.querySelector("[data-state]");
const SHOWN = 60; // tickets of a panel that are listed; all are compared
const WALKED = 200; // people of a walk that are listed; all are compared

const join = (...parts) => {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** HMAC-SHA-256 (RFC 2104) over the written-out hash. */
function hmac(key, message) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const pad = (value) => block.map((b) => b ^ value);
  return sha256(join(pad(0x5c), sha256(join(pad(0x36), message))));
}

/** The same by the browser's own implementation; null on a page without https. */
async function subtleHmac(key, message) {
  if (!globalThis.crypto?.subtle) return null;
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, message));
}

/** HKDF (RFC 5869) with one block of output: Extract, then Expand. Both implementations, or an error. */
async function hkdf(salt, ikm, info) {
  const prk = hmac(salt, ikm);
  const out = hmac(prk, join(info, Uint8Array.of(1)));
  const [a, b] = [await subtleHmac(salt, ikm), await subtleHmac(prk, join(info, Uint8Array.of(1)))];
  if ((a && toHex(a) !== toHex(prk)) || (b && toHex(b) !== toHex(out))) throw new Error(say("两种实现结果不同", "the two implementations differ"));
  return { prk: toHex(prk), key: toHex(out) };
}

const hashText = (text) => toHex(sha256(utf8.encode(text)));
const leafOf = (bytes) => toHex(sha256(join(Uint8Array.of(0), bytes)));

/** The files of a ZIP stored without compression: name -> bytes (section 10). */
function unpack(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const files = new Map();
  let at = 0;
  while (at + 30 <= data.length && view.getUint32(at, true) === 0x04034b50) {
    if (view.getUint16(at + 8, true) !== 0) throw new Error(say("记录包有压缩的文件", "the transcript has a compressed file"));
    const size = view.getUint32(at + 18, true);
    const name = view.getUint16(at + 26, true);
    const start = at + 30 + name + view.getUint16(at + 28, true);
    files.set(new TextDecoder().decode(data.subarray(at + 30, at + 30 + name)), data.subarray(start, start + size));
    at = start + size;
  }
  return files;
}

const json = (files, name) => JSON.parse(new TextDecoder().decode(files.get(name)));
const below = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const byTicket = (a, b) => below(a[0], b[0]) || below(a[1], b[1]);

function mark(ok, word = ok ? say("相同", "equal") : say("不同", "DIFFERENT")) {
  return element("span", { class: `status ${ok ? "ok" : "wrong"}`, "data-equal": ok ? "1" : "0" }, `${ok ? "✓" : "✗"} ${word}`);
}

function line(label, mine, theirs) {
  const ok = mine === theirs;
  return { ok, node: element("p", {}, `${label} `, element("code", { class: "long" }, mine), " ", mark(ok), ...(ok ? [] : [element("br"), `${say("服务器：", "server: ")}`, element("code", { class: "long" }, String(theirs))])) };
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heads.join(" ") }, element("table", { class: "dense" }, element("thead", {}, head), element("tbody", {}, ...body)));
}

const code = (text) => element("code", {}, text);

// ---------- the steps: each gives {title, nodes, ok}

function transcriptStep(draw) {
  const whole = line(say("记录包的 SHA-256", "SHA-256 of the transcript"), toHex(sha256(draw.bytes)), draw.expected.sha256);
  const manifest = json(draw.files, "manifest.json");
  const wrong = manifest.filter(([name, digest]) => !draw.files.has(name) || toHex(sha256(draw.files.get(name))) !== digest);
  const complete = manifest.length === draw.files.size - 1;
  const ok = !wrong.length && complete;
  return { ok: whole.ok && ok, nodes: [whole.node, element("p", {}, say(`清单中的 ${manifest.length} 个文件`, `${manifest.length} files of the manifest`), " ", mark(ok))] };
}

function commitmentStep(draw) {
  const mine = leafOf(draw.files.get("commitment.json"));
  const server = line(say("承诺 SHA-256(0x00 ‖ 承诺书)", "commitment SHA-256(0x00 ‖ document)"), mine, draw.expected.commitment);
  const result = line(say("结果所引承诺", "commitment named by the result"), mine, draw.result.commitment);
  draw.hash = mine;
  return { ok: server.ok && result.ok, nodes: [server.node, result.node, element("p", { class: "quiet" }, say("前 16 位应与纸上的一致：", "The first 16 digits must stand on the paper: "), code(mine.slice(0, 16)))] };
}

function sourcesStep(draw) {
  const rows = [];
  let ok = draw.seed.sources.length === draw.commitment.sources.length;
  const parts = draw.commitment.sources.map((source, i) => {
    const [name, values] = draw.seed.sources[i] ?? ["", []];
    const fits = name === source.name && values.length === source.count && values.every((v) => Number.isInteger(v) && v >= source.low && v <= source.high)
      && (source.kind !== "set" || values.every((v, j) => !j || values[j - 1] < v));
    ok &&= fits;
    rows.push([name, `${source.count} × ${source.low}–${source.high}`, values.join(" "), mark(fits)]);
    return `${values.map((v) => `${v}.`).join("")}/`;
  });
  draw.ikm = parts.join("");
  return { ok, nodes: [table([say("来源", "Source"), say("承诺", "Committed"), say("数值", "Values"), say("符合", "Fits")], rows), element("p", {}, "IKM = ", element("code", { class: "long" }, draw.ikm))] };
}

function hashed(value, times) {
  let bytes = fromHex(value);
  for (let i = 0; i < times; i += 1) bytes = sha256(bytes);
  return toHex(bytes);
}

function codesStep(draw) {
  let ok = draw.seed.codes.length === draw.commitment.parties.length;
  const rows = draw.commitment.parties.map((party, i) => {
    const [name, value] = draw.seed.codes[i] ?? ["", ""];
    const fits = name === party.name && hashed(value, 1) === party.commitment;
    ok &&= fits;
    return [party.name, code(value), code(party.commitment), mark(fits)];
  });
  draw.salt = draw.seed.codes.length ? sha256(join(...draw.seed.codes.map(([, value]) => fromHex(value)))) : new Uint8Array(32);
  const nodes = rows.length ? [table([say("方", "Party"), say("口令", "Code"), say("承诺", "Commitment"), say("SHA-256(口令) = 承诺", "SHA-256(code) = commitment")], rows)] : [element("p", {}, say("没有口令方（本机独抽）。", "No parties."))];
  return { ok, nodes: [...nodes, element("p", {}, "salt = ", element("code", { class: "long" }, toHex(draw.salt)))] };
}

async function keyStep(draw) {
  const made = await hkdf(draw.salt, utf8.encode(draw.ikm), utf8.encode(`pdraw/1|${draw.commitment.kind}|${draw.hash}`));
  draw.key = made.key;
  const key = line("DRAWKEY =", made.key, draw.result.key);
  const twice = globalThis.crypto?.subtle ? say("两种 SHA-256 实现结果相同。", "Two implementations of SHA-256 agree.") : say("浏览器自带的 SHA-256 在此页不可用，只用本页所写的。", "The browser's own SHA-256 is not available here; only the written-out one was used.");
  return { ok: key.ok, nodes: [element("p", {}, "PRK = ", element("code", { class: "long" }, made.prk)), key.node, element("p", { class: "quiet" }, twice)] };
}

function eligible(draw, panel) {
  const gone = new Set(draw.exclusions.filter((x) => x.panel === panel).map((x) => x.expert));
  return draw.roster.map((leaf) => leaf.expert).filter((expert) => !gone.has(expert));
}

function ticketsOf(draw, panel) {
  return eligible(draw, panel).map((expert) => [hashText(`ticket|${draw.key}|${panel}|1|${expert}`), expert]).sort(byTicket);
}

function panelStep(draw, panel) {
  const mine = ticketsOf(draw, panel.id);
  draw.tickets.set(panel.id, mine);
  const given = new Map(draw.given?.find(([id]) => id === panel.id)?.[1].map(([ticket, expert]) => [expert, ticket]) ?? []);
  const seats = new Map(panel.seats);
  const skips = new Map(panel.skips.map(([expert, ticket, reason]) => [expert, [ticket, reason]]));
  let ok = !draw.given || (given.size === mine.length && draw.given.find(([id]) => id === panel.id)[1].every(([ticket, expert], i) => mine[i][0] === ticket && mine[i][1] === expert));
  let met = 0;
  const rows = [];
  mine.forEach(([ticket, expert], i) => {
    const theirs = seats.get(expert) ?? skips.get(expert)?.[0] ?? given.get(expert);
    const equal = theirs === undefined || theirs === ticket;
    if (seats.has(expert) || skips.has(expert)) met += 1;
    ok &&= equal;
    const outcome = seats.has(expert) ? say("入选", "seated") : skips.has(expert) ? `${say("跳过：", "passed over: ")}${skips.get(expert)[1]}` : "";
    if (i < SHOWN || seats.has(expert)) rows.push([String(i + 1), expert, code(ticket), theirs === undefined ? "—" : code(theirs), theirs === undefined ? "" : mark(equal), outcome]);
  });
  ok &&= met === seats.size + skips.size; // nobody seated or passed over who has no ticket
  const heads = [say("次序", "Order"), say("代号", "Pseudonym"), say("本机计算的签号", "Ticket computed here"), say("服务器的签号", "Server's ticket"), "", say("结果", "Outcome")];
  return {
    ok,
    nodes: [
      element("p", {}, say(`${mine.length} 人可抽，${panel.seats.length} 人入选`, `${mine.length} eligible, ${panel.seats.length} seated`), " ", mark(ok)),
      element("details", {}, element("summary", {}, say(`签号（列出前 ${SHOWN} 个和全部入选者；全部都已比较）`, `Tickets (the first ${SHOWN} and all who are seated; every one was compared)`)), table(heads, rows)),
    ],
  };
}

// ---------- the search, by the script of verify.html

const REASONS = {
  load_cap: () => say("已达场次上限", "load cap reached"),
  date: () => say("同日另有评审", "sits elsewhere that day"),
  max: () => say("该类名额已满", "a maximum is reached"),
  pair: () => say("同值人数已满", "a pair limit is reached"),
  completion: () => say("选此人则无法配齐", "with this person the panel could not be completed"),
};
const reasonWords = (code_) => (code_ ? `${say("跳过：", "passed over: ")}${REASONS[code_] ? REASONS[code_]() : code_}` : say("入选", "seated"));

/** Everything once more by the verifier's own script, which tells of each decision before it compares it. */
async function searchAgain(draw) {
  if (!draw.search) {
    const events = [];
    const report = await globalThis.mingjianVerify(draw.bytes, draw.expected.commitment, null, (event) => events.push(event));
    const last = events.map((event) => event.kind).lastIndexOf("run");
    draw.search = { report, events, runs: events.filter((event) => event.kind === "run"), final: last < 0 ? [] : events.slice(last) };
  }
  return draw.search;
}

/** What to say where the verifier stopped before the search. */
function notReached(report) {
  return { ok: false, nodes: [element("p", {}, say("没有重做：核验在此前已停下。", "Not repeated: the verification stopped before. "), `${report.step}: ${say(report.zh, report.en)}`)] };
}

async function orderStep(draw) {
  const first = draw.commitment.panels.map((panel) => [hashText(`panel|${draw.key}|${panel.id}`), panel.id]).sort(byTicket).map(([, id]) => id);
  let order = first;
  for (const id of draw.result.restarts) order = [id, ...order.filter((other) => other !== id)];
  const panels = line(say("组的次序", "order of the panels"), order.join(" "), draw.result.order.join(" "));
  const { report, events, runs } = await searchAgain(draw);
  if (!runs.length) return { ok: false, nodes: [panels.node, ...notReached(report).nodes] };
  const stuck = events.filter((event) => event.kind === "stuck").map((event) => event.panel);
  const restarts = line(say("无法配齐而重来的组", "panels that could not be completed, and so restarted"), stuck.join(" ") || "—", draw.result.restarts.join(" ") || "—");
  return { ok: panels.ok && restarts.ok, nodes: [panels.node, restarts.node] };
}

async function searchStep(draw, panel) {
  const { report, final } = await searchAgain(draw);
  const mine = final.filter((event) => event.panel === panel.id);
  if (!mine.length) return notReached(report);
  const spec = draw.commitment.panels.find((row) => row.id === panel.id);
  return spec.mode === "lottery" ? lotStep(panel, mine.find((event) => event.kind === "lot")) : walkStep(spec, panel, mine);
}

/** Person by person in ticket order: the decision made here beside the one that was published. */
function walkStep(spec, panel, mine) {
  const start = mine.find((event) => event.kind === "panel");
  const met = mine.filter((event) => event.kind === "met");
  const published = new Map([...panel.seats.map(([expert]) => [expert, ""]), ...panel.skips.map(([expert, , reason]) => [expert, reason])]);
  let ok = met.length === published.size && Number(!start.possible) === panel.short;
  const rows = [];
  met.forEach((event, i) => {
    const equal = published.get(event.expert) === event.reason;
    ok &&= equal;
    const theirs = published.has(event.expert) ? reasonWords(published.get(event.expert)) : "—";
    if (i < WALKED || !equal || !event.reason)
      rows.push([String(i + 1), event.expert, reasonWords(event.reason), event.reason ? "" : String(event.seated), event.searched ? String(event.searched) : "—", theirs, mark(equal)]);
  });
  const heads = [say("次序", "Order"), say("代号", "Pseudonym"), say("本机的决定", "Decided here"), say("席", "Seat"), say("检索位置数", "Positions searched"), say("公布的决定", "Published"), ""];
  const searched = start.searched + met.reduce((n, event) => n + event.searched, 0);
  const seated = met.filter((event) => !event.reason).length;
  const can = start.possible ? say("抽前检索：能配齐", "before the first ticket: the panel can be completed") : say("抽前检索：不能配齐（缺员）", "before the first ticket: it cannot be completed (short)");
  return {
    ok,
    nodes: [
      element("p", {}, `${can}${say("。", ". ")}${say(`按签号看过 ${met.length} 人，入选 ${seated} / ${spec.seats}，共检索 ${searched} 个位置`, `${met.length} people met by ticket, ${seated} of ${spec.seats} seated, ${searched} positions searched`)} `, mark(ok)),
      element("details", { open: "" }, element("summary", {}, say(`逐人检索（列出前 ${WALKED} 人和全部入选者；全部都已比较）`, `Person by person (the first ${WALKED} and all who are seated; every one was compared)`)), table(heads, rows)),
    ],
  };
}

/** The lot, the row whose interval holds it, and the lowest tickets of each type. */
function lotStep(panel, event) {
  const lot = line(say("签值", "lot"), String(event.lot), String(panel.lot));
  const row = line(say(`抽中的行（累计签数 ${event.from} 至 ${event.to - 1}）`, `drawn row (cumulative lots ${event.from} to ${event.to - 1})`), String(event.row), String(panel.row));
  let ok = lot.ok && row.ok && event.seats.length === panel.seats.length;
  const rows = event.seats.map(([ticket, expert], i) => {
    const [theirs, drawn] = panel.seats[i] ?? ["—", ""];
    const equal = theirs === expert && drawn === ticket;
    ok &&= equal;
    return [String(i + 1), expert, code(ticket), theirs, mark(equal)];
  });
  const types = table([say("类型", "Type"), say("席数", "Seats")], event.types.map(([values, n]) => [values.join(" · ") || "—", String(n)]));
  const seats = table([say("席", "Seat"), say("本机得出", "Found here"), say("签号", "Ticket"), say("公布", "Published"), ""], rows);
  return { ok, nodes: [lot.node, row.node, element("details", {}, element("summary", {}, say("该行各类型的席数", "Seats of each type in that row")), types), element("p", {}, say("各类型中签号最小者入选：", "The lowest tickets of each type are seated:")), seats] };
}

/** All named steps of the verifier, the first that fails, and what it says. */
async function verifierStep(draw) {
  const { report } = await searchAgain(draw);
  const items = globalThis.mingjianSteps.filter(([name]) => name !== "openings").map(([name, zh, en]) => {
    const failed = name === report.step;
    const held = report.steps.includes(name);
    const without = report.ok && !held;
    const status = failed ? mark(false, say("不成立", "FAILS")) : held ? mark(true, say("成立", "holds")) : element("span", { class: "quiet" }, without ? say("此记录没有", "not in this transcript") : say("未核验", "not checked"));
    return element("li", {}, `${say(zh, en)} `, status, ...(failed ? [element("p", {}, say(report.zh, report.en))] : []));
  });
  const cosigned = report.cosigners.map(([name, print]) => element("p", {}, say("会签设备 ", "cosigned by the device "), code(name), say("，指纹 ", ", fingerprint "), code(print)));
  return { ok: report.ok, nodes: [element("ul", { class: "plain" }, ...items), ...cosigned] };
}

const HOW = {
  type: () => say("同类型", "same type"),
  swap: () => say("换入后各限制仍成立", "a swap that keeps every rule"),
  none: () => say("无人合适", "nobody fits"),
};

async function actStep(draw, act) {
  const info = `pdraw/1|replace|${draw.commitment.kind}|${draw.hash}|${act.act}|${act.removal_hash}`;
  const reserves = draw.commitment.replacement === "reserves";
  const salt = act.codes.length ? sha256(join(...act.codes.map(([, value]) => fromHex(value)))) : new Uint8Array(32);
  const key = reserves ? draw.key : (await hkdf(salt, fromHex(draw.key), utf8.encode(info))).key;
  const same = line(`KEY_${act.act} =`, key, act.key);
  let ok = same.ok;
  for (const [name, value] of act.codes) {
    const party = draw.commitment.parties.find((row) => row.name === name);
    ok &&= Boolean(party) && hashed(value, act.act) === party.commitment;
  }
  const { report, final } = await searchAgain(draw);
  const found = final.filter((event) => event.kind === "fill" && event.act === act.act);
  if (!found.length) return { ok: false, nodes: [same.node, ...notReached(report).nodes] };
  const rows = act.fills.map(([panel, seat, leaver, expert, ticket, how], i) => {
    const mine = found[i] ?? { expert: "?", looked: 0, fitting: 0 };
    const drawn = mine.expert ? hashText(`ticket|${key}|${panel}|${reserves ? 1 : act.act}|${mine.expert}`) : "";
    const equal = mine.panel === panel && mine.seat === seat && mine.leaver === leaver && mine.expert === expert && mine.how === how && drawn === ticket;
    ok &&= equal;
    return [panel, String(seat), leaver, mine.expert || say("空缺", "vacant"), code(drawn ? `${drawn.slice(0, 16)}…` : "—"), HOW[mine.how]?.() ?? mine.how, `${mine.fitting} / ${mine.looked}`, expert || say("空缺", "vacant"), mark(equal)];
  });
  ok &&= found.length === act.fills.length;
  const heads = [say("组", "Panel"), say("席", "Seat"), say("离任", "Leaver"), say("本机得出的补入者", "Newcomer found here"), say("签号", "Ticket"), say("方式", "How"), say("合乎规则 / 看过", "Fitting / looked at"), say("公布", "Published"), ""];
  return { ok, nodes: [same.node, table(heads, rows)] };
}

// ---------- running

async function load() {
  const answer = await fetch(root.dataset.replay, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const files = unpack(bytes);
  const draw = { bytes, files, tickets: new Map(), expected: { commitment: root.dataset.commitment, sha256: root.dataset.sha256 } };
  for (const name of ["commitment", "roster", "exclusions", "lotteries", "seed", "result", "acts"]) draw[name] = json(files, `${name}.json`);
  draw.given = files.has("tickets.json") ? json(files, "tickets.json") : null;
  return draw;
}

function plan(draw) {
  return [
    [say("记录包", "Transcript"), () => transcriptStep(draw)],
    [say("承诺", "Commitment"), () => commitmentStep(draw)],
    [say("随机数值", "Values of the sources"), () => sourcesStep(draw)],
    [say("各方口令", "Codes of the parties"), () => codesStep(draw)],
    [say("抽取密钥", "Key of the draw"), () => keyStep(draw)],
    ...draw.result.panels.map((panel) => [say(`评审组 ${panel.id} 的签号`, `Tickets of panel ${panel.id}`), () => panelStep(draw, panel)]),
    [say("组的次序与重来", "Order of the panels, restarts"), () => orderStep(draw)],
    ...draw.result.panels.map((panel) => [say(`评审组 ${panel.id}：重做检索`, `Panel ${panel.id}: the search repeated`), () => searchStep(draw, panel)]),
    ...draw.acts.map((act) => [say(`第 ${act.act} 次：补抽`, `Replacement act ${act.act}`), () => actStep(draw, act)]),
    [say("verify.html 的全部核验步骤", "Every step of verify.html"), () => verifierStep(draw)],
  ];
}

async function start() {
  const [run, next, all] = ["run", "step", "all"].map((name) => root.querySelector(`[data-${name}]`));
  run.hidden = true;
  state.textContent = say("正在取回记录包……", "Fetching the transcript…");
  const steps = plan(await load());
  let done = 0;
  let good = 0;
  const one = async () => {
    const [title, step] = steps[done];
    done += 1;
    let made;
    try {
      made = await step();
    } catch (error) {
      made = { ok: false, nodes: [element("p", {}, String(error.message))] };
    }
    good += made.ok ? 1 : 0;
    list.append(element("li", { class: "card", "data-ok": made.ok ? "1" : "0" }, element("h3", {}, `${done}. ${title} `, mark(made.ok)), ...made.nodes));
    const finished = done === steps.length;
    state.textContent = finished
      ? (good === done ? say(`完成：${done} 步全部相同。`, `Done: all ${done} steps are equal.`) : say(`完成：${done} 步中有 ${done - good} 步不同！`, `Done: ${done - good} of ${done} steps DIFFER!`))
      : say(`第 ${done} 步，共 ${steps.length} 步`, `Step ${done} of ${steps.length}`);
    root.dataset.done = finished ? (good === done ? "equal" : "different") : "";
    next.hidden = finished;
    all.hidden = finished;
  };
  next.hidden = false;
  all.hidden = false;
  next.addEventListener("click", one);
  all.addEventListener("click", async () => { while (done < steps.length) await one(); });
  await one();
}

root?.querySelector("[data-run]").addEventListener("click", () => start().catch((error) => {
  state.textContent = say(`不能重放：${error.message}`, `Cannot replay: ${error.message}`);
  root.dataset.done = "failed";
}));
