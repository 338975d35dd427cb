// The emoji picker of the toolbar. Loaded when it is first opened, and its emoji with it.

import { Picker } from "emoji-picker-element";

/** `data`: the address of the emoji's names in her language. `pick` is told each emoji that is pressed. */
export function draw({ locale, data, texts, pick }) {
  const picker = new Picker({ locale, dataSource: data, i18n: texts });
  picker.classList.add(document.documentElement.classList.contains("dark") ? "dark" : "light");
  picker.addEventListener("emoji-click", ({ detail }) => pick(detail.unicode));
  return picker;
}
