// Before anything is open: binding a tablet to an account, the PIN, the change of user.

import { store } from "../engine/store.js";
import { html, useState } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Dialog, Heading, Line, Trouble, useAct } from "./frame.js";

const CODE = 26; // characters of a one-time code of 128 bits in base 32

/** Letters and digits in groups of four, as they are printed. */
const grouped = (text) => text.normalize("NFKC").toUpperCase().replace(/[^0-9A-Z]/g, "").slice(0, 64).replace(/(.{4})(?=.)/g, "$1-");

const narrow = (text) => text.normalize("NFKC").replace(/[^0-9]/g, "").slice(0, 6);

const Pin = ({ id, label, value, onValue, hint }) => html`<${Line} id=${id} type="password" inputmode="numeric" label=${label} hint=${hint} tidy=${narrow} value=${value} onValue=${onValue} class="pin" />`;

export function Bind({ fragment, onBound }) {
  const [code, put] = useState(fragment);
  const [label, name] = useState("");
  const [pin, type] = useState("");
  const [again, repeat] = useState("");
  const [run, busy, error] = useAct();
  const others = store.users();
  const differs = again.length === 6 && pin !== again;
  const ready = code.replace(/-/g, "").length >= CODE && label.trim() && pin.length === 6 && pin === again;
  const bind = () => run(async () => {
    await store.bind(code, label.trim(), pin);
    onBound();
  });
  return html`<div class="page"><${Heading}>${say("登录这台平板", "Sign in on this tablet")}<//>
    <p>${fragment ? say("口令已随链接读入。给这台设备起个名、设一个密码即可。", "The code came with the link: name this device and choose a PIN.") : say("在签到处领取一次性口令（十分钟内有效），不需要密码。", "Get a one-time code at the check-in desk (valid for ten minutes). No password is needed.")}</p>
    <${Line} id="code" label=${say("一次性口令", "One-time code")} hint=${say("四个一组。在主屏幕的应用里请输入，不要扫码：扫码会登录到浏览器里。", "In groups of four. In the installed app type it, do not scan it: scanning signs the browser in.")} tidy=${grouped} value=${code} onValue=${put} autocapitalize="characters" class="code" />
    <${Line} id="label" label=${say("给平板起个名", "A name for this tablet")} hint=${say("例如：三号平板", "For example: tablet 3")} value=${label} onValue=${name} />
    <div class="pair"><${Pin} id="pin" label=${say("设六位密码", "Choose a six-digit PIN")} value=${pin} onValue=${type} /><${Pin} id="pin-again" label=${say("再输一次", "Once more")} value=${again} onValue=${repeat} /></div>
    ${differs && html`<p class="error" role="alert">${say("两次输入不同", "The two differ")}</p>`}
    <p class="quiet">${say("密码只在这台平板上，用来打开本机的内容；忘了请到签到处重新领口令。", "The PIN stays on this tablet and opens what is kept here. If you forget it, get a new code at the desk.")}</p>
    <${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !ready} onClick=${bind}>${busy ? say("正在登录…", "Signing in…") : say("登录", "Sign in")}</button>
      ${others.length > 0 && html`<button type="button" onClick=${() => store.switchUser(others[0].tablet)}>${say("返回", "Back")}</button>`}</div></div>`;
}

export function Unlock({ user }) {
  const [pin, type] = useState("");
  const [change, choose] = useState(false);
  const [run, busy, error] = useAct();
  const open = () => run(async () => {
    type("");
    await store.unlock(pin, user.tablet);
  });
  return html`<div class="page narrow"><${Heading}>${user.name}<//>
    <p class="quiet">${user.label} · ${say("内容已加密锁定", "locked, contents encrypted")}</p>
    <${Pin} id="pin" label=${say("六位密码", "Six-digit PIN")} value=${pin} onValue=${type} /><${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || pin.length !== 6} onClick=${open}>${busy ? say("正在打开…", "Opening…") : say("打开", "Open")}</button>
      <button type="button" onClick=${() => choose(true)}>${say("换人使用", "Another person")}</button></div>
    ${change && html`<${Dialog} title=${say("换人使用", "Another person")} onClose=${() => choose(false)}><ul class="plain">${store.users().map((one) => html`<li key=${one.tablet}>
      <button type="button" class="wide" onClick=${() => { choose(false); store.switchUser(one.tablet); }}>${one.name} <small>${one.waiting ? say(`待上传 ${one.waiting} 项`, `${one.waiting} waiting`) : one.label}</small></button></li>`)}</ul>
      <div class="actions"><button type="button" onClick=${() => choose(false)}>${say("取消", "Cancel")}</button><button type="button" onClick=${() => store.forgetSelection()}>${say("用口令登录新用户", "Sign in with a code")}</button></div><//>`}</div>`;
}
