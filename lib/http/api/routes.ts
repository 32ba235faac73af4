import type { Json } from '../../asyncrpc/wire/messages.ts';
import {
  CHECKSUM_BODY,
  EQUIVALENCE,
  GC_STATUS,
  HISTORY,
  NAME,
  NEW_USER,
  OUTHASH_ROW,
  PERMISSIONS_BODY,
  PR_ROWS,
  PR_VALUE,
  REPORT,
  TOKEN,
  UNIHASH,
  USER,
  USERS,
  VALUE_BODY,
} from './schemas.ts';

/** What a route reads from a request: everything is text but the body. */
export interface ApiArguments {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: { readonly [key: string]: Json };
}

/** A route as data: the command of the protocol that it is, and where its argument comes from. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly id: string;
  readonly tag: 'hash equivalence' | 'PR values' | 'users';
  readonly summary: string;
  readonly service: 'OEHASHEQUIV' | 'PRSERVICE';
  readonly command: string;
  argument(given: ApiArguments): Json;
  /** Parameters behind the question mark. */
  readonly query?: Readonly<Record<string, object>>;
  readonly body?: object;
  /** What is answered. */
  readonly answer: object;
  /** The status of an answer; 200 without it. */
  readonly status?: 201;
}

const flag = (text: string | undefined): Json | undefined => (text === 'true' ? true : text === 'false' ? false : text);
/** A flag that is not given is not part of the argument: the command then has its own default. */
const given = (name: string, text: string | undefined) => (text === undefined ? {} : { [name]: flag(text)! });

const FLAG = { type: 'string', enum: ['true', 'false'] };

export const API_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/unihashes/:method/:taskhash',
    id: 'getUnihash',
    tag: 'hash equivalence',
    summary: 'The unihash of a task; with all=true the oldest output of the task, joined with it',
    service: 'OEHASHEQUIV',
    command: 'get',
    argument: ({ path, query }) => ({ ...path, ...given('all', query.all) }),
    query: { all: FLAG },
    answer: UNIHASH,
  },
  {
    method: 'GET',
    path: '/outhashes/:method/:outhash',
    id: 'getOuthash',
    tag: 'hash equivalence',
    summary: 'The oldest task with this output, joined with its unihash unless with_unihash=false',
    service: 'OEHASHEQUIV',
    command: 'get-outhash',
    // Only an upstream is told the taskhash.
    argument: ({ path, query }) => ({
      ...path,
      taskhash: query.taskhash ?? path.outhash!,
      ...given('with_unihash', query.with_unihash),
    }),
    query: { taskhash: { type: 'string' }, with_unihash: FLAG },
    answer: OUTHASH_ROW,
  },
  {
    method: 'POST',
    path: '/reports',
    id: 'report',
    tag: 'hash equivalence',
    summary: 'Reports the output of a task; the answer has the unihash that the task has from now on',
    service: 'OEHASHEQUIV',
    command: 'report',
    argument: ({ body }) => body,
    body: REPORT,
    answer: UNIHASH,
  },
  {
    method: 'POST',
    path: '/equivalences',
    id: 'reportEquivalence',
    tag: 'hash equivalence',
    summary: 'Gives a task a unihash unless it has one; the answer has the one it has',
    service: 'OEHASHEQUIV',
    command: 'report-equiv',
    argument: ({ body }) => body,
    body: EQUIVALENCE,
    answer: UNIHASH,
  },
  {
    method: 'GET',
    path: '/gc',
    id: 'getGcStatus',
    tag: 'hash equivalence',
    summary: 'How many rows a sweep would keep and remove, and the current mark',
    service: 'OEHASHEQUIV',
    command: 'gc-status',
    argument: () => ({}),
    answer: GC_STATUS,
  },
  {
    method: 'GET',
    path: '/packages/:pkgarch/:version',
    id: 'getPackage',
    tag: 'PR values',
    summary: 'The largest value of a package',
    service: 'PRSERVICE',
    command: 'max-package-pr',
    argument: ({ path }) => ({ ...path }),
    answer: PR_VALUE,
  },
  {
    method: 'GET',
    path: '/packages/:pkgarch/:version/values',
    id: 'getPackageValues',
    tag: 'PR values',
    summary: 'Every value of a package with its checksum; with history=false the newest',
    service: 'PRSERVICE',
    command: 'export',
    argument: ({ path, query }) => ({ ...path, history: flag(query.history ?? 'true')! }),
    query: HISTORY,
    answer: PR_ROWS,
  },
  {
    method: 'GET',
    path: '/packages/:pkgarch/:version/checksums/:checksum',
    id: 'getChecksum',
    tag: 'PR values',
    summary: 'The value of a checksum; nothing is created',
    service: 'PRSERVICE',
    command: 'test-pr',
    argument: ({ path, query }) => ({ ...path, ...given('history', query.history) }),
    query: HISTORY,
    answer: PR_VALUE,
  },
  {
    method: 'POST',
    path: '/packages/:pkgarch/:version/values',
    id: 'getPr',
    tag: 'PR values',
    summary: 'The value of a checksum, which gets one if it has none',
    service: 'PRSERVICE',
    command: 'get-pr',
    argument: ({ path, body }) => ({ ...body, ...path }),
    body: CHECKSUM_BODY,
    answer: PR_VALUE,
  },
  {
    method: 'PUT',
    path: '/packages/:pkgarch/:version/checksums/:checksum',
    id: 'importValue',
    tag: 'PR values',
    summary: 'Imports a value for a checksum',
    service: 'PRSERVICE',
    command: 'import-one',
    argument: ({ path, body }) => ({ ...body, ...path }),
    body: VALUE_BODY,
    answer: PR_VALUE,
  },
  {
    method: 'GET',
    path: '/user',
    id: 'getSelf',
    tag: 'users',
    summary: 'The user who asks',
    service: 'OEHASHEQUIV',
    command: 'get-user',
    argument: () => ({}),
    answer: USER,
  },
  {
    method: 'GET',
    path: '/users',
    id: 'getUsers',
    tag: 'users',
    summary: 'All users',
    service: 'OEHASHEQUIV',
    command: 'get-all-users',
    argument: () => ({}),
    answer: USERS,
  },
  {
    method: 'POST',
    path: '/users',
    id: 'newUser',
    tag: 'users',
    summary: 'Creates a user; only this answer has the token',
    service: 'OEHASHEQUIV',
    command: 'new-user',
    argument: ({ body }) => body,
    body: NEW_USER,
    answer: TOKEN,
    status: 201,
  },
  {
    method: 'GET',
    path: '/users/:username',
    id: 'getUser',
    tag: 'users',
    summary: 'A user',
    service: 'OEHASHEQUIV',
    command: 'get-user',
    argument: ({ path }) => ({ ...path }),
    answer: USER,
  },
  {
    method: 'DELETE',
    path: '/users/:username',
    id: 'deleteUser',
    tag: 'users',
    summary: 'Deletes a user',
    service: 'OEHASHEQUIV',
    command: 'delete-user',
    argument: ({ path }) => ({ ...path }),
    answer: NAME,
  },
  {
    method: 'PUT',
    path: '/users/:username/permissions',
    id: 'setPermissions',
    tag: 'users',
    summary: 'Gives a user these permissions and no others',
    service: 'OEHASHEQUIV',
    command: 'set-user-perms',
    argument: ({ path, body }) => ({ ...body, ...path }),
    body: PERMISSIONS_BODY,
    answer: USER,
  },
  {
    method: 'POST',
    path: '/users/:username/token',
    id: 'refreshToken',
    tag: 'users',
    summary: 'Replaces the token of a user; only this answer has the new one',
    service: 'OEHASHEQUIV',
    command: 'refresh-token',
    argument: ({ path }) => ({ ...path }),
    answer: TOKEN,
  },
];
