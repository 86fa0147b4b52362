// A form goes once. Before a long form goes, the line is tried, so that a lost connection leaves the page as it is.

const PATIENCE = 6000;

async function lineIsUp() {
  if (!navigator.onLine) return false;
  const icon = document.querySelector("link[rel=icon]")?.href;
  if (!icon) return true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    await fetch(`${icon}?line=${Date.now()}`, { method: "HEAD", cache: "no-store", signal: patience.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function buttonsOf(form) {
  return [...form.querySelectorAll("button:not([type=button])")];
}

function release(form) {
  delete form.dataset.sending;
  for (const button of buttonsOf(form)) {
    button.removeAttribute("aria-disabled");
    if (button.dataset.words) button.textContent = button.dataset.words;
    delete button.dataset.words;
  }
}

function hold(form, submitter) {
  form.dataset.sending = "1";
  for (const button of buttonsOf(form)) button.setAttribute("aria-disabled", "true");
  if (submitter?.classList.contains("btn")) {
    submitter.dataset.words = submitter.textContent;
    submitter.textContent = "正在提交…";
  }
}

function lostLine(form, submitter, kept) {
  form.querySelector(".line-lost")?.remove();
  const box = document.createElement("div");
  box.className = "notice error line-lost";
  box.setAttribute("role", "alert");
  const title = document.createElement("p");
  title.className = "notice-title";
  title.textContent = kept ? "网络中断，内容已保存在本机" : "网络中断，内容还在本页";
  const words = document.createElement("p");
  words.textContent = kept ? "这次没有提交成功。恢复网络后点“重试”，关闭页面也不会丢失。" : "这次没有提交成功。请不要关闭本页，恢复网络后点“重试”。";
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "btn quiet small";
  retry.textContent = "重试";
  retry.addEventListener("click", () => {
    box.remove();
    form.requestSubmit(submitter ?? undefined);
  });
  box.append(title, words, retry);
  form.prepend(box);
  box.scrollIntoView({ block: "center" });
  retry.focus();
}

export function guardForms(keeper) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    const submitter = event.submitter;
    if (form.dataset.lineTried) {
      delete form.dataset.lineTried;
      keeper.sent(form);
      // The button's own name and value must still be sent: it is marked, not disabled.
      setTimeout(() => hold(form, submitter));
      return;
    }
    if (!("guard" in form.dataset)) {
      setTimeout(() => hold(form, submitter));
      return;
    }
    event.preventDefault();
    hold(form, submitter);
    const up = await lineIsUp();
    release(form);
    if (!up) {
      keeper.sent(form);
      lostLine(form, submitter, keeper.stays(form));
      return;
    }
    form.dataset.lineTried = "1";
    form.requestSubmit(submitter ?? undefined);
  });
  // A page that comes back from the browser's memory may be sent again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sending]")) {
      release(form);
      keeper.stays(form);
    }
  });
}
