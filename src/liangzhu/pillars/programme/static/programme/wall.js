// The wall renews itself: once a minute the page is fetched, and only those parts that changed are exchanged. When that fails
// (network, a session that ended), the screen says that it stands still; it never goes blank.
const EVERY = 60_000;
const stale = document.querySelector("[data-stale]");

async function renew() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const here of document.querySelectorAll("[data-live]")) {
      const there = page.querySelector(`[data-live="${here.dataset.live}"]`);
      if (!there) throw new Error("not the wall");
      if (there.innerHTML === here.innerHTML) continue;
      const focused = here.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      here.replaceChildren(...there.childNodes);
      if (focused) here.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

setInterval(renew, EVERY);
document.addEventListener("visibilitychange", () => document.hidden || renew());
