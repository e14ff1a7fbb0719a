// What an edit moves, as readers see it: its target, and what leaks beside it.

import { ask, finished, stop } from "./api.js";
import { button, choice, el, fill, workBar } from "./dom.js";

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

export function moves(store, info, k, fail) {
  const which = choice("target", [["", "what it moves most"],
    ...info.scores.map((name) => [name, name])], "", () => fill(told));
  const told = el("div", { class: "moves" });
  const work = workBar(stop);
  let measured = "";
  const now = () => JSON.stringify(store.state);
  const measure = button("measure", async () => {
    measure.disabled = true;
    const asked = now();
    try {
      const target = which.select.value || null;
      const task = await ask("moves", { state: store.state, edit: k, target });
      const result = await finished(task, work.hear);
      if (asked === now()) tell(result);
      measured = asked;
    } catch (error) {
      fail(error.message);
    }
    work.end();
    measure.disabled = false;
  });

  function tell({ target, columns }) {
    const lines = columns.map(({ name, change, leakage, others }) => el("p", { class: "note" },
      el("b", {}, name), ` ${signed(change)}, `,
      leakage === null ? "which is nothing" : `leaks ${leakage.toFixed(2)}`,
      others.length ? ` (${others.map(([other, by]) => `${other} ${signed(by)}`).join(", ")})` : ""));
    fill(told, el("p", { class: "note" }, `${target}, in deviations of random pictures; ` +
      "leakage is the mean change of all others over it:"), ...lines);
  }

  const whole = el("details", {}, el("summary", {}, "what it moves"), which,
    el("div", { class: "line" }, measure), work.whole, told);
  return { whole, show() { if (measured && measured !== now()) fill(told); } };
}
