// The map of all takes, and their thumbnails: one canvas, however many there are.
//
// show({n, xy, thumbs, points}) gives the takes, colour({groups, colours, shapes, wrong, suspect,
// gone, order}) how they look, select(i) and highlight(group) what stands out. Emits "select" (index)
// and "open" (index).
import { CELL, SHAPES, grid, nearest, placed, towards } from "/studio/explore/takes_map.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function bytes(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out.buffer;
}

export default {
  template: `<div class="bk-takes-view" tabindex="0" role="application" :aria-label="label">
    <div class="bk-takes-space"></div><canvas></canvas></div>`,
  props: { label: String },
  mounted() {
    this.mode = "map";
    this.view = { zoom: 1, x: 0, y: 0 };
    this.n = 0;
    this.selected = this.lit = -1;
    this.canvas = this.$el.querySelector("canvas");
    this.space = this.$el.querySelector(".bk-takes-space");
    this.$el.takesView = this; // for tests
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.$el);
    this.theme = new MutationObserver(() => this.redraw());
    this.theme.observe(document.documentElement, { attributes: true });
    this.$el.addEventListener("scroll", () => this.redraw(), { passive: true });
    this.$el.addEventListener("keydown", (e) => this.key(e));
    this.$el.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    this.$el.addEventListener("dblclick", (e) => {
      if (this.hit(e) < 0) this.reset();
      else this.$emit("open", this.selected);
    });
    this.$el.addEventListener("pointerdown", (e) => this.down(e));
    this.$el.addEventListener("pointermove", (e) => this.move(e));
    this.$el.addEventListener("pointerup", (e) => this.up(e));
    this.$emit("ready");
  },
  unmounted() {
    this.observer.disconnect();
    this.theme.disconnect();
  },
  methods: {
    show({ n, xy, thumbs, points }) {
      this.n = n;
      this.xy = new Float32Array(bytes(xy));
      this.thumbs = new Int8Array(bytes(thumbs));
      this.points = points;
      this.places = null;
      this.redraw();
    },
    colour({ groups, colours, shapes, wrong, suspect, gone, order }) {
      this.groups = new Uint16Array(bytes(groups));
      this.colours = colours;
      this.shapes = shapes;
      this.wrong = new Uint8Array(bytes(wrong));
      this.suspect = new Uint8Array(bytes(suspect));
      this.gone = new Uint8Array(bytes(gone));
      this.order = new Int32Array(bytes(order));
      this.rank = new Int32Array(this.n);
      this.order.forEach((i, k) => (this.rank[i] = k));
      this.redraw();
    },
    select(i) {
      this.selected = i;
      if (this.mode === "grid" && i >= 0 && this.rank) {
        const y = this.cells().cell(this.rank[i]).y;
        if (y < this.$el.scrollTop || y + CELL.height > this.$el.scrollTop + this.$el.clientHeight)
          this.$el.scrollTop = Math.max(0, y - this.$el.clientHeight / 2);
      }
      this.redraw();
    },
    highlight(group) {
      this.lit = group;
      this.redraw();
    },
    setMode(mode) {
      this.mode = mode;
      this.select(this.selected);
    },
    reset() {
      this.view = { zoom: 1, x: 0, y: 0 };
      this.redraw();
    },
    state() {
      return { n: this.n, mode: this.mode, selected: this.selected, drawn: this.drawn, ms: this.ms,
        shown: Array.from({ length: this.n }, (_, i) => i).filter((i) => this.isShown(i)).length };
    },
    place(i) {
      // where a take is drawn, in the page's pixels
      const box = this.$el.getBoundingClientRect();
      if (this.mode === "map") {
        const at = this.positions();
        return { x: box.left + at.x[i], y: box.top + at.y[i] };
      }
      const cell = this.cells().cell(this.rank[i]);
      return { x: box.left + cell.x + 20, y: box.top + cell.y + 20 - this.$el.scrollTop };
    },
    isShown(i) {
      return !this.gone?.[i] && (this.lit < 0 || this.groups[i] === this.lit);
    },
    cells() {
      return grid(this.$el.clientWidth, this.order ? this.order.length : 0);
    },
    positions() {
      return placed(this.xy, this.$el.clientWidth, this.$el.clientHeight, this.view);
    },
    redraw() {
      if (!this.waiting) this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.draw();
      });
    },
    draw() {
      if (!this.n || !this.colours || !this.$el.clientWidth) return;
      const began = performance.now();
      const [width, height] = [this.$el.clientWidth, this.$el.clientHeight];
      this.space.style.height = this.mode === "grid" ? `${this.cells().height}px` : "100%";
      const scale = window.devicePixelRatio || 1;
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      const g = this.canvas.getContext("2d");
      g.scale(scale, scale);
      const style = getComputedStyle(document.documentElement);
      const ink = (name) => style.getPropertyValue(`--${name}`).trim();
      const paint = { ink: ink("ink"), quiet: ink("quiet"), line: ink("line"), bad: ink("bad"),
        shade: ink("shade"), axes: [ink("axis-x"), ink("axis-y"), ink("axis-z")],
        accent: ink("accent"), surface: ink("surface") };
      this.drawn = 0;
      if (this.mode === "map") this.drawMap(g, width, height, paint);
      else this.drawGrid(g, width, height, paint);
      this.ms = performance.now() - began;
    },
    drawMap(g, width, height, paint) {
      const at = this.positions();
      const r = this.n > 1500 ? 4 : 6;
      for (let pass = 0; pass < 2; pass++)
        for (let i = 0; i < this.n; i++) {
          const shown = this.isShown(i);
          if (this.gone[i] || shown !== (pass === 1)) continue;
          const [x, y] = [at.x[i], at.y[i]];
          if (x < -10 || y < -10 || x > width + 10 || y > height + 10) continue;
          this.drawn++;
          g.globalAlpha = shown ? 0.9 : 0.12;
          this.point(g, x, y, r, i);
          if (shown && this.wrong[i]) this.cross(g, x, y, r + 3, paint);
          if (shown && this.suspect[i]) {
            g.strokeStyle = paint.ink;
            g.lineWidth = 1.5;
            g.beginPath();
            g.arc(x, y, r + 5, 0, 7);
            g.stroke();
          }
        }
      g.globalAlpha = 1;
      if (this.selected >= 0 && this.selected < this.n) {
        const [x, y] = [at.x[this.selected], at.y[this.selected]];
        this.point(g, x, y, r + 3, this.selected);
        g.strokeStyle = paint.accent;
        g.lineWidth = 4;
        g.beginPath();
        g.arc(x, y, r + 9, 0, 7);
        g.stroke();
      }
    },
    point(g, x, y, r, i) {
      const group = this.groups[i];
      g.fillStyle = this.colours[group];
      const shape = SHAPES[this.shapes[group] % SHAPES.length];
      g.beginPath();
      if (shape === "circle") g.arc(x, y, r, 0, 7);
      else if (shape === "square") g.rect(x - r, y - r, 2 * r, 2 * r);
      else {
        const d = 1.3 * r;
        g.moveTo(x, y - d);
        g.lineTo(x + d, shape === "diamond" ? y : y + d);
        if (shape === "diamond") g.lineTo(x, y + d);
        g.lineTo(x - d, shape === "diamond" ? y : y + d);
      }
      g.fill();
    },
    cross(g, x, y, r, paint) {
      g.strokeStyle = paint.ink;
      g.lineWidth = 2;
      g.beginPath();
      g.moveTo(x - r, y - r);
      g.lineTo(x + r, y + r);
      g.moveTo(x + r, y - r);
      g.lineTo(x - r, y + r);
      g.stroke();
    },
    drawGrid(g, width, height, paint) {
      const cells = this.cells();
      const top = this.$el.scrollTop;
      const first = Math.floor(top / CELL.height) * cells.columns;
      const last = Math.min(this.order.length, (Math.floor((top + height) / CELL.height) + 1) * cells.columns);
      const P = this.points;
      for (let k = first; k < last; k++) {
        const i = this.order[k];
        this.drawn++;
        const cell = cells.cell(k);
        const [x, y, w, h] = [cell.x + 4, cell.y - top + 4, cells.wide - 8, CELL.height - 8];
        g.globalAlpha = this.isShown(i) ? 1 : 0.2;
        g.fillStyle = paint.shade;
        g.fillRect(x, y, w, h);
        g.fillStyle = this.colours[this.groups[i]];
        g.fillRect(x, y, 6, h);
        for (let axis = 0; axis < 3; axis++) {
          g.strokeStyle = paint.axes[axis];
          g.lineWidth = 1.3;
          g.beginPath();
          const at = (i * 3 + axis) * P;
          for (let p = 0; p < P; p++) {
            const px = x + 9 + (p / (P - 1)) * (w - 12);
            const py = y + h / 2 - (this.thumbs[at + p] / 127) * (h / 2 - 3);
            if (p) g.lineTo(px, py);
            else g.moveTo(px, py);
          }
          g.stroke();
        }
        if (this.wrong[i]) this.cross(g, x + w - 12, y + 12, 6, paint);
        if (this.suspect[i]) {
          g.strokeStyle = paint.ink;
          g.lineWidth = 2;
          g.setLineDash([5, 3]);
          g.strokeRect(x, y, w, h);
          g.setLineDash([]);
        }
        if (i === this.selected) {
          g.strokeStyle = paint.accent;
          g.lineWidth = 4;
          g.strokeRect(x, y, w, h);
        }
      }
      g.globalAlpha = 1;
    },
    hit(event) {
      if (!this.n) return -1;
      const box = this.$el.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      if (this.mode === "map")
        return nearest(this.positions(), at, (i) => this.isShown(i), event.pointerType === "touch" ? 28 : 18);
      const k = this.cells().at(at.x, at.y + this.$el.scrollTop);
      return k < 0 ? -1 : this.order[k];
    },
    choose(i) {
      if (i < 0) return;
      this.select(i);
      this.$emit("select", i);
    },
    down(event) {
      this.dragged = { x: event.clientX, y: event.clientY, far: false };
      if (this.mode === "map" && event.pointerType !== "touch") this.$el.setPointerCapture(event.pointerId);
    },
    move(event) {
      const d = this.dragged;
      if (!d || this.mode !== "map" || !event.buttons) return;
      if (Math.hypot(event.clientX - d.x, event.clientY - d.y) < 4 && !d.far) return;
      this.view = { ...this.view, x: this.view.x + event.clientX - d.x, y: this.view.y + event.clientY - d.y };
      this.dragged = { x: event.clientX, y: event.clientY, far: true };
      this.redraw();
    },
    up(event) {
      const d = this.dragged;
      this.dragged = null;
      if (d && !d.far) this.choose(this.hit(event));
    },
    wheel(event) {
      if (this.mode !== "map") return;
      event.preventDefault();
      this.zoomAt(event, Math.exp(-event.deltaY / 400));
    },
    zoomAt(event, factor) {
      const box = this.$el.getBoundingClientRect();
      const zoom = Math.min(40, Math.max(1, this.view.zoom * factor));
      const f = zoom / this.view.zoom;
      const [mx, my] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      this.view = { zoom, x: mx - (mx - this.view.x) * f, y: my - (my - this.view.y) * f };
      if (zoom === 1) this.view = { zoom, x: 0, y: 0 };
      this.redraw();
    },
    key(event) {
      const step = STEPS[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" && this.selected >= 0) {
        event.preventDefault();
        this.$emit("open", this.selected);
        return;
      }
      if (!step || !this.n) return;
      event.preventDefault();
      if (this.mode === "grid") {
        const k = this.selected < 0 ? 0 : this.rank[this.selected] + step[0] + step[1] * this.cells().columns;
        if (k >= 0 && k < this.order.length) this.choose(this.order[k]);
      } else if (this.selected < 0) {
        this.choose(this.order[0]);
      } else {
        this.choose(towards(this.positions(), this.selected, step[0], step[1], (i) => this.isShown(i)));
      }
    },
  },
};
