// One's own pictures: a square of a photograph, the inversion, and their rows.

import { finished, stop, upload } from "./api.js";
import { button, check, choice, el, fill, section, slider, workBar } from "./dom.js";
import { placing } from "./place.js";
import { Square, paint, paintCut } from "./square.js";

export function uploads(store, info, fail) {
  const input = el("input", { type: "file", accept: "image/*", "aria-label": "picture" });
  const canvas = el("canvas", { class: "crop", title: "place the square" });
  const cut = el("canvas", { class: "cut", width: 112, height: 112, title: "what is cut out" });
  const mean = el("img", { class: "cut", alt: "the mean picture of the network", hidden: true });
  const place = placing(() => (mean.complete && mean.naturalWidth ? mean : null));
  const ways = [...info.encoders.map((name, k) => [`encoder ${k}`, `encoder ${name}`]),
    ...info.encoders.map((name, k) => [`start ${k}`, `optimise from ${name}`]),
    ["optimise 0", "optimise"]];
  const way = choice("how", ways, ways[0][0], () => show());
  const space = choice("space", [["", "usual"], ["z", "z"], ["w", "w"], ["w+", "w+"]], "", () => {});
  const steps = slider("steps", { value: 300, min: 10, max: 1000, step: 10, change: () => {} });
  const compare = choice("compare", [["vgg", "LPIPS (vgg)"], ["alex", "LPIPS (alex)"],
    ["pixels", "pixels"]], "vgg", () => {});
  const work = workBar(stop);
  const note = el("p", { class: "note" });
  const list = el("div", { class: "checks" });
  // A placed square is a face of a file of faces; without one the middle is cut out.
  let image = null, picked = null, square = null, done = [];

  function preview() {
    if (!image) return;
    const shown = square || new Square(image.width, image.height);
    const scale = Math.min(1, 560 / Math.max(image.width, image.height));
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    paint(canvas, image, shown, { others: done, ratio: canvas.width / 280 });
    paintCut(cut, image, shown);
  }

  async function lay() {
    const taken = await place(image, square, done);
    if (!taken) return;
    square = taken;
    note.textContent = "";
    show();
  }
  canvas.addEventListener("click", lay);
  const middle = button("middle square", () => { square = null; show(); });
  const squares = el("div", { class: "line" }, button("place the square…", lay), middle);
  const cuts = el("div", { class: "line" }, cut, mean);

  input.addEventListener("change", async () => {
    picked = input.files[0] || null;
    [image, square, done, note.textContent] = [null, null, [], ""];
    if (picked && picked.size > info.most_bytes) {
      fail(`the file has more than ${info.most_bytes >> 20} MB`);
      picked = null;
    } else if (picked) {
      try {
        image = await createImageBitmap(picked);
      } catch {
        note.textContent = "The browser cannot show this file; its middle square is taken.";
      }
    }
    if (image && info.truncates && !mean.src) {
      mean.addEventListener("load", () => { mean.hidden = false; });
      mean.src = "mean";
    }
    show();
  });

  const go = button("invert", async () => {
    const [kind, number] = way.select.value.split(" ");
    const options = { way: kind, encoder: number, name: picked.name };
    const corners = square?.corners();
    if (corners) options.face = JSON.stringify(corners);
    if (space.select.value) options.space = space.select.value;
    if (kind !== "encoder") {
      options.steps = String(Math.round(+steps.querySelector("input").value));
      options.compare = compare.select.value;
    }
    if (store.state.label !== null) options.label = store.state.label;
    const file = picked;
    go.disabled = true;
    try {
      note.textContent = "";
      const result = await finished(await upload(picked, options), work.hear);
      const told = Object.entries(result.distances).map(([k, v]) => `${k} ${v.toFixed(3)}`);
      note.textContent = `inverted: ${told.join(", ")}. For another face of the photograph, place `
        + "the square again.";
      if (file === picked && corners) done.push(corners);
      info.pictures.push(result.picture);
      info.photographs[result.picture] = result.photograph;
      store.change((state) => { state.pictures.push(result.picture); });
    } catch (error) {
      note.textContent = error.message;
    }
    work.end();
    show();
  }, { class: "main" });
  const body = el("div", {}, canvas, squares, cuts, way, space, steps, compare,
    el("div", { class: "line" }, go));
  const paste = check("faces back into the photograph", false, (wanted) => store.change((state) => {
    state.paste = wanted ? { feather: 0.1 } : null;
  }));

  function show() {
    const encoder = way.select.value.startsWith("encoder");
    steps.hidden = compare.hidden = encoder;
    canvas.hidden = squares.hidden = cuts.hidden = !image;
    body.hidden = !picked;
    go.disabled = !picked;
    middle.disabled = !square;
    preview();
    const pictures = store.state.pictures || [];
    paste.hidden = !pictures.length;
    paste.show(Boolean(store.state.paste));
    fill(list, ...info.pictures.map((number) => check(`picture ${number}`,
      pictures.includes(number), (wanted) => store.change((state) => {
        state.pictures = state.pictures.filter((one) => one !== number);
        if (wanted) state.pictures.push(number);
      }), info.photographs[number])));
  }

  return { shown: section("Own picture", false, input, body, work.whole, note, list, paste), show };
}
