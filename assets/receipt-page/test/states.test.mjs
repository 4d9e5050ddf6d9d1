// Every state of the page in a real browser, at the size of a phone. PAGE_SHOTS names a folder for the pictures.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browse, look } from "./page.mjs";
import { serve } from "./server.mjs";
import { unhex, vector } from "./vectors.mjs";

const shots = process.env.PAGE_SHOTS ?? mkdtempSync(join(tmpdir(), "shots-"));
mkdirSync(shots, { recursive: true });
after(() => process.env.PAGE_SHOTS || rmSync(shots, { recursive: true, force: true }));

const keys = vector("stage1");
const accepted = {
  found: true, stage: 2, state: "accepted", stateText: { zh: "已受理", en: "Accepted" }, officialNo: "1112345678901234561234567890123202611220001",
  due: "2026-12-20", telephone: "0999-8800001", station: "清水镇垌心村便民服务站", at: "2026-11-22T14:05:00+08:00",
};
const state = { root: Buffer.from(unhex(keys.root)), lists: { 999999: Buffer.from(unhex(keys.lists[0])) }, status: () => accepted, requests: [] };
let server;
let browser;
before(async () => ([server, browser] = await Promise.all([serve(state), browse()])));
after(() => Promise.all([server.stop(), browser.close()]));

const open = (name, shot, options = {}) => {
  const link = name.startsWith("https:") ? name : vector(name).link;
  return look(link, { host: `127.0.0.1:${server.port}`, http: true, out: join(shots, `${shot}.png`), full: true, browser, quick: true, ...options });
};
const sound = (got, want) => {
  assert.equal(got.state, want, JSON.stringify(got));
  assert.deepEqual(got.problems.filter((p) => !/503|404|ERR_/.test(p)), []);
  assert.equal(got.wide, false, "the page is wider than the phone");
  assert.ok(got.bodyPixels >= 18);
};
const value = (got, label) => got.rows.find((r) => r[0] === label)?.[1];

test("confirmed: stage, status, due date, telephone", async () => {
  state.requests.length = 0;
  const got = await open("stage1", "confirmed-1", { quick: false });
  sound(got, "confirmed");
  assert.equal(got.stage, "收件回执");
  assert.equal(value(got, "办理进度"), "已受理");
  assert.equal(value(got, "办结期限"), "2026年12月20日");
  assert.equal(value(got, "电话"), "0999-8800001");
  assert.equal(got.phone, "tel:09998800001");
  assert.deepEqual(got.steps.map((s) => s.replace("✓", "").split(" ")[0]), ["收件", "受理"]);
  assert.ok(got.offlineReady, "the service worker is installed");
  // It asks for nothing but its own files, the keys and the status.
  const known = /^(GET \/r(\/(app\.js|words\.js|style\.css|icon\.svg|sw\.js|root\.cbor|keys\/(index\.json|999999\.cbor)))?|POST \/v1\/status)$/;
  assert.deepEqual(state.requests.filter((r) => !known.test(r)), []);
});

test("confirmed, stage 2, and decided", async () => {
  state.status = () => ({ ...accepted, state: "granted", stateText: { zh: "办结（准予）", en: "Granted" } });
  const got = await open("stage2", "confirmed-2");
  sound(got, "confirmed");
  assert.equal(got.stage, "受理通知书");
  assert.equal(got.steps.length, 3);
  assert.equal(value(got, "签发单位"), "示例县政务服务平台");
});

test("genuine, not yet confirmed: the platform has not received it", async () => {
  state.status = () => ({ found: false });
  const got = await open("stage1", "genuine-not-yet");
  sound(got, "genuine");
  assert.match(got.texts.join(), /平台还没有确认/);
  assert.match(got.notes.join(), /平台还没有收到/);
});

test("genuine, and the platform gives no answer", async () => {
  state.status = () => null;
  const got = await open("stage1-16", "genuine-offline");
  sound(got, "genuine");
  assert.match(got.notes.join(), /暂时无法联网核对/);
});

test("withdrawn key: check online; revoked; missing; and a revoked key whose receipt the platform has", async () => {
  state.status = () => null;
  sound(await open("cut-after", "withdrawn"), "withdrawn");
  state.status = () => ({ found: true, withdrawn: true });
  sound(await open("cut-before", "revoked"), "revoked");
  state.status = () => ({ found: false });
  sound(await open("stage2", "missing"), "missing");
  state.status = () => accepted;
  const got = await open("cut-before", "confirmed-key-withdrawn");
  sound(got, "confirmed");
  assert.match(got.notes.join(), /密钥已停用/);
});

test("forged, and nothing of a forged receipt is sent or repeated", async () => {
  for (const [i, name] of ["altered", "base41-odd", "trailing-envelope"].entries()) {
    state.requests.length = 0;
    const got = await open(name, `forged-${i + 1}`);
    sound(got, "forged");
    assert.deepEqual(got.rows, []);
    if (name !== "altered") assert.ok(!state.requests.includes("POST /v1/status"));
  }
  const link = vector("stage1").link;
  const at = link.length - 20;
  sound(await open(link.slice(0, at) + (link[at] === "A" ? "B" : "A") + link.slice(at + 1), "forged-4"), "forged");
});

test("unknown issuer, no receipt, no keys", async () => {
  sound(await open("unknown-kid", "unknown"), "unknown");
  sound(await open(vector("stage1").link.split("#")[0], "empty"), "empty");
  const root = state.root;
  state.root = null;
  sound(await open("stage1", "nokeys"), "nokeys");
  state.root = root;
});

test("English, by the phone's language and by the link", async () => {
  state.status = () => accepted;
  const got = await open("stage1", "english", { lang: "en-US" });
  sound(got, "confirmed");
  assert.equal(got.title, "This receipt is genuine");
  assert.equal(got.language, "en");
  assert.equal(value(got, "Progress"), "Accepted");
  const back = await open("stage1", "switched", { lang: "en-US", press: true });
  assert.equal(back.title, "回执是真的");
  assert.equal(back.language, "zh-CN");
});

test("narrow phone and tablet", async () => {
  sound(await open("stage1", "narrow", { width: 320, height: 568 }), "confirmed");
  sound(await open("stage1", "tablet", { width: 820, height: 1180, full: false }), "confirmed");
});

for (const tls of [false, true]) {
  test(`host down: a page once loaded opens and verifies (${tls ? "https" : "http"})`, async () => {
    const profile = mkdtempSync(join(tmpdir(), "profile-"));
    const host = { ...state, status: () => accepted };
    const first = await serve(host, { tls });
    const options = { host: `127.0.0.1:${first.port}`, http: !tls, profile };
    const link = vector("stage1").link;
    try {
      const got = await look(link, options);
      sound(got, "confirmed");
      assert.ok(got.offlineReady);
    } finally {
      await first.stop();
    }
    const down = await look(link, { ...options, out: join(shots, `host-down-${tls ? "https" : "http"}.png`), full: true });
    sound(down, "genuine");
    assert.match(down.notes.join(), /暂时无法联网核对/);
    // Another receipt of a known station, never seen by this phone.
    sound(await look(vector("stage2").link, { ...options, quick: true }), "genuine");
    if (!tls) {
      sound(await look(vector("altered").link, { ...options, quick: true }), "forged");
      sound(await look(vector("cut-before").link, { ...options, quick: true }), "withdrawn");
    }
    rmSync(profile, { recursive: true, force: true });
  });
}

test("the root is pinned: another root's list is not believed, a lower version not taken", async () => {
  const profile = mkdtempSync(join(tmpdir(), "profile-"));
  const host = { ...state, status: () => null };
  const s = await serve(host);
  const options = { host: `127.0.0.1:${s.port}`, http: true, profile, quick: true };
  try {
    sound(await look(vector("twin-first").link, options), "unknown");
    // vector twin-first has a list of version 5 without the station of stage1; the phone held version 3.
    host.lists = { 999999: Buffer.from(unhex(vector("twin-first").lists[0])) };
    sound(await look(vector("twin-first").link, options), "genuine");
    host.lists = { 999999: Buffer.from(unhex(keys.lists[0])) };
    sound(await look(vector("twin-first").link, options), "genuine");
    host.root = Buffer.from(unhex(keys.signer));
    sound(await look(vector("twin-second").link, options), "genuine");
  } finally {
    await s.stop();
    rmSync(profile, { recursive: true, force: true });
  }
});
