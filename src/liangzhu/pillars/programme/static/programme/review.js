// Review by keyboard and at a glance. Everything here works without script too: places and findings are linked both ways,
// decisions are forms. Script lights up both ends, walks from doubt to doubt, and opens a correction over the page.

const view = document.querySelector(".review");

function ends(id) {
  return view.querySelectorAll(`[data-f~="${CSS.escape(id)}"]`);
}

function light(target, on) {
  const ids = target.closest?.("[data-f]")?.dataset.f;
  if (!ids) return;
  for (const id of ids.split(" ")) for (const end of ends(id)) end.classList.toggle("lit", on);
}

function typing(target) {
  return target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), select, textarea");
}

// The finding that keys speak of: the one in focus, else the one the address names, else none.
function current() {
  const focused = document.activeElement?.closest?.(".finding");
  if (focused) return focused;
  const named = document.getElementById(location.hash.slice(1));
  return named?.matches(".finding") ? named : null;
}

function go(finding) {
  finding.scrollIntoView({ block: "center" });
  finding.focus({ preventScroll: true });
  history.replaceState(null, "", `#${finding.id}`);
  for (const lit of view.querySelectorAll(".lit")) lit.classList.remove("lit");
  light(finding, true);
}

function walk(by) {
  const open = [...view.querySelectorAll(".finding.open, .finding.unresolved")];
  if (!open.length) return;
  const here = current();
  let at = here ? open.indexOf(here) : -1;
  if (here && at < 0) {
    // Between two doubts: the next one in the order of the page.
    const after = open.findIndex((one) => here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    at = by > 0 ? (after < 0 ? open.length : after) - 1 : after < 0 ? open.length : after;
  }
  if (!here) at = by > 0 ? -1 : open.length;
  go(open[(at + by + open.length) % open.length]);
}

let busy = false;

async function sheet(link) {
  if (busy) return;
  busy = true;
  let part = null;
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sheet");
    }
  } catch {
    part = null;
  }
  busy = false;
  if (!part) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const title = part.querySelector("h1");
  title.id = "sheet-title";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(part);
  for (const shut of dialog.querySelectorAll("a[data-close]")) {
    shut.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden]), select, button")?.focus();
}

if (view) {
  for (const name of ["pointerover", "focusin"]) view.addEventListener(name, (event) => light(event.target, true));
  for (const name of ["pointerout", "focusout"]) view.addEventListener(name, (event) => light(event.target, false));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-sheet]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    sheet(link);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const acts = {
      n: () => walk(1),
      p: () => walk(-1),
      c: () => current()?.querySelector("[data-confirm-finding]")?.click(),
      e: () => {
        const link = current()?.querySelector("a[data-sheet]");
        if (link) sheet(link);
      },
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
}

for (const all of document.querySelectorAll("[data-all]")) {
  const boxes = [...document.querySelectorAll(`[data-one="${CSS.escape(all.dataset.all)}"]`)];
  all.closest("[hidden]")?.removeAttribute("hidden");
  const settle = () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", settle);
  settle();
}
