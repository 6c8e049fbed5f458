// Review, then signature, then seal as the last step; and what a sealed sheet shows.

import { qrElement } from "../../js/draw-qr.js";
import { store } from "../engine/store.js";
import { html, useCallback, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import SignaturePad from "../../vendor/signature_pad.js";
import { language, moment, of, say, tooShort } from "../words.js";
import { Computed } from "./computed.js";
import { Heading, Line, Made, Note, Reason, Status, Trouble, useAct } from "./frame.js";
import { ConflictButton } from "./gates.js";
import { changeWords, refusalWords } from "./refusals.js";
import { Mark, UndoButton, Unsaved, WhyNot, tally } from "./sheet.js";
import { pointsText } from "./standing.js";
import { pendingWords, problemWords } from "./states.js";

const given = (result) => (!result ? "—" : result.outcome === "not_applicable" ? say("不适用", "n/a") : pointsText(result) ?? { pass: say("符合", "yes"), fail: say("不符合", "no"), veto: say("否决", "veto"), no_veto: say("无", "none") }[result.outcome]);

/** Why an item deserves a second look: nothing or everything given, a verdict against, changed since the package came. */
function remarks(item, stand) {
  const result = stand.sum.items[item.id];
  const before = stand.sheet.duty.sheet?.entries?.[item.id];
  const text = pointsText(result);
  const extreme = text !== null && !item.scale.type.endsWith("deduct") && (text === item.min ? say("最低分", "lowest") : text === item.max ? say("满分", "full marks") : "");
  const against = { fail: say("不符合", "against"), veto: say("一票否决", "veto") }[result?.outcome];
  const changed = before && JSON.stringify(before) !== JSON.stringify(stand.entries[item.id]) && say("有改动", "changed");
  return [extreme, against, changed].filter(Boolean);
}

export function Table({ stand, at = null }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${say("评分", "Marks")}><table><caption>${say("评分", "Marks")}</caption><thead><tr><th scope="col">${say("项", "Item")}</th><th scope="col" class="num">${say("满分", "Max")}</th><th scope="col" class="num">${say("得分", "Points")}</th><th scope="col">${say("备注", "Remarks")}</th></tr></thead>
    <tbody>${stand.groups.flatMap((group, index) => group.items.map((item) => {
      const wrong = stand.problems[item.id] ?? [];
      const entry = stand.entries[item.id];
      const name = html`<${Mark} mark=${wrong.length ? (entry ? "flagged" : "empty") : "done"} /> <span class="num">${item.id}</span> ${of(item.title)}`;
      return html`<tr key=${item.id}><th scope="row">${at ? html`<a class="row-link" href=${at(index)}>${name}</a>` : name}</th>
        <td class="num">${["veto", "passfail"].includes(item.scale.type) ? "" : item.max}</td><td class="num"><b>${given(stand.sum.items[item.id])}</b></td>
        <td>${wrong.length > 0 && html`<span class=${entry ? "wrong-text" : "waits-text"}>${wrong.map(problemWords).join(say("；", "; "))}</span> `}${remarks(item, stand).map((word) => html`<${Status} kind="waits" key=${word}>${word}<//> `)}${entry?.reason}${entry?.evidence && html`<br /><small>${say("依据：", "Evidence: ")}${entry.evidence}</small>`}</td></tr>`;
    }))}</tbody>
    <tfoot><tr><th scope="row">${say("本表小计", "Sheet's own sum")}</th><td class="num">${stand.maximum}</td><td class="num"><b>${stand.marked}</b></td><td></td></tr></tfoot></table></div>`;
}

export function Signature({ onStrokes, label }) {
  const at = useRef();
  const pad = useRef();
  const tell = () => {
    const strokes = pad.current.toData().map(({ points }) => points);
    const from = strokes[0]?.[0]?.time ?? 0;
    onStrokes(strokes.length ? strokes.map((points) => points.map(({ x, y, time }) => [Math.round(x), Math.round(y), Math.round(time - from)])) : null);
  };
  useEffect(() => {
    const canvas = at.current;
    const fit = () => {
      const scale = Math.max(1, window.devicePixelRatio);
      if (canvas.width === canvas.offsetWidth * scale) return;
      const data = pad.current?.toData() ?? [];
      canvas.width = canvas.offsetWidth * scale;
      canvas.height = canvas.offsetHeight * scale;
      canvas.getContext("2d").scale(scale, scale);
      pad.current?.fromData(data);
    };
    fit();
    pad.current = new SignaturePad(canvas, { penColor: "#000", backgroundColor: "#fff" });
    pad.current.addEventListener("endStroke", tell);
    window.addEventListener("resize", fit);
    return () => {
      window.removeEventListener("resize", fit);
      pad.current.off();
    };
  }, []);
  const clear = () => {
    pad.current.clear();
    tell();
  };
  return html`<canvas ref=${at} class="signature" role="img" aria-label=${label}></canvas><button type="button" onClick=${clear}>${say("重签", "Clear")}</button>`;
}

function Seal({ sheetKey, user }) {
  const [by, choose] = useState("hand");
  const [strokes, draw] = useState(null);
  const own = store.state().name;
  const [name, put] = useState(own);
  const [pin, type] = useState("");
  const [run, busy, error] = useAct();
  const ready = name.trim() === own && (by === "hand" ? strokes : /^[0-9０-９]{6}$/.test(pin.trim()));
  const seal = () => run(async () => {
    if (by === "pin") await store.unlock(pin, user.tablet);
    await store.seal(sheetKey, { signedName: name.trim(), strokes: by === "hand" ? strokes : null });
  });
  return html`<section class="card" aria-labelledby="seal-title"><h2 id="seal-title">${say("签名并封存", "Sign and seal")}</h2>
    <${Line} id="signed-name" label=${say("签名人", "Name")} hint=${name.trim() !== own && say(`签名须与您的姓名（${own}）一致`, `The signature must be your name (${own})`)} value=${name} onValue=${put} />
    <fieldset class="choice"><legend>${say("签名方式", "How to sign")}</legend>${[["hand", say("手写签名", "By hand")], ["pin", say("姓名加密码", "Name and PIN")]].map(([value, words]) => html`
      <label class="tick ${by === value ? "on" : ""}" key=${value}><input type="radio" name="by" checked=${by === value} onChange=${() => choose(value)} /> <span>${words}</span></label>`)}</fieldset>
    ${by === "hand" ? html`<p class="quiet">${say("请在下框内签名", "Please sign in the box")}</p><${Signature} label=${say("签名框", "Signature box")} onStrokes=${draw} />`
      : html`<${Line} id="seal-pin" type="password" inputmode="numeric" maxlength="6" label=${say("六位密码", "Six-digit PIN")} value=${pin} onValue=${type} />`}
    <p>${say("封存后不能修改；专家组结束前可以写明理由撤回，两版都保留。", "A sealed sheet does not change. Until the panel closes you may withdraw it with a reason; both versions are kept.")}</p>
    <${Trouble} error=${error} />
    <div class="actions"><button type="button" class="primary" disabled=${busy || !ready} onClick=${seal}>${busy ? say("正在封存…", "Sealing…") : say("封存", "Seal")}</button></div></section>`;
}

export function Review({ sheetKey, stand, at, user }) {
  const { sheet } = stand;
  const listed = Object.entries(stand.problems);
  const first = stand.groups.findIndex((group) => group.items.some(({ id }) => stand.problems[id]));
  const off = !sheet.mayWrite;
  return html`<div class="page wide"><${Heading}>${say("核对并封存", "Review and seal")}<//>
    <${Unsaved} sheetKey=${sheetKey} stand=${stand} /><${WhyNot} sheet=${sheet} />
    ${listed.length ? html`<${Note} kind="waits" title=${tally(stand)}><p>${say("填完后即可签名封存。", "Once all is filled in you can sign and seal.")}</p>
        ${listed.filter(([id]) => !stand.items.some((item) => item.id === id)).map(([id, [problem]]) => html`<p key=${id}>${problemWords(problem)}</p>`)}
        ${first >= 0 && html`<a class="button" href=${at(first)}>${say("去第一处", "Go to the first")}</a>`}<//>`
      : html`<${Note} kind="ok"><p>${say("已全部填完。请核对下表，特别是标出的最低分、满分和改动。", "Everything is filled in. Please check the table, above all what is marked as lowest, full or changed.")}</p><//>`}
    <${Table} stand=${stand} at=${at} /><${Computed} stand=${stand} items=${stand.groups.flatMap(({ others }) => others)} />
    ${!listed.length && !off && !stand.failed.length && html`<${Seal} sheetKey=${sheetKey} user=${user} />`}
    <div class="actions"><a class="button" href=${at(0)}>${say("返回修改", "Back to change")}</a><${UndoButton} sheetKey=${sheetKey} off=${off} /><${ConflictButton} sheet=${sheet} /></div></div>`;
}

export function Refusals({ sheet }) {
  const [run, , error] = useAct();
  return html`${sheet.refused.map(({ op, receipt }) => html`<${Note} kind="wrong" key=${op.id} title=${say("服务器没有接受一处改动", "The server refused a change")}>
    <p><b>${changeWords(op, sheet.instrument.items)}</b>${" "}${[op.new ?? op.reason ?? ""].flat().join(say("、", ", "))}</p><p>${of(receipt.text) || refusalWords(receipt.why)}</p>
    <button type="button" onClick=${() => run(() => store.acknowledge(sheet.key, op.id))}>${say("知道了", "I have seen it")}</button><${Trouble} error=${error} /><//>`)}`;
}

export function Sealed({ sheetKey, stand }) {
  const { sheet } = stand;
  const [reason, put] = useState("");
  const [run, busy, error] = useAct();
  const code = sheet.sealed?.code ?? sheet.sealed?.receipt?.code;
  const draw = useCallback(() => qrElement(code, say(`回执码 ${code}`, `Receipt code ${code}`)), [code, language()]);
  return html`<div class="page wide"><${Heading}>${say("已封存", "Sealed")}<//>
    ${code ? html`<section class="card receipt" aria-labelledby="receipt-title"><div><h2 id="receipt-title">${say("回执码", "Receipt code")}</h2><p class="code big">${code}</p>
        <p>${say("请抄下。它取自账本中这张表的条目，可随时请监督人员核对。", "Write it down. It is taken from this sheet's entry in the ledger; a supervisor can check it at any time.")}</p></div><${Made} class="qr" make=${draw} /></section>`
      : html`<${Note} kind="waits" title=${say("已在本机封存，等待上传", "Sealed on this tablet, waiting to be sent")}><p>${say("联网后会收到回执码。请不要清理浏览器数据。", "The receipt code comes with the next connection. Do not clear the browser's data.")}</p><button type="button" onClick=${() => run(() => store.syncNow())}>${say("立即上传", "Send now")}</button><//>`}
    ${sheet.pending && html`<${Note} kind="waits"><p>${pendingWords(sheet.pending)}</p><//>`}
    <${Refusals} sheet=${sheet} />
    <dl class="kv"><dt>${say("签名人", "Signed by")}</dt><dd>${sheet.sealed?.signed_name}</dd><dt>${say("封存时间", "Sealed")}</dt><dd>${moment(sheet.sealed?.at)}</dd><dt>${say("版本", "Version")}</dt><dd>${sheet.revision}</dd></dl>
    <${Table} stand=${stand} /><${Computed} stand=${stand} items=${stand.groups.flatMap(({ others }) => others)} />
    ${sheet.duty.phase !== "closed" && html`<details class="card"><summary>${say("撤回更正（须写理由）", "Withdraw to correct (with a reason)")}</summary>
      <${Reason} id="withdraw-reason" kind="withdraw" label=${say("理由（必填）", "Reason (required)")} value=${reason} onValue=${put} /><${Trouble} error=${error} />
      <button type="button" class="danger" disabled=${busy || tooShort("withdraw", reason)} onClick=${() => run(() => store.withdraw(sheetKey, reason))}>${say("撤回，另起一版", "Withdraw and start a new version")}</button></details>`}
    <div class="actions"><a class="button primary" href="#/">${say("回到任务", "To my duties")}</a><${ConflictButton} sheet=${sheet} /></div></div>`;
}
