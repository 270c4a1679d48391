// The frame's own script, before the first paint.
window.beckonLanguage = {
  // Keep the choice for this browser; the server reads it with each request.
  choose(cookie, code) {
    document.cookie = `${cookie}=${code}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  },
};

// When the server does not answer, the page says so, and what to do. NiceGUI's socket connects
// again when it can; an answer that refuses us comes from another run of Studio.
window.beckonLost = {
  watch(words) {
    if (!window.socket || window.beckonLost.box) return;
    const box = document.createElement("div");
    window.beckonLost.box = box;
    box.className = "bk-lost";
    box.hidden = true;
    box.tabIndex = -1;
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-labelledby", "bk-lost-title");
    box.innerHTML = '<div class="bk-card"><h1 class="bk-title" id="bk-lost-title"></h1><p></p></div>';
    box.querySelector("h1").textContent = words.title;
    const text = box.querySelector("p");
    document.body.append(box);
    let timer = 0;
    const show = async () => {
      box.hidden = false;
      document.getElementById("app").inert = true;
      if (document.activeElement !== box) box.focus();
      let said = words.gone;
      try {
        const answer = await fetch("/studio/alive", { credentials: "omit", cache: "no-store" });
        if (answer.status === 403) said = words.again;
      } catch { /* nobody there */ }
      text.textContent = said;
      timer = setTimeout(show, 2000);
    };
    window.socket.on("disconnect", () => { clearTimeout(timer); timer = setTimeout(show, 1500); });
    window.socket.on("connect", () => {
      clearTimeout(timer);
      box.hidden = true;
      document.getElementById("app").inert = false;
    });
  },
};
