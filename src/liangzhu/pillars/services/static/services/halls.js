// The screen and the slip renew themselves; what did not change is left alone, so that a screen reader says only what is new.
const EVERY = 5_000;
const stale = document.querySelector("[data-stale]");

async function renew() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const here of document.querySelectorAll("[data-live]")) {
      const there = page.querySelector(`[data-live="${here.dataset.live}"]`);
      if (there && there.innerHTML !== here.innerHTML) here.replaceChildren(...there.childNodes);
    }
    if (stale) stale.hidden = true;
  } catch {
    if (stale) stale.hidden = false;
  }
}

setInterval(renew, EVERY);
document.addEventListener("visibilitychange", () => document.hidden || renew());
