import { TASKHASH, UNIHASH, writeHash } from './keys.ts';
import { type Mode, PACKAGES } from './requests.ts';

/**
 * Whether a line, `chunk` from `at` to `end`, may answer the request for key `offset + index`. False where it is the
 * answer to another one, or to none.
 */
export type IsOwnAnswer = (index: number, chunk: Buffer, at: number, end: number) => boolean;

const HASH_LENGTH = 64;
/** Digits of a hash that are compared: 64 bits tell any two keys apart, at a quarter of the work. */
const COMPARED = 16;

/** What of each mode's answers can be told to belong to a request. A miss belongs to any. */
const CHECKS: Record<Mode, (offset: number, keys: number) => IsOwnAnswer> = {
  get(offset, keys) {
    const unihashes = hashes(offset, keys, UNIHASH);
    return (index, chunk, at, end) => at === end || (end - at === HASH_LENGTH && begins(unihashes, index, chunk, at));
  },
  exists: () => (_index, chunk, at, end) => ['true', 'false'].includes(chunk.toString('latin1', at, end)),
  report(offset, keys) {
    const taskhashes = hashes(offset, keys, TASKHASH);
    return (index, chunk, at, end) => {
      const found = chunk.indexOf('"taskhash": "', at, 'latin1') + '"taskhash": "'.length;
      return found > at && found + HASH_LENGTH < end && begins(taskhashes, index, chunk, found);
    };
  },
  // A value does not say what it belongs to; but a package gives each of its checksums another one.
  getpr(offset, keys) {
    const values = new Float64Array(keys).fill(-1);
    const owners = new Map<number, number>();
    return (index, chunk, at, end) => {
      const value = Number(/^\{"value": "(\d+)"\}$/.exec(chunk.toString('latin1', at, end))?.[1] ?? Number.NaN);
      const name = value * PACKAGES + ((offset + index) % PACKAGES);
      const isOwn = (owners.get(name) ?? index) === index && (values[index] === -1 || values[index] === value);
      owners.set(name, index);
      values[index] = value;
      return isOwn && !Number.isNaN(value);
    };
  },
  testpr: () => (_index, chunk, at, end) => chunk.toString('latin1', at, end).startsWith('{"value": '),
  ping: () => (_index, chunk, at, end) => chunk.toString('latin1', at, end).startsWith('{"alive": true'),
};

/** The check of a mode's answers, for keys `offset` to `offset + keys - 1`. */
export function createCheck(mode: Mode, offset: number, keys: number): IsOwnAnswer {
  return CHECKS[mode](offset, keys);
}

function hashes(offset: number, keys: number, kind: number): Buffer {
  const all = Buffer.allocUnsafe(keys * HASH_LENGTH);
  for (let index = 0; index < keys; index++) writeHash(all, index * HASH_LENGTH, offset + index, kind);
  return all;
}

function begins(hashes: Buffer, index: number, chunk: Buffer, at: number): boolean {
  const from = index * HASH_LENGTH;
  for (let i = 0; i < COMPARED; i++) if (hashes[from + i] !== chunk[at + i]) return false;
  return true;
}
