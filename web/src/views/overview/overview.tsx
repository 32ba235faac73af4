import { useContext, useState } from 'preact/hooks';
import { getHistory, getStatus, type Span, type Status } from '../../api/status.ts';
import { count } from '../../format/numbers.ts';
import { duration } from '../../format/time.ts';
import { Choice } from '../../parts/choice.tsx';
import { Badge, Panel, Stat } from '../../parts/panel.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { View } from '../../parts/view.tsx';
import { useResource } from '../../state/resource.ts';
import { SessionState, useMay } from '../../state/session.ts';
import { Databases } from './databases.tsx';
import { Listeners } from './listeners.tsx';
import { RecentJobs } from './recent-jobs.tsx';
import { Traffic } from './traffic.tsx';
import { Upstreams } from './upstreams.tsx';
import { Warnings } from './warnings.tsx';

const STATUS_MS = 5000;
/** A plot of a month changes too little to be asked for as often as one of an hour. */
const HISTORY_MS: Readonly<Record<Span, number>> = { hour: 5000, day: 30_000, month: 300_000 };
const SPANS: readonly (readonly [Span, string])[] = [
  ['hour', 'Last hour'],
  ['day', 'Last day'],
  ['month', 'Last month'],
];

/** How the server is, for those whom it tells; all others are told how to become one of them. */
export function Overview() {
  return useMay().overview ? <Told /> : <Closed />;
}

/** Asked for all the same, each refusal would stand in the log of the server. */
function Closed() {
  const { session } = useContext(SessionState);
  const isSomebody = session?.user != null;
  return (
    <View title="Overview">
      <Empty title={isSomebody ? 'Your user may not look at this server' : 'How the server is, is told to its users'}>
        {isSomebody ? (
          <p>Ask whoever runs it for the right @read.</p>
        ) : session?.sign_in ? (
          <a class="button" href="#/sign-in">
            Sign in
          </a>
        ) : (
          <p>A token is taken over TLS, or from the machine the server runs on: open the page by https, or there.</p>
        )}
      </Empty>
    </View>
  );
}

/** How the server is, and whether something wants somebody. */
function Told() {
  const [span, setSpan] = useState<Span>('hour');
  const status = useResource('status', getStatus, { everyMs: STATUS_MS });
  const history = useResource(`history ${span}`, (api, signal) => getHistory(api, span, signal), {
    everyMs: HISTORY_MS[span],
  });
  const may = useMay();
  return (
    <View title="Overview">
      <Loaded resource={status} what="Asking the server how it is">
        {(now) => (
          <>
            <Head status={now} />
            <Warnings warnings={now.warnings ?? []} />
          </>
        )}
      </Loaded>
      <Panel
        title="Traffic"
        aside={<Choice label="Time shown" options={SPANS} value={span} onChange={(next) => setSpan(next)} />}
      >
        <Loaded resource={history} what="Reading what was recorded">
          {(recorded) => <Traffic history={recorded} />}
        </Loaded>
      </Panel>
      {status.data && (
        <>
          <Databases status={status.data} history={history.data} />
          <Upstreams status={status.data} />
          {may.jobs && <RecentJobs />}
          {status.data.listeners && <Listeners listeners={status.data.listeners} />}
        </>
      )}
    </View>
  );
}

function Head({ status }: { readonly status: Status }) {
  return (
    <dl class="stats">
      <Stat
        name="State"
        value={status.ready ? <Badge tone="good">ready</Badge> : <Badge tone="bad">not ready</Badge>}
        note={status.ready ? 'databases answer' : 'a database cannot be read or written'}
      />
      <Stat name="Version" value={status.version} />
      <Stat
        name="Up for"
        value={duration(status.uptime_seconds)}
        note={
          <>
            since <Time at={status.started} />
          </>
        }
      />
      <Stat name="Connected" value={count(status.clients)} note={status.clients === 1 ? 'client' : 'clients'} />
    </dl>
  );
}
