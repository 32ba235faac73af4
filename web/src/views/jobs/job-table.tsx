import type { JobService, ListedJob } from '../../api/jobs.ts';
import { Badge } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { address } from '../../route.ts';
import { JOB_TONES, parameterTexts, progressText } from './job-text.ts';

/** Jobs, a row each. */
export function JobTable({ jobs, service }: { readonly jobs: readonly ListedJob[]; readonly service: JobService }) {
  if (jobs.length === 0)
    return (
      <Empty title="No job has run yet">
        <p>Long work, as a collection of garbage or a pull from another server, runs as a job.</p>
      </Empty>
    );
  return (
    <Table
      caption="Jobs, the newest first"
      rows={jobs}
      keyOf={({ id }) => id}
      columns={[
        {
          title: 'Job',
          isName: true,
          cell: ({ id, kind }) => (
            <a href={address(['job', id], { service })}>
              {id} {kind}
            </a>
          ),
        },
        { title: 'State', cell: (job) => <JobState job={job} /> },
        { title: 'Progress', cell: (job) => progressText(job) },
        {
          title: 'Asked for',
          cell: ({ parameters }) => <Text value={parameterTexts(parameters).join(', ') || '–'} most={60} />,
        },
        { title: 'Started', width: 'date', cell: ({ started, created }) => <Time at={started ?? created} relative /> },
        { title: 'By', cell: ({ user, address: from }) => <Text value={user ?? from} most={40} /> },
      ]}
    />
  );
}

export function JobState({ job }: { readonly job: ListedJob }) {
  return <Badge tone={JOB_TONES[job.state]}>{job.cancelling ? 'stopping' : job.state}</Badge>;
}
