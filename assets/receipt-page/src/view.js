// Draws what words.js describes. Texts go in as text nodes only.

import { LANGUAGES } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

// One shape for each tone, so that nobody has to tell colours apart.
const SHAPES = {
  good: ["M24 3a21 21 0 1 0 0 42 21 21 0 0 0 0-42z", "M14 25l7 7 14-15"],
  info: ["M24 3l17 6v13c0 11-7 19-17 23C14 41 7 33 7 22V9z", "M15 24l6 6 12-13"],
  warn: ["M24 4L46 43H2z", "M24 18v12M24 36v1"],
  bad: ["M15 3h18l12 12v18L33 45H15L3 33V15z", "M16 16l16 16M32 16L16 32"],
  plain: ["M8 8h12v12H8zM28 8h12v12H28zM8 28h12v12H8z", "M28 28h4v4h-4zM36 36h4v4h-4zM36 28h4M28 40h4"],
};

function element(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children.filter((c) => c !== ""));
  return e;
}

function icon(tone) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  SHAPES[tone].forEach((d, i) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", i ? "mark" : "shape");
    svg.append(path);
  });
  return svg;
}

/** Replaces the page's content. settled is false while the platform is still being asked. */
export function draw(view, settled, onLanguage) {
  const w = LANGUAGES[view.lang];
  document.documentElement.lang = view.lang === "zh" ? "zh-CN" : "en";
  document.title = `${view.title} · ${w.app}`;
  document.getElementById("app").textContent = w.app;
  const lang = document.getElementById("lang");
  lang.textContent = w.other;
  lang.lang = view.lang === "zh" ? "en" : "zh-CN";
  lang.onclick = onLanguage;
  document.getElementById("safe").textContent = w.safe;
  document.getElementById("host").textContent = `${w.host} ${location.host}`;

  const words = element("div", "words");
  if (view.stage) words.append(element("p", "stage", view.stage));
  words.append(element("h1", "", view.title));
  if (view.sub) words.append(element("p", "sub", view.sub));
  const parts = [element("section", `verdict ${view.tone}`, icon(view.tone), words)];
  if (view.lead) parts.push(element("p", "lead", view.lead));
  if (view.steps.length) {
    const steps = view.steps.map((s) => {
      const word = element("span", "hidden", ` ${s.word}`);
      return element("li", s.done ? "done" : "", element("span", "dot", s.done ? "✓" : ""), s.name, word);
    });
    parts.push(element("ol", "steps", ...steps));
  }
  if (view.rows.length) {
    const rows = view.rows.map((r) => element("div", r.strong ? "strong" : "", element("dt", "", r.label), element("dd", "", r.value)));
    parts.push(element("dl", "rows", ...rows));
  }
  for (const n of view.notes) parts.push(element("p", "note", n));
  if (view.phone) {
    const call = element("a", "call", w.call);
    call.href = `tel:${view.phone.replace(/[^0-9+]/g, "")}`;
    parts.push(call);
  }
  const main = document.getElementById("main");
  main.dataset.state = view.state;
  main.dataset.settled = settled ? "yes" : "no";
  main.replaceChildren(...parts);
}
