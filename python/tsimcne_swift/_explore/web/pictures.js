// Thumbnails, cut from the atlases by the browser.
class Thumbnails {
  constructor(info, count) {
    Object.assign(this, info, { count, addresses: [], perAtlas: info.columns * info.rows });
    this.longest = Math.max(this.width, this.height);
  }

  blob(atlas) {
    return new Blob([bytesOf(this.pictures[atlas])], { type: "image/webp" });
  }

  // Atlas of an image, and pixels from its left and its top.
  find(i) {
    const place = i % this.perAtlas;
    const [column, row] = [place % this.columns, Math.floor(place / this.columns)];
    return { atlas: Math.floor(i / this.perAtlas), left: column * this.width, top: row * this.height };
  }

  // An element whose longer side has so many pixels.
  element(i, side) {
    const { atlas, left, top } = this.find(i);
    this.addresses[atlas] ||= URL.createObjectURL(this.blob(atlas));
    const filled = Math.ceil(Math.min(this.perAtlas, this.count - atlas * this.perAtlas) / this.columns);
    const scale = side / this.longest;
    const element = make("div", { className: "thumbnail" });
    Object.assign(element.style, {
      width: `${this.width * scale}px`,
      height: `${this.height * scale}px`,
      backgroundImage: `url(${this.addresses[atlas]})`,
      backgroundSize: `${this.columns * this.width * scale}px ${filled * this.height * scale}px`,
      backgroundPosition: `${-left * scale}px ${-top * scale}px`,
    });
    return element;
  }
}

// Pixels of a slot's longer side, at most, and of the store's side for small slots and for large ones.
const [SMALL_SLOT, LARGE_SLOT, SMALL_STORE, LARGE_STORE] = [64, 128, 2048, 4096];
// Atlases that stay decoded, 16 MB each.
const DECODED = 6;

// A store of the pictures that the map shows now; `keep`, which the painter gives, puts one into it.
// Atlases are decoded one after another beside the page's own work, and the oldest pictures make place.
class Slots {
  constructor(thumbnails, whenReady) {
    const scale = Math.min(1, LARGE_SLOT / thumbnails.longest);
    const [width, height] = [thumbnails.width, thumbnails.height].map((side) => Math.max(1, Math.round(side * scale)));
    const side = Math.max(width, height) > SMALL_SLOT ? LARGE_STORE : SMALL_STORE;
    Object.assign(this, { thumbnails, whenReady, width, height, side });
    this.columns = Math.floor(side / width);
    this.forget();
    this.decoded = new Map();
    this.scratch = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  }

  // The store is new, and empty.
  forget() {
    this.free = this.columns * Math.floor(this.side / this.height);
    this.numbers = new Map();
    this.wanted = new Map();
  }

  // Where a picture is in the store, from the left and the top; null where it is not there yet.
  place(i) {
    const number = this.numbers.get(i);
    if (number === undefined) {
      const { atlas } = this.thumbnails.find(i);
      if (!this.wanted.has(atlas)) this.wanted.set(atlas, new Set());
      this.wanted.get(atlas).add(i);
      return null;
    }
    this.numbers.delete(i);
    this.numbers.set(i, number);
    return this.corner(number);
  }

  corner(number) {
    return [(number % this.columns) * this.width, Math.floor(number / this.columns) * this.height];
  }

  // After a frame: what it missed is fetched for the next.
  async fill() {
    if (this.isFilling) return;
    this.isFilling = true;
    while (this.wanted.size) {
      const [atlas, pictures] = this.wanted.entries().next().value;
      this.wanted.delete(atlas);
      const bitmap = this.decoded.get(atlas) ?? (await createImageBitmap(this.thumbnails.blob(atlas)));
      this.decoded.delete(atlas);
      this.decoded.set(atlas, bitmap);
      for (const i of pictures) this.take(i, bitmap);
      if (this.decoded.size > DECODED) {
        const [oldest, unused] = this.decoded.entries().next().value;
        this.decoded.delete(oldest);
        unused.close();
      }
      this.whenReady();
    }
    this.isFilling = false;
  }

  take(i, bitmap) {
    if (this.numbers.has(i)) return;
    let number = this.free - 1;
    if (number >= 0) {
      this.free = number;
    } else {
      const [oldest, given] = this.numbers.entries().next().value;
      this.numbers.delete(oldest);
      number = given;
    }
    const { left, top } = this.thumbnails.find(i);
    const { scratch, width, height } = this;
    scratch.drawImage(bitmap, left, top, this.thumbnails.width, this.thumbnails.height, 0, 0, width, height);
    this.keep(...this.corner(number), scratch.canvas);
    this.numbers.set(i, number);
  }
}
