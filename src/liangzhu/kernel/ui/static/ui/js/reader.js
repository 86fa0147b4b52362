// Reader view: a finding and its place in the text light up together. Links between them work without script.

export function reader() {
  for (const view of document.querySelectorAll(".reader")) {
    const light = (id, on) => {
      for (const end of view.querySelectorAll(`[data-finding="${CSS.escape(id)}"]`)) end.classList.toggle("lit", on);
    };
    const follow = (event, on) => {
      const id = event.target.closest?.("[data-finding]")?.dataset.finding;
      if (id) light(id, on);
    };
    for (const name of ["pointerover", "focusin"]) view.addEventListener(name, (event) => follow(event, true));
    for (const name of ["pointerout", "focusout"]) view.addEventListener(name, (event) => follow(event, false));
  }
}
