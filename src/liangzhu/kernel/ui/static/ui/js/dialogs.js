// Native dialogs: an element with data-dialog="id" opens one, an element with data-close shuts it; forms with data-confirm ask first.

export function ask(question, label) {
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
    for (const [text, style, value] of [[label, "btn danger", "yes"], ["取消", "btn plain", ""]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = style;
      button.textContent = text;
      button.autofocus = !value;
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
      if (await ask(question, submitter?.textContent.trim() || "确定")) {
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
