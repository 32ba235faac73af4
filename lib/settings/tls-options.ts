import type { Option } from './options.ts';

type Row = Omit<Option, 'group'>;

/** What listeners with TLS use that name no files of their own. */
export const TLS_ROWS: readonly Row[] = [
  {
    name: 'tls-cert',
    type: 'string',
    default: undefined,
    reloads: true,
    describe:
      'PEM file of the certificate for tls://, wss:// and https:// listeners that do not name their own, with the certificates that lead to its authority; read again on SIGHUP',
  },
  {
    name: 'tls-key',
    type: 'string',
    default: undefined,
    reloads: true,
    describe: 'PEM file of the key of that certificate; refused if others may read or write the file',
  },
  {
    name: 'tls-client-ca',
    type: 'string',
    default: undefined,
    reloads: true,
    describe:
      'PEM file of certificate authorities: clients of tls://, wss:// and https:// listeners must have a certificate of one of them, and act as the user that its subject names (CN)',
  },
];

/** What the server shows its upstreams. */
export const UPSTREAM_TLS_ROWS: readonly Row[] = [
  {
    name: 'upstream-tls-cert',
    type: 'string',
    default: undefined,
    describe: 'PEM file of the certificate to show upstreams that ask for one',
  },
  {
    name: 'upstream-tls-key',
    type: 'string',
    default: undefined,
    describe: 'PEM file of the key of that certificate; refused if others may read or write the file',
  },
];
