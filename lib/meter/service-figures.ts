import { RequestFigures } from './request-figures.ts';
import { TaskLookups } from './task-lookups.ts';

/** What logins came to. */
export class LoginFigures {
  ok = 0;
  refused = 0;
  /** Those that were checked in turn, because many of that user from there had failed. */
  waited = 0;
}

/** Rows of an upstream that are stored in the background. */
export class BackfillFigures {
  /** Waiting, including the batch that is being stored. */
  queued = 0;
  stored = 0;
  dropped = 0;
}

/** What a service counts. */
export class ServiceFigures {
  readonly requests: RequestFigures;
  readonly logins = new LoginFigures();
  readonly backfill = new BackfillFigures();

  constructor(requests = new RequestFigures()) {
    this.requests = requests;
  }
}

/** What the hash equivalence service counts beside. */
export class HashFigures extends ServiceFigures {
  readonly lookups = new TaskLookups();
}
