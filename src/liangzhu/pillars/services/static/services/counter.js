// The counter by keyboard: Alt with a letter presses the button that shows it, also while the scanner's field has the focus.
// A scanner types letters and ends with Enter; it never holds Alt.
const EVERY = 10_000;

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
  const letter = /^(Key|Digit)\w$/.test(event.code) ? event.code.slice(-1).toLowerCase() : "";
  const button = document.querySelector(`[data-step="${letter}"]`);
  if (!letter || !button) return;
  event.preventDefault();
  button.click();
});

// Who waits is renewed beside; what the clerk works on is never touched.
setInterval(async () => {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", redirect: "manual" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const here = document.querySelector('[data-live="side"]');
    const there = page.querySelector('[data-live="side"]');
    if (here && there && here.innerHTML !== there.innerHTML) here.replaceChildren(...there.childNodes);
  } catch {
    // Nothing: the next time, or the next press of a button, shows it.
  }
}, EVERY);
