// What every module needs of the page: its language, its CSRF token, building elements without HTML strings.

export const english = document.documentElement.lang.startsWith("en");

/** The phrase in the page's language. */
export const say = (zh, en) => (english ? en : zh);

export const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";

/** Who is signed in, as the server wrote it; "" on a page for everybody. */
export const viewer = () => document.documentElement.dataset.viewer ?? "";

// The field application has no server to ask which language its reader chose: it takes the one last read here.
if (viewer()) {
  try {
    localStorage.setItem("mingjian.language", english ? "en" : "zh");
  } catch {
    // Then it goes by the browser's own language.
  }
}

/** An element with attributes and children; text goes in as text, so nothing here can become markup. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Web storage that may be full or forbidden: writing says whether it worked, reading never throws. */
export function keeper(storage) {
  return {
    read(key) {
      try {
        return JSON.parse(storage().getItem(key));
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        if (value === null) storage().removeItem(key);
        else storage().setItem(key, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    keys(prefix) {
      try {
        return Object.keys(storage()).filter((key) => key.startsWith(prefix));
      } catch {
        return [];
      }
    },
  };
}
