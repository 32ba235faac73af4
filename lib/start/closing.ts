import type { Service } from '../asyncrpc/service.ts';

/** How long a stopping server waits, once its clients are gone, for writes held up by another program's lock … */
const WRITER_DRAIN_MS = 3000;
/** … including this long for what the services still want to write. */
const SERVICE_GRACE_MS = 2000;

/** Closes what a server stores in, after its last client has gone: the services, their databases, the access log. */
export async function closeData(
  services: readonly Service[],
  databases: readonly { close(drainMs: number): Promise<void> }[],
  access: { close(): Promise<void> },
): Promise<void> {
  const until = performance.now() + WRITER_DRAIN_MS;
  await Promise.all(services.map((service) => service.close(SERVICE_GRACE_MS)));
  const drainMs = until - performance.now();
  // In parallel: two locked files, one after the other, would take longer than a stop may.
  await Promise.all([...databases.map((each) => each.close(drainMs)), access.close()]);
}
