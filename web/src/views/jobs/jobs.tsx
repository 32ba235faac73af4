import { useContext, useState } from 'preact/hooks';
import { getJobs, type JobService } from '../../api/jobs.ts';
import { Choice } from '../../parts/choice.tsx';
import { Loaded } from '../../parts/states.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { SessionState, useMay } from '../../state/session.ts';
import { goTo } from '../../state/use-route.ts';
import { JobTable } from './job-table.tsx';
import { StartGc } from './start-gc.tsx';
import { StartPull } from './start-pull.tsx';

const SERVICES: readonly (readonly [JobService, string])[] = [
  ['hashserv', 'Hash equivalence'],
  ['prserv', 'PR values'],
];
const LISTED = 50;

/** Long work: what ran, runs and waits, and starting more. */
export function Jobs({ route }: { readonly route: Route }) {
  const may = useMay();
  const { session } = useContext(SessionState);
  const [opened, setOpened] = useState<'gc' | 'pull' | null>(null);
  const { before } = route.query;
  const service: JobService = route.query.service === 'prserv' || !may.hashJobs ? 'prserv' : 'hashserv';
  const query = { limit: LISTED, ...(before && { before: Number(before) }) };
  const jobs = useResource(`jobs ${service} ${before}`, (api, signal) => getJobs(api, service, query, signal), {
    everyMs: 3000,
  });
  const close = () => setOpened(null);
  return (
    <View
      title="Jobs"
      lead="Long work runs in the server, in the background, and goes on when this page is closed."
      aside={
        <>
          {may.gc && (
            <button type="button" onClick={() => setOpened('gc')}>
              Collect garbage…
            </button>
          )}
          {may.pull && (
            <button type="button" onClick={() => setOpened('pull')}>
              Pull…
            </button>
          )}
        </>
      }
    >
      {may.hashJobs && may.prJobs && (
        <Choice
          label="Jobs of"
          options={SERVICES}
          value={service}
          onChange={(next) => goTo(address(['jobs'], { service: next }))}
        />
      )}
      <Loaded resource={jobs} what="Reading jobs">
        {({ jobs: list, next }) => (
          <div class="panel">
            <JobTable jobs={list} service={service} />
            {next !== null && <a href={address(['jobs'], { service, before: next })}>Older jobs</a>}
          </div>
        )}
      </Loaded>
      {opened === 'gc' && <StartGc onClose={close} />}
      {opened === 'pull' && <StartPull onClose={close} sources={session?.pull_from ?? []} />}
    </View>
  );
}
