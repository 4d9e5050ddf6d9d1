// Base41, hexadecimal, and the strict reader for deterministic CBOR.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*-/:";
const MAX_TEXT = 480;

/** Returns the bytes of a fragment. Reading stops at the first foreign character; null when it is not canonical. */
export function decode41(fragment) {
  let end = 0;
  while (end < fragment.length && ALPHABET.includes(fragment[end])) end++;
  if (end === 0 || end > MAX_TEXT) return null;
  const out = [];
  for (let at = 0; at < end; at += 3) {
    const count = Math.min(3, end - at);
    let n = 0;
    for (let i = count - 1; i >= 0; i--) n = n * 41 + ALPHABET.indexOf(fragment[at + i]);
    if (count === 3 && n <= 0xffff) out.push(n >> 8, n & 255);
    else if (count === 2 && n <= 0xff) out.push(n);
    else return null;
  }
  return new Uint8Array(out);
}

export function encode41(bytes) {
  let out = "";
  for (let i = 0; i < bytes.length; i += 2) {
    const two = i + 1 < bytes.length;
    const n = two ? bytes[i] * 256 + bytes[i + 1] : bytes[i];
    out += ALPHABET[n % 41] + ALPHABET[Math.floor(n / 41) % 41] + (two ? ALPHABET[Math.floor(n / 1681)] : "");
  }
  return out;
}

export function hex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/**
 * Reads one CBOR value that fills all of data, in its deterministic form: shortest heads, definite lengths. Known
 * are integers that a browser holds exactly, bytes, text, arrays, the empty map, booleans and null; anything else,
 * and every other encoding of the same value, throws.
 */
export function readCBOR(data) {
  let at = 0;
  const fail = () => {
    throw new Error("cbor");
  };
  const take = (n) => {
    if (n > data.length - at) fail();
    at += n;
    return data.subarray(at - n, at);
  };
  const length = (info) => {
    if (info < 24) return info;
    if (info > 27) fail();
    const size = 1 << (info - 24);
    let n = 0;
    for (const b of take(size)) n = n * 256 + b;
    if (n > Number.MAX_SAFE_INTEGER || n < [24, 256, 65536, 4294967296][info - 24]) fail();
    return n;
  };
  const value = (depth) => {
    const head = take(1)[0];
    const major = head >> 5;
    if (head === 0xf4) return false;
    if (head === 0xf5) return true;
    if (head === 0xf6) return null;
    const n = length(head & 31);
    if (major === 0) return n;
    if (major === 1) return -1 - n;
    if (major === 2) return take(n);
    if (major === 3) return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(take(n));
    if (major === 4 && depth < 6) {
      if (n > data.length - at) fail();
      const list = [];
      for (let i = 0; i < n; i++) list.push(value(depth + 1));
      return list;
    }
    if (major === 5 && n === 0) return {};
    return fail();
  };
  const v = value(0);
  if (at !== data.length) fail();
  return v;
}

/** Returns the head of a CBOR byte string of n bytes, n below 65536. */
export function bytesHead(n) {
  if (n < 24) return new Uint8Array([0x40 + n]);
  return n < 256 ? new Uint8Array([0x58, n]) : new Uint8Array([0x59, n >> 8, n & 255]);
}
