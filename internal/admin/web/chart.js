// A line over the last ten minutes.

import { length } from "./history.js";
import { span } from "./format.js";

const width = 600;
const height = 100;
const gap = 5000; // milliseconds without a sample, after which the line is interrupted

const svg = (tag, attributes, parent) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
};

const html = (tag, className, parent) => {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
};

/** ceiling is the round number at the top of a scale. */
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= most) * power;
}

/** sizeCeiling is one for bytes, round in KiB, MiB or GiB. */
export function sizeCeiling(most) {
  const unit = 1024 ** Math.floor(Math.log2(most) / 10);
  return ceiling(most / unit) * unit;
}

export class Chart {
  #figure; #title; #write; #least; #ceiling; #area; #curve; #cursor; #top; #tip;
  #points = [];

  /** A chart in a figure. write formats a value; the scale goes at least to least. */
  constructor(figure, title, write, least, round = ceiling) {
    this.#figure = figure;
    this.#title = title;
    this.#write = write;
    this.#least = least;
    this.#ceiling = round;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, figure);
    for (const y of [0, height / 2, height]) svg("line", { class: "grid", x1: 0, x2: width, y1: y, y2: y }, picture);
    this.#area = svg("path", { class: "area" }, picture);
    this.#curve = svg("path", { class: "curve" }, picture);
    this.#cursor = svg("line", { class: "cursor", y1: 0, y2: height, visibility: "hidden" }, picture);
    this.#top = html("span", "top", figure);
    this.#tip = html("output", "", figure);
    this.#tip.hidden = true;
    this.#tip.setAttribute("aria-hidden", "true");
    const caption = html("figcaption", "", figure);
    html("span", "", caption).textContent = `${span(length)} ago`;
    html("span", "", caption).textContent = "now";
    figure.setAttribute("role", "img");
    figure.addEventListener("pointermove", (event) => this.#point(event));
    figure.addEventListener("pointerleave", () => this.#leave());
  }

  /** draw shows the values of samples, the last of them at the right end. */
  draw(samples, key) {
    const known = samples.filter((sample) => sample[key] !== null);
    if (known.length === 0) return;
    const last = samples.at(-1).time;
    const values = known.map((sample) => sample[key]);
    const most = Math.max(...values);
    const top = this.#ceiling(Math.max(most * 1.05, this.#least));
    this.#points = known.map((sample) => ({
      time: sample.time,
      value: sample[key],
      x: width * (1 - (last - sample.time) / length),
      y: height * (1 - sample[key] / top),
    }));
    let curve = "";
    let area = "";
    this.#points.forEach((point, i) => {
      const before = this.#points[i - 1];
      const at = `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
      if (before && point.time - before.time <= gap) {
        curve += `L${at}`;
        area += `L${at}`;
        return;
      }
      if (before) area += `L${before.x.toFixed(1)} ${height}Z`;
      curve += `M${at}`;
      area += `M${point.x.toFixed(1)} ${height}L${at}`;
    });
    area += `L${this.#points.at(-1).x.toFixed(1)} ${height}Z`;
    this.#curve.setAttribute("d", curve);
    this.#area.setAttribute("d", area);
    this.#top.textContent = this.#write(top);
    this.#figure.setAttribute("aria-label", `${this.#title} over the last ${span(length)}: now ${this.#write(values.at(-1))}, ` +
      `least ${this.#write(Math.min(...values))}, most ${this.#write(most)}`);
  }

  #point(event) {
    const box = this.#figure.getBoundingClientRect();
    const x = (width * (event.clientX - box.left)) / box.width;
    const nearest = this.#points.reduce((best, point) => (!best || Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best), null);
    if (!nearest) return;
    this.#cursor.setAttribute("x1", nearest.x);
    this.#cursor.setAttribute("x2", nearest.x);
    this.#cursor.setAttribute("visibility", "visible");
    this.#tip.textContent = `${this.#write(nearest.value)} · ${new Date(nearest.time).toLocaleTimeString()}`;
    this.#tip.hidden = false;
    const right = nearest.x > width / 2;
    this.#tip.style.left = right ? "auto" : `calc(${(100 * nearest.x) / width}% + 8px)`;
    this.#tip.style.right = right ? `calc(${100 - (100 * nearest.x) / width}% + 8px)` : "auto";
  }

  #leave() {
    this.#cursor.setAttribute("visibility", "hidden");
    this.#tip.hidden = true;
  }
}
