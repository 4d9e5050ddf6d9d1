// Keeps the page itself, so that it opens with the host down. Key lists are kept by the page. /* global BUILD */

const NAME = `bianmin-receipt-page-${BUILD}`;
const FILES = ["/r", "/r/app.js", "/r/words.js", "/r/style.css", "/r/icon.svg"];

self.addEventListener("install", (event) => {
  const fill = async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("bianmin-receipt-page-") && name !== NAME) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const path = url.pathname === "/r/" ? "/r" : url.pathname;
  if (!FILES.includes(path)) return;
  const answer = async () => (await (await caches.open(NAME)).match(path)) ?? fetch(event.request);
  event.respondWith(answer());
});
