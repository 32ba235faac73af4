/** What the package offers to programs: the client library, addresses, and the server without its command line. */

export { AnswerTimeout, ConnectionLost } from './asyncrpc/client/channel.ts';
export {
  type AnsweredBatch,
  type BatchSource,
  type Client,
  connectClient,
  createClient,
  type LineSource,
} from './asyncrpc/client/client.ts';
export { type Credentials, findCredentials } from './asyncrpc/client/netrc.ts';
export type { ClientOptions } from './asyncrpc/client/options.ts';
export { type Address, formatAddress, parseAddress } from './asyncrpc/transport/address.ts';
export type { Json } from './asyncrpc/wire/messages.ts';
export * from './errors.ts';
export * from './hashserv/client.ts';
export * from './hashserv/client-types.ts';
export type { RowValues } from './hashserv/store.ts';
export type { Table } from './hashserv/where.ts';
export { createLogger, type Logger } from './log.ts';
export * from './prserv/client.ts';
export type { ChecksumKey, PackageKey, PrFilter, PrRow } from './prserv/store.ts';
export { type App, createApp, type Server, startServer } from './server.ts';
export { type Config, resolveConfig } from './settings/config.ts';
