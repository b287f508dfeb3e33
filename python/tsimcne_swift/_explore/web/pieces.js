// The pieces of a page that is a folder. Each is a script of one call: a browser lets a page that it opened from
// a disk read no other file beside it.

class Pieces {
  constructor({ count, piece }) {
    Object.assign(this, { count, piece, number: Math.ceil(count / piece), waiting: new Map() });
    globalThis.tsimcne = (name, value) => this.waiting.get(name)?.(value);
  }

  // What the script of a name hands over.
  read(name) {
    return new Promise((resolve, reject) => {
      const script = make("script", { src: `${name}.js` });
      const done = (then) => (value) => {
        this.waiting.delete(name);
        script.remove();
        then(value);
      };
      this.waiting.set(name, done(resolve));
      script.onerror = done(() => reject(new Error(`${name}.js of this page cannot be read`)));
      document.head.append(script);
    });
  }

  // All pieces of an array, of which each value has so many bytes, put one after another as `Kind`.
  async numbers(name, Kind, each = 1) {
    const all = new Kind(this.count * each);
    await this.each(name, (text, start) => all.set(new Kind(bytesOf(text).buffer), start * each));
    return all;
  }

  each(name, take) {
    return Promise.all(Array.from({ length: this.number }, async (_, k) =>
      take(await this.read(`data/${name}-${k}`), k * this.piece)));
  }

  // Texts are empty until they are read, one piece after another, so that the page answers meanwhile.
  async texts(name, into) {
    for (let k = 0; k < this.number; k++) {
      (await this.read(`data/${name}-${k}`)).forEach((text, at) => (into[k * this.piece + at] = text));
    }
  }

  noTexts() {
    return new Array(this.count).fill("");
  }

  // Places on the map, from whole numbers of steps.
  async places({ low, step }) {
    const [x, y] = [new Float32Array(this.count), new Float32Array(this.count)];
    await this.each("places", (text, start) => {
      const bytes = bytesOf(text);
      const steps = (at) => bytes[at] + 256 * bytes[at + 1] + 65536 * bytes[at + 2];
      for (let k = 0; 6 * k < bytes.length; k++) {
        x[start + k] = low[0] + step[0] * steps(6 * k);
        y[start + k] = low[1] + step[1] * steps(6 * k + 3);
      }
    });
    return { x, y };
  }
}
