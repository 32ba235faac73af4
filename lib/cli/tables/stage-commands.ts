import type { Argument, Command } from '../args/table.ts';
import type { ServerCall } from '../commands/call.ts';
import { DISCARD_OPTIONS, PUBLISH_OPTIONS, STAGE_OPTIONS, STAGES_OPTIONS } from './stage-options.ts';

const NAME: Argument = { name: 'NAME', describe: 'The name of the stage' };

/** The commands of stages. */
export const STAGE_COMMANDS: Readonly<Record<string, Command<ServerCall>>> = {
  stage: {
    describe: 'Start (or find) a stage: a private server that asks the shared one, and keeps what is new to itself',
    details:
      'The server runs in the background and ends by itself; what is in it stays until it is discarded. The same command starts it again, at the same addresses. ' +
      'It prints the variables for BitBake.',
    arguments: [NAME],
    options: STAGE_OPTIONS,
    examples: [
      ['eval "$(bakeserv stage pr-1234)"', 'for the builds of this shell'],
      [
        'bakeserv stage pr-1234 --address unix:///run/bakeserv/hashserve.sock --new',
        'of a server, and never an old one',
      ],
    ],
    run: async (call) => (await import('../stage/stage.ts')).run(call),
  },
  stages: {
    describe: 'List the stages of this user',
    options: STAGES_OPTIONS,
    run: async (call) => (await import('../stage/stages.ts')).run(call),
  },
  publish: {
    describe: 'Show what is new in a stage, and have the shared server pull it',
    details:
      'Done by the shared server, on its machine and as its user, as by `bakeserv pull`. PR values come in one transaction: clients see all of them or none. Where there are conflicts ' +
      'the status is 1, and nothing is published unless --on-conflict says what to do.',
    arguments: [NAME],
    options: PUBLISH_OPTIONS,
    examples: [
      ['bakeserv publish pr-1234', 'after the merge: what is new is shown, and asked about'],
      ['bakeserv publish pr-1234 --dry-run', 'only shown; with status 1 where there are conflicts'],
    ],
    run: async (call) => (await import('../stage/publish.ts')).run(call),
  },
  discard: {
    describe: 'Stop the server of a stage and drop its files, with all that is new in it',
    arguments: [NAME],
    options: DISCARD_OPTIONS,
    examples: [['bakeserv discard pr-1234 --yes', 'after a build that failed']],
    run: async (call) => (await import('../stage/discard.ts')).run(call),
  },
};
