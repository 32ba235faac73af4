import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Api } from './api/client.ts';
import { getSession, type Session } from './api/session.ts';
import { FailureBox, Loading } from './parts/states.tsx';
import { Shell } from './shell/shell.tsx';
import type { Reach } from './state/reach.ts';
import { useResource } from './state/resource.ts';
import { Server } from './state/server.ts';
import { SessionState } from './state/session.ts';
import { Theme, useTheme } from './state/theme.ts';
import { useRoute } from './state/use-route.ts';
import { viewFor } from './views/views.tsx';

/** Sessions end, users are deleted and get other rights: what is open to everybody would go on as if nothing had happened. */
const SESSION_MS = 60_000;

interface AppProps {
  readonly api: Api;
  readonly reach: Reach;
}

/** The whole page: what every view shares, and the view of the address. */
export function App({ api, reach }: AppProps) {
  const [reachState, setReach] = useState(reach.state);
  useEffect(() => reach.subscribe(() => setReach(reach.state)), [reach]);
  const server = useMemo(() => ({ api, reach: reachState }), [api, reachState]);
  return (
    <Server.Provider value={server}>
      <Page />
    </Server.Provider>
  );
}

function Page() {
  const route = useRoute();
  const [choice, theme, choose] = useTheme();
  const [visit, setVisit] = useState(0);
  const latest = useRef<Session | null>(null);
  const changed = useCallback(() => setVisit((n) => n + 1), []);
  const session = useResource(`session ${visit}`, (api, signal) => sessionOf(latest.current, api, signal), {
    everyMs: SESSION_MS,
  });
  latest.current = session.data;
  const context = useMemo(() => ({ session: session.data, changed }), [session.data, changed]);
  return (
    <Theme.Provider value={theme}>
      <SessionState.Provider value={context}>
        <Shell route={route} theme={choice} onTheme={choose}>
          {/* Another visitor sees nothing that was asked for in the name of the one before. */}
          {session.data ? (
            <div key={`${visit} ${session.data.user}`}>{viewFor(route)}</div>
          ) : session.failure ? (
            <FailureBox failure={session.failure} retry={session.reload} />
          ) : (
            <Loading what="Opening the page" />
          )}
        </Shell>
      </SessionState.Provider>
    </Theme.Provider>
  );
}

/** Who is here; not asked again under an open dialog, which would be gone with what was written there, or with a token. */
async function sessionOf(known: Session | null, api: Api, signal: AbortSignal): Promise<Session> {
  return known !== null && document.querySelector('dialog[open]') ? known : getSession(api, signal);
}
