// How a page is shown: projector mode (data-present), paper (data-print), dark or light and the connection on tablets.

const root = document.documentElement;

// ---- projector: the page alone, large, full screen, and the screen kept awake while it lasts
let lock = null;

async function wake(on) {
  try {
    if (on) lock = await navigator.wakeLock?.request("screen");
    else await lock?.release();
  } catch {
    lock = null; // a battery saver may refuse; the page still shows
  }
}

async function present(on) {
  root.classList.toggle("present", on);
  for (const button of document.querySelectorAll("[data-present]")) button.setAttribute("aria-pressed", String(on));
  await wake(on);
  try {
    if (on && !document.fullscreenElement) await root.requestFullscreen();
    if (!on && document.fullscreenElement) await document.exitFullscreen();
  } catch {
    // full screen may be refused; the large page without navigation is what matters
  }
}

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && root.classList.contains("present")) present(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.classList.contains("present")) present(false);
});

// ---- dark for dim halls, light for bright fields; the choice stays on the device
const THEME = "mingjian.theme";

function theme(choice) {
  if (choice) root.dataset.theme = choice;
  try {
    if (choice) localStorage.setItem(THEME, choice);
    return localStorage.getItem(THEME);
  } catch {
    return choice;
  }
}

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

if (root.classList.contains("field")) {
  const remembered = theme(null);
  if (remembered) root.dataset.theme = remembered;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-present], [data-print], [data-theme-toggle]");
  if (!button) return;
  if ("present" in button.dataset) present(!root.classList.contains("present"));
  else if ("print" in button.dataset) window.print();
  else theme(isDark() ? "light" : "dark");
});

// ---- what the device knows of its connection; what is saved is said by the server's answers alone
function connection() {
  for (const part of document.querySelectorAll("[data-connection] [data-when]")) {
    part.hidden = (part.dataset.when === "online") !== navigator.onLine;
  }
}

window.addEventListener("online", connection);
window.addEventListener("offline", connection);
connection();
