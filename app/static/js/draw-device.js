// My device key, and the cosignature made with it. Ed25519 by the browser itself (WebCrypto); the private half is not extractable.

import { say } from "./page.js";
import { toHex } from "./draw-hash.js";
import { keep, kept } from "./draw-vault.js";

const NO_BROWSER = say(
  "这个浏览器不能生成或使用设备密钥。请用 Chromium / Chrome / Edge 137 以上、Firefox 129 以上或 Safari 17（iPadOS 17）以上，并通过 https 打开本页。",
  "This browser cannot make or use a device key. Use Chromium, Chrome or Edge 137 or later, Firefox 129 or later, or Safari 17 (iPadOS 17) or later, and open this page by https.",
);
const NOT_KEPT = say("这个浏览器不保存数据（可能是无痕窗口），密钥没有生成。", "This browser keeps nothing (a private window?), so no key was made.");

const slot = (account) => `device|${account}`;

async function able() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return false;
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

async function mine(account, publicHex) {
  try {
    const held = await kept(slot(account));
    return held && held.public === publicHex ? held : null;
  } catch {
    return null;
  }
}

const sign = async (held, text) =>
  toHex(new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, held.privateKey, new TextEncoder().encode(text))));

function tell(form, text) {
  const place = form.querySelector("[data-said]");
  place.textContent = text;
  place.hidden = !text;
}

/** Fill the hidden fields by `make`, then let the form go its ordinary way. */
function whenSent(form, make) {
  let ready = false;
  form.addEventListener("submit", async (event) => {
    if (ready) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell(form, "");
    try {
      await make();
      ready = true;
      form.requestSubmit(event.submitter ?? undefined);
    } catch (error) {
      tell(form, error.said ?? NOT_KEPT);
    }
  }, true);
}

const refuse = (text) => Object.assign(new Error(text), { said: text });

for (const form of document.querySelectorAll("form[data-device-register]")) {
  const { account } = form.dataset;
  able().then((yes) => { if (!yes) tell(form, NO_BROWSER); });
  whenSent(form, async () => {
    if (!(await able())) throw refuse(NO_BROWSER);
    const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    const publicHex = toHex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
    const held = { public: publicHex, privateKey: pair.privateKey };
    await keep(slot(account), held);
    form.elements.public.value = publicHex;
    form.elements.proof.value = await sign(held, `mingjian device key\n${account}\n${publicHex}\n`);
  });
}

for (const place of document.querySelectorAll("[data-device-here]")) {
  mine(place.dataset.account, place.dataset.public).then((held) => {
    for (const part of place.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "here") !== Boolean(held);
  });
}

for (const form of document.querySelectorAll("form[data-device-sign]")) {
  whenSent(form, async () => {
    const held = await mine(form.dataset.account, form.dataset.public);
    if (!held) {
      throw refuse(say(
        "登记的设备密钥不在这台设备上。请换到登记过的设备会签；设备遗失的，在“我的设备密钥”页撤销后重新登记。",
        "The registered device key is not on this device. Cosign on the one that was registered, or revoke the key on the page 'My device key' and register anew.",
      ));
    }
    form.elements.signature.value = await sign(held, form.dataset.body);
  });
}

for (const button of document.querySelectorAll("[data-enable]")) button.disabled = false; // without this script nothing could be signed
