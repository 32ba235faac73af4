import { useEffect, useState } from 'preact/hooks';
import { ago, dateTime, fullTime, parseTime } from '../format/time.ts';

interface TimeProps {
  /** As the server has it. */
  readonly at: string | null | undefined;
  /** How long ago, instead of the date. */
  readonly relative?: boolean;
}

/** A time in the reader's zone, to the second in its title. */
export function Time({ at, relative = false }: TimeProps) {
  const time = parseTime(at);
  const now = useNow(relative ? 20_000 : null);
  if (time === null) return <span class="muted">–</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={fullTime(time)}>
      {relative ? ago(time, now) : dateTime(time)}
    </time>
  );
}

/** The time of now, which goes on every so often. */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
