// The vectors shared with offline/receipt.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const testdata = join(dirname(fileURLToPath(import.meta.url)), "../../../offline/receipt/testdata");

export function unhex(s) {
  const even = s.length % 2 ? `0${s}` : s;
  return Uint8Array.from(even.match(/../g) ?? [], (b) => parseInt(b, 16));
}

export function vectors() {
  const files = readdirSync(join(testdata, "receipts")).filter((f) => f.endsWith(".json"));
  return files.map((f) => JSON.parse(readFileSync(join(testdata, "receipts", f), "utf8")));
}

export const vector = (name) => JSON.parse(readFileSync(join(testdata, "receipts", `${name}.json`), "utf8"));

export const sm2Vectors = () => JSON.parse(readFileSync(join(testdata, "sm2-vectors.json"), "utf8"));
