// A network between the parent and a child, as one more column.

import { check, choice, el, section, slider } from "./dom.js";

export function blend(store, info) {
  if (info.columns.length < 2) return null;
  const fresh = () => ({ child: 1, t2: 0.5 });
  const set = (key) => (value, done) => store.change((state) => {
    if (value === null) delete state.blend[key];
    else state.blend[key] = value;
  }, done !== false);
  const on = check("a blend, as one more column", false, (wanted) =>
    store.change((state) => { state.blend = wanted ? fresh() : null; }));
  const child = choice("child", info.columns.slice(1).map((name, k) => [k + 1, name]), 1,
    (value) => set("child")(+value));
  const t2 = slider("t2 weights", { value: 0.5, min: 0, max: 1, step: 0.01, change: set("t2") });
  const apart = check("latents apart from weights", false,
    (wanted) => set("t1")(wanted ? 0.5 : null),
    "w goes from the parent's mapping to the child's; otherwise the blend maps z itself");
  const t1 = slider("t1 latents", { value: 0.5, min: 0, max: 1, step: 0.01, change: set("t1") });
  const sizes = info.resolutions.map((size) => [size, `above ${size} px`]);
  const swap = choice("swap layers", [["", "no"], ...sizes], "", (value) =>
    store.change(({ blend }) => {
      if (value) Object.assign(blend, { swap: +value });
      else for (const key of ["swap", "smooth", "coarse"]) delete blend[key];
    }));
  const coarse = choice("coarse from", [["parent", "the parent"], ["child", "the child"]], "parent",
    set("coarse"));
  const smooth = slider("smoothness", { value: 0, min: 0, max: 4, step: 0.05,
    change: (value, done) => set("smooth")(value > 0 ? value : null, done) });
  const boxes = info.components.map((name) => check(name, false, (wanted) =>
    store.change(({ blend }) => {
      const rest = (blend.reset || []).filter((one) => one !== name);
      blend.reset = wanted ? [...rest, name] : rest;
      if (!blend.reset.length) { delete blend.reset; delete blend.reset_at; }
    })));
  const body = el("div", {}, child, t2, apart, t1, swap, coarse, smooth,
    el("p", { class: "note" }, "components that are the parent's:"),
    el("div", { class: "checks" }, ...boxes));
  return {
    shown: section("Blend", true, on, body),
    show() {
      const now = store.state.blend;
      on.show(Boolean(now));
      body.hidden = !now;
      if (!now) return;
      child.show(now.child);
      t2.show(now.t2 ?? 1);
      apart.show(now.t1 !== undefined && now.t1 !== null);
      t1.hidden = now.t1 === undefined || now.t1 === null;
      t1.show(now.t1 ?? 0.5);
      swap.show(now.swap ?? "");
      coarse.hidden = smooth.hidden = !now.swap;
      coarse.show(now.coarse ?? "parent");
      smooth.show(now.smooth ?? 0);
      boxes.forEach((box, k) => box.show((now.reset || []).includes(info.components[k])));
    },
  };
}
