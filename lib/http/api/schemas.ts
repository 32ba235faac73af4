/**
 * What bodies and answers look like, for the description of the interface. What a request must hold is checked by the
 * command it is, and by nothing else.
 */

const TEXT = { type: 'string' };
const HASH = { type: 'string', maxLength: 256 };
const HEX = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const VALUE = { type: 'string', pattern: '^\\d{1,9}(\\.\\d{1,9}){0,15}$' };
const PERMISSIONS = {
  type: 'array',
  items: { type: 'string', enum: ['@read', '@report', '@db-admin', '@user-admin', '@all', '@none'] },
};
const OPTIONAL = { type: ['string', 'null'] };

const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});

export const UNIHASH = object({ taskhash: HASH, method: HASH, unihash: HEX }, ['taskhash', 'method']);
const NOTES = { owner: OPTIONAL, PN: OPTIONAL, PV: OPTIONAL, PR: OPTIONAL, task: OPTIONAL, outhash_siginfo: OPTIONAL };
export const OUTHASH_ROW = object(
  { method: HASH, taskhash: HASH, outhash: HASH, created: TEXT, unihash: HEX, ...NOTES },
  ['method', 'taskhash', 'outhash'],
);
const FOUND_TASK = object({
  method: HASH,
  taskhash: HASH,
  unihash: OPTIONAL,
  outhash: OPTIONAL,
  owner: OPTIONAL,
  PN: OPTIONAL,
  PV: OPTIONAL,
  PR: OPTIONAL,
  task: OPTIONAL,
  created: OPTIONAL,
  siginfo: { type: 'boolean' },
});
export const FOUND_TASKS = object({
  text: TEXT,
  is: { type: 'array', items: { enum: ['taskhash', 'outhash', 'unihash', 'recipe'] } },
  rows: { type: 'array', items: FOUND_TASK },
  equivalent: { type: 'array', items: FOUND_TASK },
  cut: { type: 'boolean' },
  complete: { type: 'boolean' },
});
export const REPORT = object({ method: HASH, taskhash: HASH, outhash: HASH, unihash: HEX, ...NOTES }, [
  'method',
  'taskhash',
  'outhash',
  'unihash',
]);
export const EQUIVALENCE = object({ method: HASH, taskhash: HASH, unihash: HEX });
export const GC_STATUS = object({ keep: { type: 'integer' }, remove: { type: 'integer' }, mark: OPTIONAL });

export const HISTORY = { history: { type: 'string', enum: ['true', 'false'] } };
export const PR_VALUE = object({ value: VALUE });
export const PR_ROWS = object({
  metainfo: { type: 'object' },
  datainfo: { type: 'array', items: object({ version: TEXT, pkgarch: TEXT, checksum: TEXT, value: VALUE }) },
});
export const FOUND_PACKAGES = object({
  text: TEXT,
  packages: {
    type: 'array',
    items: object({ version: TEXT, pkgarch: TEXT, values: { type: 'integer' }, max: OPTIONAL }),
  },
  cut: { type: 'boolean' },
  complete: { type: 'boolean' },
});
export const VERSION = object({
  version: TEXT,
  pkgarchs: {
    type: 'array',
    items: object({
      pkgarch: TEXT,
      max: OPTIONAL,
      values: { type: 'array', items: object({ checksum: TEXT, value: TEXT, not_before: OPTIONAL }) },
      cut: { type: 'boolean' },
      upstream: {
        anyOf: [object({ state: { enum: ['answered', 'away'] }, max: OPTIONAL }, ['state']), { type: 'null' }],
      },
    }),
  },
});
export const CHECKSUM_BODY = object({ checksum: TEXT, history: { type: 'boolean' } }, ['checksum']);
/** A body and its answer: a value is answered as it was sent. */
export const IMPORTED_VALUE = object({
  value: { anyOf: [VALUE, { type: 'integer', minimum: 0, maximum: 999_999_999 }] },
});

export const NAME = object({ username: HASH });
export const USER = object({ username: HASH, permissions: PERMISSIONS });
export const USERS = object({ users: { type: 'array', items: USER } });
export const NEW_USER = USER;
export const TOKEN = object({ username: HASH, token: TEXT }, ['username', 'token']);
export const PERMISSIONS_BODY = object({ permissions: PERMISSIONS });

export const SIGN_IN = object({ username: HASH, token: TEXT });
const TEXTS = { type: 'array', items: TEXT };
export const SESSION = object({
  user: OPTIONAL,
  by: { enum: ['token', 'session', 'proxy', 'certificate', null] },
  expires: { type: ['string', 'null'], format: 'date-time' },
  permissions: PERMISSIONS,
  sign_in: { type: 'boolean' },
  may: object({ hashserv: TEXTS, prserv: TEXTS }, []),
  pull_from: TEXTS,
  shared_state: { type: 'boolean' },
});

const TIME = { type: ['string', 'null'], format: 'date-time' };
const JOB_IN_LIST = {
  id: { type: 'integer' },
  kind: TEXT,
  parameters: { type: 'object' },
  state: { enum: ['waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted'] },
  cancelling: { type: 'boolean' },
  user: OPTIONAL,
  address: TEXT,
  created: TIME,
  started: TIME,
  ended: TIME,
  progress: object({
    done: { type: 'number' },
    total: { type: ['number', 'null'] },
    unit: OPTIONAL,
    rate: { type: ['number', 'null'] },
    seconds_left: { type: ['number', 'null'] },
  }),
  error: OPTIONAL,
};
const ALWAYS = Object.keys(JOB_IN_LIST).filter((name) => name !== 'cancelling');
export const JOB = object({ ...JOB_IN_LIST, result: {}, log: { type: 'array', items: TEXT } }, [...ALWAYS, 'result']);
export const JOB_LIST = object({
  jobs: { type: 'array', items: object(JOB_IN_LIST, ALWAYS) },
  next: { type: ['integer', 'null'] },
});
export const JOB_BODY = object({ kind: TEXT, parameters: { type: 'object' } }, ['kind']);
export const JOB_STARTED = object({ id: { type: 'integer' }, joined: { type: 'boolean' } });

export const STATUS = object(
  {
    version: TEXT,
    started: TEXT,
    uptime_seconds: { type: 'number' },
    ready: { type: 'boolean' },
    clients: { type: 'integer' },
    requests: { type: ['object', 'null'] },
    upstreams: { type: 'object', additionalProperties: { enum: ['reachable', 'unreachable'] } },
    warnings: {
      type: 'array',
      items: object(
        { code: TEXT, severity: { enum: ['critical', 'warning'] }, text: TEXT, subject: OPTIONAL, since: TIME },
        ['code', 'severity', 'text', 'since'],
      ),
    },
    listeners: { type: 'array', items: { type: 'object' } },
    databases: { type: 'object' },
    upstream_addresses: { type: 'object' },
    mirrors: { type: 'array', items: { type: 'object', additionalProperties: true } },
    jobs: { type: ['object', 'null'], additionalProperties: true },
    gc: GC_STATUS,
  },
  ['version', 'started', 'uptime_seconds', 'ready', 'clients', 'requests', 'upstreams', 'warnings'],
);

const SERIES = { type: 'array', items: { type: ['number', 'null'] } };
const BUCKETS = {
  span: { enum: ['hour', 'day', 'month'] },
  bucket_seconds: { type: 'integer' },
  from: TIME,
  to: TIME,
  recorded_since: TIME,
  times: { type: 'array', items: { type: 'integer' } },
};
export const HISTORY_VIEW = object({ ...BUCKETS, series: { type: 'object', additionalProperties: SERIES } });

export const PROBLEM = object({
  type: { type: 'string', format: 'uri' },
  title: TEXT,
  status: { type: 'integer' },
  detail: TEXT,
});
