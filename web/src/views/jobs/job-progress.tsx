import { useEffect, useRef, useState } from 'preact/hooks';
import { isOver, type Job } from '../../api/jobs.ts';
import { progressText } from './job-text.ts';

const TELL_MS = 10_000;

/** A bar and the figures. It is read aloud only now and then, and at the end: each step would drown everything. */
export function JobProgress({ job }: { readonly job: Job }) {
  const { done, total } = job.progress;
  const text = progressText(job);
  const [told, setTold] = useState(text);
  const over = isOver(job);
  const said = over ? `The job is ${job.state}. ${text}` : text;
  const latest = useRef(said);
  latest.current = said;
  useEffect(() => {
    if (over) return setTold(latest.current);
    const timer = setInterval(() => setTold(latest.current), TELL_MS);
    return () => clearInterval(timer);
  }, [over]);
  return (
    <div class="progress">
      <progress
        aria-label={`Progress of job ${job.id}`}
        {...(over || total !== null ? { value: total ? Math.min(done, total) : over ? 1 : 0, max: total || 1 } : {})}
      />
      <p>{text}</p>
      <p class="unseen" role="status">
        {told}
      </p>
    </div>
  );
}
