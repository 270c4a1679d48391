// Dark or light before the first paint: the choice of this browser, else the system's.
// window.beckonTheme.toggle() changes it; the event "beckon-theme" follows, for parts that draw.
(() => {
  const wish = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("beckon-theme"); } catch { return null; } };
  const now = () => chosen() || (wish.matches ? "dark" : "light");
  const apply = () => {
    document.documentElement.dataset.theme = now();
    window.Quasar?.Dark?.set(now() === "dark");
    window.dispatchEvent(new Event("beckon-theme"));
  };
  window.beckonTheme = {
    now,
    apply,
    toggle() {
      try { localStorage.setItem("beckon-theme", now() === "dark" ? "light" : "dark"); } catch { /* private */ }
      apply();
    },
  };
  document.documentElement.dataset.theme = now();
  // How much room header and hints take, for pages that fill the window
  const measure = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      document.documentElement.style.setProperty(
        target.matches("header") ? "--above" : "--below", `${target.offsetHeight}px`);
    }
  });
  window.beckonTheme.ready = () => { // the page is there
    document.getElementById("bk-first")?.remove();
    document.querySelectorAll(".bk-header, .bk-hints").forEach((e) => measure.observe(e));
    apply();
  };
  wish.addEventListener("change", apply);
  addEventListener("storage", apply);
})();
