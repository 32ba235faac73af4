import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Notices, watchFile } from '../../lib/storage/sqlite/file/watch.ts';
import { noProc } from '../e2e/needs.ts';
import { temporaryFolder } from '../helpers.ts';

/** Intervals that pass when the test says so. Those of node:test go on when they are cleared in their own turn. */
function ownIntervals(t: TestContext): () => void {
  const running = new Set<() => void>();
  t.mock.method(globalThis, 'setInterval', (run: () => void) => {
    const timer = Object.assign(() => run(), { unref: () => timer });
    running.add(timer);
    return timer;
  });
  t.mock.method(globalThis, 'clearInterval', (timer: () => void) => void running.delete(timer));
  return () => void [...running].map((run) => run());
}

/** A watched file, the notices it asks for, and the time it lives by. */
function watched(t: TestContext, notices?: Notices) {
  const file = path.join(temporaryFolder(t), 'some.db');
  fs.writeFileSync(file, 'rows');
  const passInterval = ownIntervals(t);
  const told: (string | null)[] = [];
  let tell: () => void = () => {};
  /** The file's looks, as `stat` is asked for it. */
  let looks = 0;
  const stat = fs.promises.stat;
  t.mock.method(fs.promises, 'stat', ((name: string) => {
    looks++;
    return stat(name);
  }) as typeof stat);
  const watch = watchFile(
    file,
    (missing) => {
      told.push(missing?.clientText ?? null);
      tell();
    },
    notices,
  );
  t.after(watch.close);
  /** Until it says something. */
  const next = async () => {
    if (told.length === 0)
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    return told.shift();
  };
  const tick = async () => {
    passInterval();
    await stat(path.dirname(file));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { file, watch, next, tick, told, looks: () => looks };
}

/** Notices that the test gives. */
function given() {
  const open = new Set<() => void>();
  const notices: Notices = (_, onNotice) => {
    open.add(onNotice);
    return { close: () => void open.delete(onNotice) };
  };
  return { notices, open, give: () => void [...open].map((notice) => notice()) };
}

describe('a database file', () => {
  test('at rest is not looked at, and after a notice it is', async (t) => {
    const { notices, open, give } = given();
    const { file, next, tick, looks } = watched(t, notices);
    await tick();
    assert.equal(open.size, 1);
    const before = looks();
    for (let i = 0; i < 20; i++) await tick();
    assert.equal(looks(), before);
    fs.rmSync(file);
    give();
    await tick();
    assert.match((await next())!, /was removed while the server ran/);
  });

  test('is looked at before a write that comes after a rest, also where no notice came', async (t) => {
    const { notices, open } = given();
    const { file, watch, tick, told } = watched(t, notices);
    await tick();
    assert.equal(open.size, 1);
    fs.rmSync(file);
    const look = watch.beforeWrite();
    assert.ok(look, 'the write does not wait');
    await look;
    assert.equal(told.length, 1);
  });

  test('is looked at while somebody writes, without a notice for each page that moves', async (t) => {
    const { notices, open } = given();
    const { file, watch, tick, next } = watched(t, notices);
    await tick();
    await watch.beforeWrite();
    for (let i = 0; i < 5; i++) {
      assert.equal(watch.beforeWrite(), null);
      await tick();
      assert.equal(open.size, 0);
    }
    fs.renameSync(file, `${file}.away`);
    watch.beforeWrite();
    await tick();
    assert.match((await next())!, /was removed/);
    fs.renameSync(`${file}.away`, file);
    await tick();
    assert.equal(await next(), null);
    await tick();
    assert.equal(open.size, 1);
  });

  test('that is lost is looked at until it is back', async (t) => {
    const { notices, open } = given();
    const { file, watch, tick, next } = watched(t, notices);
    await tick();
    fs.renameSync(file, `${file}.away`);
    fs.writeFileSync(file, 'others');
    await watch.beforeWrite();
    assert.match((await next())!, /was replaced by another file/);
    for (let i = 0; i < 5; i++) await tick();
    assert.equal(open.size, 0);
    fs.renameSync(`${file}.away`, file);
    await tick();
    assert.equal(await next(), null);
  });

  test('that is lost in the moment before it rests is looked at until it is back', async (t) => {
    const { notices, open } = given();
    const { file, tick, next } = watched(t, notices);
    fs.renameSync(file, `${file}.away`);
    await tick();
    assert.match((await next())!, /was removed/);
    assert.equal(open.size, 0);
    fs.renameSync(`${file}.away`, file);
    await tick();
    assert.equal(await next(), null);
  });

  test('is looked at twice a second where the system gives no notice', async (t) => {
    const { file, watch, tick, next, looks } = watched(t, () => null);
    const before = looks();
    for (let i = 0; i < 4; i++) await tick();
    assert.equal(looks(), before + 4);
    assert.equal(watch.beforeWrite(), null);
    fs.rmSync(file);
    await tick();
    assert.match((await next())!, /was removed/);
  });

  for (const [how, change, said] of [
    ['removed', (file: string) => fs.rmSync(file), /was removed/],
    ['moved away', (file: string) => fs.renameSync(file, `${file}.away`), /was removed/],
    [
      'replaced',
      (file: string) => {
        fs.writeFileSync(`${file}.other`, 'others');
        fs.renameSync(`${file}.other`, file);
      },
      /was replaced/,
    ],
  ] as const)
    test(`that is ${how} at rest: the system gives notice`, { skip: noProc() }, async (t) => {
      const { file, watch, next, tick } = watched(t);
      // Something holds it open, as SQLite does.
      const held = fs.openSync(file, 'r');
      t.after(() => fs.closeSync(held));
      await tick();
      assert.notEqual(watch, null);
      change(file);
      const said_ = next();
      let isSaid = false;
      void said_.then(() => {
        isSaid = true;
      });
      // The tick after the notice looks.
      while (!isSaid) await tick();
      assert.match((await said_)!, said);
    });
});
