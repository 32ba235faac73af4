/** `bakeserv/server`: the server without its command line. */

export type { HubFigures, ListenerFigures, Rejection } from '../asyncrpc/hub-figures.ts';
export type { LimitHits, Limits } from '../asyncrpc/limits.ts';
export type { Access, Rights } from '../asyncrpc/rights.ts';
export type { Hub, Loan, LoanOwner, Presence } from '../asyncrpc/server/hub.ts';
export type { Carrier, Host, Peer, Place, SharedTurns } from '../asyncrpc/service.ts';
export type { Acceptor } from '../asyncrpc/transport/acceptor.ts';
export { type Address, formatAddress, parseAddress } from '../asyncrpc/transport/address.ts';
export type { InheritedSocket } from '../asyncrpc/transport/inherited.ts';
export type { Listener } from '../asyncrpc/transport/listen.ts';
export type { ListenAccess } from '../asyncrpc/transport/listen-check.ts';
export type { CertificateFiles, TlsFiles } from '../asyncrpc/transport/tls/credentials.ts';
export type { ListenerCertificate } from '../asyncrpc/transport/tls/listener.ts';
export type { Json } from '../asyncrpc/wire/messages.ts';
export {
  AddressError,
  BakeservError,
  ConfigError,
  ERROR_CODES,
  type ErrorCode,
  StorageError,
  type StorageErrorCode,
} from '../errors.ts';
export type { Loading } from '../hashserv/store.ts';
export type { HttpDoor } from '../http/door.ts';
export type { ReadyReport } from '../http/readiness.ts';
export type { JobCaller, JobListing, JobRequests } from '../jobs/jobs.ts';
export { type JobAccess, type JobKind, type JobRun, parametersOf, type Slice } from '../jobs/kind.ts';
export type { JobKindSource, Jobs } from '../jobs/late.ts';
export type { JobState } from '../jobs/records.ts';
export { createLogger, type LogFields, type Logger, type LogLevel, type ProgramLogger, SILENT } from '../log.ts';
export type { JobsStatus } from '../meter/job-figures.ts';
export type { MirrorEnd, MirrorRows, MirrorState, MirrorStatus } from '../meter/mirror-status.ts';
export type { StandbyLag } from '../meter/standby-lag.ts';
export type { MethodCounts } from '../meter/task-lookups.ts';
export type { MissCount } from '../meter/top-misses.ts';
export type { Observed, Sample, Snapshot } from '../metrics/snapshot.ts';
export type { Metrics, MetricsSource } from '../metrics/source.ts';
export type { Figures } from '../recorder/figures.ts';
export type { History } from '../recorder/recorder.ts';
export type { HistoryBuckets, HistorySeries, HistoryView, LookupSums, LookupsView, Span } from '../recorder/view.ts';
export {
  type App,
  type Change,
  createApp,
  type Door,
  type Follower,
  type Mirroring,
  type Server,
  startServer,
  type TakenOver,
} from '../server.ts';
export {
  type Config,
  type LoginGiven,
  resolveConfig,
  type ServiceConfig,
  type SyncMode,
  type UpstreamConfig,
} from '../settings/config.ts';
export { type ConfigFile, loadConfigFile } from '../settings/config-file.ts';
export type { PageConfig } from '../settings/http/page-settings.ts';
export type { ListenerSpec } from '../settings/listener-spec.ts';
export type { MirrorConfig } from '../settings/publishing/mirror-settings.ts';
export type { ListenerReport } from '../settings/rights.ts';
export type { Flags } from '../settings/settings.ts';
export type { InsightsConfig, JobsConfig, SharedStateConfig } from '../settings/work-settings.ts';
export type { Recording } from '../start/recorder.ts';
export type { WarnedDoor, Warnings } from '../warnings/gather.ts';
export type { Warning, WarningCode } from '../warnings/rules.ts';
