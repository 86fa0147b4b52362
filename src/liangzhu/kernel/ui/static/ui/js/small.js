// Small helps: copy, print, back, calendar button, reading aloud, focus on what went wrong.

function reveal(selector, act) {
  for (const element of document.querySelectorAll(selector)) {
    element.hidden = false;
    element.addEventListener("click", () => act(element));
  }
}

async function copy(button) {
  const words = button.dataset.copy;
  const text = words.startsWith("#") ? document.querySelector(words)?.textContent.trim() : words;
  if (!text) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "已复制";
  } catch {
    button.textContent = "未能复制，请手工选取";
  }
  setTimeout(() => {
    button.textContent = before;
  }, 2000);
}

function calendars() {
  if (!HTMLInputElement.prototype.showPicker) return;
  for (const input of document.querySelectorAll("input[data-date]:not([readonly], :disabled)")) {
    const box = document.createElement("span");
    box.className = "date-control";
    const picker = document.createElement("input");
    picker.type = "date";
    picker.tabIndex = -1;
    picker.setAttribute("aria-hidden", "true");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn quiet";
    button.textContent = "日历";
    const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.textContent.trim() ?? "日期";
    button.setAttribute("aria-label", `日历：选择${label}`);
    input.replaceWith(box);
    box.append(input, button, picker);
    button.addEventListener("click", () => {
      picker.value = /^\d{4}-\d{2}-\d{2}$/.test(input.value) ? input.value : "";
      picker.showPicker();
    });
    picker.addEventListener("change", () => {
      input.value = picker.value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
  }
}

function countdowns() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const end = performance.now() + 1000 * Number(element.dataset.countdown);
    const tick = setInterval(() => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      const words = left < 60 ? `还有 ${left} 秒` : `还有 ${Math.floor(left / 60)} 分 ${left % 60} 秒`;
      element.textContent = left ? words : element.dataset.countdownOver || "已过期，请重新出示";
      if (left) return;
      clearInterval(tick);
      // Only while somebody looks, and not for ever: a phone that lies about must not show codes all day.
      const { countdownNext: next } = element.dataset;
      const turns = Number(sessionStorage.getItem("turns") || 0);
      if (next && document.visibilityState === "visible" && turns < 10) {
        sessionStorage.setItem("turns", turns + 1);
        location.replace(next);
      }
    }, 1000);
  }
}

addEventListener("pointerdown", () => sessionStorage.removeItem("turns"));

function readAloud(button) {
  const words = button.querySelector("span");
  if (speechSynthesis.speaking) {
    speechSynthesis.cancel();
    return;
  }
  const speech = new SpeechSynthesisUtterance(document.getElementById("main").innerText);
  speech.lang = "zh-CN";
  speech.rate = 0.9;
  speech.onend = speech.onerror = () => {
    words.textContent = "朗读本页";
  };
  words.textContent = "停止朗读";
  speechSynthesis.speak(speech);
}

// A link <a href="#id" data-line="12"> selects that line of a text area.
function lines() {
  for (const link of document.querySelectorAll("a[data-line]")) {
    link.addEventListener("click", (event) => {
      const area = document.querySelector(link.getAttribute("href"));
      if (!area) return;
      event.preventDefault();
      const before = area.value.split("\n").slice(0, Number(link.dataset.line) - 1);
      const start = before.reduce((sum, line) => sum + line.length + 1, 0);
      const end = area.value.indexOf("\n", start);
      area.focus();
      area.setSelectionRange(start, end < 0 ? area.value.length : end);
      area.scrollTop = Math.max(0, (before.length - 5) * parseFloat(getComputedStyle(area).lineHeight));
    });
  }
}

export function small() {
  reveal("[data-copy]", copy);
  reveal("[data-print]", () => print());
  if (history.length > 1) reveal("[data-back]", () => history.back());
  if ("speechSynthesis" in globalThis) reveal("[data-read-aloud]", readAloud);
  calendars();
  countdowns();
  lines();
  const wrong = document.querySelector("[data-focus]");
  if (wrong) {
    document.title = `有误：${document.title}`;
    wrong.focus();
  }
}
