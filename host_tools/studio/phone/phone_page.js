"use strict";
/* Reads the phone's motion events and sends them, each with its own time stamp. What a message
   holds: recording/phone/page_message.py. Values go as the browser reports them; the computer
   brings signs and units to ours. */
(() => {
  const { words, computer, language, least_hz } =
    JSON.parse(document.getElementById("data").textContent);
  const SEND_MS = 50, POST_MS = 100, MOST = 100;    // events per message
  const HELD_MS = 5000;      // events wait this long for a connection
  const SILENT_MS = 4000;    // without an answer for so long, the connection counts as dead
  const SLEPT_MS = 1000;     // the clocks have moved apart by this: the phone has slept
  const NONE_MS = 3000, SHOW_MS = 200, PLOT_MS = 4000;

  const $ = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat(language, { minimumFractionDigits: 1,
                                                   maximumFractionDigits: 1 });
  const count = new Intl.NumberFormat(language);
  const say = (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  const agent = navigator.userAgent;
  const system = /iPhone|iPad|iPod/.test(agent) ||
      (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1) ? "ios"
    : /Android/.test(agent) ? "android" : "other";
  const page = Array.from(crypto.getRandomValues(new Uint8Array(9)),
                          (b) => (b % 36).toString(36)).join("");

  let running = false, fatal = "", queue = [], attitude = null, dropped = 0;
  let sent = 0, gaps = 0, stamps = [], recent = [], turning = true;
  let socket = null, mode = "socket", failures = 0, posting = false, posted_ms = 0;
  let heard_ms = 0, began_ms = 0, lock = null, last_stamp = null, apart_ms = null, timers = [];

  // --- events

  const round = (value, digits) => value === null || value === undefined ? null
    : Math.round(value * 10 ** digits) / 10 ** digits;

  function on_motion(event) {
    const a = event.accelerationIncludingGravity, r = event.rotationRate;
    if (!a || a.x === null || a.y === null || a.z === null) return;
    const stamp = event.timeStamp || performance.now();
    const moved_ms = Date.now() - performance.now();
    if (apart_ms !== null && Math.abs(moved_ms - apart_ms) > SLEPT_MS) mark_restart();
    apart_ms = moved_ms;
    const row = [round(stamp, 2), round(a.x, 4), round(a.y, 4), round(a.z, 4),
                 round(r && r.alpha, 3), round(r && r.beta, 3), round(r && r.gamma, 3)];
    turning = row.slice(4).every((value) => value !== null);
    note_stamp(stamp);
    recent.push(row);
    while (recent.length && recent[0][0] < stamp - PLOT_MS) recent.shift();
    queue.push(row);
    drop_old(stamp);
  }

  function drop_old(stamp) {
    const first = queue.findIndex((row) => row && row[0] >= stamp - HELD_MS);
    if (first <= 0) return;
    const old = queue.splice(0, first);
    dropped += old.filter((row) => row).length;
    if (old.includes(null)) queue.unshift(null);
  }

  function note_stamp(stamp) {
    const usual = stamps.length > 20 ? (stamps[stamps.length - 1] - stamps[0]) / (stamps.length - 1)
      : 0;
    if (usual && stamp - last_stamp > 1.75 * usual) gaps += 1;
    last_stamp = stamp;
    stamps.push(stamp);
    while (stamps[0] < stamp - 2000) stamps.shift();
  }

  function mark_restart() {
    if (queue[queue.length - 1] !== null) queue.push(null);
    stamps = [];
  }

  function rate() {
    if (stamps.length < 10 || performance.now() - stamps[stamps.length - 1] > 1000) return 0;
    return 1000 * (stamps.length - 1) / (stamps[stamps.length - 1] - stamps[0]);
  }

  // --- sending

  function next_message() {
    let restarted = false;
    if (queue[0] === null) { restarted = true; queue.shift(); }
    const until = queue.indexOf(null);
    const events = queue.splice(0, Math.min(MOST, until < 0 ? queue.length : until));
    return { page, system, restarted, attitude, events, dropped };
  }

  function flush() {
    if (!running || fatal || !queue.some((row) => row)) return;
    if (mode === "post") { post(); return; }
    while (socket && socket.readyState === 1 && socket.bufferedAmount < 32768 &&
           queue.some((row) => row)) {
      const message = next_message();
      socket.send(JSON.stringify(message));
      sent += message.events.length;
    }
  }

  async function post() {
    if (posting || performance.now() - posted_ms < POST_MS) return;
    posting = true;
    posted_ms = performance.now();
    const message = next_message();
    try {
      const answer = await fetch("/samples", {
        method: "POST", body: JSON.stringify(message), signal: AbortSignal.timeout(SILENT_MS) });
      if (answer.status === 404) end("used");
      else if (!answer.ok) refused();
      else { sent += message.events.length; on_answer(await answer.json()); }
    } catch {                                     // no connection: these events wait, too
      queue = message.events.concat(queue);
      if (message.restarted) queue.unshift(null);
    }
    posting = false;
  }

  function on_answer() { heard_ms = performance.now(); failures = 0; }

  function connect() {
    if (!running || fatal || mode !== "socket") return;
    let opened = false;
    const mine = socket = new WebSocket(location.origin.replace("https", "wss") + "/samples");
    mine.onopen = () => { opened = true; heard_ms = performance.now(); };
    mine.onmessage = (event) => on_answer(JSON.parse(event.data));
    mine.onclose = (event) => {
      if (socket !== mine) return;
      socket = null;
      if (event.code === 4403) return end("used");
      if (event.code === 4409) return end("replaced");
      if (event.code === 4400 || event.code === 4429) return refused();
      failures += 1;
      // Safari opens no WebSocket where it only tolerates the certificate, but does send requests
      if (!opened && failures >= 2) { mode = "post"; return; }
      setTimeout(connect, Math.min(4000, 250 * 2 ** failures));
    };
  }

  function check_connection() {
    if (socket && socket.readyState === 1 && document.visibilityState === "visible" &&
        performance.now() - heard_ms > SILENT_MS) {
      const dead = socket;
      socket = null;
      dead.close();
      connect();
    }
  }

  const connected = () => heard_ms > 0 && performance.now() - heard_ms < SILENT_MS;
  const refused = () => end("refused");

  // --- start, stop, sleep

  async function allowed() {
    const kinds = [window.DeviceMotionEvent, window.DeviceOrientationEvent]
      .filter((kind) => kind && typeof kind.requestPermission === "function");
    try {                                        // all at once: they need this one tap
      const answers = await Promise.all(kinds.map((kind) => kind.requestPermission()));
      return answers.every((answer) => answer === "granted");
    } catch { return false; }
  }

  async function start() {
    if (running) return;
    const may = await allowed();
    running = true;
    fatal = "";
    [failures, heard_ms, mode, began_ms] = [0, 0, "socket", performance.now()];
    $("welcome").hidden = true;
    $("running").hidden = false;
    if (!may) return end("denied");
    mark_restart();
    window.addEventListener("devicemotion", on_motion);
    window.addEventListener("deviceorientation", on_orientation);
    stay_awake();
    connect();
    timers = [setInterval(flush, SEND_MS), setInterval(show, SHOW_MS),
              setInterval(check_connection, 1000)];
    show();
  }

  function on_orientation(event) {
    attitude = event.beta === null || event.gamma === null ? null
      : [round(event.beta, 2), round(event.gamma, 2)];
  }

  function end(why) {
    fatal = why;
    timers.forEach(clearInterval);
    timers = [];
    running = false;
    window.removeEventListener("devicemotion", on_motion);
    window.removeEventListener("deviceorientation", on_orientation);
    if (socket) { const mine = socket; socket = null; mine.close(); }
    if (lock) { lock.release().catch(() => {}); lock = null; }
    queue = [];
    show();
  }

  async function stay_awake() {
    try {
      lock = await navigator.wakeLock.request("screen");
      $("awake").textContent = say("awake");
    } catch { $("awake").textContent = say("asleep"); }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || !running) return;
    mark_restart();
    heard_ms = performance.now();
    stay_awake();
  });

  // --- what is shown

  function show() {
    const none = running && !recent.length && performance.now() - began_ms > NONE_MS;
    const slow = running && rate() > 0 && rate() < least_hz &&
      performance.now() - began_ms > NONE_MS;
    let [kind, state, why] = ["", "connecting", ""];
    if (fatal === "stop") [kind, state] = ["", "stopped"];
    else if (fatal) [kind, state, why] = ["bad", "stopped", fatal];
    else if (none) [kind, state, why] = ["bad", "stopped", "none"];
    else if (heard_ms && !connected()) [kind, state] = ["bad", "away"];
    else if (slow) [kind, state, why] = ["bad", "sending", "slow"];
    else if (connected() && sent) [kind, state] = ["good", "sending"];
    $("state").dataset.kind = kind;
    $("state").lastElementChild.textContent = say(state);
    $("why").hidden = !why;
    $("why").textContent = why && say(why, { least: number.format(least_hz) });
    $("stop").textContent = say(running ? "stop" : "start");
    $("rate").textContent = number.format(rate());
    $("sent").textContent = count.format(sent);
    $("gaps").textContent = count.format(gaps);
    $("gyro-title").textContent = say(turning ? "turning" : "no_turning");
    const row = recent[recent.length - 1];
    if (row) {
      show_values("accel", row.slice(1, 4));
      show_values("gyro", turning ? row.slice(4) : []);
      plot("accel-plot", 1, 20);
      if (turning) plot("gyro-plot", 4, 250);
    }
  }

  function show_values(id, values) {
    $(id).replaceChildren(...values.map((value) => {
      const span = document.createElement("span");
      span.textContent = number.format(value);
      return span;
    }));
  }

  function plot(id, first, least) {
    const canvas = $(id), draw = canvas.getContext("2d"), style = getComputedStyle(canvas);
    const { width, height } = canvas, end = recent[recent.length - 1][0];
    const full = Math.max(least, ...recent.flatMap((row) => row.slice(first, first + 3)
      .map(Math.abs)));
    const y_of = (value) => height / 2 - value / full * (height / 2 - 6);
    draw.clearRect(0, 0, width, height);
    draw.lineWidth = 2;
    draw.strokeStyle = style.getPropertyValue("--line");
    draw.beginPath(); draw.moveTo(0, height / 2); draw.lineTo(width, height / 2); draw.stroke();
    draw.lineWidth = 4;
    ["--x", "--y", "--z"].forEach((colour, axis) => {
      draw.strokeStyle = style.getPropertyValue(colour);
      draw.beginPath();
      recent.forEach((row) => draw.lineTo(width * (1 - (end - row[0]) / PLOT_MS),
                                          y_of(row[first + axis])));
      draw.stroke();
    });
  }

  document.querySelectorAll("[data-word]").forEach((element) => {
    element.textContent = say(element.dataset.word);
  });
  $("computer").textContent = computer;
  $("intro").textContent = say("intro", { computer });
  $("start").addEventListener("click", start);
  $("stop").addEventListener("click", () => running ? end("stop") : start());
})();
