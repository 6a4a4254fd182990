// What the pages do beyond HTML: everything here is an addition, reading works without it.
// Behaviour hangs on data attributes; src/lotus_server/http/web/README.md lists them.
"use strict";
{
  const on = (kind, selector, act) =>
    document.addEventListener(kind, (event) => {
      const found = event.target instanceof Element ? event.target.closest(selector) : null;
      if (found) act(found, event);
    });

  // Times: written in UTC by the server, shown in the viewer's zone with UTC on hover.
  const language = document.documentElement.dataset.locale || undefined;
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const minute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const second = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const localize = (root) =>
    root.querySelectorAll("time[data-local]").forEach((time) => {
      const style = { day, minute, second }[time.dataset.local] ?? minute;
      time.textContent = style.format(new Date(time.dateTime));
      delete time.dataset.local;
    });

  // Toasts: what was done, for as long as it takes to read it; longer where it can be undone, and for as long as somebody
  // points at it. Why something was not done stays until it is closed. One that came with the page is put into its place
  // anew, because only what is new in a live region is read aloud.
  const TOAST_MILLISECONDS = 6000;
  const UNDO_MILLISECONDS = 20000;
  const expire = (box) => {
    const milliseconds = box.querySelector("[data-undo]") ? UNDO_MILLISECONDS : TOAST_MILLISECONDS;
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => (box.matches(":hover, :focus-within") ? wait() : box.remove()), milliseconds);
    };
    ["mouseleave", "focusout"].forEach((kind) => box.addEventListener(kind, wait));
    wait();
  };
  const announce = (box) => {
    document.querySelector("#toasts").append(box);
    if (box.getAttribute("role") === "status") expire(box);
  };
  const toast = (text, kind) => {
    const box = document.createElement("div");
    box.className = `toast-box${kind === "error" ? " is-refusal" : ""}`;
    box.setAttribute("role", kind === "error" ? "alert" : "status");
    box.textContent = text;
    announce(box);
    if (kind === "error") expire(box);
  };
  document.addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll("[data-toast]").forEach((box) => {
      box.remove();
      setTimeout(() => announce(box), 150);
    }),
  );
  on("click", "[data-close-toast]", (button) => button.closest("[data-toast]").remove());

  // Ctrl+Z undoes what the toast offers to undo, unless somebody is typing: then it undoes what was typed.
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input, textarea, select, [contenteditable]");
    const undo = document.querySelector("#toasts [data-undo]");
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || isTyping || !undo) return;
    event.preventDefault();
    undo.requestSubmit(undo.querySelector("button"));
  });

  // Copy buttons: data-copy="text", or data-copy-from="#id" for what an element says.
  on("click", "[data-copy], [data-copy-from]", async (button) => {
    const source = button.dataset.copyFrom ? document.querySelector(button.dataset.copyFrom) : null;
    const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
    await navigator.clipboard.writeText(text.trim());
    toast("Copied.");
  });

  // Dialogs: a link with data-dialog has its page's dialog loaded by htmx into <dialog id="dialog">.
  const dialog = () => document.querySelector("#dialog");
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "dialog-body") return;
    if (!dialog().open) dialog().showModal();
    const first = dialog().querySelector("[autofocus], input:not([type=hidden]), select, textarea, button[type=submit]");
    if (first) first.focus();
  });
  on("click", "[data-close-dialog]", (_, event) => {
    if (!dialog()?.open) return;
    event.preventDefault();
    dialog().close();
  });
  on("click", "dialog", (found, event) => {
    if (event.target === found) found.close();
  });

  // Suggestions while somebody types: data-suggest="address" makes a text field a combobox whose list the address answers
  // to ?q=..., and to &with=... of the field that data-suggest-with="selector" finds in the same row. What was chosen is
  // named below the field; without a script it stays a text field.
  const dress = (root) =>
    root.querySelectorAll("input[data-suggest]:not([role])").forEach((input) => {
      const list = document.createElement("ul");
      list.id = `${input.id}-options`;
      list.className = "combobox-list";
      list.hidden = true;
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", "Suggestions");
      const told = document.createElement("span");
      told.className = "combobox-told";
      told.setAttribute("role", "status");
      input.after(list, told);
      input.parentElement.classList.add("combobox");
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-expanded", "false");
      input.setAttribute("aria-controls", list.id);
    });
  const asking = new WeakMap();
  const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));
  const tell = (input, text) => (listOf(input).nextElementSibling.textContent = text);
  const point = (input, option) => {
    listOf(input).querySelectorAll("[aria-selected=true]").forEach((each) => each.setAttribute("aria-selected", "false"));
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const close = (input) => {
    asking.get(input)?.abort();
    point(input, null);
    listOf(input).hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const suggest = async (input) => {
    asking.get(input)?.abort();
    const asked = new AbortController();
    asking.set(input, asked);
    const address = new URL(input.dataset.suggest, location.href);
    address.searchParams.set("q", input.value);
    const other = input.dataset.suggestWith && input.closest("[data-row], form").querySelector(input.dataset.suggestWith);
    if (other) address.searchParams.set("with", other.value);
    const list = listOf(input);
    try {
      const answer = await fetch(address, { headers: { "hx-request": "true" }, signal: asked.signal });
      if (!answer.ok || answer.redirected) return;
      const options = await answer.text();
      if (document.activeElement !== input) return;
      list.innerHTML = options;
    } catch {
      return; // somebody typed on, or the server is away: it stays a text field
    }
    const options = [...list.querySelectorAll("[data-value]")];
    options.forEach((option, number) => (option.id = `${list.id}-${number}`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    point(input, null);
    tell(input, options.length === 1 ? "1 suggestion" : `${options.length} suggestions`);
  };
  const choose = (input, option) => {
    input.value = option.dataset.value;
    close(input);
    tell(input, option.dataset.name === option.dataset.value ? "" : option.dataset.name);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    if (input.form?.matches("[data-autosubmit]")) input.form.requestSubmit();
  };
  let typing;
  on("input", "input[data-suggest]", (input) => {
    clearTimeout(typing);
    typing = setTimeout(() => suggest(input), 120);
  });
  on("click", "input[data-suggest]", (input) => listOf(input).hidden && suggest(input));
  on("focusout", "input[data-suggest]", (input) => {
    clearTimeout(typing);
    if (!listOf(input).hidden) tell(input, "");
    close(input);
  });
  on("mousedown", ".combobox-list", (_, event) => event.preventDefault());
  on("click", ".combobox-list [data-value]", (option) => choose(document.querySelector(`[aria-controls="${option.parentElement.id}"]`), option));
  on("keydown", "input[data-suggest]", (input, event) => {
    const isOpen = !listOf(input).hidden;
    const options = [...listOf(input).querySelectorAll("[data-value]")];
    const place = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" && !isOpen) suggest(input);
    else if (event.key === "ArrowDown") point(input, options[(place + 1) % options.length]);
    else if (event.key === "ArrowUp" && isOpen) point(input, options.at(place <= 0 ? -1 : place - 1));
    else if (event.key === "Enter" && isOpen && place >= 0) choose(input, options[place]);
    else if (event.key === "Escape" && isOpen) close(input);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // A filter form sends itself: selects and dates at once; text is sent by htmx with a delay.
  on("change", "[data-autosubmit] select, [data-autosubmit] input[type=date], [data-autosubmit] input[type=checkbox]", (input) =>
    input.form.requestSubmit(),
  );

  // Rows that can be added and removed: <template data-row-of="#id"> holds one row with __i__ for its number.
  const next = (list) => {
    const number = Number(list.dataset.nextRow ?? list.children.length);
    list.dataset.nextRow = String(number + 1);
    return String(number);
  };
  // Many lists can share one template: data-row-template="#id", in which __owner__ stands for data-row-owner, and __place__
  // for the same as a part of an id.
  on("click", "[data-add-row]", (button) => {
    const list = document.querySelector(button.dataset.addRow);
    const template = document.querySelector(button.dataset.rowTemplate ?? `template[data-row-of="${button.dataset.addRow}"]`);
    const box = document.createElement("template");
    const owner = button.dataset.rowOwner ?? "";
    const place = owner.replaceAll(/[.[]/g, "-").replaceAll("]", "");
    const marks = { __owner__: owner, __place__: place, __i__: next(list) };
    box.innerHTML = template.innerHTML.replaceAll(/__(owner|place|i)__/g, (mark) => marks[mark]);
    const row = box.content.firstElementChild;
    list.append(box.content);
    if (window.htmx) window.htmx.process(row);
    dress(list);
    row.querySelector("input, select, textarea")?.focus();
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });
  on("click", "[data-remove-row]", (button) => {
    const row = button.closest("[data-row]");
    const list = row.parentElement;
    row.remove();
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // What belongs to one choice only: data-shown-when="field=value|value" within the same form.
  const showParts = (root) =>
    root.querySelectorAll("[data-shown-when]").forEach((part) => {
      const [name, values] = part.dataset.shownWhen.split("=");
      const field = (part.closest("form") ?? document).elements[name];
      const value = field instanceof RadioNodeList ? field.value : field?.type === "checkbox" ? String(field.checked) : field?.value;
      part.hidden = !values.split("|").includes(value ?? "");
      if (part.matches("fieldset")) part.disabled = part.hidden;
    });
  on("change", "form", (form) => showParts(form));

  // What an answer finds wrong while somebody types stands beside its field: <li data-problem-of="name">, shown in the answer
  // itself when there is no such field. data-problems-within says for which fields an answer speaks.
  const showProblems = (answer) => {
    const scope = answer.closest("[data-problems-within]");
    if (!scope) return;
    scope.querySelectorAll("[data-live-problem]").forEach((found) => {
      if (found.matches("input, select, textarea")) {
        found.classList.remove("is-invalid");
        found.removeAttribute("aria-invalid");
        found.removeAttribute("data-live-problem");
      } else found.remove();
    });
    const fields = [...scope.querySelectorAll("input, select, textarea")].filter((field) => !field.matches(":disabled"));
    answer.querySelectorAll("[data-problem-of]").forEach((problem) => {
      const field = fields.find((each) => each.name.split(":")[0] === problem.dataset.problemOf);
      problem.hidden = Boolean(field);
      if (!field) return;
      field.classList.add("is-invalid");
      field.setAttribute("aria-invalid", "true");
      field.dataset.liveProblem = "";
      const text = document.createElement("div");
      text.className = "invalid-feedback d-block";
      text.dataset.liveProblem = "";
      text.textContent = problem.textContent;
      field.after(text);
    });
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    showProblems(event.detail.target);
    // A row that stood closed shows its fields: typing goes on in the first one.
    if (event.detail.target.matches("[data-row]")) event.detail.target.querySelector("input:not([type=hidden]), select")?.focus();
  });

  // A slider says what it stands at: data-shows="#id".
  on("input", "[data-shows]", (input) => {
    document.querySelector(input.dataset.shows).textContent = input.value;
  });

  // Light, dark, or as the system has it; the cookie tells the server, so that the next page comes in the right colours.
  on("click", "[data-set-theme]", (button) => {
    document.documentElement.dataset.theme = button.dataset.setTheme;
    document.cookie = `lotus_theme=${button.dataset.setTheme}; path=/; max-age=31536000; samesite=lax`;
    window.lotusApplyTheme();
  });

  // A form is sent once: its button says so until the answer comes.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button || event.target.method === "get") return;
    setTimeout(() => {
      button.disabled = true;
      button.classList.add("btn-loading");
    });
  });
  addEventListener("pageshow", () =>
    document.querySelectorAll(".btn-loading").forEach((button) => {
      button.disabled = false;
      button.classList.remove("btn-loading");
    }),
  );

  // "/" goes to the page's search.
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input, textarea, select, [contenteditable]");
    const search = document.querySelector("[data-search]");
    if (event.key !== "/" || isTyping || !search || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    search.focus();
  });

  document.addEventListener("htmx:sendError", () => toast("The server could not be reached. Nothing was changed.", "error"));
  document.addEventListener("htmx:afterSettle", (event) => {
    localize(event.target.parentElement ?? document);
    showParts(document);
    dress(document);
  });
  document.addEventListener("DOMContentLoaded", () => {
    localize(document);
    dress(document);
    showParts(document);
  });
}
