// Least and greatest values of a signal at several resolutions, so that any stretch of
// an hour is drawn by looking at a few values per column.

const BASE = 16; // samples in a block of the finest level; below it the samples serve
const STEP = 4; // blocks of one level in a block of the next

// One signal: values is a Float32Array; NaN is a lost sample.
export class Pyramid {
  constructor(values) {
    this.values = values;
    this.levels = [];
    let size = BASE;
    let lows = values, highs = values, step = BASE;
    do {
      const n = Math.ceil(lows.length / step);
      const low = new Float32Array(n), high = new Float32Array(n);
      for (let b = 0, i = 0; b < n; b++) {
        const end = Math.min(lows.length, i + step);
        let least = Infinity, most = -Infinity;
        for (; i < end; i++) {
          if (lows[i] < least) least = lows[i];
          if (highs[i] > most) most = highs[i];
        }
        low[b] = least;
        high[b] = most;
      }
      this.levels.push({ size, low, high });
      lows = low; highs = high; step = STEP; size *= STEP;
    } while (lows.length > 64);
  }

  // Fill low[c], high[c] for `columns` columns of `each` samples, the first one from
  // sample `first` on (fractions allowed). Columns without samples get Infinity, -Infinity.
  columns(first, each, columns, low, high) {
    let level = null;
    for (const l of this.levels) if (2 * l.size <= each) level = l;
    const size = level ? level.size : 1;
    const lows = level ? level.low : this.values, highs = level ? level.high : this.values;
    const n = lows.length, samples = this.values.length;
    for (let c = 0; c < columns; c++) {
      const from = first + c * each, to = from + each;
      let i = Math.max(0, Math.floor(from / size));
      // The column at the recording's end takes in the last block, which may not be full.
      const end = to > samples - 0.5 ? n : Math.min(n, Math.max(Math.floor(to / size), i + 1));
      let least = Infinity, most = -Infinity;
      if (to > 0 && from < samples) {
        for (; i < end; i++) {
          if (lows[i] < least) least = lows[i];
          if (highs[i] > most) most = highs[i];
        }
      }
      low[c] = least;
      high[c] = most;
    }
  }

  // [least, most] of samples first to last, both within one block of the level used.
  range(first, last) {
    const low = [0], high = [0];
    this.columns(first, Math.max(1, last - first), 1, low, high);
    return [low[0], high[0]];
  }
}

// Live data: the newest `capacity` samples of each axis; the rest is forgotten.
export class Ring {
  constructor(axes, capacity) {
    this.capacity = capacity;
    this.planes = Array.from({ length: axes }, () => new Float32Array(capacity).fill(NaN));
    this.end = 0; // index of the next sample
    this.started = false;
  }

  get first() { return Math.max(0, this.end - this.capacity); }

  // frames: interleaved Float32Array, the first with this index; a gap before it is NaN.
  append(index, frames) {
    const axes = this.planes.length, n = frames.length / axes, room = this.capacity;
    if (!this.started) { this.end = index; this.started = true; }
    for (let i = Math.max(this.end, index - room); i < index; i++) {
      for (const plane of this.planes) plane[i % room] = NaN;
    }
    for (let k = Math.max(0, n - room); k < n; k++) {
      for (let a = 0; a < axes; a++) this.planes[a][(index + k) % room] = frames[k * axes + a];
    }
    this.end = index + n;
  }

  value(axis, index) {
    return index < this.first || index >= this.end ? NaN : this.planes[axis][index % this.capacity];
  }

  columns(axis, first, each, columns, low, high) {
    const plane = this.planes[axis], room = this.capacity;
    for (let c = 0; c < columns; c++) {
      let i = Math.max(this.first, Math.floor(first + c * each));
      const end = Math.min(this.end, Math.max(Math.floor(first + (c + 1) * each), i + 1));
      let least = Infinity, most = -Infinity;
      if (first + (c + 1) * each > this.first) {
        for (; i < end; i++) {
          const v = plane[i % room];
          if (v < least) least = v;
          if (v > most) most = v;
        }
      }
      low[c] = least;
      high[c] = most;
    }
  }
}
