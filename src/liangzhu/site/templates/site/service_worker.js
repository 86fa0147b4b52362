// Keeps the offline page and static files, whose addresses carry their content's hash. No other answer is ever kept or
// touched: what a page shows of somebody never lies in the cache of a device that others use.
addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SETTINGS.name)
      // Without cookies: the page that is kept is nobody's.
      .then((cache) => cache.addAll([SETTINGS.page, ...SETTINGS.keep].map((url) => new Request(url, { credentials: "omit" }))))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("liangzhu-") && name !== SETTINGS.name;
  event.waitUntil(
    Promise.all([
      caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))),
      registration.navigationPreload?.enable(),
      clients.claim(),
    ]),
  );
});

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(SETTINGS.page)) ?? Response.error();
  }
}

async function asset(request) {
  const cache = await caches.open(SETTINGS.name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && answer.type === "basic") await cache.put(request, answer.clone());
  return answer;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith(SETTINGS.static) && url.searchParams.has("v")) event.respondWith(asset(request));
});
