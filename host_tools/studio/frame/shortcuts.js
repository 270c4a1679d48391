// Keyboard shortcuts of a page: emits "key" for the combinations it was given, and
// only for these, so that all others keep their meaning in the browser.
import { combination, covered, typing } from "/studio/static/keyboard.js";

export default {
  template: "<span hidden></span>",
  props: { combos: Object }, // combination -> {repeat, typing}
  mounted() {
    this.listener = (event) => {
      if (event.isComposing || event.defaultPrevented) return;
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
    };
    document.addEventListener("keydown", this.listener);
  },
  unmounted() {
    document.removeEventListener("keydown", this.listener);
  },
};
