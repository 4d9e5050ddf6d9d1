// What the page fetches: the root, key lists, and the platform's answer. Keys are kept in the browser's cache, so that
// a page once loaded verifies with nothing but itself.

import { openKeyList } from "./receipt.js";

const STORE = "bianmin-receipt-keys";
const TIMEOUT = 8000;

async function get(url, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT);
  try {
    const r = await fetch(url, { cache: "no-cache", credentials: "omit", redirect: "error", ...options, signal: stop.signal });
    if (!r.ok) throw new Error(String(r.status));
    return new Uint8Array(await r.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

// store is null where the browser gives no cache, as on a page without https; the page then works while it is open.
const store = () => (globalThis.caches ? caches.open(STORE).catch(() => null) : null);

async function load(url) {
  const hit = await (await store())?.match(url);
  return hit ? new Uint8Array(await hit.arrayBuffer()) : null;
}

async function save(url, data) {
  await (await store())?.put(url, new Response(data)).catch(() => {});
}

/** The platform root, 65 bytes. The first one seen is kept and never replaced; null when there is none yet. */
export async function root() {
  const url = "/r/root.cbor";
  const kept = await load(url);
  if (kept) return kept;
  try {
    const data = await get(url);
    if (data.length !== 65 || data[0] !== 4) return null;
    await save(url, data);
    return data;
  } catch {
    return null;
  }
}

const listURL = (county) => `/r/keys/${county}.cbor`;

function open(rootKey, data) {
  try {
    return data && openKeyList(rootKey, data);
  } catch {
    return null;
  }
}

const countiesOf = (data) => {
  try {
    const { counties } = JSON.parse(new TextDecoder().decode(data));
    return counties.filter((c) => /^[0-9]{6}$/.test(c)).slice(0, 4000);
  } catch {
    return [];
  }
};

/** The key lists kept in the browser. */
export async function keptLists(rootKey) {
  const lists = [];
  const cache = await store();
  for (const request of (await cache?.keys()) ?? []) {
    const path = new URL(request.url).pathname;
    if (/^\/r\/keys\/[0-9]{6}\.cbor$/.test(path)) {
      const l = open(rootKey, await load(path));
      if (l) lists.push(l);
    }
  }
  return lists;
}

/**
 * Fetches key lists anew until done(lists) says that they are enough, the kept counties first, and keeps what is
 * newer. Returns the newest of kept and fetched lists. Never throws.
 */
export async function freshLists(rootKey, kept, done) {
  const best = new Map(kept.map((l) => [l.county, l]));
  let counties = [];
  try {
    counties = countiesOf(await get("/r/keys/index.json"));
  } catch {
    return [...best.values()];
  }
  counties.sort((a, b) => best.has(b) - best.has(a));
  for (const county of counties) {
    try {
      const data = await get(listURL(county));
      const l = open(rootKey, data);
      const old = best.get(county);
      if (l && l.county === county && !(old?.version > l.version)) {
        best.set(county, l);
        await save(listURL(county), data);
      }
    } catch {
      // this shard is out of reach; what is kept stays good
    }
    const stillKept = counties.slice(counties.indexOf(county) + 1).some((c) => best.has(c));
    if (!stillKept && done([...best.values()])) break;
  }
  return [...best.values()];
}

/** Asks the platform with the receipt's own signed bytes. False when it gives no answer. */
export async function ask(envelope) {
  try {
    const headers = { "Content-Type": "application/cbor", Accept: "application/json" };
    const data = await get("/v1/status", { method: "POST", headers, body: envelope });
    const answer = JSON.parse(new TextDecoder().decode(data));
    return answer && typeof answer === "object" ? answer : false;
  } catch {
    return false;
  }
}
