/** contrib/grafana/bakeserv.json: rows of panels, from a line for each. */

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  readonly help?: string;
  readonly stacked?: boolean;
}

const SERVER = 'job="$job", instance=~"$instance"';
/** Sums of a counter's rate. */
const rate = (name: string, by: string, more = '') =>
  `sum by (${by}) (rate(${name}{${SERVER}${more && `, ${more}`}}[$__rate_interval]))`;
/** Of a histogram. */
const quantile = (q: number, name: string, by: string, more = '') =>
  `histogram_quantile(${q}, ${rate(`${name}_bucket`, by ? `${by}, le` : 'le', more)})`;
const gauge = (name: string, more = '') => `${name}{${SERVER}${more && `, ${more}`}}`;

const of = (title: string, unit: string, queries: Panel['queries'], more: Partial<Panel> = {}): Panel => ({
  title,
  unit,
  queries,
  ...more,
});
const quantiles = (title: string, name: string, by: string, legend: string, more = ''): Panel =>
  of(title, 's', [
    [quantile(0.5, name, by, more), `p50 ${legend}`],
    [quantile(0.99, name, by, more), `p99 ${legend}`],
  ]);

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Requests',
    [
      of('Requests', 'reqps', [[rate('bakeserv_requests_total', 'service, command'), '{{service}} {{command}}']]),
      of('Refused and failed', 'reqps', [
        [
          rate('bakeserv_requests_total', 'service, command, result', 'result!="ok"'),
          '{{service}} {{command}} {{result}}',
        ],
      ]),
      quantiles('Latency', 'bakeserv_request_duration_seconds', 'command', '{{command}}', 'result="ok"'),
      of('Lines of streams', 'ops', [
        [rate('bakeserv_stream_lines_total', 'command, result'), '{{command}} {{result}}'],
      ]),
      of(
        'Share of look-ups that are known',
        'percentunit',
        [
          [
            `${rate('bakeserv_stream_lines_total', 'command', 'result=~"hit|upstream-hit"')} / ${rate('bakeserv_stream_lines_total', 'command', 'result=~"hit|miss|upstream-hit"')}`,
            '{{command}}',
          ],
        ],
        { help: 'What a build need not run again, where the shared state has it too.' },
      ),
      quantiles('Latency of stream lines', 'bakeserv_stream_line_duration_seconds', 'command', '{{command}}'),
      of('Logins', 'ops', [
        [rate('bakeserv_logins_total', 'service, result'), '{{service}} {{result}}'],
        [rate('bakeserv_logins_slowed_total', 'service'), '{{service}} slowed down'],
      ]),
    ],
  ],
  [
    'Connections and limits',
    [
      of('Clients', 'short', [[gauge('bakeserv_connections'), '{{instance}} {{listener}}']], { stacked: true }),
      of('New clients', 'cps', [[rate('bakeserv_connections_accepted_total', 'listener'), '{{listener}}']]),
      of('Bytes', 'Bps', [
        [rate('bakeserv_received_bytes_total', 'listener'), 'from {{listener}}'],
        [rate('bakeserv_sent_bytes_total', 'listener'), 'to {{listener}}'],
      ]),
      of('Rejected clients', 'cps', [[rate('bakeserv_connections_rejected_total', 'reason'), '{{reason}}']]),
      of('Limits that were met', 'ops', [[rate('bakeserv_limit_hits_total', 'limit'), '{{limit}}']]),
      of('Certificates expire in', 's', [
        [`${gauge('bakeserv_certificate_expiry_timestamp_seconds')} - time()`, '{{instance}} {{listener}}'],
      ]),
      of('Held for clients', 'bytes', [[gauge('bakeserv_held_bytes'), '{{instance}}']]),
    ],
  ],
  [
    'Memory and data',
    [
      of('Answered from memory', 'percentunit', [
        [
          `${rate('bakeserv_cache_hits_total', 'cache')} / (${rate('bakeserv_cache_hits_total', 'cache')} + ${rate('bakeserv_cache_misses_total', 'cache')})`,
          '{{cache}}',
        ],
      ]),
      of('In memory', 'short', [
        [gauge('bakeserv_cache_entries'), '{{instance}} {{cache}}'],
        [gauge('bakeserv_loader_rows'), '{{instance}} read by the loader'],
      ]),
      of('Memory for it', 'bytes', [[gauge('bakeserv_cache_bytes'), '{{instance}} {{cache}}']], { stacked: true }),
      of('Loader', 'short', [[gauge('bakeserv_loader_state'), '{{instance}} {{state}}']]),
      of('Rows', 'short', [[gauge('bakeserv_table_rows'), '{{instance}} {{table}}']]),
      of('Age of that count', 's', [
        [`time() - ${gauge('bakeserv_table_rows_timestamp_seconds')}`, '{{instance}} {{database}}'],
      ]),
      of('Files', 'bytes', [
        [gauge('bakeserv_database_bytes'), '{{instance}} {{database}}'],
        [gauge('bakeserv_wal_bytes'), '{{instance}} log of {{database}}'],
      ]),
      of('Standbys are behind', 's', [[gauge('bakeserv_standby_lag_seconds'), '{{instance}} {{database}}']]),
      of('Standbys have to replay', 'bytes', [[gauge('bakeserv_standby_lag_bytes'), '{{instance}} {{database}}']]),
      of('Standbys are sent what is written', 'short', [
        [gauge('bakeserv_standby_streaming'), '{{instance}} {{database}}'],
      ]),
      of('Free on the disk', 'bytes', [[gauge('bakeserv_disk_free_bytes'), '{{instance}} {{database}}']]),
    ],
  ],
  [
    'Writing',
    [
      of('Operations stored', 'ops', [[rate('bakeserv_write_batch_operations_sum', 'database'), '{{database}}']]),
      of('Operations a batch', 'short', [
        [
          `${rate('bakeserv_write_batch_operations_sum', 'database')} / ${rate('bakeserv_write_batch_operations_count', 'database')}`,
          '{{database}}',
        ],
      ]),
      quantiles('Commits', 'bakeserv_commit_duration_seconds', 'database', '{{database}}'),
      quantiles('Batches, with waiting for locks', 'bakeserv_write_batch_duration_seconds', 'database', '{{database}}'),
      quantiles('Syncs (sync mode periodic)', 'bakeserv_fsync_duration_seconds', 'database', '{{database}}'),
      of('Write gate', 'short', [
        [gauge('bakeserv_write_gate_requests'), '{{instance}} {{database}}'],
        [gauge('bakeserv_write_gate_limit'), '{{instance}} {{database}} at most'],
        [gauge('bakeserv_write_gate_waiting_connections'), '{{instance}} {{database}} waiting connections'],
        [gauge('bakeserv_write_queue_operations'), '{{instance}} {{database}} queued operations'],
      ]),
      of('Waits at the gate', 'ops', [[rate('bakeserv_write_gate_waits_total', 'database'), '{{database}}']]),
      of('Not stored', 'ops', [[rate('bakeserv_write_failures_total', 'database, code'), '{{database}} {{code}}']]),
      of('Checkpoints', 'ops', [
        [rate('bakeserv_checkpoints_total', 'database, mode, result'), '{{database}} {{mode}} {{result}}'],
      ]),
      quantiles('Checkpoints take', 'bakeserv_checkpoint_duration_seconds', 'mode', '{{mode}}'),
    ],
  ],
  [
    'Upstreams',
    [
      of('Look-ups', 'ops', [[rate('bakeserv_upstream_lookups_total', 'service, result'), '{{service}} {{result}}']]),
      quantiles('Look-ups take', 'bakeserv_upstream_lookup_duration_seconds', 'service', '{{service}}'),
      of('Breaker (1: the upstream is not asked)', 'short', [
        [gauge('bakeserv_upstream_breaker_open'), '{{instance}} {{service}}'],
      ]),
      of('Given up, and wrong answers', 'ops', [
        [rate('bakeserv_upstream_breaker_openings_total', 'service'), '{{service}} given up'],
        [rate('bakeserv_upstream_wrong_answers_total', 'service'), '{{service}} wrong answers'],
      ]),
      of('Backfill', 'ops', [
        [rate('bakeserv_backfill_stored_rows_total', 'instance'), '{{instance}} stored'],
        [rate('bakeserv_backfill_dropped_rows_total', 'instance'), '{{instance}} dropped'],
      ]),
      of('Backfill queue', 'short', [[gauge('bakeserv_backfill_queued_rows'), '{{instance}}']]),
    ],
  ],
  [
    'Mirrors',
    [
      of('Since they were level', 's', [
        [gauge('bakeserv_mirror_lag_seconds'), '{{instance}} {{source}}'],
        [gauge('bakeserv_mirror_interval_seconds'), '{{instance}} {{source}} comes every'],
      ]),
      of('Runs, and those that fail (1: the last)', 'short', [
        [
          `sum by (source, result) (increase(bakeserv_mirror_runs_total{${SERVER}}[$__rate_interval]))`,
          '{{source}} {{result}}',
        ],
        [gauge('bakeserv_mirror_failing'), '{{instance}} {{source}} {{why}}'],
      ]),
      of('Rows taken', 'ops', [[rate('bakeserv_mirror_rows_total', 'source, rows'), '{{source}} {{rows}}']]),
    ],
  ],
  [
    'Jobs',
    [
      of('Running and waiting', 'short', [
        [gauge('bakeserv_jobs'), '{{instance}} {{kind}} {{state}}'],
        [gauge('bakeserv_jobs_waiting_seconds'), '{{instance}} oldest that waits, s'],
      ]),
      of('Ended', 'short', [
        [
          `sum by (kind, outcome) (increase(bakeserv_jobs_ended_total{${SERVER}}[$__rate_interval]))`,
          '{{kind}} {{outcome}}',
        ],
      ]),
      of('Duration (average)', 's', [
        [
          `${rate('bakeserv_job_duration_seconds_sum', 'kind')} / ${rate('bakeserv_job_duration_seconds_count', 'kind')}`,
          '{{kind}}',
        ],
      ]),
    ],
  ],
  [
    'Insights',
    [
      of('Asked for', 'short', [
        [
          `sum by (insight, result) (increase(bakeserv_insights_total{${SERVER}}[$__rate_interval]))`,
          '{{insight}} {{result}}',
        ],
      ]),
      of('Duration (average)', 's', [
        [
          `${rate('bakeserv_insight_duration_seconds_sum', 'insight')} / ${rate('bakeserv_insight_duration_seconds_count', 'insight')}`,
          '{{insight}}',
        ],
      ]),
    ],
  ],
  [
    'Process',
    [
      quantiles('Event-loop delay', 'bakeserv_event_loop_delay_seconds', '', ''),
      of('Processor', 'percentunit', [[rate('process_cpu_seconds_total', 'instance'), '{{instance}}']]),
      of('Memory', 'bytes', [
        [gauge('process_resident_memory_bytes'), '{{instance}} resident'],
        [gauge('nodejs_heap_size_used_bytes'), '{{instance}} heap used'],
        [gauge('nodejs_heap_size_total_bytes'), '{{instance}} heap'],
        [gauge('nodejs_external_memory_bytes'), '{{instance}} outside of it'],
      ]),
      of('Open files', 'short', [
        [gauge('process_open_fds'), '{{instance}}'],
        [gauge('process_max_fds'), '{{instance}} at most'],
      ]),
      of('Up for', 's', [[`time() - ${gauge('process_start_time_seconds')}`, '{{instance}}']]),
      of('Workers', 'short', [
        [gauge('bakeserv_workers'), '{{instance}} serving'],
        [`increase(bakeserv_worker_replacements_total{${SERVER}}[$__rate_interval])`, '{{instance}} replaced'],
      ]),
      of('Version', 'short', [[gauge('bakeserv_info'), '{{instance}} {{version}} on Node {{node}}']]),
    ],
  ],
];

const WIDTH = 8;
const HEIGHT = 8;
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the dashboard
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as Grafana imports it (10 and later). */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  let id = 1;
  for (const [title, row] of ROWS) {
    panels.push({ id: id++, type: 'row', title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: y++ }, panels: [] });
    for (const [i, panel] of row.entries()) {
      const x = (i % (24 / WIDTH)) * WIDTH;
      panels.push(timeSeries(panel, id++, { h: HEIGHT, w: WIDTH, x, y: y + Math.floor(i / (24 / WIDTH)) * HEIGHT }));
    }
    y += Math.ceil(row.length / (24 / WIDTH)) * HEIGHT;
  }
  const query = (name: string, label: string, metric: string) => ({
    name,
    label,
    type: 'query',
    datasource: SOURCE,
    query: { query: `label_values(${metric}, ${name})`, refId: name },
    refresh: 2,
    sort: 1,
  });
  return {
    title: 'bakeserv',
    uid: 'bakeserv',
    description: 'A bakeserv farm: https://prometheus.io scrapes it as contrib/prometheus/prometheus.yml says.',
    tags: ['bakeserv', 'bitbake', 'yocto'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        query('job', 'Job', 'bakeserv_info'),
        { ...query('instance', 'Server', 'bakeserv_info{job="$job"}'), includeAll: true, multi: true, allValue: '.*' },
      ],
    },
    panels,
  };
}

function timeSeries({ title, unit, queries, help, stacked = false }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: 'timeseries',
    title,
    ...(help && { description: help }),
    gridPos,
    datasource: SOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: { fillOpacity: stacked ? 20 : 5, stacking: { mode: stacked ? 'normal' : 'none' } },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi' },
    },
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: SOURCE,
      expr,
      legendFormat: legendFormat.trim() || '__auto',
    })),
  };
}
