// All takes on one canvas: as points of a map or as thumbnails of their signal.
//
// Pure: geometry and hit tests. takes_view_element.js draws with them and listens.

export const SHAPES = ["circle", "square", "triangle", "diamond"];
export const CELL = { width: 116, height: 74 };

// Where the points lie on a canvas, after pan and zoom: {x, y} Float32Arrays in CSS pixels.
export function placed(xy, width, height, view) {
  const n = xy.length / 2;
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    left = Math.min(left, xy[2 * i]);
    right = Math.max(right, xy[2 * i]);
    top = Math.min(top, xy[2 * i + 1]);
    bottom = Math.max(bottom, xy[2 * i + 1]);
  }
  const margin = 22;
  const sx = (width - 2 * margin) / Math.max(1e-6, right - left);
  const sy = (height - 2 * margin) / Math.max(1e-6, bottom - top);
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    x[i] = (margin + (xy[2 * i] - left) * sx - width / 2) * view.zoom + width / 2 + view.x;
    y[i] = (margin + (bottom - xy[2 * i + 1]) * sy - height / 2) * view.zoom + height / 2 + view.y;
  }
  return { x, y };
}

// The nearest point within `reach` pixels that is shown, or -1.
export function nearest(points, at, shown, reach = 20) {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < points.x.length; i++) {
    if (!shown(i)) continue;
    const d = (points.x[i] - at.x) ** 2 + (points.y[i] - at.y) ** 2;
    if (d < least) [least, best] = [d, i];
  }
  return best;
}

// The next point from `from` in the direction of an arrow key, or -1: near, and not far aside.
export function towards(points, from, dx, dy, shown) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < points.x.length; i++) {
    if (i === from || !shown(i)) continue;
    const ax = points.x[i] - points.x[from];
    const ay = points.y[i] - points.y[from];
    const along = ax * dx + ay * dy;
    const aside = Math.abs(ax * dy) + Math.abs(ay * dx);
    if (along <= 0 || aside > 2 * along + 6) continue;
    const cost = along + 2 * aside;
    if (cost < least) [least, best] = [cost, i];
  }
  return best;
}

// Thumbnails in rows: how many fit beside each other, and where the k-th lies.
export function grid(width, count) {
  const columns = Math.max(1, Math.floor(width / CELL.width));
  const wide = width / columns;
  return {
    columns,
    wide,
    height: Math.ceil(count / columns) * CELL.height,
    cell: (k) => ({ x: (k % columns) * wide, y: Math.floor(k / columns) * CELL.height }),
    at: (x, y) => {
      const k = Math.floor(y / CELL.height) * columns + Math.min(columns - 1, Math.floor(x / wide));
      return k >= 0 && k < count ? k : -1;
    },
  };
}
