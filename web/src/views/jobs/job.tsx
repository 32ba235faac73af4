import { useContext, useState } from 'preact/hooks';
import { Failure } from '../../api/failure.ts';
import { cancelJob, getJob, isOver, type Job, type JobService } from '../../api/jobs.ts';
import { duration, parseTime } from '../../format/time.ts';
import { Panel, Stat } from '../../parts/panel.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { FailureBox, Loaded } from '../../parts/states.tsx';
import { Maybe, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { Server } from '../../state/server.ts';
import { JobProgress } from './job-progress.tsx';
import { JobResult } from './job-result.tsx';
import { JobState } from './job-table.tsx';
import { parameterTexts } from './job-text.ts';

/** One job: how far it is, what came of it, and its log. */
export function JobView({ route }: { readonly route: Route }) {
  const id = Number(route.rest[0]);
  const service: JobService = route.query.service === 'prserv' ? 'prserv' : 'hashserv';
  const [isEnded, setEnded] = useState(false);
  const job = useResource(
    `job ${service} ${id}`,
    async (api, signal) => {
      const found = await getJob(api, service, id, signal);
      setEnded(isOver(found));
      return found;
    },
    { everyMs: isEnded ? null : 1000 },
  );
  return (
    <View title={`Job ${id}`} lead={<a href={address(['jobs'], { service })}>All jobs</a>}>
      <Loaded resource={job} what="Reading the job">
        {(data) => <Details job={data} service={service} onChange={job.reload} />}
      </Loaded>
    </View>
  );
}

interface DetailsProps {
  readonly job: Job;
  readonly service: JobService;
  onChange(): void;
}

function Details({ job, service, onChange }: DetailsProps) {
  const asked = parameterTexts(job.parameters);
  return (
    <>
      <dl class="stats">
        <Stat name="Kind" value={job.kind} />
        <Stat name="State" value={<JobState job={job} />} />
        <Stat
          name="Asked for by"
          value={<Text value={job.user ?? 'nobody by name'} most={40} />}
          note={<Text value={job.address} most={60} />}
        />
        <Stat name="Begun" value={<Time at={job.started ?? job.created} />} note={job.started ? null : 'not yet'} />
        <Stat name={isOver(job) ? 'Took' : 'For'} value={tookText(job)} />
      </dl>
      <Panel title="Progress" aside={!isOver(job) && <Cancel job={job} service={service} onChange={onChange} />}>
        <JobProgress job={job} />
        <p class="small muted">{asked.length === 0 ? 'Without parameters.' : <Maybe value={asked.join(', ')} />}</p>
      </Panel>
      {job.error && (
        <div class="notice bad">
          <p class="notice-title">Why it ended</p>
          <p>
            <Text value={job.error} most={2000} />
          </p>
        </div>
      )}
      <JobResult job={job} />
      <Log lines={job.log ?? []} />
    </>
  );
}

function tookText({ started, ended }: Job): string {
  const [begin, end] = [parseTime(started), parseTime(ended)];
  return begin === null ? '–' : duration(((end ?? Date.now()) - begin) / 1000);
}

function Cancel({ job: { id, cancelling }, service, onChange }: DetailsProps) {
  const { api } = useContext(Server);
  const [failure, setFailure] = useState<Failure | null>(null);
  const cancel = async () => {
    try {
      await cancelJob(api, service, id);
      onChange();
    } catch (error) {
      setFailure(error instanceof Failure ? error : new Failure('server', String(error)));
    }
  };
  return (
    <>
      <button type="button" class="danger" disabled={cancelling === true} onClick={cancel}>
        {cancelling ? 'Stopping…' : 'Cancel this job'}
      </button>
      {failure && <FailureBox failure={failure} />}
    </>
  );
}

function Log({ lines }: { readonly lines: readonly string[] }) {
  return (
    <Panel title="Log">
      {lines.length === 0 ? (
        <p class="muted">Nothing was logged.</p>
      ) : (
        <Scroll label="Log of the job" kind="log">
          <ol>
            {lines.map((line, i) => (
              <li key={i}>
                <Text value={line} most={400} />
              </li>
            ))}
          </ol>
        </Scroll>
      )}
    </Panel>
  );
}
