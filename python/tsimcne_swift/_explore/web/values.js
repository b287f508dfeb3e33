// Small things that all parts use: numbers out of base64, elements, colours, files to download.
// Labels, names and metadata are text from anywhere: they reach the document as text nodes only.
// Of what has no label, and of all where no column colours them.
const NO_LABEL = [154, 160, 166];
const FIRST_COLOR = [0, 114, 178];
// Cividis, in four steps.
const SCALE = [[0, 34, 78], [87, 93, 109], [165, 156, 116], [254, 232, 56]];

function bytesOf(text) {
  const read = atob(text);
  const bytes = new Uint8Array(read.length);
  for (let k = 0; k < read.length; k++) bytes[k] = read.charCodeAt(k);
  return bytes;
}

// Of a single file numbers are text, of a folder they were read.
const floats = (given) => (typeof given === "string" ? new Float32Array(bytesOf(given).buffer) : given);
const doubles = (given) => (typeof given === "string" ? new Float64Array(bytesOf(given).buffer) : given);

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

// The colour of a share between 0 and 1.
function shade(share) {
  const at = clamp(share, 0, 1) * (SCALE.length - 1);
  const step = Math.min(Math.floor(at), SCALE.length - 2);
  return SCALE[step].map((low, k) => Math.round(low + (at - step) * (SCALE[step + 1][k] - low)));
}

// Milliseconds since 1970 of a time in ISO 8601, as of Greenwich where it names no zone.
const moment = (text) =>
  Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(text) || text.length < 11 ? text : `${text.replace(" ", "T")}Z`);

// 0, …, count - 1 in an order that has nothing to do with the file's, and is the same each time.
function shuffled(count) {
  const order = new Uint32Array(count).map((_, i) => i);
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const k = Math.floor((seed / 4294967296) * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function makeButton(text, label, action) {
  const button = make("button", { type: "button", textContent: text, title: label, onclick: action });
  button.setAttribute("aria-label", label);
  return button;
}

function download(name, content, type = "text/plain") {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Ascending indices as short text for an address: differences, seven bits a byte.
function pack(indices) {
  const bytes = [];
  let last = -1;
  for (const i of indices) {
    let step = i - last - 1;
    for (; step > 127; step >>>= 7) bytes.push((step & 127) | 128);
    bytes.push(step);
    last = i;
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// The indices below `count` that a text stands for; of a text that is none, those before the mistake.
function unpack(text, count) {
  const indices = [];
  let [last, step, bits] = [-1, 0, 0];
  for (const byte of bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"))) {
    step += (byte & 127) * 2 ** bits;
    bits += 7;
    if (byte > 127) continue;
    last += step + 1;
    if (last >= count) break;
    indices.push(last);
    [step, bits] = [0, 0];
  }
  return indices;
}
