/** Who asks: the same for all lines of a connection. */
export interface Who {
  readonly peer: string;
  readonly listener: string | null;
  readonly service: string;
}

/** What is said of a request, a stream or a connection; docs/access-log.md describes each field. */
export interface Entry {
  readonly kind: 'request' | 'stream' | 'connection';
  /** Null: one that is not known here. A connection has none, and no result. */
  readonly command?: string | null;
  readonly result?: string;
  readonly ms: number;
  /** Of answers. */
  readonly bytes: number;
  readonly requests?: number;
  readonly lines?: number;
}

/** The longest text of a client: the name of a user. */
const MAX_TEXT_LENGTH = 128;

/**
 * Makes lines of entries: one JSON object each, in ASCII, without a line break.
 * @param user the name that the client is logged in with at the moment
 */
export function entryWriter(
  { peer, listener, service }: Who,
  user: () => string | null,
  add: (line: string) => void,
): (entry: Entry) => void {
  const who = `"peer":${quote(peer)},"listener":${listener === null ? 'null' : quote(listener)},"user":`;
  const what = `,"service":${quote(service)}`;
  let millisecond = 0;
  let time = '';
  return ({ kind, command, result, ms, bytes, requests, lines }) => {
    const name = user();
    const now = Date.now();
    // Most lines of a busy connection are of one millisecond, and this is what costs most.
    if (now !== millisecond) {
      millisecond = now;
      time = new Date(now).toISOString();
    }
    let line = `{"time":"${time}","kind":"${kind}",${who}${name === null ? 'null' : quote(name)}${what}`;
    // A command's name is one of our own.
    if (command !== undefined) line += `,"command":${command === null ? 'null' : `"${command}"`}`;
    if (result !== undefined) line += `,"result":"${result}"`;
    line += `,"ms":${Math.round(ms * 1000) / 1000},"bytes":${bytes}`;
    if (requests !== undefined) line += `,"requests":${requests}`;
    if (lines !== undefined) line += `,"lines":${lines}`;
    add(`${line}}`);
  };
}

/** A text as JSON in ASCII, cut in length: it may be a client's, and nobody's terminal should obey it. */
function quote(text: string): string {
  const cut = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  return JSON.stringify(cut).replace(
    /[\x7f-\uffff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
