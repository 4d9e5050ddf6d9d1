// Reads {root, lists, now, hosts, links, picks} from standard input. Puts other characters into every place of every
// link, and prints {tried, states, genuine}: how many links, what the page's script says of them, and those it calls
// genuine. picks[i] says how many characters a place of link i gets; 0 means all. All processors share the links.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { openKeyList, readLink, verify } from "../src/receipt.js";
import { unhex } from "./vectors.mjs";

const OTHERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*-/:a+";

function change({ root, lists, now, hosts, links, picks }, mine) {
  const opened = lists.map((l) => openKeyList(unhex(root), unhex(l)));
  const judge = (link) => {
    const envelope = readLink(link, hosts);
    return envelope ? verify(envelope, now, opened).state : "forged";
  };
  const out = { tried: 0, states: {}, genuine: [] };
  links.forEach((link, i) => {
    if (!mine(i)) return;
    if (judge(link) !== "genuine") throw new Error(`not genuine before it is changed: ${link}`);
    for (let at = 0; at < link.length; at++) {
      const all = [...OTHERS].filter((c) => c !== link[at]);
      const some = picks[i] ? Array.from({ length: picks[i] }, (_, n) => all[(at + i + n * 17) % all.length]) : all;
      for (const c of some) {
        const bad = link.slice(0, at) + c + link.slice(at + 1);
        const state = judge(bad);
        out.tried++;
        out.states[state] = (out.states[state] ?? 0) + 1;
        if (state === "genuine") out.genuine.push(bad);
      }
    }
  });
  return out;
}

if (isMainThread) {
  const input = JSON.parse(readFileSync(0, "utf8"));
  const count = Math.min(availableParallelism(), input.links.length);
  const parts = await Promise.all(
    Array.from(
      { length: count },
      (_, n) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: { input, n, count } });
          worker.on("message", resolve);
          worker.on("error", reject);
        }),
    ),
  );
  const out = { tried: 0, states: {}, genuine: [] };
  for (const part of parts) {
    out.tried += part.tried;
    out.genuine.push(...part.genuine);
    for (const [state, n] of Object.entries(part.states)) out.states[state] = (out.states[state] ?? 0) + n;
  }
  process.stdout.write(JSON.stringify(out));
} else {
  const { input, n, count } = workerData;
  parentPort.postMessage(change(input, (i) => i % count === n));
}
