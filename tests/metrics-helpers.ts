import assert from 'node:assert/strict';
import type { App } from '../lib/server.ts';

/** A line of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its lines. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[-+\d.e]+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;

/** Reads the text format strictly: whatever Prometheus would refuse fails here. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  const helps = new Map<string, string>();
  let current: [name: string, family: Family] | null = null;
  assert.ok(text.endsWith('\n'), 'the last line is ended');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help) helps.set(help[1]!, help[2]!);
    else if (type) {
      assert.ok(!families.has(type[1]!), `${type[1]} comes once`);
      current = [type[1]!, { type: type[2]!, help: helps.get(type[1]!) ?? '', samples: [] }];
      families.set(...current);
    } else {
      const found = LINE.exec(line);
      assert.ok(found && current, `a line that is none: ${line}`);
      const [name, family] = current;
      const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert.ok(suffixes.map((suffix) => name + suffix).includes(found[1]!), `${line} stands under ${name}`);
      const key = `${found[1]}{${found[2] ?? ''}}`;
      assert.ok(!seen.has(key), `${key} comes once`);
      seen.add(key);
      family.samples.push({ name: found[1]!, labels: parseLabels(found[2] ?? ''), value: Number(found[3]) });
    }
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const at = LABEL.lastIndex;
    const found = LABEL.exec(text);
    assert.ok(found, `labels that are none: ${text.slice(at)}`);
    labels[found[1]!] = found[2]!.replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  }
  return labels;
}

/** What an app shows now. */
export class Scrape {
  readonly families: ReadonlyMap<string, Family>;

  constructor(text: string) {
    this.families = parseExposition(text);
  }

  /** The lines of a metric that have these labels. */
  of(name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] {
    const family = this.families.get(name) ?? this.families.get(name.replace(/_(bucket|sum|count)$/, ''));
    assert.ok(family, `${name} is not shown`);
    return family.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
  }

  /** The one value with these labels. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const found = this.of(name, labels);
    assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)} is one line`);
    return found[0]!.value;
  }

  /** The values that are not 0, by the values of their labels, joined by blanks. */
  counts(name: string, labels: Readonly<Record<string, string>> = {}): Record<string, number> {
    const found = this.of(name, labels).filter(({ value }) => value !== 0);
    return Object.fromEntries(found.map((sample) => [Object.values(sample.labels).join(' '), sample.value]));
  }
}

/** What an app shows at this moment. */
export async function scrape(app: App): Promise<Scrape> {
  const source = await app.metrics.source();
  return new Scrape(await source.now());
}
