import assert from 'node:assert/strict';
import type { Client } from '../../lib/asyncrpc/client/client.ts';
import { AddressError } from '../../lib/errors.ts';
import { field, hash, METHOD } from '../e2e/helpers.ts';

/** What clients were told, to be found again whatever happens to the server. */
export interface Answers {
  /** Unihash by taskhash. */
  readonly unihashes: Map<string, string>;
  /** The one unihash of each outhash. */
  readonly equivalent: Map<string, string>;
  /** Value by `version checksum`, of get-pr. */
  readonly values: Map<string, string>;
  /** The checksum a value was given to, by `version value`. */
  readonly givenTo: Map<string, string>;
  /** Value by `version checksum`, of import-one. */
  readonly imported: Map<string, string>;
  /** The last mark a unihash was stamped with. */
  readonly marks: Map<string, number>;
}

export function noAnswers(): Answers {
  const empty = () => new Map<string, never>();
  return {
    unihashes: empty(),
    equivalent: empty(),
    values: empty(),
    givenTo: empty(),
    imported: empty(),
    marks: empty(),
  };
}

/** Remembers an answer; two different answers to one question are a failure. */
function remember<T>(map: Map<string, T>, key: string, value: T, what: string): void {
  assert.equal(map.get(key) ?? value, value, `two answers about ${what} ${key}`);
  map.set(key, value);
}

const OUTHASHES = 400;
const PACKAGES = 5;
/** Requests a client sends before it waits for answers. */
const IN_FLIGHT = 8;

/**
 * One client's mixed writes. Each kind of request has names of its own, so that what is stored follows from the answers
 * alone. A request that was not answered is sent again after the restart: repeating must be safe.
 */
export function createWorker(id: number, answers: Answers) {
  let serial = 0;
  let unanswered: number[] = [];

  async function report(client: Client, n: number): Promise<void> {
    const taskhash = hash(`task ${id} ${n}`);
    const outhash = hash(`out ${(id * 31 + n * 7) % OUTHASHES}`);
    const reply = await client.invoke('report', {
      method: METHOD,
      taskhash,
      outhash,
      unihash: hash(`uni ${id} ${n}`),
      PN: 'x',
    });
    remember(answers.unihashes, taskhash, field(reply, 'unihash'), 'taskhash');
    remember(answers.equivalent, outhash, field(reply, 'unihash'), 'outhash');
  }

  async function reportEquivalent(client: Client, n: number): Promise<void> {
    const taskhash = hash(`equivalent ${id} ${n}`);
    const reply = await client.invoke('report-equiv', { method: METHOD, taskhash, unihash: hash(`uni ${id} ${n}`) });
    remember(answers.unihashes, taskhash, field(reply, 'unihash'), 'taskhash');
  }

  async function getPr(client: Client, n: number): Promise<void> {
    const version = `pkg-${Math.floor(n / 5) % PACKAGES}`;
    const checksum = `c-${id}-${n}`;
    const value = field(await client.invoke('get-pr', { version, pkgarch: 'all', checksum, history: true }), 'value');
    remember(answers.values, `${version} ${checksum}`, value, 'checksum');
    remember(answers.givenTo, `${version} ${value}`, checksum, 'value');
  }

  async function importOne(client: Client, n: number): Promise<void> {
    const key = { version: `imported-${Math.floor(n / 5) % PACKAGES}`, checksum: `i-${id}-${n}` };
    await client.invoke('import-one', { ...key, pkgarch: 'all', value: n });
    answers.imported.set(`${key.version} ${key.checksum}`, String(n));
  }

  async function gcMark(client: Client, n: number, mark: number): Promise<void> {
    const taskhash = hash(`task ${id} ${n - (n % 5)}`);
    const unihash = answers.unihashes.get(taskhash);
    if (!unihash) return;
    await client.invoke('gc-mark', { mark: String(mark), where: { unihash } });
    answers.marks.set(unihash, Math.max(mark, answers.marks.get(unihash) ?? 0));
  }

  function send(n: number, hashClient: Client, prClient: Client, mark: number): Promise<void> {
    switch (n % 5) {
      case 0:
        return report(hashClient, n);
      case 1:
        return reportEquivalent(hashClient, n);
      case 2:
        return gcMark(hashClient, n, mark);
      case 3:
        return getPr(prClient, n);
      default:
        return importOne(prClient, n);
    }
  }

  return {
    /** Sends requests until the connection is lost; `onAnswer` is told of each answer. Throws when the server refuses one. */
    async run(hashClient: Client, prClient: Client, mark: number, onAnswer: () => void): Promise<void> {
      for (;;) {
        const batch = unanswered;
        while (batch.length < IN_FLIGHT) batch.push(serial++);
        const settled = await Promise.allSettled(batch.map((n) => send(n, hashClient, prClient, mark).then(onAnswer)));
        unanswered = batch.filter((_, i) => settled[i]!.status === 'rejected');
        for (const each of settled)
          if (each.status === 'rejected' && !(each.reason instanceof AddressError)) throw each.reason;
        if (unanswered.length > 0) return;
      }
    },
  };
}
