// The Vue side of signal_view.js: hands on what signal_view.py calls.
import { SignalView } from "/studio/signal/signal_view.js";

const METHODS = [
  "open", "live", "clear", "setSpans", "setFlags", "setCurves", "setThreshold", "setBrush",
  "setCursor", "lookAt", "reveal", "zoom", "pan", "stats",
];

export default {
  template: '<div class="bk-signal"></div>',
  props: { editable: Boolean, overview: Boolean, threshold: Number },
  mounted() {
    this.view = new SignalView(this.$el, {
      editable: this.editable,
      overview: this.overview,
      threshold: this.threshold ?? null,
      emit: (name, value) => this.$emit(name, value),
    });
    this.$el.signalView = this.view; // for tests and measurements
    this.$emit("ready");
  },
  unmounted() {
    this.view.destroy();
  },
  methods: Object.fromEntries(METHODS.map((m) => [m, function (...args) { return this.view[m](...args); }])),
};
