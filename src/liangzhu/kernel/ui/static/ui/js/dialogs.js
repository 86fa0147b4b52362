// Native dialogs: an element with data-dialog="id" opens one, an element with data-close shuts it; forms with data-confirm ask first.

// `grave` is for what cannot be taken back: it is red, and the way out has the focus.
export function ask(question, label, grave) {
  return new Promise((answer) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    const title = document.createElement("h2");
    title.id = "ask-title";
    title.textContent = "请确认";
    dialog.setAttribute("aria-labelledby", title.id);
    const words = document.createElement("p");
    words.textContent = question;
    const row = document.createElement("div");
    row.className = "buttons";
    for (const [text, style, value] of [[label, grave ? "btn danger" : "btn", "yes"], ["取消", "btn plain", ""]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = style;
      button.textContent = text;
      button.autofocus = grave ? !value : Boolean(value);
      button.addEventListener("click", () => dialog.close(value));
      row.append(button);
    }
    dialog.append(title, words, row);
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// What a button is called: its words without the small print about its effect.
function nameOf(button) {
  const copy = button?.cloneNode(true);
  for (const note of copy?.querySelectorAll("small") ?? []) note.remove();
  return copy?.textContent.trim() || "确定";
}

export function confirmations() {
  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      const submitter = event.submitter;
      const question = submitter?.dataset.confirm ?? form.dataset.confirm;
      if (!question || form.dataset.lineTried || form.dataset.sending) return;
      if (form.dataset.confirmed) {
        delete form.dataset.confirmed;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (await ask(question, nameOf(submitter), submitter?.classList.contains("danger") ?? false)) {
        form.dataset.confirmed = "1";
        form.requestSubmit(submitter ?? undefined);
      } else submitter?.focus();
    },
    true,
  );
}

export function dialogs() {
  for (const opener of document.querySelectorAll("[data-dialog]")) {
    if (document.getElementById(opener.dataset.dialog) instanceof HTMLDialogElement) opener.hidden = false;
  }
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog instanceof HTMLDialogElement) {
        event.preventDefault();
        dialog.showModal();
      }
      return;
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    else if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
