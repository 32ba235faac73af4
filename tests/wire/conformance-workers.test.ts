import { describe, test } from 'node:test';
import { MEMORY, recordings, replay } from './helpers.ts';

describe('conversations recorded with BitBake’s own servers replay with two workers on one file', {
  concurrency: 4,
}, () => {
  for (const recording of recordings())
    test(`${recording.name}, each connection to the next worker`, (t) =>
      replay(t, recording, MEMORY, { processes: 2 }));
});
