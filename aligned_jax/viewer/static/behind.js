// Behind a picture: the style channels that move a region, and feature maps.

import { ask } from "./api.js";
import { button, choice, el, fill } from "./dom.js";

export class Behind {
  constructor(place, store, info, { fail, add }) {
    Object.assign(this, { place, store, info, fail, add });
    this.layer = info.layers[Math.min(3, info.layers.length - 1)];
    this.channels = el("div");
    this.maps = el("div");
    this.layers = choice("layer", info.layers.map((name) => [name, name]), this.layer, (name) => {
      this.layer = name;
      this.features();
    });
    this.title = el("h2");
    fill(place, el("div", { class: "line" }, this.title,
      button("close", () => { place.hidden = true; })),
    el("div", { class: "columns" },
      el("div", {}, el("p", { class: "note" },
        "Style channels that move the region most, from 5 sigmas less to 5 more"), this.channels),
      el("div", {}, this.layers, this.maps)));
  }

  async look(row, column, box, title) {
    this.place.hidden = false;
    this.title.textContent = title;
    this.at = { row, column };
    this.number = (this.number || 0) + 1;
    fill(this.channels, el("p", { class: "note" }, "measuring…"));
    this.features();
    const number = this.number;
    try {
      const given = { state: this.store.state, row, column, box };
      const { channels } = await ask("region", given);
      if (number === this.number) this.tell(channels);
    } catch (error) {
      fill(this.channels);
      this.fail(error.message);
    }
  }

  tell(channels) {
    const head = ["channel", "change", "inside"].map((text) => el("th", {}, text));
    fill(this.channels, el("table", {}, el("tr", {}, ...head),
      ...channels.map(({ name, change, inside }) => el("tr", {}, el("td", {}, name),
        el("td", {}, change.toFixed(3)), el("td", {}, `${Math.round(inside * 100)} %`),
        el("td", {}, button("edit", () => this.add(name), { "aria-label": `edit ${name}` }))))));
  }

  async features() {
    const number = this.number, layer = this.layer;
    try {
      const given = { state: this.store.state, ...this.at, layer };
      const { png, channels, across } = await ask("features", given);
      if (number !== this.number || layer !== this.layer) return;
      const image = el("img", { src: `data:image/png;base64,${png}`,
        alt: `feature maps of ${layer}` });
      const note = el("p", { class: "note" }, "Those that vary most first; point at one.");
      image.addEventListener("pointermove", (event) => {
        const frame = image.getBoundingClientRect();
        const down = Math.ceil(channels.length / across);
        const x = Math.floor((event.clientX - frame.left) / frame.width * across);
        const y = Math.floor((event.clientY - frame.top) / frame.height * down);
        const channel = channels[y * across + x];
        if (channel !== undefined) note.textContent = `${layer}, feature map ${channel}`;
      });
      fill(this.maps, image, note);
    } catch (error) {
      this.fail(error.message);
    }
  }
}
