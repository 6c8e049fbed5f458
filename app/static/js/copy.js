// Copies the text of an element (data-copy: its id). On an office network without HTTPS the clipboard
// interface is missing, so the text is selected and copied the old way.

async function copied(source) {
  const text = source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy"); // when refused the text stays selected, ready for Ctrl+C
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source || !(await copied(source))) return;
  const words = button.dataset.words ?? button.textContent;
  button.dataset.words = words;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = words), 2000);
});
