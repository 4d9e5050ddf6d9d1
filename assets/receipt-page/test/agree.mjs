// Reads {root, lists, now, envelopes} from standard input and prints the verdict of the page's script on each: a test
// compares them with offline/receipt's.

import { readFileSync } from "node:fs";
import { openKeyList, verify } from "../src/receipt.js";
import { unhex } from "./vectors.mjs";

const { root, lists, now, envelopes } = JSON.parse(readFileSync(0, "utf8"));
const opened = lists.map((l) => openKeyList(unhex(root), unhex(l)));
const verdicts = envelopes.map((e) => {
  const { state, reason } = verify(unhex(e), now, opened);
  return `${state} receipt.${reason}`;
});
process.stdout.write(JSON.stringify(verdicts));
