/** `bakeserv/client`: the typed clients. Loads no server and no SQLite. */

export type { CallOptions } from '../asyncrpc/client/abort.ts';
export { AnswerTimeout, ConnectionLost } from '../asyncrpc/client/channel.ts';
export {
  type AnsweredBatch,
  type BatchSource,
  type Client,
  connectClient,
  createClient,
  type IdleClient,
  type LineSource,
} from '../asyncrpc/client/client.ts';
export { type Credentials, findCredentials } from '../asyncrpc/client/netrc.ts';
export type { ClientOptions } from '../asyncrpc/client/options.ts';
export { type Address, formatAddress, parseAddress } from '../asyncrpc/transport/address.ts';
export type { Dialed, DialOptions, dial } from '../asyncrpc/transport/dial.ts';
export type { Json } from '../asyncrpc/wire/messages.ts';
export {
  AddressError,
  BakeservError,
  ConfigError,
  ERROR_CODES,
  type ErrorCode,
  InvokeError,
  ProtocolError,
  type RefusalKind,
} from '../errors.ts';
export { connectHashClient, HASH_PROTOCOL } from '../hashserv/client.ts';
export type {
  CompareReply,
  DatabaseUsage,
  GcStatusReply,
  HashClient,
  HashClientOptions,
  HashRecord,
  ImportReply,
  Login,
  ReportFields,
  RowCounts,
  RowOptions,
  RowPage,
  StatsReply,
  TaskKey,
  TaskUnihash,
  UserReply,
  WhereColumns,
  WhereSource,
} from '../hashserv/client-types.ts';
export type { FoundTask, FoundTasks } from '../hashserv/find-tasks.ts';
export type { RequestFigures } from '../hashserv/stats.ts';
export type { RowValues } from '../hashserv/store.ts';
export type { Table } from '../hashserv/where.ts';
export {
  connectPrClient,
  PR_PROTOCOL,
  type PrClient,
  type PrClientOptions,
  type PrExport,
  type PrExportOptions,
  type PrImportReply,
  type PrPage,
} from '../prserv/client.ts';
export type { FoundPackages } from '../prserv/find-packages.ts';
export type {
  ChecksumKey,
  ColumnInfo,
  PackageCount,
  PackageKey,
  PrFilter,
  PrRow,
  RowFilter,
} from '../prserv/store.ts';
