import { ProtocolError } from '../errors.ts';
import { ERRORS_HEADER, TELL } from './faults.ts';
import type { Limits } from './limits.ts';
import { VIA_HEADER } from './loop-guard.ts';
import type { Service } from './service.ts';

/** The service a first line `<protocol> <major>.<minor>` asks for, or null when it is not spoken here. */
export function acceptProtocol(line: string, services: ReadonlyMap<string, Service>): Service | null {
  const match = /^(\S+) (\d{1,4})\.(\d{1,4})$/.exec(line);
  if (!match) return null;
  const service = services.get(match[1]!);
  return service?.accepts(Number(match[2]), Number(match[3])) ? service : null;
}

/** Reads header lines `key: value` up to the empty line (protocol.md section 1). */
export class HeaderReader {
  /** The client asked for the server's own headers. */
  needsHeaders = false;
  /** The client wants to be told of the server's own faults. */
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
   * @throws ProtocolError for a line that is no header, and for too many of them
   */
  push(line: string): boolean {
    if (line === '') return true;
    this.count++;
    this.bytes += line.length;
    const { maxHeaders, maxHeaderBytes } = this.limits;
    if (this.count > maxHeaders || this.bytes > maxHeaderBytes) {
      throw new ProtocolError(`more than ${maxHeaders} headers or ${maxHeaderBytes} bytes of them`);
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
