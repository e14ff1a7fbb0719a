// One's own pictures: a crop, the inversion, and their rows.

import { finished, stop, upload } from "./api.js";
import { button, check, choice, el, fill, section, slider, workBar } from "./dom.js";

export function uploads(store, info, fail) {
  const input = el("input", { type: "file", accept: "image/*", "aria-label": "picture" });
  const canvas = el("canvas", { class: "crop", hidden: true, tabIndex: 0,
    "aria-label": "the square that is cut out" });
  const crop = { x: 0, y: 0, side: 1 };
  const size = slider("square", { value: 1, min: 0.1, max: 1, step: 0.01, change: (value) => {
    crop.side = Math.min(1, Math.max(0.05, value));
    paint();
  } });
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
  let image = null, picked = null;

  function paint() {
    if (!image) return;
    const shorter = Math.min(image.width, image.height), side = crop.side * shorter;
    crop.x = Math.min(crop.x, 1 - side / image.width);
    crop.y = Math.min(crop.y, 1 - side / image.height);
    const scale = Math.min(1, 560 / Math.max(image.width, image.height));
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    pen.fillStyle = "rgb(0 0 0 / 55%)";
    pen.beginPath();
    pen.rect(0, 0, canvas.width, canvas.height);
    pen.rect(crop.x * canvas.width, crop.y * canvas.height, side * scale, side * scale);
    pen.fill("evenodd");
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2;
    pen.strokeRect(crop.x * canvas.width, crop.y * canvas.height, side * scale, side * scale);
  }

  function move(x, y) {
    crop.x = Math.max(0, x);
    crop.y = Math.max(0, y);
    paint();
  }

  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY, crop.x, crop.y];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const frame = canvas.getBoundingClientRect();
    move(held[2] + (event.clientX - held[0]) / frame.width,
      held[3] + (event.clientY - held[1]) / frame.height);
  });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = ways[event.key];
    if (!step) return;
    event.preventDefault();
    move(crop.x + step[0] * 0.02, crop.y + step[1] * 0.02);
  });

  input.addEventListener("change", async () => {
    picked = input.files[0] || null;
    image = null;
    if (picked) {
      if (picked.size > info.most_bytes) {
        fail(`the file has more than ${info.most_bytes >> 20} MB`);
        picked = null;
      } else {
        try {
          image = await createImageBitmap(picked);
        } catch {
          note.textContent = "The browser cannot show this file; its middle square is taken.";
        }
      }
    }
    Object.assign(crop, { x: 0, y: 0, side: 1 });
    if (image) {
      const shorter = Math.min(image.width, image.height);
      crop.x = (1 - shorter / image.width) / 2;
      crop.y = (1 - shorter / image.height) / 2;
    }
    size.show(1);
    paint();
    show();
  });

  const go = button("invert", async () => {
    const [kind, number] = way.select.value.split(" ");
    const options = { ...crop, way: kind, encoder: number };
    if (space.select.value) options.space = space.select.value;
    if (kind !== "encoder") {
      options.steps = String(Math.round(+steps.querySelector("input").value));
      options.compare = compare.select.value;
    }
    if (store.state.label !== null) options.label = store.state.label;
    go.disabled = true;
    try {
      note.textContent = "";
      const result = await finished(await upload(picked, options), work.hear);
      const told = Object.entries(result.distances).map(([k, v]) => `${k} ${v.toFixed(3)}`);
      note.textContent = `inverted: ${told.join(", ")}`;
      info.pictures.push(result.picture);
      store.change((state) => { state.pictures.push(result.picture); });
    } catch (error) {
      note.textContent = error.message;
    }
    work.end();
    show();
  });
  const body = el("div", {}, canvas, size, way, space, steps, compare,
    el("div", { class: "line" }, go));

  function show() {
    const encoder = way.select.value.startsWith("encoder");
    steps.hidden = compare.hidden = encoder;
    canvas.hidden = size.hidden = !image;
    body.hidden = !picked;
    go.disabled = !picked;
    const pictures = store.state.pictures || [];
    fill(list, ...info.pictures.map((number) => check(`picture ${number}`,
      pictures.includes(number), (wanted) => store.change((state) => {
        state.pictures = state.pictures.filter((one) => one !== number);
        if (wanted) state.pictures.push(number);
      }))));
  }

  return { shown: section("Own picture", false, input, body, work.whole, note, list), show };
}
