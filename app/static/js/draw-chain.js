// A party's chain of one-time codes on its own device: made, kept here, printed for two sealed envelopes, revealed. The start of the
// chain never leaves this browser but on paper; what is sent is its end, and later one code at a time.

import { element, say } from "./page.js";
import { chain, digitsOf, distance, grouped, toHex } from "./draw-hash.js";
import { qrElement } from "./draw-qr.js";
import { keep, kept } from "./draw-vault.js";

const section = document.querySelector("[data-chain]");

/** Both languages on paper: an envelope is opened by whoever is there. */
const both = (zh, en) => element("p", {}, zh, element("br"), element("small", { lang: "en" }, en));

function envelope(data, secret, copy) {
  const { draw, party, commitment, partyZh, partyEn, round } = data;
  return element("section", { class: "envelope" },
    element("p", { class: "envelope-head" }, element("b", {}, `${partyZh} · ${partyEn}`), ` — ${say("第", "copy ")}${copy} / 2${say(" 份", "")}`),
    element("h2", {}, "抽取口令（密封保存）", element("br"), element("small", { lang: "en" }, "Codes of a draw (keep sealed)")),
    both("只在本人设备遗失或损坏时，由另外两方在场拆封。持有人可由此算出本次抽取的全部口令。", "Open only when the holder's device is lost or broken, with the other parties present. Whoever holds it can compute every code of this draw."),
    element("dl", { class: "kv" },
      element("dt", {}, "届次 / round"), element("dd", {}, round),
      element("dt", {}, "抽取 / draw"), element("dd", {}, element("code", {}, draw)),
      element("dt", {}, "承诺 / commitment"), element("dd", {}, element("code", {}, grouped(commitment)))),
    element("div", { class: "envelope-secret" },
      element("div", { class: "qr" }, qrElement(`MJ1|${draw}|${party}|${secret}`, "QR")),
      element("p", { class: "envelope-digits" }, element("code", {}, grouped(secret)))),
    both("使用：在抽取页“从信封输入”处键入以上 64 位，或用扫码枪扫描。", "To use it: type these 64 digits, or scan the code, at 'From the envelope' on the page of the draw."),
    element("p", { class: "envelope-sign" }, "封存人 / sealed by ____________________   日期 / date ______________   编号 / no. __________"));
}

function offerPrint(data, secret) {
  const place = document.querySelector("[data-envelopes]");
  place.replaceChildren(envelope(data, secret, 1), envelope(data, secret, 2));
  for (const part of section.querySelectorAll("[data-print-part]")) part.hidden = false;
}

function tell(text) {
  const place = section.querySelector("[data-said]");
  place.textContent = text;
  place.hidden = !text;
  place.scrollIntoView({ block: "nearest" });
}

async function setUp() {
  const data = section.dataset;
  const slot = `chain|${data.draw}|${data.party}`;
  const index = Number(data.index);
  let held = null;
  try {
    held = await kept(slot);
  } catch {
    held = null; // a private window: codes can still be typed from the envelope
  }
  const here = held && data.commitment && chain(held, index) === data.commitment;
  for (const part of section.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "here") !== Boolean(here);
  if (here) offerPrint(data, held);
  section.dataset.ready = "yes";

  const maker = section.querySelector("form[data-chain-make]");
  maker?.addEventListener("submit", async (event) => {
    if (maker.elements.commitment.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // One start for one party of one draw: pressed again after a lost answer, the registered chain must not be overwritten.
    const secret = held ?? toHex(crypto.getRandomValues(new Uint8Array(32)));
    try {
      await keep(slot, secret); // first on disk, then registered: a chain that nobody holds could never be revealed
    } catch {
      tell(say("这个浏览器不保存数据（可能是无痕窗口），没有登记。请换一个窗口。", "This browser keeps nothing (a private window?), so nothing was registered. Use another window."));
      return;
    }
    maker.elements.commitment.value = chain(secret, index);
    maker.requestSubmit();
  }, true);

  for (const form of document.querySelectorAll("form[data-chain-reveal], form[data-chain-reveal-other]")) {
    form.addEventListener("submit", (event) => {
      const own = event.submitter?.hasAttribute("data-own");
      const commitment = form.dataset.commitment ?? data.commitment;
      const act = Number(data.act);
      if (own) {
        form.elements.code.value = chain(held, index - act);
        return;
      }
      const digits = digitsOf(form.elements.code.value);
      const steps = digits ? distance(digits, commitment, index) : -1;
      if (steps < act) {
        event.preventDefault();
        event.stopImmediatePropagation();
        tell(digits
          ? say("这 64 位与登记的承诺不符，没有发送。请逐组核对。", "These 64 digits do not fit the registered commitment and were not sent. Check them group by group.")
          : say("应为 64 位十六进制数字（0–9、a–f），没有发送。", "64 hex digits (0–9, a–f) are needed; nothing was sent."));
        return;
      }
      form.elements.code.value = chain(digits, steps - act); // only the code of this act leaves the device
    }, true);
  }
  // Only now: sent without this script, what stands on an envelope would reach the server.
  for (const button of document.querySelectorAll("[data-enable]")) button.disabled = false;
  for (const button of section.querySelectorAll("[data-print-envelopes]")) button.addEventListener("click", () => window.print());
}

if (section) setUp();
