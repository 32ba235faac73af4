import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import type { Limits } from '../lib/asyncrpc/limits.ts';
import { type Config, resolveConfig } from '../lib/settings/config.ts';

/** A folder that is removed when the test is over. */
export function temporaryFolder(t: { after(fn: () => void): void }): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function configIn(folder: string, flags: Record<string, unknown> = {}, limits: Partial<Limits> = {}): Config {
  const files = { 'hashserv-db': path.join(folder, 'hashserv.db'), 'prserv-db': path.join(folder, 'prserv.sqlite3') };
  const config = resolveConfig({ ...files, ...flags }, {});
  return { ...config, limits: { ...config.limits, ...limits } };
}

/** Two ends of a byte stream in memory. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const make = (other: () => Duplex) => {
    let resume: (() => void) | null = null;
    const end = new Duplex({
      read() {
        const waiting = resume;
        resume = null;
        waiting?.();
      },
      write(chunk, _encoding, done) {
        const peer = other() as Duplex & { wait(fn: () => void): void };
        if (peer.destroyed || peer.push(chunk)) done();
        else peer.wait(done);
      },
      final(done) {
        other().push(null);
        done();
      },
      destroy(error, done) {
        const peer = other();
        if (!peer.destroyed) peer.push(null);
        done(error);
      },
    });
    return Object.assign(end, {
      wait(fn: () => void) {
        resume = fn;
      },
    });
  };
  ends.push(
    make(() => ends[1]!),
    make(() => ends[0]!),
  );
  return [ends[0]!, ends[1]!];
}

export const METHOD = 'TestMethod';
/** A different hash for every number. */
export const hash = (n: number) => n.toString(16).padStart(64, '0');
