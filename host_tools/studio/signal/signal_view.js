// The picture of a signal. One component for three uses: labelling a recording, judging
// detections on it, and watching live data.
//
//   const view = new SignalView(element, { editable, overview, threshold, emit });
//   view.open(url)                  a recording, in the form of frame/routes.py, packed()
//   view.live(url, seconds)         a feed (live_feed.py), the last `seconds` of it, moving
//   view.clear()
//   view.setSpans([{id, start_ms, end_ms, label, colour, kind, note}], selectedId)
//   view.setFlags([{t_ms, text, kind}])         moments; kinds see signal_marks.js
//   view.setCurves([{name, colour, t_ms, percent}])  base64 of float64 and float32
//   view.setThreshold(percent)      view.setBrush(colour)      view.setCursor(t_ms)
//   view.lookAt(start_ms, end_ms)   view.reveal(start_ms, end_ms)
//   view.zoom(factor)  view.pan(screens)  view.stats()  view.destroy()
//
// emit(name, value): loaded {samples, rate_hz, start_ms, end_ms, axes, error,
// open_ms}, span {action, id, start_ms, end_ms}, flag index, cursor t_ms.
//
// All times are ms. Signals come in lanes: acceleration, turn rate, scores. A drawing
// happens at most once a frame, and only when something changed. Keys, mouse and
// fingers: signal_input.js. Drawing: signal_draw.js. What needs no canvas is pure and has tests
// under Node: pyramid, signal_columns, signal_hits, signal_layout, signal_range.
import { Pyramid, Ring } from "./pyramid.js";
import { draw } from "./signal_draw.js";
import { Layer } from "./signal_layer.js";
import { Input } from "./signal_input.js";
import { laneLayout } from "./signal_layout.js";
import { placed, revealed, zoomed } from "./signal_range.js";

const HEADER_BYTES = 16; // of a live message
const KEPT = 10; // screens of live data in memory

export class SignalView {
  constructor(element, { editable = false, overview = true, threshold = null, emit = () => {} }) {
    Object.assign(this, { element, editable, overview, threshold, emit });
    this.canvas = document.createElement("canvas");
    this.canvas.style.cssText =
      "position:absolute;inset:0;width:100%;height:100%;touch-action:none;border-radius:14px";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "signal over time");
    element.append(this.canvas);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.layer = new Layer();
    this.drawTimes = new Float32Array(600);
    this.frames = 0;
    this.reset();
    this.input = new Input(this);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(element);
    this.onTheme = () => { this.colours = null; this.strip = null; this.invalidate(); };
    addEventListener("beckon-theme", this.onTheme);
    this.fit();
  }

  destroy() {
    this.source?.abort();
    this.socket?.close();
    this.resize.disconnect();
    this.input.destroy();
    removeEventListener("beckon-theme", this.onTheme);
    cancelAnimationFrame(this.request);
  }

  reset() {
    this.source?.abort();
    this.socket?.close();
    Object.assign(this, {
      source: null, socket: null, meta: null, pyramids: [], ring: null, strip: null,
      spans: [], selected: null, pending: null, flags: [], curves: [], cursor: null, hover: null,
      t0: 0, t1: 10000, follow: false, brush: "#888888", wished: null, open_ms: null,
      lags: new Float32Array(2000), lagCount: 0, lagMost: 0, newest_ms: 0, dropped: 0,
    });
    this.invalidate();
  }

  clear() { this.reset(); }

  // what it shows

  async open(url) {
    const keep = { spans: this.spans, selected: this.selected, flags: this.flags,
      curves: this.curves, brush: this.brush };
    this.reset();
    Object.assign(this, keep);
    const begun = performance.now();
    const source = (this.source = new AbortController());
    try {
      const answer = await fetch(url, { signal: source.signal });
      if (!answer.ok) {
        const fault = await answer.json().catch(() => ({}));
        throw new Error(fault.error || `the recording could not be fetched (${answer.status})`);
      }
      const bytes = await answer.arrayBuffer();
      if (source.signal.aborted) return;
      this.load(bytes);
      this.open_ms = performance.now() - begun;
      this.emit("loaded", { ...this.extent(), samples: this.meta.samples,
        rate_hz: this.meta.rate_hz, axes: this.meta.axes.length, error: null,
        open_ms: this.open_ms });
    } catch (error) {
      if (error.name !== "AbortError") this.emit("loaded", { error: String(error.message) });
    }
  }

  load(bytes) {
    const length = new DataView(bytes).getUint32(0, true);
    const meta = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    const n = meta.samples;
    this.pyramids = meta.axes.map((_, a) =>
      new Pyramid(new Float32Array(bytes, 4 + length + 4 * n * a, n)));
    this.meta = meta;
    const { start_ms, end_ms } = this.extent();
    this.show(start_ms, end_ms);
    if (this.wished) this.show(...this.wished);
    this.wished = null;
  }

  live(url, seconds) {
    const brush = this.brush;
    this.reset();
    this.brush = brush;
    const socket = (this.socket = new WebSocket(new URL(url, location.href.replace(/^http/, "ws"))));
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data !== "string") return this.append(data);
      const message = JSON.parse(data);
      if (message.axes) this.begin(message, seconds);
      else {
        this.flags.push(message);
        const oldest = 1000 * this.ring.first / this.meta.rate_hz;
        while (this.flags.length && this.flags[0].t_ms < oldest) this.flags.shift();
        this.invalidate();
      }
    };
  }

  begin({ rate_hz, axes, sent }, seconds) {
    this.meta = { rate_hz, axes, start_ms: 0, samples: 0, gaps: [] };
    this.ring = new Ring(axes.length, Math.ceil(KEPT * seconds * rate_hz));
    this.ring.end = sent;
    this.follow = true;
    this.seconds = seconds;
    this.show(1000 * (sent / rate_hz - seconds), 1000 * sent / rate_hz);
  }

  append(bytes) {
    const head = new DataView(bytes);
    this.ring.append(head.getUint32(8, true), new Float32Array(bytes, HEADER_BYTES));
    this.newest_ms = head.getFloat64(0, true);
    if (this.follow) {
      const end = 1000 * this.ring.end / this.meta.rate_hz, width = this.t1 - this.t0;
      this.t0 = end - width;
      this.t1 = end;
    }
    this.invalidate();
  }

  setSpans(spans, selected = null) {
    this.spans = spans;
    this.selected = selected;
    this.pending = null;
    this.invalidate();
  }

  setFlags(flags) { this.flags = flags; this.invalidate(); }

  setCurves(curves) {
    const floats = (text, Kind) =>
      new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    this.curves = curves.map((c) => ({
      ...c, t_ms: floats(c.t_ms, Float64Array), percent: floats(c.percent, Float32Array),
    }));
    this.invalidate();
  }

  setThreshold(percent) { this.threshold = percent; this.invalidate(); }
  setBrush(colour) { this.brush = colour; }
  setCursor(t_ms) { this.cursor = t_ms; this.invalidate(); }

  // where it looks

  extent() {
    if (!this.meta) return { start_ms: 0, end_ms: 10000 };
    const { start_ms, samples, rate_hz } = this.meta;
    if (this.ring) {
      return { start_ms: 1000 * this.ring.first / rate_hz, end_ms: 1000 * this.ring.end / rate_hz };
    }
    return { start_ms, end_ms: start_ms + (1000 * samples) / rate_hz };
  }

  show(t0, t1) {
    [this.t0, this.t1] = placed(t0, t1, this.extent(), this.ring && { follow: this.follow });
    this.invalidate();
  }

  lookAt(t0, t1) {
    if (this.meta) this.show(t0, t1);
    else this.wished = [t0, t1];
  }

  reveal(t0, t1) {
    if (!this.meta) { this.wished = null; return; }
    const range = revealed(this.t0, this.t1, t0, t1);
    if (range) this.show(...range);
  }

  zoom(factor, about = null) {
    if (about === null) {
      const seen = this.cursor !== null && this.cursor > this.t0 && this.cursor < this.t1;
      about = this.follow ? this.t1 : seen ? this.cursor : (this.t0 + this.t1) / 2;
    }
    const { start_ms, end_ms } = this.extent(), whole = end_ms - start_ms;
    const most = this.ring ? Math.max(whole, 1000 * this.seconds) : whole;
    this.show(...zoomed(this.t0, this.t1, factor, about, most));
  }

  pan(screens) {
    const by = screens * (this.t1 - this.t0);
    if (this.ring) this.follow = by > 0 && this.t1 + by >= this.extent().end_ms;
    this.show(this.t0 + by, this.t1 + by);
  }

  // drawing

  get plotWidth() { return Math.max(1, this.width - this.gutter); }
  x(t_ms) { return this.gutter + ((t_ms - this.t0) / (this.t1 - this.t0)) * this.plotWidth; }
  t(x) { return this.t0 + ((x - this.gutter) / this.plotWidth) * (this.t1 - this.t0); }

  fit() {
    const { width, height } = this.element.getBoundingClientRect();
    if (!width || !height) return;
    const scale = Math.min(devicePixelRatio || 1, 2);
    Object.assign(this, { width, height, scale });
    this.gutter = width < 600 ? 44 : 62;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.strip = null;
    this.paint();
  }

  invalidate() {
    if (this.request) return;
    this.request = requestAnimationFrame(() => {
      this.request = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.width) return;
    const begun = performance.now();
    this.layout = laneLayout(this);
    draw(this);
    this.drawTimes[this.frames++ % this.drawTimes.length] = performance.now() - begun;
    if (this.newest_ms) {
      const lag = Date.now() - this.newest_ms;
      this.lags[this.lagCount++ % this.lags.length] = lag;
      this.lagMost = Math.max(this.lagMost, lag);
      this.newest_ms = 0;
    }
  }

  // For tests and measurements.
  stats() {
    const sorted = (values, count) => values.slice(0, Math.min(count, values.length)).sort();
    const at = (values, part) => values.length ? values[Math.floor(part * (values.length - 1))] : null;
    const times = sorted(this.drawTimes, this.frames), lags = sorted(this.lags, this.lagCount);
    return {
      t0: this.t0, t1: this.t1, frames: this.frames, open_ms: this.open_ms,
      draw_ms_median: at(times, 0.5), draw_ms_p95: at(times, 0.95),
      lag_ms_median: at(lags, 0.5), lag_ms_p95: at(lags, 0.95), lag_ms_most: this.lagMost,
      samples: this.ring ? this.ring.end : this.meta?.samples ?? 0,
      kept: this.ring ? this.ring.capacity : null, spans: this.spans.length,
      flags: this.flags.length, cursor: this.cursor, selected: this.selected,
    };
  }
}
