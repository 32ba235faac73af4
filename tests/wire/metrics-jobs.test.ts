import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { scrape } from '../metrics-helpers.ts';
import { serve, temporaryFolder } from './helpers.ts';
import { runJob } from './job-helpers.ts';

test('metrics of jobs tell how they ended, by kind, and how long they took', async (t) => {
  const { app } = await serve(t);
  assert.deepEqual((await scrape(app)).counts('bakeserv_jobs_ended_total'), {});
  const folder = temporaryFolder(t);
  await runJob(app, 'export-prs', { file: path.join(folder, 'a.jsonl') });
  await runJob(app, 'export-prs', { file: path.join(folder, 'b.jsonl') });
  const { state } = await runJob(app, 'import-prs', { file: path.join(folder, 'none.jsonl') });
  assert.equal(state, 'failed');
  const shown = await scrape(app);
  assert.deepEqual(shown.counts('bakeserv_jobs_ended_total'), { 'export-prs done': 2, 'import-prs failed': 1 });
  assert.deepEqual(shown.counts('bakeserv_jobs'), {});
  assert.equal(shown.value('bakeserv_job_duration_seconds_count', { kind: 'export-prs' }), 2);
  assert.equal(shown.value('bakeserv_jobs_waiting_seconds'), 0);
  const { last_failed: failed } = await app.jobs.status();
  assert.equal(failed!.kind, 'import-prs');
});

test('metrics of insights tell what became of those that were asked for', async (t) => {
  const server = await serve(t);
  assert.deepEqual((await scrape(server.app)).counts('bakeserv_insights_total'), {});
  const client = server.connect();
  for (let i = 0; i < 3; i++) await client.ask('insight-age', {});
  const shown = await scrape(server.app);
  assert.deepEqual(shown.counts('bakeserv_insights_total'), { 'age done': 1, 'age kept': 2 });
  assert.equal(shown.value('bakeserv_insight_duration_seconds_count', { insight: 'age' }), 1);
});
