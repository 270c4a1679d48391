// Keys that are pressed while a dialog is on its way: they wait, and are typed into its field.
import { covered, typing } from "/studio/static/keyboard.js";

// Looks, and not a time: where the computer is busy, they take longer, as all else does.
const LOOK_MS = 10;
const DIALOG_LOOKS = 200; // for the dialog; then the keys mean what they mean on the page
const FIELD_LOOKS = 40; // for its field to get the focus; a dialog without one has no use for them
const VALUE_MS = 60; // after which the server knows a field's text: Quasar hands it on a little later

export class HeldKeys {
  constructor(obey) {
    this.obey = obey; // what to do with an event of the page if no dialog comes
    this.events = null; // not waiting
  }

  begin() {
    if (covered() || this.events) return;
    this.events = [];
    this.left = DIALOG_LOOKS;
    this.look();
  }

  // Whether the event waits. What type() makes of one does not wait again: it is not trusted.
  take(event) {
    if (!this.events || !event.isTrusted || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Shift") return false;
    this.events.push(event);
    return true;
  }

  look() {
    const field = document.activeElement;
    if (covered() && typing(field) && field.closest(".q-dialog")) return this.type(field);
    if (covered()) this.left = Math.min(this.left, FIELD_LOOKS);
    if (this.left-- > 0) return void setTimeout(() => this.look(), LOOK_MS);
    const events = this.events;
    this.events = null;
    // A dialog without a field: only what confirms it is meant for it
    for (const event of events) if (!covered() || event.key === "Enter") this.obey(event);
  }

  // Keys that come meanwhile wait, too, so that none overtakes another.
  async type(field) {
    for (let event; (event = this.events.shift()); ) {
      const { key } = event;
      if (key === "Backspace") document.execCommand("delete");
      else if (key.length === 1) document.execCommand("insertText", false, key);
      else {
        await new Promise((done) => setTimeout(done, VALUE_MS));
        field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      }
    }
    this.events = null;
  }
}
