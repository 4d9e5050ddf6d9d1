import assert from "node:assert/strict";
import { test } from "node:test";
import { decode41, encode41, hex, readCBOR } from "../src/bytes.js";
import { newest, openEnvelope, openKeyList, readLink, readPayload, verify } from "../src/receipt.js";
import { verifySM2 } from "../src/sm2.js";
import { sm3 } from "../src/sm3.js";
import { LANGUAGES, describe, outcome, receiptNumber, showDay, showTime } from "../src/words.js";
import { sm2Vectors, unhex, vector, vectors } from "./vectors.mjs";

const full = process.env.BIANMIN_FULL === "1";
const utf8 = (s) => new TextEncoder().encode(s);

test("SM3: the two examples of the standard, and every length around a block", () => {
  assert.equal(hex(sm3(utf8("abc"))), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  assert.equal(hex(sm3(utf8("abcd".repeat(16)))), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
  const seen = new Set();
  for (let n = 0; n < 200; n++) seen.add(hex(sm3(new Uint8Array(n))));
  assert.equal(seen.size, 200);
});

test("SM2: the vectors that gmsm and OpenSSL agree on", () => {
  let checked = 0;
  for (const v of sm2Vectors()) {
    if (v.Uid !== "1234567812345678") continue;
    const [r, s] = [unhex(v.R), unhex(v.S)];
    const sig = new Uint8Array(Math.max(32, r.length) + Math.max(32, s.length));
    sig.set(r, Math.max(0, 32 - r.length));
    sig.set(s, sig.length - s.length);
    assert.equal(verifySM2(unhex(v.Pub), unhex(v.Msg), sig), v.Valid, v.Name);
    checked++;
  }
  assert.ok(checked > 200);
});

test("base41: every pair of bytes, and nothing but the canonical form", () => {
  for (let n = 0; n < 65536; n++) {
    const b = new Uint8Array([n >> 8, n & 255]);
    assert.equal(hex(decode41(encode41(b))), hex(b));
  }
  for (let n = 0; n < 256; n++) assert.equal(hex(decode41(encode41(new Uint8Array([n])))), hex(new Uint8Array([n])));
  for (const bad of ["", "0", "0000", ":::", "::", "I:-", "a00", "A6"]) assert.equal(decode41(bad), null, bad);
  assert.equal(hex(decode41("H:-&appinstall=0")), "ffff");
});

test("CBOR: only the deterministic form is read", () => {
  const good = { "00": 0, "17": 23, "1818": 24, "1903e8": 1000, "1a000f4240": 1e6, "1b001fffffffffffff": 2 ** 53 - 1, "20": -1, "63e4b880": "一", f4: false, f5: true, f6: null };
  for (const [text, value] of Object.entries(good)) assert.deepEqual(readCBOR(unhex(text)), value, text);
  for (const bad of ["", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "1b0020000000000000", "1c", "5f", "9fff", "8201", "c100", "f7", "f93c00", "61ff", "62e4b8", "a10101", "f600", "9bffffffffffffffff", "818181818181818100"]) {
    assert.throws(() => readCBOR(unhex(bad)), undefined, bad);
  }
});

test("receipts: every vector, every stage", () => {
  const states = {};
  for (const v of vectors()) {
    const lists = v.lists.map((l) => openKeyList(unhex(v.root), unhex(l)));
    const envelope = readLink(v.link, v.hosts);
    const parts = openEnvelope(envelope);
    const content = parts && readPayload(parts.payload);
    const verdict = envelope ? verify(envelope, Date.parse(v.clock) / 1000, lists) : { state: "forged" };
    const got = {
      link: envelope !== null,
      envelope: parts !== null,
      payload: Boolean(content),
      signature: Boolean(parts) && verifySM2(unhex(v.signer), parts.tbs, parts.sig),
      genuine: verdict.state === "genuine",
    };
    assert.deepEqual(got, v.expect, v.name);
    assert.equal(verdict.state, v.verdict.state, v.name);
    if (envelope) assert.equal(`receipt.${verdict.reason}`, v.verdict.reason, v.name);
    if (parts) assert.equal(hex(parts.tbs), v.tbs, v.name);
    if (content) {
      const f = v.fields;
      assert.deepEqual([content.device, content.seq, content.at, content.item, content.due ?? 0], [f.Device, f.Seq, f.At, f.Item, f.Due], v.name);
      assert.equal(encode41(envelope), v.base41, v.name);
    }
    states[verdict.state] = (states[verdict.state] ?? 0) + 1;
  }
  assert.ok(states.genuine >= 10 && states.forged >= 40 && states.withdrawn >= 5 && states.unknown >= 1, JSON.stringify(states));
});

test("receipts: no change of one character is genuine", () => {
  const others = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*-/:az&.% #";
  let tried = 0;
  for (const name of ["stage1", "stage2"]) {
    const v = vector(name);
    const lists = v.lists.map((l) => openKeyList(unhex(v.root), unhex(l)));
    const now = Date.parse(v.clock) / 1000;
    assert.equal(verify(readLink(v.link, v.hosts), now, lists).state, "genuine");
    for (let i = 0; i < v.link.length; i++) {
      const choices = full ? [...others].filter((_, n) => (n + i) % 4 === 0) : [others[(i * 7) % 41], others[(i * 11 + 5) % 41], others[41 + (i % 7)]];
      for (const c of choices) {
        const bad = v.link.slice(0, i) + c + v.link.slice(i + 1);
        if (bad.trim() === v.link) continue;
        const envelope = readLink(bad, v.hosts);
        const state = envelope ? verify(envelope, now, lists).state : "forged";
        assert.equal(state, "forged", `${name} ${i} ${c}`);
        tried++;
      }
    }
  }
  assert.ok(tried > 1400);
});

test("key lists: other root, changed bytes, older version", () => {
  const v = vector("stage1");
  const data = unhex(v.lists[0]);
  assert.throws(() => openKeyList(unhex(v.signer), data));
  for (let i = 0; i < data.length; i += full ? 1 : 17) {
    const bad = data.slice();
    bad[i] ^= 1;
    assert.throws(() => openKeyList(unhex(v.root), bad), undefined, String(i));
  }
  const l = openKeyList(unhex(v.root), data);
  const newer = { ...l, version: l.version + 1 };
  assert.deepEqual(newest([l, newer]), [newer]);
  assert.deepEqual(newest([newer, l]), [newer]);
  assert.equal(newest([l, { ...l, county: "999998" }]).length, 2);
});

test("a revoked copy of a key counts, whichever list is read first", () => {
  const v = vector("stage1");
  const l = openKeyList(unhex(v.root), unhex(v.lists[0]));
  const other = { ...l, county: "999998", keys: l.keys.map((k) => ({ ...k, revoked: true })) };
  for (const lists of [[l, other], [other, l]]) {
    assert.equal(verify(unhex(v.envelope), Date.parse(v.clock) / 1000, lists).state, "withdrawn");
  }
});

test("words: both languages have the same keys, and every state has its words", () => {
  const { zh, en } = LANGUAGES;
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const k of Object.keys(zh)) {
    assert.equal(/\{station\}/.test(zh[k]), /\{station\}/.test(en[k]), k);
    assert.equal(Array.isArray(zh[k]) ? zh[k].length : 0, Array.isArray(en[k]) ? en[k].length : 0, k);
  }
  const v1 = { state: "genuine", reason: "genuine", content: readPayload(unhex(vector("stage1").payload)), key: { name: "甲站", telephone: "1" } };
  const v2 = { ...v1, content: readPayload(unhex(vector("stage2").payload)) };
  for (const lang of ["zh", "en"]) {
    for (const state of ["checking", "empty", "nokeys", "unknown", "forged", "genuine", "confirmed", "withdrawn", "revoked", "missing"]) {
      for (const verdict of [v1, v2, { ...v1, state: "withdrawn", reason: "keyCut" }, { ...v1, state: "withdrawn", reason: "keyExpired" }]) {
        const view = describe({ state, verdict, answer: { found: true } }, lang);
        assert.ok(view.title && view.tone, state);
        assert.ok(!JSON.stringify(view).includes("undefined") && !JSON.stringify(view).includes("{station}"), state);
      }
    }
  }
  // What cannot be believed is not repeated in large letters.
  for (const state of ["forged", "unknown"]) assert.deepEqual(describe({ state, verdict: v1 }, "zh").rows, []);
});

test("outcome: local verdict and the platform's answer", () => {
  const s = (state, stage, answer) => outcome({ state, content: { stage } }, answer);
  const table = [
    ["genuine", 1, null, "genuine"], ["genuine", 1, false, "genuine"], ["genuine", 1, { found: false }, "genuine"],
    ["genuine", 2, { found: false }, "missing"], ["genuine", 1, { found: true }, "confirmed"],
    ["genuine", 1, { found: true, withdrawn: true }, "revoked"], ["genuine", 1, { found: false, withdrawn: true }, "revoked"],
    ["withdrawn", 1, false, "withdrawn"], ["withdrawn", 1, { found: false }, "missing"], ["withdrawn", 1, { found: true }, "confirmed"],
    ["forged", 1, { found: true }, "forged"], ["unknown", 1, { found: true }, "unknown"], ["nokeys", 1, { found: true }, "nokeys"],
  ];
  for (const [state, stage, answer, want] of table) assert.equal(s(state, stage, answer), want, JSON.stringify([state, stage, answer]));
});

test("texts: dates are China's, numbers are the desk's", () => {
  assert.equal(showTime(1795298520, "zh"), "2026年11月22日 06:02");
  assert.equal(showTime(0, "zh"), "1970年1月1日 08:00");
  assert.equal(showTime(1795276799, "en"), "2026-11-21 23:59");
  assert.equal(showTime(1795276800, "en"), "2026-11-22 00:00");
  assert.equal(showDay(20799, "zh"), "2026年12月12日");
  assert.equal(showDay(20799, "en"), "2026-12-12");
  // As casefile.Number writes them; a Go test compares.
  assert.equal(receiptNumber(7, 1043), "7-1043-92");
  assert.equal(receiptNumber(4294967295, 9007199254740991), "4294967295-9007199254740991-28");
});
