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
