// What the drawing files of signal_view.js share: colours, letters, plain shapes.

export const FONT = '"DejaVu Sans", system-ui, sans-serif';

// A word, or the decimal sign ".", in the page's language.
export const word = (text) => window.beckonWords?.[text] ?? text;

export function colours(view) {
  if (!view.colours) {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    view.colours = {
      paper: get("paper"), surface: get("surface"), ink: get("ink"), quiet: get("quiet"),
      line: get("line"), accent: get("accent"), shade: get("shade"), good: get("good"),
      bad: get("bad"), warn: get("warn"), axes: [get("axis-x"), get("axis-y"), get("axis-z")],
      dark: document.documentElement.dataset.theme === "dark",
    };
  }
  return view.colours;
}

export function clock(t_ms, step_s = 1) {
  const sign = t_ms < -0.5 ? "-" : "";
  const digits = step_s >= 1 ? 0 : step_s >= 0.1 ? 1 : 2;
  const tens = 10 ** digits;
  const units = Math.round((Math.abs(t_ms) / 1000) * tens);
  const s = Math.floor(units / tens), part = units % tens;
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  const two = (n) => String(n).padStart(2, "0");
  const tail = digits ? `${word(".")}${String(part).padStart(digits, "0")}` : "";
  return `${sign}${h ? `${h}:${two(m)}` : m}:${two(s % 60)}${tail}`;
}

// An upright line, dashed if asked for; rectangles, as these are quicker than strokes.
export function upright(g, x, top, bottom, width, dashed) {
  if (!dashed) return g.fillRect(x - width / 2, top, width, bottom - top);
  for (let y = top; y < bottom; y += 12) g.fillRect(x - width / 2, y, width, Math.min(7, bottom - y));
}

export function outline(g, x, y, width, height, thick) {
  g.fillRect(x, y, width, thick);
  g.fillRect(x, y + height - thick, width, thick);
  g.fillRect(x, y, thick, height);
  g.fillRect(x + width - thick, y, thick, height);
}

// 0 (black) to 1 (white) of "#RRGGBB".
function luminance(colour) {
  const n = parseInt(colour.slice(1), 16);
  return (0.299 * (n >> 16) + 0.587 * ((n >> 8) & 255) + 0.114 * (n & 255)) / 255;
}

// The colour of letters on a ground of this colour.
export const inkOn = (colour) => (luminance(colour) > 0.42 ? "#14171A" : "#FFFFFF");
