// A board for host_tools/testing/pty_board.py: MicroPython's WebAssembly port under Node.
//
//   node node_board.mjs MICROPYTHON_MJS FLASH_FOLDER FLASH_BYTES
//
// Its console is stdin and stdout. FLASH_FOLDER holds what lies in the board's flash and
// is kept up to date as littlefs would leave it if the power went off at that moment: a
// file that is being written has its old content, or none, until it is closed.
// Exit status 42 asks for a new start: the program called machine.reset().

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [library, flash, flashBytes] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(library));

const RESET_STATUS = 42;
const ROOT = "/flash"; // where the board's files are in MicroPython's tree
const BLOCK = 4096;
const ENOSPC = 28; // MicroPython's number
const [CTRL_A, CTRL_B, CTRL_D, CTRL_E] = [1, 2, 4, 5];

let mp;
let raw = false; // raw REPL
let fresh = true; // nothing typed since the prompt
let paste = null; // characters of a request for raw-paste mode
let working = false;
const typed = [];

function say(data) {
  const bytes = Buffer.from(data);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") process.exit(1); // nobody listens any more
    }
  }
}

function hostPath(boardPath) {
  const inside = path.posix.relative(ROOT, boardPath);
  return inside.startsWith("..") ? null : path.join(flash, inside);
}

function usedBlocks() {
  let blocks = 2; // the root directory's pair
  for (const entry of fs.readdirSync(flash, { recursive: true, withFileTypes: true })) {
    const size = entry.isFile() ? fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size : 0;
    blocks += entry.isFile() ? Math.ceil(size / BLOCK) : 2;
  }
  return blocks;
}

function keep(FS) {
  // Mirror MicroPython's file tree into the flash folder.
  const { open, close, write, rename, unlink, mkdir, rmdir } = FS;
  const blocks = Math.floor(Number(flashBytes) / BLOCK);
  const dirty = new Map(); // stream -> host path
  FS.open = (name, flags, mode) => {
    const there = typeof name !== "string" || FS.analyzePath(name).exists;
    const stream = open(name, flags, mode);
    const target = hostPath(FS.getPath(stream.node));
    if (target && (flags & 3)) {
      dirty.set(stream, target);
      if (!there) fs.writeFileSync(target, "");
    }
    return stream;
  };
  FS.write = (stream, buffer, offset, length, position, canOwn) => {
    const room = (blocks - usedBlocks()) * BLOCK;
    if (dirty.has(stream) && stream.node.usedBytes + length > room) throw new FS.ErrnoError(ENOSPC);
    return write(stream, buffer, offset, length, position, canOwn);
  };
  FS.close = (stream) => {
    const target = dirty.get(stream);
    if (target) {
      dirty.delete(stream);
      const content = FS.readFile(FS.getPath(stream.node));
      const temporary = path.join(path.dirname(flash), "closing");
      fs.writeFileSync(temporary, content);
      fs.renameSync(temporary, target);
    }
    return close(stream);
  };
  FS.rename = (from, to) => {
    rename(from, to);
    fs.renameSync(hostPath(absolute(FS, from)), hostPath(absolute(FS, to)));
  };
  FS.unlink = (name) => (unlink(name), fs.unlinkSync(hostPath(absolute(FS, name))));
  FS.mkdir = (name, mode) => {
    const node = mkdir(name, mode);
    fs.mkdirSync(hostPath(absolute(FS, name)));
    return node;
  };
  FS.rmdir = (name) => (rmdir(name), fs.rmdirSync(hostPath(absolute(FS, name))));
  FS.statfs = () => {
    const free = Math.max(0, blocks - usedBlocks());
    return { bsize: BLOCK, frsize: BLOCK, blocks, bfree: free, bavail: free, files: 0, ffree: 0,
             fsid: 0, flags: 0, namelen: 255 };
  };
}

function absolute(FS, name) {
  return path.posix.resolve(FS.cwd(), name);
}

function load(FS, folder, target) {
  FS.mkdir(target);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const [from, to] = [path.join(folder, entry.name), `${target}/${entry.name}`];
    if (entry.isDirectory()) load(FS, from, to);
    else FS.writeFile(to, fs.readFileSync(from));
  }
}

async function boot() {
  fresh = true;
  let silent = true; // the port's own greeting comes before main.py has run
  mp = await loadMicroPython({
    heapsize: 192 * 1024,
    linebuffer: false,
    stdout: (data) => silent || say(data),
  });
  load(mp.FS, flash, ROOT);
  keep(mp.FS);
  mp.FS.chdir(ROOT);
  mp.registerJsModule("machine", { reset: () => process.exit(RESET_STATUS) });
  if (!raw && mp.FS.analyzePath("main.py").exists) {
    silent = false;
    try {
      mp.runPython(mp.FS.readFile("main.py", { encoding: "utf8" }));
    } catch (error) {
      say(`${error.message.trim().replaceAll("\n", "\r\n")}\r\n`);
    }
    silent = true;
  }
  mp.replInit();
  silent = false;
  if (raw) mp.replProcessChar(CTRL_A);
  else say("\r\nMicroPython on WebAssembly\r\n>>> ");
}

async function type(character) {
  if (paste !== null) { // \x05 A \x01 asks for raw-paste mode, which this board has not
    paste += String.fromCharCode(character);
    if (paste === "A\x01") say("R\x00");
    if (paste.length === 2) paste = null;
    return;
  }
  if (raw && fresh && character === CTRL_E) {
    paste = "";
    return;
  }
  if (character === CTRL_A || character === CTRL_B) {
    raw = character === CTRL_A;
    fresh = true;
  } else {
    const reboot = fresh && character === CTRL_D;
    fresh = character === CTRL_D || character === 13 || character === 3;
    if (reboot) {
      say((raw ? "OK\r\n" : "\r\n") + "MPY: soft reboot\r\n");
      await boot();
      return;
    }
  }
  mp.replProcessChar(character);
}

async function work() {
  if (working) return;
  working = true;
  while (typed.length) await type(typed.shift());
  working = false;
}

process.stdin.on("data", (data) => { typed.push(...data); work(); });
process.stdin.on("end", () => process.exit(0));
working = true;
await boot();
working = false;
work();
