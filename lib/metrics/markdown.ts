import type { LabelValues, MetricRow } from './row.ts';
import { METRICS } from './table.ts';

const INTRODUCTION = `# Metrics

<!-- Made by \`npm run generate\` from lib/metrics/: change it there. -->

An HTTP listener (\`--bind http://127.0.0.1:9099\`) shows what the server counts under \`/metrics\`, in the text format of
Prometheus. Without such a listener the numbers are counted all the same and nothing else is done with them.

- **Who may scrape.** Whoever reaches the listener, without a login, as with \`/healthz\`: the figures tell how much is asked and
  stored, and the addresses that the server listens on and mirrors; they hold no hash, no name of a package, user or client, and no address of a
  client. Bind the listener to a private address, or put a proxy in front of it, where that is too much.
- **What it costs.** However many scrape, and however often, the figures are collected at most five times a second; rows of tables are
  counted at most every five minutes, in the background, and not at all while nobody scrapes.
- **Labels** have the values that are listed here and no others. Nothing that a client says becomes one: a command that is not
  in the tables of docs/protocol.md is \`unknown\`.
- Counters start at 0 with the process: use \`rate()\`. Histograms can be added up over servers.
- With \`--workers\` all processes are shown as one server, whichever is asked: counters and histograms are added up, and go on when a worker is
  replaced; of gauges, what each worker has for itself is added up, and of what all see alike the largest (or earliest) is shown. A worker that does not
  answer within half a second is shown as it was last.

contrib/prometheus holds a scrape configuration and alert rules, contrib/grafana a dashboard. A test compares both with this page.
`;

/** docs/metrics.md. */
export function metricsDocument(): string {
  const groups = METRICS.map(({ title, rows }) => `## ${title}\n\n${rows.map(entry).join('\n')}`);
  return `${[INTRODUCTION, ...groups].join('\n').trimEnd()}\n`;
}

function entry({ name, kind, help, labels }: MetricRow): string {
  const values = Object.entries(labels).map(([label, of]) => `  - \`${label}\`: ${valuesText(of)}\n`);
  return `- **\`${name}\`** (${kind}): ${help}.\n${values.join('')}`;
}

function valuesText(values: LabelValues): string {
  return typeof values === 'string' ? values : values.map((value) => `\`${value}\``).join(', ');
}
