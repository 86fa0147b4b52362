// Draft keeping: what is typed into <form data-keep="key"> stays in this browser until the form was accepted.
//
// An entry: { at, path, values, sent }. `sent` marks a form on its way. The page that follows tells what became of it:
// the same form drawn again with what was typed (data-bound): not accepted; a page reached from the form's own that is
// neither a problem nor a sign-in page: accepted, the entry goes. In doubt the entry stays and is offered again.

const DAYS = 7;
const PREFIX = "liangzhu:keep:";

function owner() {
  return document.querySelector("meta[name=keeper]")?.content ?? "";
}

function storage() {
  try {
    const probe = `${PREFIX}probe`;
    localStorage.setItem(probe, "1");
    localStorage.removeItem(probe);
    return localStorage;
  } catch {
    return null;
  }
}

function fieldsOf(form) {
  return [...form.elements].filter(
    (field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type) && !field.closest("[data-keep=off]"),
  );
}

function valuesOf(form) {
  const values = {};
  for (const field of fieldsOf(form)) {
    if (field.type === "checkbox" || field.type === "radio") {
      (values[field.name] ??= []).push(...(field.checked ? [field.value] : []));
    } else if (field.multiple) {
      values[field.name] = [...field.selectedOptions].map((option) => option.value);
    } else {
      values[field.name] = field.value;
    }
  }
  return values;
}

function fill(form, values) {
  for (const field of fieldsOf(form)) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = value.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

// What was kept, with what was changed since on top: a field that nobody touched keeps its earlier words.
function overlay(earlier, fresh, current) {
  const merged = { ...earlier };
  for (const [name, value] of Object.entries(current)) {
    if (JSON.stringify(value) !== JSON.stringify(fresh[name]) || !(name in merged)) merged[name] = value;
  }
  return merged;
}

function clock(at) {
  const moment = new Date(at);
  const time = moment.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  const today = moment.toDateString() === new Date().toDateString();
  return today ? time : `${moment.getMonth() + 1}月${moment.getDate()}日 ${time}`;
}

function button(label, className, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

export function keepForms() {
  const store = storage();
  if (!store) return { sent() {}, stays: () => false };
  const prefix = `${PREFIX}${owner()}:`;
  const name = (form) => prefix + form.dataset.keep;

  const read = (key) => {
    try {
      return JSON.parse(store.getItem(key));
    } catch {
      return null;
    }
  };
  const write = (key, entry) => {
    try {
      store.setItem(key, JSON.stringify(entry));
      return true;
    } catch {
      return false;
    }
  };

  const forms = [...document.querySelectorAll("form[data-keep]")];

  function settle() {
    const navigation = performance.getEntriesByType("navigation")[0]?.type;
    const refused = document.querySelector("[data-problem], input[type=password]");
    for (const key of Object.keys(store).filter((each) => each.startsWith(PREFIX))) {
      const entry = read(key);
      if (!entry || Date.now() - entry.at > DAYS * 864e5) {
        store.removeItem(key);
        continue;
      }
      if (!entry.sent || !key.startsWith(prefix)) continue;
      const again = forms.some((form) => name(form) === key && "bound" in form.dataset);
      const cameFrom = document.referrer && new URL(document.referrer).pathname === entry.path;
      if (cameFrom && !again && !refused && navigation === "navigate") store.removeItem(key);
      else write(key, { ...entry, sent: false });
    }
  }

  function offer(form, entry, decided) {
    const box = document.createElement("div");
    box.className = "notice keep-offer";
    box.setAttribute("role", "status");
    const words = document.createElement("span");
    words.textContent = `本机保留着您 ${clock(entry.at)} 填写但未提交的内容。`;
    box.append(
      words,
      button(`找回 ${clock(entry.at)} 未提交的内容`, "btn quiet small", () => {
        fill(form, entry.values);
        decided();
        box.remove();
        fieldsOf(form)[0]?.focus();
      }),
      button("不要了", "btn plain small", () => {
        store.removeItem(name(form));
        decided();
        box.remove();
      }),
    );
    form.prepend(box);
  }

  settle();
  for (const form of forms) {
    const line = document.createElement("p");
    line.className = "keep-state";
    line.setAttribute("aria-live", "polite");
    form.append(line);
    const entry = read(name(form));
    const fresh = valuesOf(form);
    // As long as an offer is neither taken nor declined, new typing must not push the earlier words out.
    let pending = null;
    if (entry && !("bound" in form.dataset) && JSON.stringify(entry.values) !== JSON.stringify(fresh)) {
      pending = entry.values;
      offer(form, entry, () => (pending = null));
    }

    let waiting;
    const keep = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const at = Date.now();
        const values = pending ? overlay(pending, fresh, valuesOf(form)) : valuesOf(form);
        if (write(name(form), { at, path: location.pathname, values, sent: false })) {
          line.textContent = `${clock(at)} 已在本机保存`;
        }
      }, 300);
    };
    form.addEventListener("input", keep);
    form.addEventListener("change", (event) => event.isTrusted && keep());
  }

  return {
    // Called just before a form goes to the server.
    sent(form) {
      if (form.dataset.keep) write(name(form), { at: Date.now(), path: location.pathname, values: valuesOf(form), sent: true });
    },
    // Called when a form could not go.
    stays(form) {
      const entry = form.dataset.keep && read(name(form));
      if (entry) write(name(form), { ...entry, sent: false });
      return Boolean(entry);
    },
  };
}
