// The service worker of a page that names one; the page itself does not wait for it.
export function installable() {
  const address = document.querySelector("link[data-worker]")?.dataset.worker;
  if (!address || !("serviceWorker" in navigator)) return;
  addEventListener("load", () => navigator.serviceWorker.register(address).catch(() => {}));
}
