import type { Command, Outcome, Peer, Service, Session } from '../../asyncrpc/service.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Credentials } from './credentials.ts';
import { ApiProblem } from './failure.ts';

/** The service that has the users. */
export const USERS = 'OEHASHEQUIV';
/** How long a request waits for its turn to write. */
const GATE_MS = 5000;

/**
 * What one request may ask of the services: through their commands and nothing else, so that the rights, the checks, the
 * throttling, the log and the rules of a read-only server are those of the protocol.
 */
export class Caller {
  private readonly services: ReadonlyMap<string, Service>;
  private readonly peer: Peer;
  private readonly credentials: Credentials | null;
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly opened: Session[] = [];
  private closed = false;
  private leaveGate: (() => void) | null = null;

  /** @param services those of the client's listener */
  constructor(services: ReadonlyMap<string, Service>, peer: Peer, credentials: Credentials | null) {
    this.services = services;
    this.peer = peer;
    this.credentials = credentials;
  }

  /**
   * Runs a command. Its refusal, or what went wrong, is thrown.
   * @param untilRoom resolves when an answer of any length may be fetched
   */
  async run(
    protocol: string,
    command: string,
    argument: Json,
    untilRoom: () => Promise<void> | null,
  ): Promise<Exclude<Outcome, Error>> {
    const session = await this.session(protocol);
    const found = session.command(command)!;
    if (found.isLong?.(argument)) await untilRoom();
    const [outcome] = await this.handOver(found, () => session.invoke(found, [argument]));
    if (outcome instanceof Error) throw outcome;
    return outcome!;
  }

  /** Whether the client's listener has a service. */
  speaks(protocol: string): boolean {
    return this.services.has(protocol);
  }

  /** Whether a command is open to the client, as far as its name tells; false where its service is not spoken. */
  async may(protocol: string, command: string): Promise<boolean> {
    if (!this.speaks(protocol)) return false;
    const session = await this.session(protocol);
    return (await session.refuses(session.command(command)!, true)) === null;
  }

  /** Checks the login that was given, if it is not checked yet. What is wrong with it is thrown. */
  async logIn(): Promise<void> {
    const [protocol] = [USERS, ...this.services.keys()].filter((each) => this.speaks(each));
    if (protocol !== undefined) await this.session(protocol);
  }

  /** Whom the services know the client as; null for nobody. A name that did not come with a token is looked up for the first command. */
  get username(): string | null {
    return this.opened.find(({ username }) => username)?.username ?? null;
  }

  /** The request is over, or its client gone. */
  close(): void {
    this.closed = true;
    this.leaveGate?.();
    for (const session of this.opened) session.close();
  }

  private session(protocol: string): Promise<Session> {
    let session = this.sessions.get(protocol);
    if (!session) {
      session = this.open(protocol);
      this.sessions.set(protocol, session);
    }
    return session;
  }

  private async open(protocol: string): Promise<Session> {
    const service = this.services.get(protocol);
    if (!service) throw new ApiProblem('not-served', 'This listener does not serve that: ask at another address.');
    const { credentials } = this;
    const session = service.open(this.peer, []);
    this.opened.push(session);
    if (this.closed) session.close();
    if (!credentials) return session;
    const auth = session.command('auth');
    if (auth) {
      const [outcome] = await session.invoke(auth, [{ ...credentials }]);
      if (outcome instanceof Error) throw outcome;
    } else if (!this.services.has(USERS)) {
      throw new ApiProblem('not-served', 'This listener has no users: ask without a login.');
    } else await this.session(USERS);
    return session;
  }

  /** Runs it at once, or in its turn at the command's gate; then inside the gate's call, or others behind it would come first. */
  private handOver<T>({ gate }: Command, task: () => T | Promise<T>): T | Promise<T> {
    if (!gate || gate.isOpen) return task();
    return new Promise((resolve, reject) => {
      const leave = gate.wait(() => {
        clearTimeout(late);
        resolve(task());
      });
      const late = setTimeout(() => {
        leave();
        reject(new ApiProblem('busy', 'Too much is being written; try again.'));
      }, GATE_MS);
      this.leaveGate = () => {
        clearTimeout(late);
        leave();
      };
    });
  }
}
