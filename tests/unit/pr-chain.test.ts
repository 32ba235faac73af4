import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decidePr, type PackageState } from '../../lib/prserv/get-pr.ts';
import { compareRevisions, isBelow, largest, smallest } from '../../lib/prserv/revision.ts';
import type { UpstreamView } from '../../lib/prserv/store.ts';
import { answerBelow, type ChainAnswer, type Heard, viewOf } from '../../lib/prserv/upstream/chain.ts';
import { createHeardPackages } from '../../lib/prserv/upstream/heard.ts';

interface Row {
  readonly checksum: string;
  readonly value: string;
}

/** A server of the chain and one package on it, in memory: the pure rules, and nothing between them. */
class ModelServer {
  readonly rows: Row[] = [];
  readonly above: ModelServer | null;
  /** Whether the connection upwards stands. */
  isLinked = true;
  private heard: Heard | undefined = undefined;

  constructor(above: ModelServer | null) {
    this.above = above;
  }

  restart(): void {
    this.heard = undefined;
  }

  valuesOf(checksum: string): string[] {
    return this.rows.filter((row) => row.checksum === checksum).map((row) => row.value);
  }

  get max(): string | null {
    return this.rows.map((row) => row.value).reduce<string | null>(largest, null);
  }

  view(checksum: string, history: boolean): UpstreamView | null {
    if (!this.above) return null;
    const view = viewOf(this.isLinked ? this.above.say(checksum, history) : null, this.heard);
    if (view.kind === 'answered') this.heard = view.max === null ? null : { max: view.max, under: view.under! };
    return view;
  }

  say(checksum: string, history: boolean): ChainAnswer {
    const value = this.valuesOf(checksum).reduce<string | null>(history ? smallest : largest, null);
    return answerBelow({ max: this.max, value }, this.view(checksum, history));
  }

  getPr(checksum: string, history: boolean) {
    const view = this.view(checksum, history);
    const known = this.valuesOf(checksum);
    const state: PackageState = {
      max: this.max,
      known: known.length > 0 ? { smallest: known.reduce(smallest), largest: known.reduce(largest) } : null,
      largestUnder: (value) => this.largestUnder(value),
    };
    const decision = decidePr(state, history, view ?? undefined);
    const others = this.rows.filter((row) => row.checksum !== checksum).map((row) => row.value);
    if (decision?.isNew) this.rows.push({ checksum, value: decision.value });
    return { decision, known, others, view, max: state.max };
  }

  private largestUnder(value: string): bigint | undefined {
    const under = this.rows.map((row) => row.value).filter((each) => each.slice(0, each.lastIndexOf('.')) === value);
    const numbers = under.map((each) => BigInt(each.slice(each.lastIndexOf('.') + 1)));
    return numbers.length > 0 ? numbers.reduce((a, b) => (a > b ? a : b)) : undefined;
  }
}

function createChain(length: number): ModelServer[] {
  const servers: ModelServer[] = [];
  for (let level = 0; level < length; level++) servers.push(new ModelServer(servers[level - 1] ?? null));
  return servers;
}

const CHECKSUMS = ['a', 'b', 'c', 'd', 'e'];
const LEVEL = fc.nat(3);
const STEPS = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('ask' as const), LEVEL, fc.constantFrom(...CHECKSUMS), fc.boolean()) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('cut', 'link', 'restart'), LEVEL) },
  ),
  { maxLength: 60 },
);
const LENGTH = fc.integer({ min: 1, max: 4 });

type Step = readonly ['ask', number, string, boolean] | readonly [string, number];

/** Plays the steps on a chain; `check` sees each get-pr and what it was decided from. */
function play(
  servers: readonly ModelServer[],
  steps: readonly Step[],
  check: (server: ModelServer, history: boolean, seen: ReturnType<ModelServer['getPr']>) => void,
): void {
  for (const [what, level, checksum, history] of steps) {
    const server = servers[level % servers.length]!;
    if (what === 'ask') check(server, history!, server.getPr(checksum!, history!));
    else if (what === 'restart') server.restart();
    else server.isLinked = what === 'link';
  }
}

describe('a chain of PR servers, links cut and servers restarted at random', () => {
  test('no value that a server makes is one that another checksum has there', () => {
    fc.assert(
      fc.property(LENGTH, STEPS, (length, steps) => {
        play(createChain(length), steps, (_server, _history, { decision, others, view }) => {
          const given = view?.kind === 'answered' ? [view.value, view.max] : [];
          if (!decision?.isNew || given.includes(decision.value)) return;
          assert.ok(!others.includes(decision.value), `${decision.value} among ${others}`);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('without history the value of a checksum never goes down; with it a known one keeps its first', () => {
    fc.assert(
      fc.property(LENGTH, STEPS, (length, steps) => {
        play(createChain(length), steps, (_server, history, { decision, known }) => {
          if (known.length === 0) return;
          assert.ok(decision, 'a known checksum always has an answer');
          if (history) assert.equal(decision.value, known.reduce(smallest));
          else assert.ok(!isBelow(decision.value, known.reduce(largest)), `${decision.value} after ${known}`);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('without history and an upstream, the answers of a package never go down', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        play(createChain(1), steps, (_server, history, { decision, max }) => {
          if (!history && max !== null) assert.ok(!isBelow(decision!.value, max), `${decision!.value} after ${max}`);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('a fresh 0 is given only where every server above was heard, and none knows the package', () => {
    fc.assert(
      fc.property(LENGTH, STEPS, (length, steps) => {
        play(createChain(length), steps, (server, _history, { decision, known, view, max }) => {
          if (known.length > 0 || max !== null || decision?.value !== '0') return;
          if (view?.kind === 'answered' && view.value === '0') return;
          for (let each = server; each.above; each = each.above) {
            assert.ok(each.isLinked, 'a server above was away');
            assert.equal(each.above.rows.length, 0);
          }
        });
      }),
      { numRuns: 500 },
    );
  });

  test('levels stay apart: checksums asked of one server each get values that differ over the whole chain', () => {
    fc.assert(
      fc.property(LENGTH, STEPS, (length, steps) => {
        const servers = createChain(length);
        servers[0]!.getPr('first', false);
        let asked = 0;
        const given = new Set(['0']);
        const fresh = steps.map((step): Step => (step[0] === 'ask' ? ['ask', step[1], `c${asked++}`, false] : step));
        play(servers, fresh, (_server, _history, { decision }) => {
          if (!decision) return;
          assert.ok(!given.has(decision.value), `${decision.value} twice`);
          given.add(decision.value);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('a new value comes after everything known above, with all servers there', () => {
    fc.assert(
      fc.property(LENGTH, STEPS, (length, steps) => {
        const present = steps.filter(([what]) => what === 'ask');
        play(createChain(length), present, (_server, _history, { decision, known, view }) => {
          if (view?.kind !== 'answered' || view.max === null || view.value !== null || known.length > 0) return;
          assert.ok(compareRevisions(decision!.value, view.max) > 0, `${decision!.value} under ${view.max}`);
        });
      }),
      { numRuns: 500 },
    );
  });
});

test('under a server without a value of the package and an upstream at 3, the next is 3.0.0', () => {
  const [top, middle, low] = createChain(3) as [ModelServer, ModelServer, ModelServer];
  for (let n = 0; n <= 3; n++) top.getPr(`c${n}`, false);
  assert.equal(low.getPr('new', false).decision!.value, '3.0.0');
  assert.equal(middle.getPr('other', false).decision!.value, '3.0');
  assert.equal(low.getPr('newer', false).decision!.value, '3.0.1');
});

test('a server whose values lie below the upstream’s speaks for the upstream', () => {
  const above = { kind: 'answered', max: '1', under: '1', value: '1', away: false } as const;
  assert.deepEqual(answerBelow({ max: '0.3', value: '0.1' }, above), {
    max: '1',
    under: '1.0',
    value: '0.1',
    away: false,
  });
  assert.deepEqual(answerBelow({ max: '1.1', value: null }, above), {
    max: '1.1',
    under: '1.1',
    value: '1',
    away: false,
  });
});

test('with a server further up away, what was heard before holds where it is larger', () => {
  const said = { max: '3.1', under: '3.1', value: null, away: true };
  assert.deepEqual(viewOf(said, { max: '5', under: '5.0' }), {
    kind: 'answered',
    max: '5',
    under: '5.0',
    value: null,
    away: true,
  });
  assert.deepEqual(viewOf(said, { max: '2', under: '2.0' }), { kind: 'answered', ...said });
  assert.deepEqual(viewOf({ ...said, away: false }, { max: '5', under: '5.0' }), {
    kind: 'answered',
    ...said,
    away: false,
  });
});

test('what was heard of packages is bounded in bytes, the oldest forgotten first', () => {
  const heard = createHeardPackages(10_000);
  for (let n = 0; n < 1000; n++)
    heard.set({ version: `v${n}`, pkgarch: 'a'.repeat(n % 40) }, { max: '3', under: '3.0' });
  assert.ok(heard.bytes <= 10_000 && heard.bytes > 9000, `${heard.bytes} bytes`);
  assert.equal(heard.get({ version: 'v0', pkgarch: '' }), undefined);
  assert.deepEqual(heard.get({ version: 'v999', pkgarch: 'a'.repeat(39) }), { max: '3', under: '3.0' });
  for (let n = 0; n < 1000; n++) heard.set({ version: 'same', pkgarch: 'a' }, null);
  assert.equal(heard.get({ version: 'same', pkgarch: 'a' }), null);
  assert.notEqual(heard.get({ version: 'v999', pkgarch: 'a'.repeat(39) }), undefined);
});
