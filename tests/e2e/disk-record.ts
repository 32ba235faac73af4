import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

/** What a process did to its files and said to its clients, in order. */
export type DiskEvent =
  | {
      readonly kind: 'write';
      readonly file: string;
      readonly data: Buffer;
      readonly at: number;
      readonly begun: number;
      readonly done: number;
    }
  | {
      readonly kind: 'truncate';
      readonly file: string;
      readonly size: number;
      readonly begun: number;
      readonly done: number;
    }
  | { readonly kind: 'sync'; readonly file: string; readonly begun: number; readonly done: number }
  | { readonly kind: 'answer'; readonly text: string; readonly begun: number; readonly done: number };

/** What strace must be told for `readRecord`. */
export const RECORD = ['-y', '-xx', '-s', '70000', '-e', 'trace=pwrite64,ftruncate,fsync,fdatasync,write,writev'];

const CALL = /^(\d+) +(\w+)\(\d+<([^>]*)>(?:, )?(.*)$/;

/**
 * Reads strace's output. `begun` and `done` are line numbers: a call of another thread may lie between.
 * A sync covers the writes that were done when it began.
 */
export function readRecord(trace: string): DiskEvent[] {
  const events: DiskEvent[] = [];
  const unfinished = new Map<string, { text: string; line: number }>();
  for (const [line, raw] of trace.split('\n').entries()) {
    let text = raw;
    let begun = line;
    const id = /^\d+/.exec(raw)?.[0] ?? '';
    const start = /^(.*) <unfinished \.\.\.>$/.exec(raw);
    if (start) {
      unfinished.set(id, { text: start[1]!, line });
      continue;
    }
    const end = /^\d+ +<\.\.\. \w+ resumed>(.*)$/.exec(raw);
    if (end) {
      const first = unfinished.get(id);
      unfinished.delete(id);
      // A call that had begun before the record did.
      if (!first) continue;
      text = `${first.text}${end[1]}`;
      begun = first.line;
    }
    const event = parseCall(text, begun, line);
    if (event) events.push(event);
  }
  return events;
}

function parseCall(text: string, begun: number, done: number): DiskEvent | null {
  const call = CALL.exec(text);
  if (!call || !/= \d+$/.test(text)) return null;
  const [, , name, target, rest] = call;
  const file = path.basename(decode(target!).toString());
  const when = { begun, done };
  switch (name) {
    case 'pwrite64': {
      const [, data, length, at] = /^"([^"]*)", (\d+), (\d+)\)/.exec(rest!)!;
      const bytes = decode(data!);
      assert.equal(bytes.length, Number(length), 'the record holds a write in part');
      return { kind: 'write', file, data: bytes, at: Number(at), ...when };
    }
    case 'ftruncate':
      return { kind: 'truncate', file, size: Number(/^(\d+)/.exec(rest!)![1]), ...when };
    case 'fsync':
    case 'fdatasync':
      return { kind: 'sync', file, ...when };
    default:
      return {
        kind: 'answer',
        text: [...rest!.matchAll(/"([^"]*)"/g)].map((m) => decode(m[1]!).toString()).join(''),
        ...when,
      };
  }
}

function decode(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

/** Which of the writes a power cut finds in the disk's cache survive it, and how much of each. */
export type Survives = (data: Buffer) => number;

export const NOTHING_SURVIVES: Survives = () => 0;

/** Sectors survive or not, each write by itself: a disk writes its cache in any order. */
export const SOMETHING_SURVIVES: Survives = (data) => {
  const chance = Math.random();
  if (chance < 0.4) return 0;
  if (chance < 0.8) return data.length;
  return Math.min(data.length, 512 * Math.floor(Math.random() * (data.length / 512 + 1)));
};

/**
 * Puts into `into` what a disk holds after a power cut at `cut`: the files of `base`, every write that was synced, and
 * what survives of the others.
 */
export function replay(
  events: readonly DiskEvent[],
  cut: number,
  survives: Survives,
  base: string,
  into: string,
): void {
  for (const name of fs.readdirSync(base)) fs.copyFileSync(path.join(base, name), path.join(into, name));
  const before = events.filter((event) => event.begun < cut);
  const syncs = before.filter((event) => event.kind === 'sync' && event.done < cut);
  const open = new Map<string, number>();
  for (const event of before) {
    if (event.kind !== 'write' && event.kind !== 'truncate') continue;
    const synced = syncs.some((sync) => 'file' in sync && sync.file === event.file && event.done < sync.begun);
    const name = path.join(into, event.file);
    if (!open.has(name)) open.set(name, fs.openSync(name, fs.existsSync(name) ? 'r+' : 'w+'));
    const descriptor = open.get(name)!;
    if (event.kind === 'truncate') {
      if (synced || survives(Buffer.alloc(1)) > 0) fs.ftruncateSync(descriptor, event.size);
    } else {
      const length = synced ? event.data.length : survives(event.data);
      fs.writeSync(descriptor, event.data, 0, length, event.at);
    }
  }
  for (const descriptor of open.values()) fs.closeSync(descriptor);
}
