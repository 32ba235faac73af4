/** What insights answer, for the description of the interface. */

const TEXT = { type: 'string' };
const OPTIONAL = { type: ['string', 'null'] };
const COUNT = { type: 'integer' };
const BYTES = { type: 'integer' };

const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});
const list = (items: object) => ({ type: 'array', items });

/** Of every insight. */
const MADE = { made: { ...TEXT, format: 'date-time' }, seconds: { type: 'number' } };

const SUMS = { reports: COUNT, unused: COUNT, bytes: BYTES, siginfo_rows: COUNT, siginfo_bytes: BYTES };

export const AGE = object({
  months: list(object({ month: OPTIONAL, ...SUMS })),
  earlier: { anyOf: [object({ months: COUNT, ...SUMS }), { type: 'null' }] },
  tables: list(object({ table: TEXT, rows: COUNT, bytes: BYTES, siginfo_rows: COUNT, siginfo_bytes: BYTES })),
  database_bytes: { type: ['integer', 'null'] },
  gc: object(
    {
      max_age_seconds: { type: 'number' },
      unused: COUNT,
      would_remove: COUNT,
      would_remove_bytes: BYTES,
      mark: OPTIONAL,
      marked: COUNT,
      unmarked: COUNT,
    },
    ['max_age_seconds', 'unused', 'would_remove', 'would_remove_bytes', 'mark'],
  ),
  ...MADE,
});

export const CHURN = object({
  days: COUNT,
  since: { type: ['string', 'null'], format: 'date-time' },
  packages: COUNT,
  values: COUNT,
  new: { type: ['integer', 'null'] },
  not_countable: COUNT,
  near_limit: COUNT,
  recipes: list(
    object({
      recipe: TEXT,
      pkgarch: TEXT,
      versions: COUNT,
      values: COUNT,
      new: { type: ['integer', 'null'] },
      skipped: COUNT,
      largest: TEXT,
      left: COUNT,
    }),
  ),
  more: COUNT,
  ...MADE,
});

const SUMS_OF_LOOKUPS = object({ hits: COUNT, misses: COUNT, upstream_hits: COUNT });
const SERIES = list({ type: ['number', 'null'] });

export const LOOKUPS_VIEW = object({
  span: { enum: ['hour', 'day', 'month'] },
  bucket_seconds: COUNT,
  from: TEXT,
  to: TEXT,
  recorded_since: OPTIONAL,
  times: list(COUNT),
  methods: list(object({ method: TEXT, hits: SERIES, misses: SERIES, upstream_hits: SERIES, total: SUMS_OF_LOOKUPS })),
  total: SUMS_OF_LOOKUPS,
  top_misses: list(object({ method: TEXT, taskhash: TEXT, count: COUNT })),
  ...MADE,
});

const RECIPE = { PN: OPTIONAL, task: OPTIONAL };
const TIME = OPTIONAL;

export const UNSTABLE = object({
  tasks: list(
    object({
      ...RECIPE,
      method: TEXT,
      taskhash: TEXT,
      outputs: COUNT,
      siginfo: COUNT,
      first: TIME,
      last: TIME,
      owners: list(TEXT),
      more_owners: COUNT,
    }),
  ),
  recipes: list(object({ ...RECIPE, tasks: COUNT, outputs: COUNT, last: TIME })),
  total: object({ tasks: COUNT, outputs: COUNT, without_siginfo: COUNT, of_further_recipes: COUNT }, [
    'tasks',
    'outputs',
    'without_siginfo',
  ]),
  ...MADE,
});

const OUTPUT = object({
  outhash: TEXT,
  created: TIME,
  owner: OPTIONAL,
  ...RECIPE,
  siginfo_bytes: { type: ['integer', 'null'] },
});
const FILE = object({
  path: TEXT,
  mode: TEXT,
  owner: OPTIONAL,
  group: OPTIONAL,
  time: OPTIONAL,
  size: OPTIONAL,
  checksum: OPTIONAL,
  target: OPTIONAL,
});
const LINE = object({ kind: { enum: ['only-here', 'only-there'] }, number: COUNT, text: TEXT });

export const DIFF = object(
  {
    taskhash: TEXT,
    method: TEXT,
    here: OUTPUT,
    there: OUTPUT,
    form: { enum: ['files', 'lines'] },
    files: object({ here: COUNT, there: COUNT }),
    entries: list({
      anyOf: [
        object({ kind: { enum: ['only-here', 'only-there'] }, path: TEXT, file: FILE }),
        object({ kind: { const: 'changed' }, path: TEXT, changes: list(TEXT), here: FILE, there: FILE }),
        LINE,
      ],
    }),
    counts: { type: 'object', additionalProperties: COUNT },
    header: list(LINE),
    same: { type: 'boolean' },
    cut: { type: 'boolean' },
    outputs: list(OUTPUT),
    ...MADE,
  },
  [
    'taskhash',
    'method',
    'here',
    'there',
    'form',
    'entries',
    'counts',
    'header',
    'same',
    'cut',
    'outputs',
    'made',
    'seconds',
  ],
);

export const EQUIVALENCES = object({
  recipes: list(object({ ...RECIPE, reports: COUNT, found: COUNT, last: TIME })),
  days: list(object({ day: OPTIONAL, found: COUNT })),
  never: list(object({ ...RECIPE, reports: COUNT })),
  unihashes: list(object({ unihash: TEXT, ...RECIPE, tasks: COUNT, last: TIME })),
  total: object({ found: COUNT, unihashes: COUNT, not_rebuilt_estimate: COUNT, of_further_recipes: COUNT }, [
    'found',
    'unihashes',
    'not_rebuilt_estimate',
  ]),
  ...MADE,
});

const NULLABLE_COUNT = { type: ['integer', 'null'] };
const FOLDER = object({ objects: COUNT, folders: COUNT, links: COUNT, unreadable: COUNT });
const MIRROR = object({ requests: COUNT, remembered: COUNT, nameless: COUNT, unanswered: COUNT, stopped: OPTIONAL });

/** Of the last comparison; it was not made for who asks, so it tells no time that it took. */
export const SHARED_STATE = object({
  made: MADE.made,
  folder: { anyOf: [FOLDER, { type: 'null' }] },
  mirror: { anyOf: [MIRROR, { type: 'null' }] },
  unihashes: COUNT,
  present: COUNT,
  missing: COUNT,
  recent: COUNT,
  unknown: COUNT,
  orphans: NULLABLE_COUNT,
  orphan_bytes: NULLABLE_COUNT,
  recent_orphans: NULLABLE_COUNT,
  recipes: list(
    object({
      PN: OPTIONAL,
      task: OPTIONAL,
      unihashes: COUNT,
      missing: COUNT,
      unknown: COUNT,
      oldest_report: OPTIONAL,
      missing_since: OPTIONAL,
      orphans: NULLABLE_COUNT,
      orphan_bytes: NULLABLE_COUNT,
    }),
  ),
  more: COUNT,
});
