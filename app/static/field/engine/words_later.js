// The engine's words that only what comes later says.

import { learn } from "./words.js";

export { FieldError } from "./words.js";

learn({
  signature: ["签名须与您的姓名一致，没有封存。", "The signature must be your name. Nothing was sealed."],
  not_sealed: ["评分表还没有提交。", "The sheet is not sealed."],
  unlock_code: [
    "代码不对。请核对记录员屏幕上的 16 位代码。",
    "The code does not match. Check the 16 characters on the recorder's screen.",
  ],
});
