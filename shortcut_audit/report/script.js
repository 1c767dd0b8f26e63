"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  root.classList.add("js");
  all(".tools").forEach((tools) => { tools.hidden = false; });

  // Theme: the system's, until the button is pressed. Nothing is stored.
  const theme = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; showTheme(); });
  system.addEventListener("change", showTheme);
  showTheme();

  // Layers of the gallery: one button switches a layer in every case.
  all("button[data-layer]").forEach((button) => {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      all("img.layer").forEach((layer) => {
        if (layer.dataset.layer === button.dataset.layer) { layer.hidden = !on; }
      });
    });
  });

  // Print opens what is folded, and folds it again afterwards.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => { opened.forEach((part) => { part.open = false; }); });
  document.getElementById("print").addEventListener("click", () => window.print());

  // A link into a folded part opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") { part.open = true; }
    }
    if (target) { target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", reveal);
  if (location.hash) { reveal(); }
})();
