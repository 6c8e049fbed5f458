// An address that the browser does not trust: what cannot be done there, and why.

import { html } from "../../vendor/preact-htm.js";
import { say } from "../words.js";
import { Heading, Note } from "./frame.js";

export function Insecure() {
  return html`<div class="page"><${Heading}>${say("这个地址不能离线评分", "This address cannot be used without signal")}<//>
    <${Note} kind="wrong"><p>${say("浏览器认为连接不安全：地址不是 https，或证书不受信任。", "The browser does not trust the connection: the address is not https, or its certificate is unknown.")}</p><//>
    <ul><li>${say("不能加密保存，所以这里不收任何内容。", "Nothing can be encrypted, so nothing is taken in here.")}</li><li>${say("不能在没有信号时打开。", "The app cannot open without signal.")}</li><li>${say("不能拍照、录音或记录位置。", "No photos, recordings or positions.")}</li></ul>
    <p>${say("请用办公室给的 https 地址打开；自建证书请先由管理员装到平板上。实在不行，请用纸质评分表，由办公室两人录入。", "Open the https address that the office gave you; a certificate of your own must be installed on the tablet first. Failing that, score on paper: two clerks enter it.")}</p>
    <a class="button primary" href="/">${say("打开网页版", "Open the web pages")}</a></div>`;
}
