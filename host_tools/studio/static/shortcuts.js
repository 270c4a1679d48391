// Keyboard shortcuts of a page: emits "key" for the combinations it was given, and
// only for these, so that all others keep their meaning in the browser.
// A combination is modifiers in the order mod, alt, shift, then the key: "mod+z",
// "alt+r", "shift+ArrowLeft", "space", "1". mod is Ctrl, or Command on a Mac. Shift is
// not written before a character that needs it ("?").
import { covered, typing } from "/studio/static/keyboard.js";

const NAMES = { " ": "space" };

export function combination(event) {
  const letter = /^Key([A-Z])$/.exec(event.code);
  // With Alt a Mac types other characters: take the place on the keyboard then.
  let key = event.altKey && letter ? letter[1].toLowerCase() : NAMES[event.key] || event.key;
  const character = key.length === 1;
  if (character) key = key.toLowerCase();
  const lettered = character && key !== key.toUpperCase();
  let combo = "";
  if (event.ctrlKey || event.metaKey) combo += "mod+";
  if (event.altKey) combo += "alt+";
  if (event.shiftKey && (!character || lettered)) combo += "shift+";
  return combo + key;
}

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
