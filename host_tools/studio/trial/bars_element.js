// Bars of a model's labels, each with the mark of its threshold and a slider for it.
//
// rows: [{label, name, colour, threshold, slider, bar}]. update(percent, peaks) moves the bars;
// it is called many times per second, so it writes styles and nothing else.
export default {
  template: `
    <div class="bk-bars" role="group">
      <div v-for="(row, i) in rows" :key="row.label" class="bk-gesture" :class="{'bk-idle': !row.slider}">
        <div class="bk-gesture-name">
          <span v-if="row.bar" class="bk-swatch" :style="{background: row.colour}"></span>
          <span class="bk-cut" :title="row.name">{{ row.name }}</span>
        </div>
        <div class="bk-gauge">
          <div v-if="row.bar" class="bk-track" role="img" :aria-label="row.name">
            <div class="bk-scale">
              <div class="bk-fill" :ref="(e) => (fills[i] = e)" :style="{background: row.colour}"></div>
              <div class="bk-peak" :ref="(e) => (tops[i] = e)"></div>
              <div v-if="row.threshold" class="bk-least" :style="{left: row.threshold + '%'}"></div>
            </div>
          </div>
          <input v-if="row.slider" type="range" min="1" max="100" step="1" :value="row.threshold"
            :aria-label="row.hint" :aria-valuetext="row.threshold + ' %'"
            @input="move(row, $event.target.value)" />
        </div>
        <output class="bk-percent"><b :ref="(e) => (numbers[i] = e)">{{ row.bar ? "" : row.threshold + " %" }}</b>
          <span v-if="row.slider && row.bar" class="bk-quiet">{{ row.threshold }} %</span></output>
      </div>
    </div>`,
  props: { rows: Array },
  created() {
    this.fills = [];
    this.tops = [];
    this.numbers = [];
  },
  methods: {
    move(row, value) {
      row.threshold = Number(value); // at once; the server follows
      this.$emit("threshold", { label: row.label, percent: row.threshold });
    },
    update(percent, peaks) {
      this.rows.forEach((row, i) => {
        if (!row.bar || !this.fills[i]) return;
        const now = percent[row.index];
        this.fills[i].style.transform = `scaleX(${now / 100})`;
        this.tops[i].style.left = `${peaks[row.index]}%`;
        this.tops[i].style.opacity = peaks[row.index] > now + 3 ? 1 : 0;
        this.numbers[i].textContent = `${Math.round(now)} %`;
        if (row.threshold)
          this.fills[i].parentElement.classList.toggle("bk-over", now >= row.threshold);
      });
    },
    state() {
      return this.rows.map((row, i) => ({ label: row.label, threshold: row.threshold,
        fill: this.fills[i]?.style.transform }));
    },
  },
};
