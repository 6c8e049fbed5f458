// Records a statement: a five-second test played back first, then sound in pieces of one second, each hashed and on disk before it
// counts, sent beside the recording. What interrupts it becomes a mark on the timeline. After a crash the page offers what is there.

import { element, say, viewer } from "./page.js";
import { drop, getPieces, getRecordings, newKey, putPiece, putRecording } from "./statement-store.js";
import { fetchKey, finish, sendFile, sendPiece } from "./statement-upload.js";

const SLICE = 1000;
const TEST = 5000;
const BITS = 32000;
const KINDS = ["audio/webm;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4"];
const root = document.querySelector("[data-recorder]");
const { base, sitting, who } = { base: root.dataset.base, sitting: root.dataset.sitting, who: viewer() };
const part = (name) => root.querySelector(`[data-part=${name}]`);
const two = (n) => String(n).padStart(2, "0");
const clock = (ms) => `${two(Math.floor(ms / 60000))}:${two(Math.floor((ms % 60000) / 1000))}`;
const words = {
  pause: say("暂停", "paused"), resume: say("继续", "resumed"), mute: say("麦克风中断", "microphone interrupted"), unmute: say("麦克风恢复", "microphone back"),
  ended: say("麦克风断开", "microphone gone"), hidden: say("页面转入后台", "page in the background"), visible: say("页面回到前台", "page in front again"),
  crash: say("意外中断", "failed"), recovered: say("已恢复", "recovered"),
};

let stream = null; // one microphone request for test and recording
let awake = null;
let skew = 0; // the server's clock minus this device's, ms

const now = () => new Date(Date.now() + skew).toISOString();

function state(name, text, wrong = false) {
  root.dataset.state = name;
  part("state").textContent = text;
  part("state").className = wrong ? "error" : "";
}

function failed(error, kept) {
  const reasons = {
    NotAllowedError: say("没有使用麦克风的许可。请在浏览器中允许后再试。", "The microphone was not allowed. Allow it in the browser and try again."),
    NotFoundError: say("没有找到麦克风。请接好后再试，或上传录音文件、改用文字记录。", "No microphone was found. Connect one, or file a recording, or write the minutes."),
    NotReadableError: say("麦克风被其他程序占用。请关闭它们后再试。", "Another program uses the microphone. Close it and try again."),
    QuotaExceededError: say("本机存储空间不足，录音已停止；停止前的都在。请清理空间后再录下一段。", "This device is full, so the recording stopped; what was recorded is kept. Free some space and record on."),
  };
  state("failed", `${reasons[error.name] ?? error.message}${kept ? ` ${kept}` : ""}`, true);
}

async function microphone() {
  if (stream?.getAudioTracks().some((track) => track.readyState === "live")) return stream;
  stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  level(stream);
  return stream;
}

/** The loudness of the moment, so that a dead microphone is seen before it is missed. */
function level(source) {
  const context = new AudioContext();
  const ears = context.createAnalyser();
  ears.fftSize = 1024;
  context.createMediaStreamSource(source).connect(ears);
  const samples = new Float32Array(ears.fftSize);
  const show = () => {
    if (!source.active) {
      part("level").value = 0;
      return context.close();
    }
    ears.getFloatTimeDomainData(samples);
    const loud = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    part("level").value = Math.min(1, loud * 4);
    return setTimeout(show, 100);
  };
  show();
}

const made = (source) => {
  const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
  return new MediaRecorder(source, { mimeType, audioBitsPerSecond: BITS });
};

async function test() {
  part("test").disabled = true;
  try {
    const recorder = made(await microphone());
    const pieces = [];
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", () => playBack(new Blob(pieces, { type: recorder.mimeType })));
    recorder.start();
    state("testing", say("试录 5 秒：请对着麦克风说几句话。", "Testing for 5 seconds: say something into the microphone."));
    setTimeout(() => recorder.stop(), TEST);
  } catch (error) {
    failed(error);
    part("test").disabled = false;
  }
}

function playBack(blob) {
  const audio = part("heard");
  audio.src = URL.createObjectURL(blob);
  audio.hidden = false;
  state("heard", say("正在播放试录，请听是否清楚。", "Playing the test: is it clear?"));
  const done = () => {
    part("start").disabled = false;
    part("test").disabled = false;
    state("ready", say("试录已播放完。听得清楚就可以开始录音；不清楚请再试一次。", "The test was played. If it was clear, start recording; else test again."));
  };
  audio.addEventListener("ended", done, { once: true });
  audio.play().catch(() => state("heard", say("请按播放键听试录。", "Press play to hear the test.")));
}

// ---- one recording at a time

let run = null; // {row, recorder, n, pieces to send, ms before the present stretch, its start}

const elapsed = () => run.before + (run.since === null ? 0 : performance.now() - run.since);

async function mark(kind) {
  if (!run) return;
  run.row.marks.push({ kind, at_ms: Math.round(elapsed()), at: now() });
  part("marks").append(element("li", {}, `${clock(elapsed())} ${words[kind]}`));
  await putRecording(run.row);
}

async function keepAwake() {
  try {
    awake = await navigator.wakeLock?.request("screen");
  } catch {
    awake = null; // a battery saver may refuse; the recording goes on
  }
}

async function start() {
  for (const name of ["start", "test"]) part(name).disabled = true;
  try {
    await fetchKey(base);
    const source = await microphone();
    const recorder = made(source);
    const id = crypto.randomUUID();
    const row = { id, key: await newKey(id), sitting, base, county: { zh: root.dataset.zh, en: root.dataset.en }, who, mime: recorder.mimeType, began_at: now(), marks: [], state: "recording" };
    await putRecording(row);
    navigator.locks?.request(`statement-${row.id}`, () => new Promise((release) => { row.release = release; }));
    part("marks").replaceChildren();
    part("pause").textContent = say("暂停", "Pause");
    run = { row: { ...row }, recorder, n: 0, waiting: [], chain: Promise.resolve(), before: 0, since: performance.now(), sent: 0, reached: true, release: () => row.release?.() };
    recorder.addEventListener("dataavailable", piece);
    recorder.addEventListener("stop", stopped);
    recorder.addEventListener("error", (event) => failed(event.error ?? event));
    const [track] = source.getAudioTracks();
    track.addEventListener("mute", () => mark("mute"));
    track.addEventListener("unmute", () => mark("unmute"));
    track.addEventListener("ended", () => mark("ended"));
    recorder.start(SLICE);
    await keepAwake();
    for (const name of ["pause", "stop"]) part(name).hidden = false;
    for (const name of ["start", "test", "file-box"]) part(name).hidden = true;
    part("heard").hidden = true;
    state("recording", say("正在录音。每一秒都已写入本机。请保持本页在前台。", "Recording. Every second is written to this device. Keep this page in front."));
    send();
  } catch (error) {
    failed(error);
    part("test").disabled = false;
  }
}

function piece(event) {
  if (!event.data.size) return;
  const { n } = run;
  const end = Math.max(1, Math.round(elapsed()));
  run.n += 1;
  run.chain = run.chain.then(async () => {
    if (run.broken) return; // what follows a piece that was not kept would not fit
    const row = await putPiece(run.row.id, n, await event.data.arrayBuffer(), end);
    run.waiting.push(row);
    part("kept").textContent = clock(end);
  }).catch((error) => {
    run.broken = true;
    if (run.recorder.state !== "inactive") run.recorder.stop();
    failed(error);
  });
}

/** Pieces go up beside the recording; without signal they wait on the device. */
async function send() {
  const mine = run;
  while (run === mine && mine.recorder.state !== "inactive") {
    const next = mine.waiting[0];
    try {
      mine.reached = next ? await sendPiece(base, next) : true;
      if (next && mine.reached) {
        mine.waiting.shift();
        mine.sent += 1;
      }
    } catch (error) {
      mine.reached = false;
      part("sent").textContent = error.message;
      return; // the list at the end says what is missing
    }
    tell(mine.sent, mine.n, mine.reached);
    if (!next || !mine.reached) await new Promise((done) => setTimeout(done, next ? 3000 : 300));
  }
}

function tell(sent, of, reached) {
  part("sent").textContent = reached
    ? say(`已上传 ${sent} / ${of} 段`, `${sent} of ${of} pieces sent`)
    : say(`没有连上服务器，录音在本机，会继续上传（${sent} / ${of} 段）`, `No connection: kept on this device, sending goes on (${sent} of ${of})`);
}

async function pause() {
  if (run.recorder.state === "recording") {
    run.recorder.pause();
    run.before = elapsed();
    run.since = null;
    await mark("pause");
    part("pause").textContent = say("继续录音", "Resume");
    state("paused", say("已暂停。", "Paused."));
  } else {
    run.recorder.resume();
    run.since = performance.now();
    await mark("resume");
    part("pause").textContent = say("暂停", "Pause");
    state("recording", say("正在录音。", "Recording."));
  }
}

async function stopped() {
  const mine = run;
  if (mine.since !== null) mine.before = elapsed();
  mine.since = null;
  for (const track of stream.getTracks()) track.stop();
  awake?.release();
  for (const name of ["pause", "stop"]) part(name).hidden = true;
  await mine.chain;
  mine.row.state = "stopped";
  await putRecording(mine.row);
  await deliver(mine.row);
  mine.release();
}

async function deliver(row) {
  state("sending", say("正在上传并核对全文指纹，请勿关闭本页。", "Sending and checking the whole; please keep this page open."));
  try {
    await fetchKey(base);
    await finish(row.base, row, tell);
    run = null;
    state("kept", say("录音已保存，服务器已核对并记入账本。", "The recording is kept: the server has checked it and the ledger names it."));
    part("sent").textContent = "";
    part("back").classList.add("primary");
    if (root.dataset.may === "yes") for (const name of ["test", "start", "file-box"]) part(name).hidden = false; // another one begins with its own test
    part("test").disabled = root.dataset.may !== "yes";
    part("start").disabled = true;
  } catch (error) {
    failed(error);
  }
}

// ---- after a crash, or a sending that did not end

async function recover() {
  const box = part("unfinished");
  const held = new Set(((await navigator.locks?.query())?.held ?? []).map((lock) => lock.name));
  const rows = (await getRecordings()).filter((row) => row.who === who && !held.has(`statement-${row.id}`));
  for (const row of rows) {
    const pieces = await getPieces(row.id);
    if (!pieces.length) {
      await drop(row.id);
      continue;
    }
    const length = pieces.at(-1).end;
    const name = say(row.county.zh, row.county.en);
    const card = element("section", { class: "note waits", "data-recording": row.id });
    const go = element("button", { type: "button", class: "primary", "data-recover": true }, say("恢复并上传", "Recover and send"));
    const away = element("button", { type: "button", "data-away": true }, say("放弃这段录音", "Discard it"));
    go.addEventListener("click", async () => {
      go.disabled = away.disabled = true;
      if (row.state === "recording") {
        const at = new Date(Date.parse(row.began_at) + length).toISOString();
        row.marks = [...row.marks.filter((one) => one.at_ms <= length), { kind: "crash", at_ms: length, at }, { kind: "recovered", at_ms: length, at: now() }];
        row.state = "stopped";
        await putRecording(row);
      }
      await deliver(row);
      if (root.dataset.state === "kept") card.remove();
      go.disabled = away.disabled = false;
    });
    away.addEventListener("click", async () => {
      if (!window.confirm(say(`放弃 ${name} 的这段录音（${clock(length)}）？放弃后无法找回。`, `Discard this recording of ${name} (${clock(length)})? It cannot be brought back.`))) return;
      await drop(row.id);
      card.remove();
    });
    card.append(element("div", {},
      element("p", {}, element("b", {}, say(`未完成的录音：${name}，${clock(length)}。要恢复吗？`, `Unfinished recording of ${name}, ${clock(length)}: recover?`))),
      element("p", {}, row.state === "recording"
        ? say("上次录音被意外中断；到中断前一秒的都在本机。", "The recording was cut off; everything to the second before is on this device.")
        : say("上次没有传完。", "It was not sent to the end.")),
      element("p", { class: "row" }, go, away)));
    box.append(card);
  }
}

async function file() {
  const [chosen] = part("file").files;
  if (!chosen) return;
  part("file-go").disabled = true;
  if (chosen.size > 200 * 1024 * 1024) {
    state("failed", say("文件超过 200 MB，没有上传。请压缩或分段。", "The file is larger than 200 MB and was not sent. Make it smaller or split it."), true);
  } else {
    state("sending", say("正在上传录音文件，请勿关闭本页。", "Sending the file; please keep this page open."));
    try {
      await sendFile(base, chosen, tell);
      state("kept", say("录音文件已保存并记入账本。", "The file is kept and the ledger names it."));
      part("sent").textContent = "";
    } catch (error) {
      failed(error);
    }
  }
  part("file-go").disabled = false;
}

document.addEventListener("visibilitychange", () => {
  if (!run || run.recorder.state === "inactive") return;
  mark(document.hidden ? "hidden" : "visible");
  if (!document.hidden) keepAwake(); // the lock ends when the page is hidden
});
window.addEventListener("beforeunload", (event) => {
  if (run && run.recorder.state !== "inactive") event.preventDefault();
});
setInterval(() => {
  if (run) part("clock").textContent = clock(elapsed());
}, 250);

async function begin() {
  if (!window.isSecureContext || !navigator.mediaDevices || !window.MediaRecorder) {
    state("failed", say("本页不是安全连接（https），浏览器不允许录音和上传校验。请改用文字记录，或请系统管理员启用 https。", "This is no secure connection (https), so the browser allows no recording. Write the minutes, or ask the administrator for https."), true);
    return;
  }
  await recover();
  if (root.dataset.may !== "yes") return;
  part("test").disabled = false;
  part("test").addEventListener("click", test);
  part("start").addEventListener("click", start);
  part("pause").addEventListener("click", pause);
  part("stop").addEventListener("click", () => run.recorder.stop());
  part("file-go").addEventListener("click", file);
  try {
    const asked = await fetch(root.dataset.clock);
    skew = (await asked.json()).now_ms - Date.now();
  } catch {
    skew = 0; // without signal the device's own clock stands
  }
}
begin();
