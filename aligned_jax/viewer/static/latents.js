// Seeds, truncation, noise and the pad.

import { button, check, choice, el, section, slider, textField } from "./dom.js";
import { parseSeeds } from "./store.js";

const MOST = 9;

export function latents(store, info, fail) {
  const change = (key) => (value, done) =>
    store.change((state) => { state[key] = value; }, done !== false);
  const seeds = textField("seeds", "", (text) => {
    const found = parseSeeds(text);
    if (!found || found.length > MOST) fail(`seeds are up to ${MOST} numbers, like 0-2 or 1,4,7`);
    else store.change((state) => { state.seeds = found; });
  }, { spellcheck: false });
  const another = () => Math.floor(Math.random() * 100000);
  const psi = slider("psi", { value: 0.7, min: 0, max: 1.2, step: 0.01, change: change("psi") });
  const label = info.labels ? choice("class",
    [...Array(info.labels).keys()].map((k) => [k, String(k)]), 0,
    (value) => store.change((state) => { state.label = +value; })) : null;
  const noise = choice("noise", [["const", "stored maps"], ["random", "random"], ["none", "none"]],
    "const", change("noise"));
  const noiseSeed = slider("noise seed", { value: 0, min: 0, max: 50, step: 1,
    change: (value, done) => change("noise_seed")(Math.max(0, Math.round(value)), done) });
  const pad = padField(store, another);
  const shown = section("Latents", true, seeds,
    el("div", { class: "line" },
      button("+ row", () => store.change((state) => {
        if (state.seeds.length < MOST) state.seeds.push(Math.max(-1, ...state.seeds) + 1);
      })),
      button("− row", () => store.change((state) => {
        if (state.seeds.length + state.pictures.length + (state.pad ? 1 : 0) > 1) state.seeds.pop();
      })),
      button("others", () => store.change((state) => {
        state.seeds = state.seeds.map(another);
      }), { title: "other seeds" })),
    psi, label, noise, noiseSeed, pad);
  psi.hidden = !info.truncates;
  return {
    shown,
    show() {
      const state = store.state;
      seeds.show((state.seeds || []).join(","));
      psi.show(state.psi);
      label?.show(state.label ?? 0);
      noise.show(state.noise);
      noiseSeed.show(state.noise_seed);
      noiseSeed.hidden = state.noise !== "random";
      pad.show(state.pad);
    },
  };
}

function padField(store, another) {
  const dot = el("i");
  const corners = [0, 1, 2, 3].map(() => el("span"));
  const area = el("div", { class: "pad", tabIndex: 0, role: "slider", "aria-label": "pad",
    "aria-valuetext": "" }, ...corners, dot);
  const space = choice("walks in", [["z", "z"], ["w", "w of the parent"]], "z",
    (value) => store.change((state) => { state.pad.space = value; }));
  const on = check("pad between four seeds", false, (wanted) => store.change((state) => {
    state.pad = wanted ? { seeds: [0, 1, 2, 3], x: 0.5, y: 0.5, space: "z" } : null;
  }));
  const more = button("other corners", () => store.change((state) => {
    state.pad.seeds = [another(), another(), another(), another()];
  }));
  const move = (x, y, done) => store.change((state) => {
    const inside = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
    Object.assign(state.pad, { x: inside(x), y: inside(y) });
  }, done);
  let held = false;
  const follow = (event, done) => {
    const frame = area.getBoundingClientRect();
    move((event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height,
      done);
  };
  area.addEventListener("pointerdown", (event) => {
    held = true;
    area.setPointerCapture(event.pointerId);
    follow(event, false);
  });
  area.addEventListener("pointermove", (event) => { if (held) follow(event, false); });
  area.addEventListener("pointerup", (event) => {
    if (held) follow(event, true);
    held = false;
  });
  area.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key], pad = store.state.pad;
    if (!way || !pad) return;
    event.preventDefault();
    move(pad.x + way[0] * 0.05, pad.y + way[1] * 0.05, true);
  });
  const body = el("div", {}, area, space, more);
  const whole = el("div", {}, on, body);
  whole.show = (pad) => {
    on.show(Boolean(pad));
    body.hidden = !pad;
    if (!pad) return;
    corners.forEach((corner, k) => { corner.textContent = pad.seeds[k]; });
    Object.assign(dot.style, { left: `${pad.x * 100}%`, top: `${pad.y * 100}%` });
    area.setAttribute("aria-valuetext", `${pad.x}, ${pad.y}`);
    space.show(pad.space);
  };
  return whole;
}
