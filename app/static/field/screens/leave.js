// Taking everything along as a file, and signing out.

import { store } from "../engine/store.js";
import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Dialog, Note, Trouble, useAct } from "./frame.js";

async function save() {
  const { blob, name } = await store.exportPackage();
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return name;
}

const Exported = ({ name }) => html`<p role="status">${say(`已导出 ${name}，请交给办公室。`, `Exported ${name}: hand it to the office.`)} ${store.state().unsaved > 0 && say("没有存下的内容不在其中。", "What could not be saved is not in it.")}</p>`;

/** Exports once, when it is first shown. */
export function Export() {
  const [name, told] = useState("");
  const [run, , error] = useAct();
  useEffect(() => { run(async () => told(await save())); }, []);
  return html`${name && html`<${Exported} name=${name} />`}<${Trouble} error=${error} />`;
}

export function SignOut({ state, onClose }) {
  const [wipe, choose] = useState(true);
  const [run, busy, error] = useAct();
  const [exported, told] = useState("");
  const waits = state.waiting + state.waitingMedia;
  return html`<${Dialog} title=${say("退出", "Sign out")} onClose=${onClose}>
      ${state.unsaved > 0 && html`<${Note} kind="wrong"><p>${say(`还有 ${state.unsaved} 项没有存下，只在这个页面上，数据包里也没有。请先清理设备空间，再存一次；存下后才能退出。`, `${state.unsaved} value(s) are not saved: they are on this page alone, and in no export. Free some space and try again; you can sign out once they are saved.`)}</p><button type="button" disabled=${busy} onClick=${() => run(() => store.retryUnsaved())}>${say("再存一次", "Try again")}</button><//>`}
      ${waits > 0 ? html`<${Note} kind="waits"><p>${say(`还有 ${waits} 项没有回执。请先联网上传；实在不行，先导出数据包。`, `${waits} item(s) have no receipt yet. Connect and send them first or, failing that, export the package.`)}</p><button type="button" disabled=${busy} onClick=${() => run(async () => told(await save()))}>${say("导出数据包", "Export")}</button>${exported && html`<${Exported} name=${exported} />`}<//>` : !state.unsaved && html`<p>${say("全部都有回执。", "Everything is receipted.")}</p>`}
      <label class="tick ${wipe ? "on" : ""}"><input type="checkbox" checked=${wipe} onChange=${(event) => choose(event.target.checked)} /> <span>${say("同时清除这台平板上我的内容", "Also remove what is mine from this tablet")}</span></label><${Trouble} error=${error} />
      <div class="actions"><button type="button" onClick=${onClose}>${say("取消", "Cancel")}</button><button type="button" class="danger" disabled=${busy || state.unsaved > 0} onClick=${() => run(() => store.signOut({ wipe }))}>${say("退出", "Sign out")}</button></div><//>`;
}
