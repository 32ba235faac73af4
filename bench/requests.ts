import { METHOD, OUTHASH, TASKHASH, UNIHASH, writeHash } from './keys.ts';

/** What is asked. `get` and `exists` are streams, the others one message a request. */
export const MODES = ['get', 'exists', 'report', 'getpr', 'testpr', 'ping'] as const;
export type Mode = (typeof MODES)[number];

/** The requests of `count` keys, one behind the other, so that any run of them is one write. */
export interface Requests {
  readonly bytes: Buffer;
  /** Where request i begins; one more entry than requests. */
  readonly offsets: Uint32Array;
}

export const isStream = (mode: Mode) => mode === 'get' || mode === 'exists';

/** The first lines of a connection, and for a stream the command that enters it. */
export function preamble(mode: Mode, stream: boolean): Buffer {
  const protocol = mode === 'getpr' || mode === 'testpr' ? 'PRSERVICE 1.0' : 'OEHASHEQUIV 1.1';
  return Buffer.from(`${protocol}\nneeds-headers: false\n\n${stream ? `{"${mode}-stream": null}\n` : ''}`);
}

/** Every 64 `#` become a hash of the key; the letter before them says which. */
const HASH = '#'.repeat(64);

const TEMPLATES: Record<Mode, (key: number) => string> = {
  get: () => `${METHOD} T${HASH}\n`,
  exists: () => `U${HASH}\n`,
  report: () =>
    `{"report": {"taskhash": "T${HASH}", "method": "${METHOD}", "outhash": "O${HASH}", "unihash": "U${HASH}"}}\n`,
  getpr: (key) => prRequest('get-pr', key),
  testpr: (key) => prRequest('test-pr', key),
  ping: () => '{"ping": {}}\n',
};

/** The PR requests of all keys are about so many packages. */
export const PACKAGES = 1000;

function prRequest(command: string, key: number): string {
  const version = `pkg${key % PACKAGES}-1.0-r0`;
  return `{"${command}": {"version": "${version}", "pkgarch": "core2-64", "checksum": "T${HASH}", "history": false}}\n`;
}

const KINDS: Record<string, number> = { T: TASKHASH, U: UNIHASH, O: OUTHASH };

/**
 * Builds the requests for keys `offset` to `offset + count - 1`.
 * @param salt added to the key of the outhash, so that the same taskhash can be reported with other outputs
 */
export function buildRequests(mode: Mode, offset: number, count: number, salt: number): Requests {
  const longest = 512;
  const bytes = Buffer.allocUnsafe(longest * count);
  const offsets = new Uint32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const key = offset + i;
    let rest = TEMPLATES[mode](key);
    let hole = rest.indexOf(HASH);
    while (hole >= 0) {
      at += bytes.write(rest.slice(0, hole - 1), at, 'latin1');
      const kind = KINDS[rest[hole - 1]!]!;
      writeHash(bytes, at, kind === OUTHASH ? key + salt : key, kind);
      at += 64;
      rest = rest.slice(hole + 64);
      hole = rest.indexOf(HASH);
    }
    at += bytes.write(rest, at, 'latin1');
    offsets[i + 1] = at;
  }
  return { bytes: bytes.subarray(0, at), offsets };
}
