import type { ComponentChildren } from 'preact';
import type { Failure, FailureKind } from '../api/failure.ts';
import type { Resource } from '../state/resource.ts';
import { Text } from './text.tsx';

const TITLES: Readonly<Record<FailureKind, string>> = {
  away: 'The server does not answer',
  late: 'The server took too long',
  'sign-in': 'Signing in is needed',
  forbidden: 'Not allowed',
  'not-found': 'Nothing found',
  invalid: 'That was refused',
  conflict: 'That is there already',
  busy: 'The server is busy',
  server: 'Something went wrong in the server',
};

const ADVICE: Readonly<Record<FailureKind, string>> = {
  away: 'The page asks again by itself until it is back.',
  late: 'It may be very busy. Nothing was changed here by waiting; try again.',
  'sign-in': 'What is here is for users who may see it.',
  forbidden: 'Ask whoever runs the server for the right.',
  'not-found': 'Check what was typed: hashes and names must be complete, upper and lower case count.',
  invalid: 'Change what was entered and try again.',
  conflict: 'Take another name, or change the one that is there.',
  busy: 'Try again in a moment.',
  server: 'The log of the server has the details. Trying again may help.',
};

/** Something is on its way. It appears only after a moment, so that what is quick does not flicker. */
export function Loading({ what = 'Loading' }: { readonly what?: string }) {
  return (
    <div class="loading" role="status">
      <span class="unseen">{what}…</span>
      <span class="bar" />
      <span class="bar" />
      <span class="bar" />
    </div>
  );
}

/** There is nothing, which is no error: says why, and what would change it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div class="muted">{children}</div>}
    </div>
  );
}

export function FailureBox({ failure, retry }: { readonly failure: Failure; readonly retry?: () => void }) {
  const { kind, message } = failure;
  return (
    <div class="notice bad" role="alert">
      <p class="notice-title">{TITLES[kind]}</p>
      <p>
        <Text value={message} most={1000} />
      </p>
      <p class="muted">{ADVICE[kind]}</p>
      <div class="actions">
        {kind === 'sign-in' && (
          <a class="button" href="#/sign-in">
            Sign in
          </a>
        )}
        {retry && kind !== 'away' && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

interface LoadedProps<T> {
  readonly resource: Resource<T>;
  readonly what?: string;
  children(data: T): ComponentChildren;
}

/** What was asked for, or what there is in its place. What came before a failure stays, with a word about it. */
export function Loaded<T>({ resource: { data, failure, reload }, what, children }: LoadedProps<T>) {
  if (data === null)
    return failure ? <FailureBox failure={failure} retry={reload} /> : <Loading {...(what && { what })} />;
  return (
    <>
      {failure && failure.kind !== 'away' && (
        <p class="notice warn small" role="status">
          What is shown may be old: <Text value={failure.message} most={400} />{' '}
          <button type="button" class="link" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {children(data)}
    </>
  );
}
