import { render } from 'preact';
import { createApi } from './api/client.ts';
import { App } from './app.tsx';
import { Reach } from './state/reach.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/states.css';
import './styles/forms.css';
import './styles/table.css';
import './styles/plot.css';
import './styles/diff.css';

/** Longer than the slowest answer takes on a server that is well: an insight has 5 s. */
const TIMEOUT_MS = 20_000;
const PING_MS = 5000;

const reach = new Reach({
  ping: async () => (await fetch('healthz', { cache: 'no-store', signal: AbortSignal.timeout(PING_MS) })).ok,
  wait: (ms, then) => void setTimeout(then, ms),
});
const api = createApi({
  fetch: (url, init) => fetch(url, { ...init, cache: 'no-store' }),
  timeoutMs: TIMEOUT_MS,
  onReach: (isAway) => reach.note(isAway),
});

render(<App api={api} reach={reach} />, document.getElementById('app')!);
