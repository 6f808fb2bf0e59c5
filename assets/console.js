// What the console does beyond plain HTML: keeps the notice in step with a form, refreshes the team
// page, and walks through days and pictures by the arrow keys. Every page works without it.
"use strict";

// The notice beside a form follows what is entered.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const notice = () => document.querySelector("[data-notice]");
  for (const button of form.querySelectorAll("[data-plain]")) button.hidden = true;
  let asked = 0;
  let timer;
  const refresh = async () => {
    const turn = ++asked;
    const response = await fetch(form.dataset.preview, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
    }).catch(() => null);
    if (!response || !response.ok || turn !== asked) return;
    const text = await response.text();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-notice]");
    if (fresh && turn === asked) notice().replaceChildren(...fresh.childNodes);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 200);
  });
}

// A chosen file becomes the text of its form.
for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
for (const input of document.querySelectorAll("input[data-into]")) {
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) document.getElementById(input.dataset.into).value = await file.text();
  });
}

// The team page looks for news while somebody looks at it.
const live = document.querySelector("[data-live]");
if (live) {
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    const response = await fetch(location.href).catch(() => null);
    if (!response || !response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = page.querySelector("main");
    const fresh = page.querySelector("[data-live]");
    if (!main || !fresh) return;
    live.replaceChildren(...fresh.childNodes);
    const lead = document.querySelector("main .lead");
    const freshLead = main.querySelector(".lead");
    if (lead && freshLead) lead.textContent = freshLead.textContent;
  }, 10000);
}

// A chosen date opens its day at once.
for (const input of document.querySelectorAll("input[data-submit]")) {
  input.addEventListener("change", () => input.value && input.form.submit());
  for (const button of input.form.querySelectorAll("[data-hide]")) button.hidden = true;
}

// Left and right walk; Escape goes up. Within the pictures of a day they move from one to the next.
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, select, textarea, .scroll, details[open]")) {
    if (event.key === "Escape") event.target.closest("details.menu")?.removeAttribute("open");
    return;
  }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const film = event.target.closest("[data-film]");
  if (film && step) {
    const pictures = [...film.querySelectorAll("a")];
    const next = pictures[pictures.indexOf(event.target.closest("a")) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
    return;
  }
  const way = { ArrowLeft: "previous", ArrowRight: "next", Escape: "up" }[event.key];
  document.querySelector(`[data-key="${way}"]`)?.click();
});

// A menu closes when something else is picked, and shows only one at a time.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});
