// A host for tests: the built page with its headers, keys from the vectors, and a status that the test sets.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = join(dirname(fileURLToPath(import.meta.url)), "..");
const csp = readFileSync(join(page, "csp.txt"), "utf8").trim();
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

function certificate() {
  const dir = mkdtempSync(join(tmpdir(), "page-"));
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], { stdio: "ignore" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(dir, { recursive: true });
  return pair;
}

/**
 * Serves on 127.0.0.1. state is read on every request: root (bytes), lists ({county: bytes}), status (envelope → object,
 * or null for a platform that does not answer), requests (filled with "METHOD path").
 */
export async function serve(state, { tls = false, port = 0 } = {}) {
  const handle = async (req, res) => {
    const path = new URL(req.url, "http://x").pathname;
    state.requests?.push(`${req.method} ${path}`);
    const send = (code, type, body, more = {}) => {
      res.writeHead(code, { "Content-Type": type, "Cache-Control": "no-cache", "Content-Security-Policy": csp, ...more });
      res.end(body);
    };
    if (path === "/v1/status" && req.method === "POST") {
      const parts = [];
      for await (const p of req) parts.push(p);
      const answer = state.status?.(Buffer.concat(parts));
      return answer ? send(200, "application/json", JSON.stringify(answer)) : send(503, "text/plain", "later");
    }
    if (path === "/r/root.cbor" && state.root) return send(200, "application/cbor", state.root);
    if (path === "/r/keys/index.json") return send(200, "application/json", JSON.stringify({ counties: Object.keys(state.lists) }));
    const county = /^\/r\/keys\/(\d{6})\.cbor$/.exec(path)?.[1];
    if (county && state.lists[county]) return send(200, "application/cbor", state.lists[county]);
    const name = path === "/r" ? "index.html" : /^\/r\/([a-z]+\.[a-z]+)$/.exec(path)?.[1];
    if (!name) return send(404, "text/plain", "not here");
    try {
      const more = name === "sw.js" ? { "Service-Worker-Allowed": "/r" } : {};
      return send(200, types[extname(name)], readFileSync(join(page, "dist", name)), more);
    } catch {
      return send(404, "text/plain", "not here");
    }
  };
  const server = tls ? https.createServer(certificate(), handle) : http.createServer(handle);
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return {
    port: server.address().port,
    origin: `${tls ? "https" : "http"}://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}
