// Atlases that elements show, at most.
const MOST_ADDRESSES = 1000;

// Thumbnails, cut from the atlases by the browser. A folder has them in another order than the images' (`ranks`),
// and its atlases are read when they are wanted.
class Thumbnails {
  constructor(info, count) {
    Object.assign(this, info, { count, addresses: new Map(), perAtlas: info.columns * info.rows });
    this.longest = Math.max(this.width, this.height);
  }

  async blob(atlas) {
    const picture = this.pieces ? await this.pieces.read(`tiles/${atlas}`) : this.pictures[atlas];
    return new Blob([bytesOf(picture)], { type: "image/webp" });
  }

  // The oldest addresses make place.
  address(atlas) {
    const known = this.addresses.get(atlas) ?? this.blob(atlas).then((blob) => URL.createObjectURL(blob));
    this.addresses.delete(atlas);
    this.addresses.set(atlas, known);
    if (this.addresses.size > MOST_ADDRESSES) {
      const [oldest, unused] = this.addresses.entries().next().value;
      this.addresses.delete(oldest);
      unused.then((address) => URL.revokeObjectURL(address));
    }
    return known;
  }

  // Atlas of an image, and pixels from its left and its top.
  find(i) {
    const rank = this.ranks ? this.ranks[i] : i;
    const place = rank % this.perAtlas;
    const [column, row] = [place % this.columns, Math.floor(place / this.columns)];
    return { atlas: Math.floor(rank / this.perAtlas), left: column * this.width, top: row * this.height };
  }

  // An element whose longer side has so many pixels.
  element(i, side) {
    const { atlas, left, top } = this.find(i);
    const filled = Math.ceil(Math.min(this.perAtlas, this.count - atlas * this.perAtlas) / this.columns);
    const scale = side / this.longest;
    const element = make("div", { className: "thumbnail" });
    Object.assign(element.style, {
      width: `${this.width * scale}px`,
      height: `${this.height * scale}px`,
      backgroundSize: `${this.columns * this.width * scale}px ${filled * this.height * scale}px`,
      backgroundPosition: `${-left * scale}px ${-top * scale}px`,
    });
    this.address(atlas).then((address) => (element.style.backgroundImage = `url(${address})`));
    return element;
  }
}

// Pixels of a slot's longer side, at most, and of the store's side for small slots and for large ones.
const [SMALL_SLOT, LARGE_SLOT, SMALL_STORE, LARGE_STORE] = [64, 128, 2048, 4096];
// Bytes of atlases that stay decoded.
const DECODED = 6 * 4 * 2048 ** 2;

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
    this.missing = new Set();
    this.mostDecoded = DECODED / (4 * thumbnails.perAtlas * thumbnails.width * thumbnails.height);
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
      if (this.missing.has(atlas)) return null;
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
      const bitmap = this.decoded.get(atlas) ?? (await this.decode(atlas));
      if (!bitmap) continue;
      this.decoded.delete(atlas);
      this.decoded.set(atlas, bitmap);
      for (const i of pictures) this.take(i, bitmap);
      if (this.decoded.size > this.mostDecoded) {
        const [oldest, unused] = this.decoded.entries().next().value;
        this.decoded.delete(oldest);
        unused.close();
      }
      this.whenReady();
    }
    this.isFilling = false;
  }

  // Where a piece of a folder cannot be read, its images stay points.
  async decode(atlas) {
    try {
      return await createImageBitmap(await this.thumbnails.blob(atlas));
    } catch (error) {
      console.info(`tsimcne: ${error.message}`);
      this.missing.add(atlas);
      return null;
    }
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
