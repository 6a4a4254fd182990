// Runs before the page is painted: chooses light or dark, and tells the styles that scripts work.
"use strict";
{
  const root = document.documentElement;
  root.classList.remove("no-script");
  const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const apply = () => {
    const chosen = root.dataset.theme;
    root.setAttribute("data-bs-theme", chosen === "auto" ? (isDark() ? "dark" : "light") : chosen);
    document.dispatchEvent(new CustomEvent("lotus:theme"));
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  // One name for the whole app: the button that changes the theme calls it.
  window.lotusApplyTheme = apply;
}
