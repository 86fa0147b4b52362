// The workbench by keyboard. Letters are off while typing and while a dialog is open.

const LIST = [
  ["j  k", "在列表中下移、上移"],
  ["Enter", "打开选中的事项"],
  ["x", "选中、取消选中这一行"],
  ["a", "跳到办理按钮"],
  ["/", "查找"],
  ["g i", "回到收件箱"],
  ["?", "显示这份清单"],
  ["Esc", "离开输入框或关闭窗口"],
];

function typing(target) {
  return target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), select, textarea");
}

function rows() {
  return [...document.querySelectorAll("[data-list] [data-row]")].filter((row) => row.offsetParent);
}

function linkOf(row) {
  return row.matches("a") ? row : row.querySelector("a.row-title, a[href]");
}

function move(by) {
  const all = rows();
  if (!all.length) return;
  let at = all.findIndex((row) => row.contains(document.activeElement));
  if (at < 0) at = all.findIndex((row) => row.matches(".on, [aria-current]"));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  const link = linkOf(all[next]);
  link?.focus();
  all[next].scrollIntoView({ block: "nearest" });
}

// Ticks the row that has the focus; the count beside the button says how many are ticked.
function pick() {
  const row = document.activeElement?.closest("[data-row]");
  const box = row?.querySelector("input.pick");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function picks() {
  const said = document.querySelector("[data-many-count]");
  if (!said) return;
  const count = () => {
    const ticked = document.querySelectorAll("input.pick:checked").length;
    said.textContent = ticked ? `已选 ${ticked} 件` : "";
  };
  document.addEventListener("change", (event) => event.target.matches("input.pick") && count());
  count();
}

function show() {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.className = "dialog";
    dialog.setAttribute("aria-labelledby", "keys-title");
    const title = document.createElement("h2");
    title.id = "keys-title";
    title.textContent = "快捷键";
    const list = document.createElement("dl");
    list.className = "key-list";
    for (const [key, words] of LIST) {
      const dt = document.createElement("dt");
      for (const each of key.split(/\s+/)) {
        const kbd = document.createElement("kbd");
        kbd.textContent = each;
        dt.append(kbd, " ");
      }
      const dd = document.createElement("dd");
      dd.textContent = words;
      list.append(dt, dd);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn quiet";
    close.dataset.close = "";
    close.textContent = "关闭";
    const row = document.createElement("div");
    row.className = "buttons";
    row.append(close);
    dialog.append(title, list, row);
    document.body.append(dialog);
  }
  dialog.showModal();
}

export function keys() {
  const bench = document.querySelector(".bench");
  if (!bench) return;
  picks();
  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", show);
  }
  let went = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const after = Date.now() - went < 1200;
    went = 0;
    const acts = {
      j: () => move(1),
      k: () => move(-1),
      x: pick,
      a: () => document.querySelector(".actions :is(a, button):not([hidden]), [data-actions] :is(a, button):not([hidden])")?.focus(),
      "/": () => document.querySelector("[data-search]")?.focus(),
      "?": show,
      g: () => {
        went = Date.now();
      },
      i: () => after && bench.dataset.inbox && location.assign(bench.dataset.inbox),
    };
    const act = acts[event.key];
    if (!act) return;
    if (event.key !== "i" || after) event.preventDefault();
    act();
  });
}
