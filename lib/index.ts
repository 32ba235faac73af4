/** What the package offers to programs: the client library, addresses, and the server without its command line. */
export { type Address, formatAddress, parseAddress } from './asyncrpc/address.ts';
export { AnswerTimeout, ConnectionLost } from './asyncrpc/channel.ts';
export {
  type AnsweredBatch,
  type BatchSource,
  type Client,
  type ClientOptions,
  connectClient,
  createClient,
  type LineSource,
} from './asyncrpc/client.ts';
export type { Json } from './asyncrpc/messages.ts';
export { type Credentials, findCredentials } from './asyncrpc/netrc.ts';
export { type Config, resolveConfig } from './config.ts';
export * from './errors.ts';
export * from './hashserv/client.ts';
export type { RowValues } from './hashserv/store.ts';
export type { Table } from './hashserv/where.ts';
export { createLogger, type Logger } from './log.ts';
export * from './prserv/client.ts';
export type { ChecksumKey, PackageKey, PrFilter, PrRow } from './prserv/store.ts';
export { type App, createApp, type Server, startServer } from './server.ts';
