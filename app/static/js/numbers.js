// Figures as Chinese input methods type them: full-width digits and 。 for the point become plain ones.
// The comma stays: whether 1，234 means thousands is for the server to ask, not for us to guess.

const WIDE = /[０-９．。－−，]/g;
const PLAIN = { "．": ".", "。": ".", "－": "-", "−": "-", "，": "," };

const plain = (text) =>
  text.replace(WIDE, (c) => PLAIN[c] ?? String.fromCharCode(c.charCodeAt(0) - 0xfee0));

/** "　１７．５ " -> "17.5". */
export const toPlainNumber = (text) => plain(text).trim();

/** Rewrite an input in place; every replacement is one character for one, so the caret stays. */
function rewrite(input) {
  const text = plain(input.value);
  if (text === input.value) return;
  const caret = input.selectionStart;
  input.value = text;
  input.setSelectionRange(caret, caret);
}

const figures = (event) => (event.target.matches?.("input[data-number]") ? event.target : null);

/** Watch the whole page, in the capturing phase, so that every other listener sees plain figures. */
export function watchNumbers() {
  const onInput = (event) => {
    const input = figures(event);
    if (input && !event.isComposing) rewrite(input);
  };
  document.addEventListener("input", onInput, true);
  document.addEventListener("compositionend", (event) => figures(event) && rewrite(event.target), true);
  document.addEventListener("change", (event) => {
    const input = figures(event);
    if (input) input.value = toPlainNumber(input.value);
  }, true);
}
