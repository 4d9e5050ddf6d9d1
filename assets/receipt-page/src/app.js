// The page behind the code: reads the receipt out of the fragment, judges it here, then asks the platform.

import { decode41 } from "./bytes.js";
import { ask, freshLists, keptLists, root } from "./net.js";
import { verify } from "./receipt.js";
import { draw } from "./view.js";
import { describe, outcome } from "./words.js";

let lang = /^zh/i.test(navigator.language || "zh") ? "zh" : "en";
let shown = { state: "checking" };
let settled = false;
let run = 0;

function show(next, done) {
  shown = next;
  settled = done;
  const other = () => {
    lang = lang === "zh" ? "en" : "zh";
    show(shown, settled);
  };
  draw(describe(shown, lang), settled, other);
}

async function check() {
  const mine = ++run;
  const fragment = location.hash.slice(1);
  if (!fragment) return show({ state: "empty" }, true);
  const envelope = decode41(fragment);
  const judge = (lists) => verify(envelope, Date.now() / 1000, lists);
  const put = (verdict, answer, done) => {
    if (mine === run) show({ state: outcome(verdict, answer), verdict, answer }, done);
  };
  if (!envelope || !judge([]).content) return put({ state: "forged", reason: "malformed" }, false, true);

  show({ state: "checking" }, false);
  const rootKey = await root();
  if (!rootKey) return put({ state: "nokeys" }, false, true);
  const kept = await keptLists(rootKey);
  const first = judge(kept);
  if (first.state === "genuine" || first.state === "withdrawn") put(first, null, false);

  // The two questions are independent: a slow list must not hold up the answer.
  const enough = (lists) => judge(lists).state !== "unknown";
  const [lists, answer] = await Promise.all([
    freshLists(rootKey, kept, enough),
    first.state === "forged" ? false : ask(envelope),
  ]);
  const verdict = lists.length ? judge(lists) : { state: "nokeys" };
  put(verdict, answer, true);
}

async function install() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/r/sw.js", { scope: "/r" });
    await navigator.serviceWorker.ready;
    document.documentElement.dataset.offline = "ready";
  } catch {
    // without it the page works while there is a network
  }
}

addEventListener("hashchange", check);
check();
install();
