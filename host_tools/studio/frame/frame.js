// The frame's own script, before the first paint.
window.beckonLanguage = {
  // Keep the choice for this browser; the server reads it with each request.
  choose(cookie, code) {
    document.cookie = `${cookie}=${code}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  },
};

// When the server does not answer, the page says so, and what to do. NiceGUI's socket connects
// again when it can; an answer that refuses us comes from another run of Studio, to which the page
// comes back if both know its secret (frame/coming_back.py).
window.beckonLost = {
  async comeBack(secret) {
    const text = new TextEncoder();
    const key = await crypto.subtle.importKey(
      "raw", text.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
    const proof = async (who, of) => hex(await crypto.subtle.sign("HMAC", key, text.encode(`${who} ${location.port} ${of}`)));
    const ask = (query) => fetch(`/return?${new URLSearchParams(query)}`, { cache: "no-store" });
    const challenge = hex(crypto.getRandomValues(new Uint8Array(16)));
    const other = await (await ask({ challenge })).json();
    if (other.proof !== await proof("studio", challenge)) return false;
    return (await ask({
      challenge: other.challenge, answer: await proof("browser", other.challenge),
    })).ok;
  },
  watch(words, secret) {
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
        if (answer.redirected) { // to a login
          location.reload();
          return;
        }
        if (answer.status === 403) {
          said = words.again;
          if (secret && await window.beckonLost.comeBack(secret)) {
            location.reload();
            return;
          }
        }
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
