import { OPTIONAL_TEXT, object, TEXT } from '../../asyncrpc/schemas.ts';
import type { Outcome } from '../../asyncrpc/service.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import type { PrCommandRow } from '../context.ts';
import { DB_ADMIN, READ, REPORT } from '../permissions.ts';
import type { PackageKey, PrFilter } from '../store.ts';
import { CHAIN_COMMAND } from '../upstream/upstream.ts';
import { exportRows } from './export.ts';
import { PR_FIND_COMMANDS } from './find.ts';
import { BAD_VALUE, roomFault } from './import-rule.ts';
import { PR_INSIGHT_COMMANDS } from './insights.ts';
import { PR_JOB_COMMANDS } from './jobs.ts';
import { type ChecksumArgs, chainPr, getPr, madeOf, testPr } from './lookups.ts';
import { PR_ROW_COMMANDS } from './rows.ts';

const PACKAGE = { version: TEXT, pkgarch: TEXT };
const CHECKSUM = { ...PACKAGE, checksum: TEXT };
const HISTORY = { history: { type: 'boolean' } };
const REQUEST = object({ ...CHECKSUM, ...HISTORY }, Object.keys(CHECKSUM));

/** The commands of the PR service (docs/protocol.md). */
export const PR_COMMANDS: Readonly<Record<string, PrCommandRow>> = {
  ping: { needs: [], users: [], always: true, handle: () => ({ alive: true }) },

  // Only where the listener asks for it: BitBake's PR clients cannot log in.
  auth: {
    needs: [],
    users: [],
    schema: object({ username: TEXT, token: { type: 'string', format: 'text' } }),
    handle: ({ login }, { username, token }: { username: string; token: string }) => login!.logIn(username, token),
  },

  // A read-only server answers by the same rule (docs/protocol.md).
  'get-pr': {
    needs: [],
    users: [READ],
    usersToWrite: [REPORT],
    mayWrite: true,
    schema: REQUEST,
    batch: getPr,
  },

  'test-pr': {
    needs: [],
    users: [READ],
    schema: REQUEST,
    batch: (context, args: readonly ChecksumArgs[]) => madeOf(testPr(context, args), asValues),
  },

  'test-package': {
    needs: [],
    users: [READ],
    schema: object(PACKAGE),
    batch: ({ store }, args: readonly PackageKey[]) =>
      madeOf(store.maxima(args), (maxima) => maxima.map((max) => ({ value: max !== null }))),
  },

  'max-package-pr': {
    needs: [],
    users: [READ],
    schema: object(PACKAGE),
    batch: ({ store }, args: readonly PackageKey[]) => madeOf(store.maxima(args), asValues),
  },

  // Ours, for a bakeserv below: BitBake's servers do not have this command.
  [CHAIN_COMMAND]: {
    needs: [],
    users: [READ],
    schema: REQUEST,
    batch: chainPr,
  },

  'import-one': {
    needs: [],
    users: [DB_ADMIN],
    writes: true,
    readOnlyReply: null,
    schema: object({
      ...CHECKSUM,
      value: {
        anyOf: [
          { type: 'integer', minimum: 0, maximum: 999_999_999 },
          { type: 'string', format: 'pr-value' },
        ],
      },
    }),
    refusals: { value: `import-one: ${BAD_VALUE}` },
    batch: async ({ store, imports }, args: readonly (ChecksumArgs & { value: string | number })[]) => {
      const faults = args.map(({ value }) => roomFault(String(value)));
      const good = args.filter((_, i) => faults[i] === null);
      if (good.length > 0) {
        await store.importRows(
          good.map(({ version, pkgarch, checksum, value }) => ({ version, pkgarch, checksum, value: String(value) })),
        );
      }
      imports.add({ one: good.length, refused: args.length - good.length });
      return args.map(({ value }, i) =>
        faults[i] === null ? { value } : new InvokeError(`import-one: ${faults[i]}`, undefined, 'invalid'),
      );
    },
  },

  export: {
    needs: [],
    users: [READ],
    schema: object(
      {
        version: OPTIONAL_TEXT,
        pkgarch: OPTIONAL_TEXT,
        checksum: OPTIONAL_TEXT,
        colinfo: { type: 'boolean' },
        ...HISTORY,
      },
      [],
    ),
    handle: ({ store, defaultHistory }, args: Partial<PrFilter> & { colinfo?: boolean; history?: boolean }) => {
      const { version = null, pkgarch = null, checksum = null, colinfo = false, history = defaultHistory } = args;
      return exportRows(store, { version, pkgarch, checksum }, { colinfo, history });
    },
  },

  'is-readonly': { needs: [], users: [READ], handle: ({ readOnly }): Json => ({ readonly: readOnly }) },

  ...PR_FIND_COMMANDS,
  ...PR_ROW_COMMANDS,
  ...PR_JOB_COMMANDS,
  ...PR_INSIGHT_COMMANDS,
};

function asValues(values: readonly (string | null)[]): Outcome[] {
  return values.map((value) => ({ value }));
}
