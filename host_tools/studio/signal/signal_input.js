// Mouse, fingers and keys of signal_view.js.
//
//   wheel                 zoom at the pointer      shift + wheel, sideways  pan
//   drag on empty ground  draw a span (editable), else pan
//   drag an edge          move it                  drag the chosen span     move it
//   shift or middle drag  pan                      click                    choose, cursor
//   one finger            pan                      two fingers              zoom and pan
//   finger held, then dragged                      draw a span
//   in the overview       drag or click            look there
//   arrows left, right    cursor (shift: ten times as far)      up, down    zoom
//   page up, down         pan one screen           home, end, 0             ends, whole
import { covered, typing } from "/studio/static/keyboard.js";
import { findAt } from "./signal_hits.js";

const STILL = 4; // px that a click may move
const HOLD_MS = 380;
const OWN_KEYS = "[role=listbox], [role=application], .q-slider, input[type=range]"; // need arrows

export class Input {
  constructor(view) {
    this.view = view;
    this.drag = null;
    this.pointers = new Map();
    const on = (target, name, handler, options) => {
      target.addEventListener(name, handler, options);
      return () => target.removeEventListener(name, handler, options);
    };
    const { canvas } = view;
    this.off = [
      on(canvas, "wheel", (e) => this.wheel(e), { passive: false }),
      on(canvas, "pointerdown", (e) => this.down(e)),
      on(canvas, "pointermove", (e) => this.move(e)),
      on(canvas, "pointerup", (e) => this.up(e)),
      on(canvas, "pointercancel", (e) => this.cancel(e)),
      on(canvas, "pointerleave", () => { view.hover = null; view.invalidate(); }),
      on(canvas, "contextmenu", (e) => this.drag && e.preventDefault()),
      on(document, "keydown", (e) => this.key(e)),
    ];
  }

  destroy() {
    clearTimeout(this.held);
    for (const off of this.off) off();
  }

  place(event) {
    const box = this.view.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  wheel(event) {
    const { view } = this;
    if (!view.meta) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 400 : 1;
    const dx = (event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX) * unit;
    const dy = event.shiftKey ? 0 : event.deltaY * unit;
    if (Math.abs(dx) > Math.abs(dy)) view.pan(dx / view.plotWidth);
    else if (dy) {
      const speed = event.ctrlKey ? 0.012 : 0.0022; // with Ctrl: a pinch on a touchpad
      view.zoom(Math.exp(-dy * speed), view.follow ? null : view.t(this.place(event).x));
    }
  }

  down(event) {
    const { view } = this;
    if (!view.meta || event.button === 2) return;
    const at = this.place(event), touch = event.pointerType === "touch";
    this.pointers.set(event.pointerId, at);
    try { view.canvas.setPointerCapture(event.pointerId); } catch { /* it is gone already */ }
    view.canvas.focus({ preventScroll: true });
    clearTimeout(this.held);
    if (this.pointers.size === 2) {
      const [a, b] = [...this.pointers.values()];
      this.drag = { kind: "pinch", apart: Math.max(20, Math.abs(a.x - b.x)),
        t: view.t((a.x + b.x) / 2), width: view.t1 - view.t0 };
      return;
    }
    const found = findAt(view, at, touch ? 22 : 8);
    this.drag = { kind: "press", found, from: at, t: view.t(at.x), t0: view.t0, t1: view.t1, touch,
      pan: event.button === 1 || event.shiftKey };
    if (found.what === "strip") this.look(at);
    if (touch && view.editable && found.what === "ground") {
      this.held = setTimeout(() => {
        navigator.vibrate?.(15);
        if (this.drag?.kind === "press") this.draw(at);
      }, HOLD_MS);
    }
  }

  draw(at) {
    const t = this.view.t(at.x);
    this.drag = { ...this.drag, kind: "draw", span: { id: null, start_ms: t, end_ms: t,
      label: "", colour: this.view.brush, kind: "label" } };
    this.view.invalidate();
  }

  move(event) {
    const { view, drag } = this, at = this.place(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, at);
    if (!drag) return this.hovers(at, event);
    if (drag.kind === "pinch") return this.pinch();
    const far = Math.abs(at.x - drag.from.x);
    if (drag.kind === "press" && far > STILL) {
      clearTimeout(this.held);
      this.begin(drag, at);
    }
    const t = view.t(at.x), { span } = this.drag;
    if (this.drag.kind === "strip") this.look(at);
    else if (this.drag.kind === "pan") {
      const by = ((drag.from.x - at.x) / view.plotWidth) * (drag.t1 - drag.t0);
      if (view.ring) view.follow = drag.t1 + by >= view.extent().end_ms;
      view.show(drag.t0 + by, drag.t1 + by);
    } else if (this.drag.kind === "draw") {
      const [a, b] = [drag.t, t].sort((p, q) => p - q);
      Object.assign(span, { start_ms: a, end_ms: b });
    } else if (this.drag.kind === "edge") {
      const other = this.drag.edge === "start_ms" ? drag.found.span.end_ms : drag.found.span.start_ms;
      const [a, b] = [other, t].sort((p, q) => p - q);
      Object.assign(span, { start_ms: a, end_ms: b });
    } else if (this.drag.kind === "shift") {
      const by = t - drag.t, old = drag.found.span;
      Object.assign(span, { start_ms: old.start_ms + by, end_ms: old.end_ms + by });
    }
    view.hover = this.drag.kind === "pan" || this.drag.kind === "strip" ? null : t;
    view.invalidate();
  }

  // The press became a drag: of what?
  begin(drag, at) {
    const { view } = this, { found } = drag;
    if (found.what === "strip") this.drag = { ...drag, kind: "strip" };
    else if (drag.pan) this.drag = { ...drag, kind: "pan" };
    else if (found.what === "edge" && (!drag.touch || found.span.id === view.selected)) {
      this.drag = { ...drag, kind: "edge", edge: found.edge, span: { ...found.span } };
    } else if (found.what === "span" && view.editable && found.span.id === view.selected) {
      this.drag = { ...drag, kind: "shift", span: { ...found.span } };
    } else if (view.editable && !drag.touch && found.what === "ground") this.draw(drag.from);
    else this.drag = { ...drag, kind: "pan" };
  }

  pinch() {
    const { view, drag } = this, [a, b] = [...this.pointers.values()];
    const apart = Math.max(20, Math.abs(a.x - b.x)), middle = (a.x + b.x) / 2;
    const width = (drag.width * drag.apart) / apart;
    const part = (middle - view.gutter) / view.plotWidth;
    if (view.ring) view.follow = false;
    view.show(drag.t - part * width, drag.t + (1 - part) * width);
  }

  look(at) {
    const { view } = this, { start_ms, end_ms } = view.extent();
    const t = start_ms + ((at.x - view.gutter) / view.plotWidth) * (end_ms - start_ms);
    const half = (view.t1 - view.t0) / 2;
    view.show(t - half, t + half);
  }

  hovers(at, event) {
    const { view } = this;
    if (!view.meta || event.pointerType === "touch") return;
    const inside = at.x >= view.gutter && at.y > view.layout.ruler && at.y < view.layout.bottom;
    view.hover = inside && !view.ring ? view.t(at.x) : null;
    const { what, span } = findAt(view, at, 8);
    const grab = what === "span" && view.editable && span.id === view.selected;
    view.canvas.style.cursor = what === "edge" ? "ew-resize" : what === "flag" ? "pointer"
      : grab ? "move" : what === "span" ? "pointer" : what === "strip" ? "grab"
      : view.editable ? "crosshair" : "default";
    view.invalidate();
  }

  up(event) {
    clearTimeout(this.held);
    this.pointers.delete(event.pointerId);
    const { view, drag } = this;
    this.drag = null;
    if (!drag || drag.kind === "pinch") return;
    if (drag.kind === "press") this.click(drag);
    else if (drag.kind === "draw") {
      const { start_ms, end_ms } = drag.span;
      if (view.x(end_ms) - view.x(start_ms) > STILL) {
        view.pending = drag.span;
        this.emitSpan("create", null, start_ms, end_ms);
      }
    } else if (drag.span) {
      const { id, start_ms, end_ms } = drag.span;
      view.spans = view.spans.map((s) => (s.id === id ? drag.span : s)); // until the answer
      this.emitSpan("move", id, start_ms, end_ms);
    }
    view.invalidate();
  }

  click({ found, t }) {
    const { view } = this;
    if (found.what === "strip") return;
    if (found.what === "flag") return view.emit("flag", found.index);
    this.setCursor(t);
    if (found.what === "span" || found.what === "edge") {
      const { id, start_ms, end_ms } = found.span;
      view.selected = id;
      this.emitSpan("select", id, start_ms, end_ms);
    }
  }

  emitSpan(action, id, start_ms, end_ms) {
    this.view.emit("span", { action, id, start_ms, end_ms });
  }

  setCursor(t) {
    const { view } = this, { start_ms, end_ms } = view.extent();
    if (view.ring) return;
    view.cursor = Math.min(Math.max(t, start_ms), end_ms);
    view.invalidate();
    view.emit("cursor", view.cursor);
  }

  cancel(event) {
    clearTimeout(this.held);
    this.pointers.delete(event.pointerId);
    this.drag = null;
    this.view.invalidate();
  }

  key(event) {
    const { view } = this;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || !view.meta) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (typing(target) || covered() || target.closest(OWN_KEYS)) return;
    if (!view.canvas.checkVisibility?.()) return;
    if (event.key === "Escape" && this.drag) {
      this.drag = null;
      view.invalidate();
      event.preventDefault();
      return;
    }
    const doing = this.keys(event.shiftKey)[event.key];
    if (!doing) return;
    event.preventDefault();
    doing();
  }

  keys(shift) {
    const { view } = this, { start_ms, end_ms } = view.extent(), width = view.t1 - view.t0;
    const step = (sign) => () => {
      if (view.ring) return view.pan(0.1 * sign);
      const period = 1000 / view.meta.rate_hz, far = Math.max(period, width / 200);
      const from = view.cursor ?? (view.t0 + view.t1) / 2;
      this.setCursor(from + sign * far * (shift ? 10 : 1));
      view.reveal(view.cursor, view.cursor);
    };
    return {
      ArrowLeft: step(-1), ArrowRight: step(1),
      ArrowUp: () => view.zoom(1.35), ArrowDown: () => view.zoom(1 / 1.35),
      PageUp: () => view.pan(-0.9), PageDown: () => view.pan(0.9),
      Home: () => view.show(start_ms, start_ms + width),
      End: () => { view.follow = Boolean(view.ring); view.show(end_ms - width, end_ms); },
      0: () => view.ring ? null : view.show(start_ms, end_ms),
    };
  }
}
