import { getJobs } from '../../api/jobs.ts';
import { Panel } from '../../parts/panel.tsx';
import { Loaded } from '../../parts/states.tsx';
import { useResource } from '../../state/resource.ts';
import { JobTable } from '../jobs/job-table.tsx';

/** The last few jobs. */
export function RecentJobs() {
  const jobs = useResource('recent jobs', (api, signal) => getJobs(api, 'hashserv', { limit: 5 }, signal), {
    everyMs: 5000,
  });
  return (
    <Panel title="Jobs" aside={<a href="#/jobs">All jobs</a>}>
      <Loaded resource={jobs} what="Reading jobs">
        {(list) => <JobTable jobs={list.jobs} service="hashserv" />}
      </Loaded>
    </Panel>
  );
}
