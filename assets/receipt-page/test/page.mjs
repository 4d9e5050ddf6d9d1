// Opens a receipt's link in a phone-sized headless Chromium, as a citizen does, and tells what the page shows.
//
//   node test/page.mjs LINK OUT.png [options]
//     --profile DIR        keep the browser's profile: a second run with the host down opens from it
//     --map HOST=ADDRESS   reach HOST at ADDRESS (127.0.0.1:8443), so that a printed link is opened as it is
//     --host HOST[:PORT]   open the same receipt at another host
//     --http               use http instead of https (loopback only)
//     --lang zh-CN|en      the phone's language; default zh-CN
//     --size 390x844       the phone's window
//     --full               picture of the whole page, not of the window
//     --switch             press the language link before looking
//
// Prints one JSON object: {state, settled, offlineReady, title, stage, texts, rows, notes, phone, problems, url}.
// Exit code 0 when the page came to a result, 1 when it did not open, 2 for wrong arguments. Certificates are not
// checked: the tests' hosts have none that a browser knows.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--ignore-certificate-errors",
];

function executable() {
  const path = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (!path) throw new Error("no Chromium: apt-get install chromium, or set CHROMIUM");
  return path;
}

/** Starts a browser to hand to look, for many looks without a kept profile. The caller closes it. */
export const browse = () => chromium.launch({ executablePath: executable(), headless: true, args: FLAGS });

/**
 * Opens link and returns what the page shows. See the options above; width and height in CSS pixels; browser is one of
 * browse; quick does not wait for the service worker.
 */
export async function look(link, options = {}) {
  const { out, profile, map, host, http, lang = "zh-CN", width = 390, height = 844, full, press, browser, quick } = options;
  let url = link;
  if (host) url = url.replace(/^https?:\/\/[^/]+/, `https://${host}`);
  if (http) url = url.replace(/^https:/, "http:");
  const phone = {
    locale: lang, timezoneId: "Asia/Shanghai", ignoreHTTPSErrors: true, viewport: { width, height }, deviceScaleFactor: 2,
    isMobile: true, hasTouch: true,
  };
  const args = map ? [...FLAGS, `--host-resolver-rules=MAP ${map.replace("=", " ")}`] : FLAGS;
  const own = browser ? null : (profile ?? mkdtempSync(join(tmpdir(), "phone-")));
  const context = browser
    ? await browser.newContext(phone)
    : await chromium.launchPersistentContext(own, { ...phone, executablePath: executable(), headless: true, args });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const problems = [];
    page.on("pageerror", (e) => problems.push(String(e)));
    page.on("console", (m) => m.type() === "error" && problems.push(m.text()));
    await page.goto(url, { waitUntil: "load", timeout: 30_000 });
    await page.waitForSelector('#main[data-settled="yes"]', { timeout: 40_000 });
    const ready = "document.documentElement.dataset.offline === 'ready'";
    const offlineReady = !quick && (await page.waitForFunction(ready, null, { timeout: 8_000 }).then(() => true, () => false));
    if (press) await page.click("#lang");
    const shown = await page.evaluate(() => {
      const all = (css) => [...document.querySelectorAll(css)].map((e) => e.textContent);
      const main = document.getElementById("main");
      return {
        state: main.dataset.state, settled: main.dataset.settled === "yes", title: all("h1")[0] ?? "", sub: all(".sub")[0] ?? "",
        stage: all(".stage")[0] ?? "", rows: all("dt").map((label, i) => [label, all("dd")[i]]), notes: all(".note"),
        steps: all(".steps .done"), phone: document.querySelector(".call")?.getAttribute("href") ?? "", texts: main.innerText.split("\n").filter(Boolean),
        language: document.documentElement.lang, wide: document.documentElement.scrollWidth > innerWidth,
        bodyPixels: parseFloat(getComputedStyle(document.body).fontSize),
      };
    });
    if (out) await page.screenshot({ path: out, fullPage: Boolean(full) });
    return { ...shown, offlineReady, problems, url: url.split("#")[0] };
  } finally {
    await context.close();
    if (own && !profile) rmSync(own, { recursive: true, force: true });
  }
}

async function main(args) {
  const options = {};
  const rest = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--http") options.http = true;
    else if (args[i] === "--full") options.full = true;
    else if (args[i] === "--switch") options.press = true;
    else if (args[i] === "--size") [options.width, options.height] = args[++i].split("x").map(Number);
    else if (/^--(profile|map|host|lang)$/.test(args[i])) options[args[i].slice(2)] = args[++i];
    else rest.push(args[i]);
  }
  if (rest.length !== 2 || rest.some((r) => r.startsWith("--"))) {
    process.stderr.write("usage: node page.mjs LINK OUT.png [--profile DIR] [--map HOST=ADDRESS] [--host HOST] [--http] [--lang L] [--size WxH] [--full] [--switch]\n");
    return 2;
  }
  try {
    process.stdout.write(`${JSON.stringify(await look(rest[0], { ...options, out: rest[1] }))}\n`);
    return 0;
  } catch (e) {
    process.stderr.write(`page did not open: ${e.message}\n`);
    return 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main(process.argv.slice(2));
