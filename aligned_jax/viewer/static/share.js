// The same without this page: commands, Python lines, files, an address.

import { ask, file } from "./api.js";
import { button, download, el, fill } from "./dom.js";

export function share(place, store, fail) {
  const shell = el("pre", { id: "commands", tabIndex: 0 });
  const python = el("pre", { id: "python", tabIndex: 0 });
  const note = el("p", { class: "note" });
  const save = (what) => async () => {
    try {
      const { name, blob } = await file("save", { state: store.state, what });
      download(name, blob);
    } catch (error) {
      fail(error.message);
    }
  };
  const copied = (text) => async (event) => {
    const pressed = event.target, said = pressed.textContent;
    try {
      await navigator.clipboard.writeText(text());
      pressed.textContent = "copied";
    } catch {
      pressed.textContent = "the browser refuses";
    }
    setTimeout(() => { pressed.textContent = said; }, 1200);
  };
  const recipe = button("save recipe", save("recipe"), { title: "the edits, for aligned edit" });
  fill(place, el("div", { class: "line" }, button("save PNG", save("png")),
    button("save all (zip)", save("zip"),
      { title: "pictures and latents as arrays, sheets, recipe, commands" }), recipe,
    button("copy address", copied(() => location.href)),
    button("copy commands", copied(() => shell.textContent)),
    button("copy Python", copied(() => python.textContent))), note,
  shell, el("details", {}, el("summary", {}, "Python"), python));
  let number = 0;
  return {
    async show() {
      const mine = ++number;
      recipe.disabled = !(store.state.edits || []).some((edit) => edit.on !== false);
      try {
        const told = await ask("explain", { state: store.state });
        if (mine !== number) return;
        shell.textContent = told.commands.join("\n");
        python.textContent = told.python;
        note.textContent = told.files.length ?
          `They read ${told.files.join(", ")}, which “save all” holds.` : "";
      } catch {
        if (mine === number) shell.textContent = python.textContent = note.textContent = "";
      }
    },
  };
}
