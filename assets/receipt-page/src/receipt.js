// Reads and judges a receipt. The same rules as offline/receipt; shared vectors hold the two together.

import { bytesHead, concat, decode41, equal, readCBOR } from "./bytes.js";
import { verifySM2 } from "./sm2.js";
import { sm3 } from "./sm3.js";

const MAX_BYTES = 320;
const MAX_AT = 253402300799;
const MAX_DUE = 2932896;
const DAY = 86400;

// Characters that a receipt never carries. The same table as offline/receipt/payload.go.
export const FOREIGN = [
  [0x0000, 0x001f],
  [0x007f, 0x009f],
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x0590, 0x08ff],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfb1d, 0xfdff],
  [0xfe70, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xffff],
  [0x10800, 0x10fff],
  [0x1d173, 0x1d17a],
  [0x1e800, 0x1efff],
  [0xe0000, 0xe00ff],
  [0xe01f0, 0x10ffff],
];

function isText(v, least, most) {
  if (typeof v !== "string") return false;
  const points = Array.from(v, (c) => c.codePointAt(0));
  return (
    points.length >= least &&
    points.length <= most &&
    points.every((p) => (p & 0xfffe) !== 0xfffe && !FOREIGN.some(([from, to]) => p >= from && p <= to))
  );
}

const within = (v, least, most) => Number.isInteger(v) && v >= least && v <= most;
const isBytes = (v, n) => v instanceof Uint8Array && v.length === n;

/** Reads a payload; null when it is none. */
export function readPayload(data) {
  if (data.length > MAX_BYTES) return null;
  let a;
  try {
    a = readCBOR(data);
  } catch {
    return null;
  }
  if (!Array.isArray(a) || a[0] !== 1) return null;
  const first = a[1] === 1;
  if (!(first && a.length === 10) && !(a[1] === 2 && a.length === 9)) return null;
  const content = first
    ? { stage: 1, device: a[2], seq: a[3], at: a[4], quality: a[5], item: a[6], name: a[7], hash: a[8], due: a[9] }
    : { stage: 2, device: a[2], seq: a[3], hash: a[4], officialNo: a[5], at: a[6], due: a[7], item: a[8] };
  const ok =
    within(content.device, 1, 0xffffffff) &&
    within(content.seq, 1, Number.MAX_SAFE_INTEGER) &&
    within(content.at, 0, MAX_AT) &&
    (content.due === null || within(content.due, 1, MAX_DUE)) &&
    isBytes(content.hash, 8) &&
    isText(content.item, 1, 16) &&
    (first
      ? within(content.quality, 0, 2) && isText(content.name, 0, 8)
      : typeof content.officialNo === "string" && /^[!-~]{1,50}$/.test(content.officialNo));
  return ok ? content : null;
}

const HEADER = [0xa2, 0x01, 0x3a, 0x00, 0x01, 0x00, 0x00, 0x04, 0x44]; // {1: -65537, 4: kid of 4 bytes

/** Takes an envelope apart; null when it is none. The signature is not checked here. */
export function openEnvelope(envelope) {
  if (!envelope || envelope.length > MAX_BYTES) return null;
  let a;
  try {
    a = readCBOR(envelope);
  } catch {
    return null;
  }
  if (!Array.isArray(a) || a.length !== 4) return null;
  const [header, unprotected, payload, sig] = a;
  if (!isBytes(header, 13) || !equal(header.subarray(0, 9), HEADER)) return null;
  if (unprotected === null || unprotected.constructor !== Object) return null;
  if (!(payload instanceof Uint8Array) || !isBytes(sig, 64)) return null;
  const context = new TextEncoder().encode("Signature1");
  const tbs = concat([0x84, 0x6a], context, bytesHead(13), header, [0x40], bytesHead(payload.length), payload);
  return { kid: header.subarray(9), tbs, payload, sig };
}

/** Reads a key list that the root signed; throws when it is not one. */
export function openKeyList(root, data) {
  const fail = () => {
    throw new Error("key list");
  };
  const outer = readCBOR(data);
  if (!Array.isArray(outer) || outer.length !== 3 || outer[0] !== 1) fail();
  const [, list, sig] = outer;
  if (!(list instanceof Uint8Array) || !isBytes(sig, 64)) fail();
  if (!verifySM2(root, concat(new TextEncoder().encode("bianmin/keylist/v1\0"), list), sig)) fail();
  const a = readCBOR(list);
  if (!Array.isArray(a) || a.length !== 5 || a[0] !== 1 || !Array.isArray(a[4])) fail();
  const [, county, version, at, rows] = a;
  if (typeof county !== "string" || !/^[0-9]{6}$/.test(county) || !within(version, 0, 0xffffffff)) fail();
  if (!within(at, 0, MAX_AT)) fail();
  const keys = rows.map((k) => {
    if (!Array.isArray(k) || k.length !== 11) fail();
    const [pub, stage, device, name, division, telephone, revoked, cutSeq, cutHash, from, to] = k;
    const texts = [name, division, telephone].every((s) => typeof s === "string");
    const numbers = within(device, 0, 0xffffffff) && within(cutSeq, 0, Number.MAX_SAFE_INTEGER);
    if (!isBytes(pub, 65) || pub[0] !== 4 || !within(stage, 1, 2) || typeof revoked !== "boolean") fail();
    if (!texts || !numbers || !isBytes(cutHash, 8) || !within(from, 0, MAX_AT) || !within(to, 0, MAX_AT)) fail();
    return { pub, stage, device, name, division, telephone, revoked, cutSeq, from, to };
  });
  return { county, version, at, keys };
}

const SPKI = [
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55,
  0x01, 0x82, 0x2d, 0x03, 0x42, 0x00,
];
const kidOf = (key) => (key.kid ??= sm3(concat(SPKI, key.pub)).subarray(0, 4));

function judge(key, content, now) {
  const seq = content.stage === 1 ? content.seq : 0;
  if (key.revoked) return ["withdrawn", seq > key.cutSeq ? "keyAfterCut" : "keyCut"];
  if (key.from && (key.from > now || content.at < key.from - DAY)) return ["withdrawn", "keyNotYet"];
  if (key.to && content.at > key.to + DAY) return ["withdrawn", "keyExpired"];
  return ["genuine", "genuine"];
}

/** Keeps the highest version of each county's list. */
export function newest(lists) {
  const best = new Map();
  for (const l of lists) if (!(best.get(l.county)?.version >= l.version)) best.set(l.county, l);
  return [...best.values()];
}

/**
 * Judges an envelope by key lists at a moment (Unix seconds): {state, reason, content, key}. The state is genuine,
 * withdrawn, unknown (no list names the signer) or forged.
 */
export function verify(envelope, now, lists) {
  const parts = openEnvelope(envelope);
  const content = parts && readPayload(parts.payload);
  if (!content) return { state: "forged", reason: "malformed", content: null, key: null };
  const v = { state: "unknown", reason: "unknownKey", content, key: null };
  const owns = (k) => k.stage === content.stage && (content.stage === 2 || k.device === content.device);
  for (const l of newest(lists)) {
    for (const k of l.keys) {
      const named = equal(kidOf(k), parts.kid);
      if (!named && !owns(k)) continue;
      if (v.state === "unknown") [v.state, v.reason] = ["forged", "signature"];
      if (!named || !owns(k) || !verifySM2(k.pub, parts.tbs, parts.sig)) continue;
      if (v.state === "withdrawn") continue;
      [v.state, v.reason] = judge(k, content, Math.max(now, l.at));
      v.key = k;
    }
  }
  return v;
}

/** Returns the envelope of a link; null when it is not a receipt's link or leads to a host not in hosts. */
export function readLink(link, hosts) {
  const m = /^https:\/\/([a-z0-9.:-]{1,80})\/r#(.*)$/su.exec(link.trim());
  if (!m || (hosts && !hosts.includes(m[1]))) return null;
  return decode41(m[2]);
}
