// Imported before the application: the language stands before any other module reads it.

import { chosenLanguage } from "./words.js";

document.documentElement.lang = chosenLanguage() === "en" ? "en" : "zh-CN";
