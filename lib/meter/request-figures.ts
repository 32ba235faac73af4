import { Histogram } from './histogram.ts';

/** How requests end: answered, refused for the client's own doing, or failed for a fault of the server's. */
export const RESULTS = ['ok', 'refused', 'failed'] as const;
export type Result = (typeof RESULTS)[number];

/** What lines of a stream command came to. */
export class LineFigures {
  /** Of lines that ask for something: it is known here, by nobody, or by the upstream alone. */
  hit = 0;
  miss = 0;
  upstreamHit = 0;
  /** Not answered, for a fault of the server's. */
  failed = 0;
  /** Of all that were answered: from when lines were taken up together until they were answered. */
  readonly seconds = new Histogram();
}

/** What requests of one command came to. */
export class CommandFigures {
  ok = 0;
  refused = 0;
  failed = 0;
  /** How long those took, by result; made when the first is noted. */
  readonly seconds: { [result in Result]: Histogram | null } = { ok: null, refused: null, failed: null };
  /** Of a stream command. */
  readonly lines: LineFigures | null;

  constructor(isStream: boolean) {
    this.lines = isStream ? new LineFigures() : null;
  }

  /**
   * Notes requests that ended together.
   * @param elapsedMs null for those whose time says nothing about the server
   */
  note(result: Result, requests: number, elapsedMs: number | null): void {
    if (requests === 0) return;
    this[result] += requests;
    if (elapsedMs === null) return;
    this.seconds[result] ??= new Histogram();
    this.seconds[result].observe(elapsedMs / 1000, requests);
  }
}

/** What the requests of a service came to, by command. */
export class RequestFigures {
  readonly commands: ReadonlyMap<string, CommandFigures>;
  /** Requests for a command that the service does not have, and those that name none. */
  readonly unknown = new CommandFigures(false);

  /** @param commands every command of the service, and whether it is a stream command */
  constructor(commands: Iterable<readonly [name: string, isStream: boolean]> = []) {
    this.commands = new Map([...commands].map(([name, isStream]) => [name, new CommandFigures(isStream)]));
  }

  /** The figures of a command; those of unknown ones for any other name. */
  of(name: string): CommandFigures {
    return this.commands.get(name) ?? this.unknown;
  }
}
