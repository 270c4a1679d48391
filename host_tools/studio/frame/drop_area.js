// Files and folders for a page: dropped here, or chosen with one of two buttons. Each file goes
// to the server in a request of its own; "done" says how many came, "fault" why one did not.
const AT_ONCE = 4;

export default {
  template: `
    <div class="bk-drop" :class="{'bk-over': over}" @dragover.prevent="over = true"
         @dragleave="over = false" @drop.prevent="drop">
      <span class="bk-drop-text">{{ busy ? progress : words.text }}</span>
      <div class="bk-row bk-drop-row">
        <button type="button" class="bk-plain-button" :disabled="busy"
                @click="$refs.files.click()">{{ words.files }}</button>
        <button type="button" class="bk-plain-button" v-if="words.folder" :disabled="busy"
                @click="$refs.folder.click()">{{ words.folder }}</button>
      </div>
      <input type="file" ref="files" hidden :multiple="many" :accept="accept" :aria-label="words.files"
             @change="pick">
      <input type="file" ref="folder" hidden webkitdirectory :aria-label="words.folder" @change="pick">
    </div>`,
  props: { batch: String, words: Object, many: Boolean, accept: String },
  data: () => ({ over: false, busy: false, sent: 0, total: 0 }),
  computed: {
    progress() { return `${this.words.sending} ${this.sent} / ${this.total}`; },
  },
  methods: {
    pick(event) {
      const files = [...event.target.files].map((f) => [f.webkitRelativePath || f.name, f]);
      event.target.value = "";
      this.send(files);
    },
    async drop(event) {
      this.over = false;
      if (this.busy) return;
      const entries = [...event.dataTransfer.items]
        .map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
      const files = [];
      for (const entry of entries) await walk(entry, "", files);
      this.send(this.many ? files : files.slice(0, 1));
    },
    async send(files) {
      if (!files.length) return;
      this.busy = true;
      [this.sent, this.total] = [0, files.length];
      let fault = "";
      const next = async () => {
        while (files.length && !fault) {
          const [name, file] = files.shift();
          const path = name.split("/").map(encodeURIComponent).join("/");
          try {
            const answer = await fetch(`/studio/upload/${this.batch}/${path}`, { method: "PUT", body: file });
            if (!answer.ok) fault = (await answer.json()).error;
          } catch { fault = this.words.lost; }
          this.sent += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, next));
      this.busy = false;
      if (fault) this.$emit("fault", fault);
      else this.$emit("done", this.total);
    },
  },
};

// All files of a dropped folder; readEntries gives them in portions.
async function walk(entry, folder, files) {
  const name = folder + entry.name;
  if (entry.isFile) {
    files.push([name, await new Promise((done, fail) => entry.file(done, fail))]);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return;
    for (const inner of some) await walk(inner, `${name}/`, files);
  }
}
