import { ProtocolError } from '../../errors.ts';
import { ERRORS_HEADER, TELL } from '../faults.ts';
import { LimitError, type Limits } from '../limits.ts';
import type { Peer, Service, Session } from '../service.ts';

/** The header in which a server shows its upstream a nonce, and passes on the nonces of the servers below it. */
export const VIA_HEADER = 'bakeserv-via';

/** The service a first line `<protocol> <major>.<minor>` asks for, or null when no service here speaks it. */
function acceptProtocol(line: string, services: ReadonlyMap<string, Service>): Service | null {
  const match = /^(\S+) (\d{1,4})\.(\d{1,4})$/.exec(line);
  if (!match) return null;
  const service = services.get(match[1]!);
  return service?.accepts(Number(match[2]), Number(match[3])) ? service : null;
}

/** Reads header lines `key: value` up to the empty line (docs/protocol.md). */
class HeaderReader {
  /** The client asked for the server's own headers. */
  needsHeaders = false;
  /** The client asked to be told of the server's own faults. */
  tellErrors = false;
  /** The names of the servers the client asks for, when it is a server. */
  via: readonly string[] = [];
  private count = 0;
  private bytes = 0;
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /**
   * @returns true once the headers are over
   * @throws ProtocolError for a line that is not a header, and for too many headers
   */
  push(line: string): boolean {
    if (line === '') return true;
    this.count++;
    this.bytes += line.length;
    const { maxHeaders, maxHeaderBytes } = this.limits;
    if (this.count > maxHeaders || this.bytes > maxHeaderBytes) {
      const limit = this.count > maxHeaders ? 'maxHeaders' : 'maxHeaderBytes';
      throw new LimitError(limit, `more than ${maxHeaders} headers or ${maxHeaderBytes} bytes of them`);
    }
    const colon = line.indexOf(':');
    if (colon < 0) throw new ProtocolError('a header without a colon');
    const key = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (key === 'needs-headers') this.needsHeaders = value.toLowerCase() === 'true';
    else if (key === ERRORS_HEADER) this.tellErrors = value.toLowerCase() === TELL;
    else if (key === VIA_HEADER) this.via = value.split(',');
    return false;
  }
}

/** A client whose handshake is complete. */
export interface Opened {
  readonly session: Session;
  /** It is told of the server's own faults. */
  readonly told: boolean;
  /** It wants the server's own headers. */
  readonly needsHeaders: boolean;
}

/** What a client says before its first request: the protocol line and its headers. */
export class Handshake {
  private readonly services: ReadonlyMap<string, Service>;
  private readonly peer: Peer;
  private readonly headers: HeaderReader;
  private service: Service | null = null;

  constructor(services: ReadonlyMap<string, Service>, peer: Peer, limits: Limits) {
    this.services = services;
    this.peer = peer;
    this.headers = new HeaderReader(limits);
  }

  /**
   * @returns the client once the handshake is complete, null until then, `refused` when it must be closed without an answer
   * @throws ProtocolError for bad headers, and when the service does not let the client in
   */
  push(line: string): Opened | null | 'refused' {
    if (!this.service) {
      this.service = acceptProtocol(line, this.services);
      return this.service ? null : 'refused';
    }
    if (!this.headers.push(line)) return null;
    const session = this.service.open(this.peer, this.headers.via);
    const told = !this.service.closesOnFault || this.headers.tellErrors;
    return { session, told, needsHeaders: this.headers.needsHeaders };
  }
}
