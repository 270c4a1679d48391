// Keyboard shortcuts of a page: emits "key" for the combinations it was given, and
// only for these, so that all others keep their meaning in the browser.
//
// A key that opens a dialog answers with some delay: the server builds the dialog. What is typed
// meanwhile belongs to the dialog's field, so it waits (held_keys.js) and is typed there. A button
// with data-opens does the same when it is pressed.
import { HeldKeys } from "/studio/frame/held_keys.js";
import { combination, covered, typing } from "/studio/static/keyboard.js";

export default {
  template: "<span hidden></span>",
  props: { combos: Object }, // combination -> {repeat, typing, opens}
  mounted() {
    this.held = new HeldKeys((event) => this.obey(event));
    this.early = (event) => { // before anything else on the page sees it
      if (this.held.take(event)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    };
    this.listener = (event) => {
      if (!event.isComposing && !event.defaultPrevented) this.obey(event);
    };
    this.pressed = (event) => {
      if (event.target instanceof Element && event.target.closest("[data-opens]")) this.held.begin();
    };
    document.addEventListener("keydown", this.early, true);
    document.addEventListener("keydown", this.listener);
    document.addEventListener("click", this.pressed);
  },
  unmounted() {
    document.removeEventListener("keydown", this.early, true);
    document.removeEventListener("keydown", this.listener);
    document.removeEventListener("click", this.pressed);
  },
  methods: {
    obey(event) {
      const combo = combination(event);
      const known = this.combos[combo];
      if (!known) return;
      if (typing(event.target) && !known.typing) return;
      if (covered() && !known.typing) return;
      // Enter and space on a button that has the focus press that button
      if ((combo === "space" || combo === "Enter") && event.target.closest?.("button, a, [role=button]")) return;
      event.preventDefault();
      if (event.repeat && !known.repeat) return;
      this.$emit("key", combo);
      if (known.opens) this.held.begin();
    },
  },
};
