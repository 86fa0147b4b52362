// Saving while one types. Without script the buttons save as well; nothing here is needed to get on.

const QUIET = 1500;

const form = document.querySelector("form[data-autosave]");
if (form) {
  const line = form.querySelector("[data-save-state]");
  let waiting = 0;
  let running = false;
  let stale = false;
  let stopped = false;

  const say = (words, bad = false) => {
    line.textContent = words;
    line.classList.toggle("bad", bad);
  };

  const body = () => {
    const data = new FormData(form);
    for (const [name, value] of [...data.entries()]) if (value instanceof File) data.delete(name);
    return data;
  };

  const show = (names) => {
    const shown = new Set(names);
    for (const part of form.querySelectorAll("[data-part]")) {
      const name = part.dataset.part;
      const marker = part.querySelector(":scope > input[name=has]");
      // Notes and locked values carry no marker; they follow their names all the same.
      part.hidden = !shown.has(name);
      if (marker) marker.disabled = part.hidden;
    }
  };

  const save = async () => {
    clearTimeout(waiting);
    if (stopped || form.dataset.sending) return;
    if (running) {
      stale = true;
      return;
    }
    running = true;
    stale = false;
    try {
      const answer = await fetch(form.dataset.autosave, { method: "POST", body: body(), headers: { Accept: "application/json" } });
      const said = (answer.headers.get("Content-Type") ?? "").includes("json") ? await answer.json() : {};
      if (answer.ok && said.version) {
        form.elements.version.value = said.version;
        form.elements.drawn.value = said.drawn;
        show(said.shown);
        say(`已保存：${said.saved}`);
      } else {
        // Changed elsewhere, signed out, sent already: the buttons go to the server, which explains it and loses nothing.
        stopped = true;
        say(said.detail ? `${said.detail}您在本页填写的还在；点“下一步”或“保存”处理。` : "没有自动保存；您在本页填写的还在，请点“保存并稍后继续”。", true);
      }
    } catch {
      say("网络中断，暂时没有保存；内容还在本页，恢复后会再试。", true);
      waiting = setTimeout(save, 10 * QUIET);
    } finally {
      running = false;
      if (stale) save();
    }
  };

  const soon = (delay) => {
    clearTimeout(waiting);
    waiting = setTimeout(save, delay);
  };

  form.addEventListener("input", (event) => event.target.type !== "file" && soon(QUIET));
  // A box or a list may make other parts appear: ask at once.
  form.addEventListener("change", (event) => event.isTrusted && event.target.type !== "file" && soon(0));
  form.addEventListener("submit", () => clearTimeout(waiting));
}
