// When keys belong to somebody else: a text field, or a dialog in front of the page.

const FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, " +
  "[contenteditable=true]";

export const typing = (target) => target instanceof Element && Boolean(target.closest(FIELDS));

// A closed dialog leaves an empty shell behind for a while: that one has no keys.
export const covered = () => Boolean(document.querySelector(
  ".q-dialog__inner:not([class*=leave-active]):not([style*='display: none']), .q-menu"));
