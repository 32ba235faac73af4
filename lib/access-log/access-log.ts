import type { HubFigures } from '../asyncrpc/hub-figures.ts';
import type { Peer, Service } from '../asyncrpc/service.ts';
import type { Logger } from '../log.ts';

/** The access log of a server; docs/access-log.md says what is in it. */
export interface AccessLog {
  /** The services, with a line for each request, stream and connection. Without a log the same services: it then costs nothing. */
  watch(services: readonly Service[], figures: HubFigures): readonly Service[];
  /** Goes on in the file of that name. Throws the system's error, and then goes on in the old one. */
  reopen(): void;
  /** Writes what waits, unless the disk takes too long. */
  close(): Promise<void>;
}

const NONE: AccessLog = { watch: (services) => services, reopen() {}, close: async () => {} };

/**
 * @param name a path, `-` for standard output, or null for no log: then what writes one is not even loaded
 * @throws the system's error when the file cannot be opened
 */
export async function openAccessLog(name: string | null, log: Logger): Promise<AccessLog> {
  if (name === null) return NONE;
  const [{ AccessFile }, { watchService }] = await Promise.all([import('./file.ts'), import('./watch.ts')]);
  const file = new AccessFile({ file: name, log });
  return {
    watch(services, { listeners }) {
      const listenerOf = ({ listener }: Peer) => {
        for (const [address, figures] of listeners) if (figures === listener) return address;
        return null;
      };
      return services.map((service) => watchService(service, { add: (line) => file.add(line), listenerOf }));
    },
    reopen: () => file.reopen(),
    close: () => file.close(),
  };
}
