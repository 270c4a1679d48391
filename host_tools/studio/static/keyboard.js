// Which keys were pressed, and whether they belong to the page.

// A combination is modifiers in the order mod, alt, shift, then the key: "mod+z",
// "alt+r", "shift+ArrowLeft", "space", "1". mod is Ctrl, or Command on a Mac. Shift is
// not written before a character that needs it ("?").
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

// Whether the target is a text field, which gets the keys itself.
const FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, " +
  "[contenteditable=true]";

export const typing = (target) => target instanceof Element && Boolean(target.closest(FIELDS));

// Whether a dialog or menu lies over the page and gets the keys. A closed dialog leaves an empty
// shell behind for a while, which does not count.
export const covered = () => Boolean(document.querySelector(
  ".q-dialog__inner:not([class*=leave-active]):not([style*='display: none']), .q-menu"));
