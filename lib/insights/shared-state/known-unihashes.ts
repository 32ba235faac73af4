import { randomFillSync } from 'node:crypto';

/** Unihashes in one block; blocks are added, never copied. */
const BLOCK = 65_536;
const HASH_BYTES = 32;

/**
 * What is known of a unihash beside itself: the number of its package in `Packages`; and as seconds since 1970, 0 for none:
 * when it was first reported, when it was last looked for, and since when it is known to be missing.
 */
type Field = 'package' | 'reported' | 'askedAt' | 'missingSince';
interface Block extends Readonly<Record<Field, Uint32Array>> {
  readonly hashes: Buffer;
  readonly present: Uint8Array;
}

/** Chosen by the first ten bits of a hash. */
const TABLES = 1024;
const TABLE_SHIFT = 22;

interface Table {
  /** Numbers of unihashes, from 1; 0 is a free place. At most two thirds are taken. */
  places: Uint32Array;
  taken: number;
}

/**
 * Unihashes with what is known of each: about 60 bytes for one, and nothing for the collector to look through. Whoever
 * reports chooses the unihashes, so they are hashed with a secret.
 */
export class KnownUnihashes {
  #blocks: Block[] = [];
  #size = 0;
  /** Many tables, so that none takes long to grow: that of a million unihashes at once took a second. */
  readonly #tables: Table[] = Array.from({ length: TABLES }, () => ({ places: new Uint32Array(16), taken: 0 }));
  readonly #secret = randomFillSync(new Uint32Array(9));
  readonly #sought = Buffer.alloc(HASH_BYTES);

  get size(): number {
    return this.#size;
  }

  /** The number of a unihash, which is added if it is not there: then all that is known of it is 0. */
  add(unihash: string): number {
    const { table, place } = this.#placeOf(unihash);
    if (table.places[place]! > 0) return table.places[place]! - 1;
    const number = this.#size++;
    const at = number % BLOCK;
    if (at === 0) this.#blocks.push(emptyBlock());
    this.#sought.copy(this.#blocks.at(-1)!.hashes, at * HASH_BYTES);
    table.places[place] = this.#size;
    table.taken++;
    if (table.taken * 3 > table.places.length * 2) this.#grow(table);
    return number;
  }

  /** The number of a unihash, or null. */
  find(unihash: string): number | null {
    const { table, place } = this.#placeOf(unihash);
    const found = table.places[place]!;
    return found > 0 ? found - 1 : null;
  }

  unihash(number: number): string {
    const at = (number % BLOCK) * HASH_BYTES;
    return this.#block(number).hashes.toString('hex', at, at + HASH_BYTES);
  }

  get(number: number, field: Field): number {
    return this.#block(number)[field][number % BLOCK]!;
  }

  set(number: number, field: Field, value: number): void {
    this.#block(number)[field][number % BLOCK] = value;
  }

  isPresent(number: number): boolean {
    return this.#block(number).present[number % BLOCK] === 1;
  }

  setPresent(number: number): void {
    this.#block(number).present[number % BLOCK] = 1;
  }

  #block(number: number): Block {
    return this.#blocks[Math.floor(number / BLOCK)]!;
  }

  /** Where the unihash is, or the free place where it would be. */
  #placeOf(unihash: string): { readonly table: Table; readonly place: number } {
    if (unihash.length !== 2 * HASH_BYTES || this.#sought.write(unihash, 0, HASH_BYTES, 'hex') < HASH_BYTES)
      throw new Error(`${unihash.slice(0, 80)} is not a unihash`);
    const hash = this.#hash(this.#sought, 0);
    const table = this.#tables[hash >>> TABLE_SHIFT]!;
    const mask = table.places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const number = table.places[place]!;
      if (number === 0) return { table, place };
      const at = ((number - 1) % BLOCK) * HASH_BYTES;
      if (isAt(this.#block(number - 1).hashes, at, this.#sought)) return { table, place };
    }
  }

  #hash(bytes: Buffer, at: number): number {
    let hash = this.#secret[8]!;
    for (let word = 0; word < 8; word++) {
      hash = Math.imul(hash ^ bytes.readUInt32LE(at + 4 * word), this.#secret[word]! | 1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  #grow(table: Table): void {
    const places = new Uint32Array(table.places.length * 2);
    const mask = places.length - 1;
    for (const number of table.places) {
      if (number === 0) continue;
      const at = ((number - 1) % BLOCK) * HASH_BYTES;
      let place = this.#hash(this.#block(number - 1).hashes, at) & mask;
      while (places[place]! > 0) place = (place + 1) & mask;
      places[place] = number;
    }
    table.places = places;
  }
}

/** By words: Buffer.compare takes longer to call than this to find the first that differs. */
function isAt(hashes: Buffer, at: number, sought: Buffer): boolean {
  for (let byte = 0; byte < HASH_BYTES; byte += 4)
    if (hashes.readInt32LE(at + byte) !== sought.readInt32LE(byte)) return false;
  return true;
}

function emptyBlock(): Block {
  return {
    hashes: Buffer.alloc(BLOCK * HASH_BYTES),
    present: new Uint8Array(BLOCK),
    package: new Uint32Array(BLOCK),
    reported: new Uint32Array(BLOCK),
    askedAt: new Uint32Array(BLOCK),
    missingSince: new Uint32Array(BLOCK),
  };
}
