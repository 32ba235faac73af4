import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { MetricRow } from '../../lib/metrics/row.ts';
import { METRICS } from '../../lib/metrics/table.ts';
import { noPromtool } from '../e2e/needs.ts';

const CONTRIB = path.join(import.meta.dirname, '../../contrib');
const read = (file: string) => fs.readFileSync(path.join(CONTRIB, file), 'utf8');

const ROWS = new Map(METRICS.flatMap(({ rows }) => rows).map((row) => [row.name, row]));
/** What Prometheus adds to every line, and the one metric that it makes itself. */
const OF_PROMETHEUS = ['job', 'instance'];
const UP: MetricRow = { name: 'up', kind: 'gauge', joins: 'sum', help: '', labels: {}, read() {} };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const RULES: readonly Rule[] = parse(read('prometheus/bakeserv.rules.yml')).groups[0].rules;

interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const DASHBOARD = JSON.parse(read('grafana/bakeserv.json'));
const PANELS: readonly DashboardPanel[] = DASHBOARD.panels;
const TARGETS = PANELS.flatMap(({ targets = [], title }) => targets.map((target) => ({ ...target, title })));

/** The metric that a name in a query means; of a histogram its parts. */
function rowOf(name: string): MetricRow | null {
  const whole = ROWS.get(name);
  if (whole) return whole.kind === 'histogram' ? null : whole;
  const histogram = ROWS.get(name.replace(/_(bucket|sum|count)$/, ''));
  if (histogram?.kind === 'histogram') return histogram;
  return name === 'up' ? UP : null;
}

/** What is wrong with a query, compared with the table: names, labels, values of labels, and what counters and gauges are for. */
function faultsOf(expr: string): string[] {
  const faults: string[] = [];
  const used: MetricRow[] = [];
  for (const [, name, selector = ''] of expr.matchAll(/\b((?:bakeserv|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g)) {
    const row = rowOf(name!);
    if (!row) {
      faults.push(`${name} is no metric`);
      continue;
    }
    used.push(row);
    for (const [, label, operator, value] of selector.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)) {
      const values = row.labels[label!];
      if (OF_PROMETHEUS.includes(label!)) continue;
      if (values === undefined) faults.push(`${name} has no label ${label}`);
      else if (typeof values !== 'string') {
        // Each word of a pattern must match something: one that matches nothing is misspelt.
        const words = operator!.includes('~') ? value!.split('|') : [value!];
        for (const word of words) {
          const matches = (one: string) =>
            operator!.includes('~') ? new RegExp(`^(?:${word})$`).test(one) : one === word;
          if (!values.some(matches)) faults.push(`${name} has no ${label} ${word}`);
        }
      }
    }
    const at = expr.indexOf(name!);
    const isRated = /(rate|increase)\($/.test(expr.slice(0, at));
    const grows = row.kind === 'counter' || row.kind === 'histogram';
    if (grows !== isRated && row.name !== 'up')
      faults.push(`${name} is a ${row.kind}${isRated ? ', and has no rate' : ''}`);
  }
  for (const [, list] of expr.matchAll(/\bby\s*\(([^)]*)\)/g)) {
    for (const label of list!.split(',').map((each) => each.trim())) {
      const known = [...OF_PROMETHEUS, 'le', ...used.flatMap(({ labels }) => Object.keys(labels))];
      if (!known.includes(label)) faults.push(`by (${label}): no metric here has it`);
    }
  }
  if (used.length === 0) faults.push('no metric is used');
  return faults;
}

/** The labels that a text may name: those that the query leaves. */
function labelsLeft(expr: string): string[] {
  const by = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)];
  if (by.length > 0) return by.flatMap(([, list]) => list!.split(',').map((each) => each.trim()));
  const names = [...expr.matchAll(/\b(?:bakeserv|process|nodejs)_\w+\b/g)].map(([name]) => name);
  return [...OF_PROMETHEUS, ...names.flatMap((name) => Object.keys(rowOf(name)?.labels ?? {}))];
}

describe('the alert rules', () => {
  for (const { alert, expr, annotations, labels } of RULES) {
    test(`${alert} uses metrics and labels that there are`, () => {
      assert.deepEqual(faultsOf(expr), []);
      assert.match(alert, /^Bakeserv[A-Z][A-Za-z]+$/);
      assert.ok(['critical', 'warning', 'info'].includes(labels.severity));
      const left = labelsLeft(expr);
      for (const text of [annotations.summary, annotations.description])
        for (const [, label] of text.matchAll(/\$labels\.(\w+)/g))
          assert.ok(left.includes(label!), `${label} in: ${text}`);
    });
  }

  test('have each name once', () => {
    assert.equal(new Set(RULES.map(({ alert }) => alert)).size, RULES.length);
  });

  test('are taken by Prometheus, with the configuration beside them', { skip: noPromtool() }, () => {
    for (const args of [
      ['check', 'rules', 'bakeserv.rules.yml'],
      ['check', 'config', 'prometheus.yml'],
    ]) {
      const checked = spawnSync('promtool', args, { cwd: path.join(CONTRIB, 'prometheus'), encoding: 'utf8' });
      assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    }
  });
});

test('the scrape configuration has the job that the rules name', () => {
  const config = parse(read('prometheus/prometheus.yml'));
  assert.equal(config.scrape_configs[0].job_name, 'bakeserv');
  const jobs = RULES.flatMap(({ expr }) => [...expr.matchAll(/job="(\w+)"/g)].map(([, job]) => job));
  assert.deepEqual([...new Set(jobs)], ['bakeserv']);
});

describe('the dashboard', () => {
  test('uses metrics and labels that there are', () => {
    for (const { expr, title, legendFormat } of TARGETS) {
      assert.deepEqual(faultsOf(expr), [], title);
      const left = labelsLeft(expr);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(left.includes(label!), `${label} in the legend of ${title}`);
    }
  });

  test('shows every metric of the table', () => {
    const shown = TARGETS.map(({ expr }) => expr).join('\n');
    const missing = [...ROWS.keys()].filter((name) => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(shown));
    assert.deepEqual(missing, []);
  });

  test('has panels that do not lie on each other', () => {
    assert.equal(new Set(PANELS.map(({ id }) => id)).size, PANELS.length);
    const places = new Set<string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of PANELS) {
      assert.ok(x + w <= 24, title);
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          assert.ok(!places.has(`${i},${j}`), `${title} lies on another`);
          places.add(`${i},${j}`);
        }
      }
    }
  });

  test('asks one data source, chosen with it, and servers that it offers', () => {
    assert.deepEqual(
      DASHBOARD.templating.list.map(({ name }: { name: string }) => name),
      ['datasource', 'job', 'instance'],
    );
    for (const { expr } of TARGETS) assert.match(expr, /job="\$job", instance=~"\$instance"/);
  });
});

test('a query that is wrong would be found', () => {
  const wrong: readonly (readonly [expr: string, why: RegExp])[] = [
    ['rate(bakeserv_request_total[5m])', /is no metric/],
    ['rate(bakeserv_request_duration_seconds[5m])', /is no metric/],
    ['rate(bakeserv_requests_total{outcome="ok"}[5m])', /no label outcome/],
    ['rate(bakeserv_requests_total{result="okay"}[5m])', /no result okay/],
    ['rate(bakeserv_limit_hits_total{limit=~"max-line|max-lines"}[5m])', /no limit max-lines/],
    ['sum by (servce) (rate(bakeserv_requests_total[5m]))', /by \(servce\)/],
    ['bakeserv_requests_total > 5', /is a counter/],
    ['rate(bakeserv_connections[5m])', /has no rate/],
    ['vector(1)', /no metric is used/],
  ];
  for (const [expr, why] of wrong) assert.match(faultsOf(expr).join(), why, expr);
});
