// The pixels of the signals: a transparent picture into which this code writes upright lines.
// A browser without a graphics processor can paint thousands of rectangles or a long path only a
// few times per second, but it can copy one picture sixty times per second.

// The pixels alone; no canvas, so that tests can look at them.
export class Pixels {
  use(buffer, width, height) {
    this.pixels = new Uint32Array(buffer);
    this.width = width;
    this.height = height;
  }

  // A line one pixel wide from top to bottom, fractions of a pixel included, within the
  // rows from `least` to below `most`. colour: 0xBBGGRR.
  upright(x, top, bottom, least, most, colour) {
    if (top < least) top = least;
    if (bottom > most) bottom = most;
    if (!(bottom > top)) return;
    const first = Math.floor(top), last = Math.ceil(bottom) - 1;
    if (first === last) return this.blend(first * this.width + x, colour, bottom - top);
    this.blend(first * this.width + x, colour, first + 1 - top);
    const full = (0xff000000 | colour) >>> 0, { pixels, width } = this;
    for (let i = (first + 1) * width + x, end = last * width + x; i < end; i += width) pixels[i] = full;
    this.blend(last * width + x, colour, bottom - last);
  }

  blend(i, colour, part) {
    const under = this.pixels[i], alpha = under >>> 24;
    if (part > 0.995) { this.pixels[i] = (0xff000000 | colour) >>> 0; return; }
    const above = part * 255, rest = (1 - part) * alpha, sum = above + rest;
    if (sum < 1) return;
    const mix = (shift) =>
      Math.round((((colour >> shift) & 255) * above + ((under >> shift) & 255) * rest) / sum) << shift;
    this.pixels[i] = ((Math.round(sum) << 24) | mix(16) | mix(8) | mix(0)) >>> 0;
  }
}

export class Layer extends Pixels {
  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  begin(width, height) {
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.context.createImageData(width, height);
      this.use(this.image.data.buffer, width, height);
    } else this.pixels.fill(0);
  }

  end() {
    this.context.putImageData(this.image, 0, 0);
    return this.canvas;
  }
}

// "#RRGGBB" as the layer wants it.
export function pixelColour(text) {
  const n = parseInt(text.slice(1), 16);
  return ((n & 255) << 16) | (n & 0xff00) | (n >> 16);
}
