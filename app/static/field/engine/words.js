// The engine's words in both languages, and the errors that carry them. The language is the device's choice, not the server's: the
// shell is one file for everybody and must speak before anybody has signed in.

const KEPT = "mingjian.language";

export const language = () => (document.documentElement.lang.startsWith("en") ? "en" : "zh");

/** The phrase in the chosen language. */
export const say = (zh, en) => (language() === "en" ? en : zh);

export function setLanguage(to) {
  document.documentElement.lang = to === "en" ? "en" : "zh-CN";
  try {
    localStorage.setItem(KEPT, to);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

/** What this device chose before, here or on the pages (js/page.js), or what its browser prefers. */
export function chosenLanguage() {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept) return kept;
  } catch {
    // as above
  }
  return /^zh/i.test(navigator.language) ? "zh" : "en";
}

const WORDS = {
  insecure: [
    "浏览器认为这个地址不安全（不是 https，或证书不受信任），因此不能加密保存、不能离线使用。请用办公室给的 https 地址打开，或请管理员安装证书。",
    "The browser does not trust this address (not https, or its certificate is unknown), so nothing can be encrypted or used without signal. Open the https address of the office, or ask for the certificate to be installed.",
  ],
  no_storage: [
    "浏览器不允许保存数据（可能是无痕窗口）。请用普通窗口打开；在此之前什么也不会存下。",
    "The browser keeps no data (perhaps a private window). Open a normal window; until then nothing is stored.",
  ],
  not_persistent: [
    "浏览器没有承诺长期保存；无痕窗口一关闭，内容全部丢失。请把本应用添加到主屏幕，每天联网同步；未上传前不要清理浏览器数据。",
    "The browser has not promised to keep data for long, and a private window loses everything when it is closed. Add this app to the home screen, connect every day, and clear no browser data before all is uploaded.",
  ],
  nearly_full: [
    "本机存储空间快满了（已用九成以上）。请尽快联网上传，或清理设备。",
    "Storage on this tablet is nearly full (over nine tenths). Connect and upload soon, or free some space.",
  ],
  full: [
    "本机存储空间已满，刚才的内容没有存下，仍显示在页面上。请不要关闭页面；清理设备空间后按“再存一次”。",
    "Storage on this tablet is full: the last entry was not saved and is still on the page. Do not close the page; free some space, then press “try again”.",
  ],
  full_photo: [
    "本机存储空间已满，照片没有存下；已填写的内容都在。请清理设备空间后重新拍摄。",
    "Storage on this tablet is full: the photo was not kept; all that was typed is. Free some space and take it again.",
  ],
  clock: [
    "本机时钟与服务器相差较大。时限以服务器为准；请在设置中校准时间。",
    "This tablet's clock differs much from the server's. The server's time counts; please set the clock.",
  ],
  no_worker: [
    "离线功能没有装好：没有信号时重新打开页面会失败。请联网重新打开一次。",
    "The offline part is not installed: without signal the page will not open again. Open it once more while connected.",
  ],
  update: [
    "有新版本。内容全部上传、评分表关闭之后即可更新。",
    "A new version is ready. It can be applied once everything is uploaded and no sheet is open.",
  ],
  reload: [
    "另一个窗口已更新了本应用。请关闭这个窗口再打开。",
    "Another window has updated this app. Close this window and open it again.",
  ],
  newer: [
    "本机数据由更新的版本写成，这个版本不能打开。数据都在；请联网后重新打开。",
    "The data here were written by a newer version and this one cannot open them. They are all kept; connect and open again.",
  ],
  older: [
    "服务器的版本比平板旧，暂不接收。内容都在本机，等服务器更新后会自动上传。",
    "The server is older than this tablet and does not take its entries yet. All is kept here and goes up once the server is updated.",
  ],
  offline: ["现在没有信号，这一步需要联网。", "There is no signal now; this step needs it."],
  session: [
    "服务器没有认出这台平板的登录，已保留全部内容，会再试。",
    "The server did not recognise this tablet's session. Everything is kept; it will try again.",
  ],
  revoked: [
    "这台平板已被停用或不被认可，不能上传。内容都在本机：请导出数据包交给办公室。",
    "This tablet has been revoked or is not known, so it cannot upload. Everything is kept here: export the package and hand it to the office.",
  ],
  server: ["服务器暂时没有接收，会自动重试。", "The server did not take it just now; it will try again."],
  chain: [
    "服务器上的记录与本机不一致，为防止覆盖已停止上传。内容都在本机：请导出数据包交给办公室。",
    "The server's record differs from this tablet's; uploading has stopped so that nothing is overwritten. Everything is kept here: export the package and hand it to the office.",
  ],
  stopped: [
    "有一项内容服务器不能接收，其后的内容停在本机。请导出数据包交给办公室。",
    "The server cannot take one entry; those after it wait on this tablet. Export the package and hand it to the office.",
  ],
  media_refused: [
    "有照片未被服务器接收，仍保存在本机。",
    "A photo was not taken by the server; it is kept on this tablet.",
  ],
  code: [
    "口令无效、已使用或已过期。请在签到处重新领取。",
    "The code is wrong, used or expired. Get a new one at the check-in desk.",
  ],
  pin_shape: ["请设置六位数字密码。", "Choose a PIN of six digits."],
  pin: ["密码不对。", "Wrong PIN."],
  wait: ["密码多次输错，请稍后再试。", "Too many wrong PINs; try again later."],
  locked: ["已锁定，请输入密码。", "Locked: enter the PIN."],
  waiting: [
    "还有内容没有上传，不能退出。请联网上传，或先导出数据包。",
    "Something is not uploaded yet, so you cannot sign out. Connect and upload, or export the package first.",
  ],
  changed: [
    "评分表在另一个窗口有改动，没有提交。请核对后再提交。",
    "The sheet changed in another window, so it was not sealed. Check it and seal again.",
  ],
  unknown_sheet: ["没有这张评分表。", "There is no such sheet."],
  unknown_item: ["评分表里没有这一项。", "The form has no such item."],
  not_open: ["还不能评分。", "Scoring is not open yet."],
  stopped_sheet: [
    "已申报利益冲突，这张评分表已停止。",
    "A conflict of interest was declared; this sheet has stopped.",
  ],
  read_only: [
    "这张评分表正在您的另一台平板上填写。要在这里继续，请联网接管。",
    "This sheet is active on another tablet of yours. To go on here, connect and take it over.",
  ],
  branch: [
    "两台平板上的内容不同，请先逐项选择。",
    "Two tablets hold different entries: choose between them first.",
  ],
  sealed: ["评分表已提交。要修改，请先撤回并说明理由。", "The sheet is sealed. To change it, withdraw it with a reason."],
  reason: ["请写明理由。", "Give a reason."],
  photo_type: ["只能添加 JPEG、PNG 或 WebP 照片。", "Only JPEG, PNG or WebP photos can be added."],
  photo_size: ["照片超过 12 MB，没有添加。", "The photo is larger than 12 MB and was not added."],
  place: [
    "没有取得位置。不影响评分。",
    "The position could not be found. Scoring goes on without it.",
  ],
  unexpected: ["本机出错，刚才的操作没有生效。", "Something failed on this tablet; the last action had no effect."],
};

/** More of them, of a part that comes later: code -> [zh, en]. */
export const learn = (more) => Object.assign(WORDS, more);

/** {code, zh, en} for a state line. */
export function words(code) {
  const [zh, en] = WORDS[code] ?? WORDS.unexpected;
  return { code, zh, en };
}

/** The shortest reasons that the server takes, in characters. */
const SHORTEST = { conflict: 2, choose: 2, withdraw: 5 };

/** {zh, en} when the reason of such an operation is too short, else null. */
export function tooShort(kind, reason) {
  const least = SHORTEST[kind];
  return [...reason.trim()].length < least ? { zh: `请写明理由，至少 ${least} 个字。`, en: `Give a reason of at least ${least} characters.` } : null;
}

/** What went wrong, in words for the person; `more` is laid beside them (a wait's end, attempts left). */
export class FieldError extends Error {
  constructor(code, more = {}) {
    const text = words(code);
    super(`${code}: ${text.en}`);
    Object.assign(this, text, more);
  }
}
