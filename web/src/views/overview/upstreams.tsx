import type { Mirror, Status } from '../../api/status.ts';
import { count, counted } from '../../format/numbers.ts';
import { duration } from '../../format/time.ts';
import { Badge, Panel } from '../../parts/panel.tsx';
import { Table } from '../../parts/table.tsx';
import { Maybe, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';

const NAMES: Readonly<Record<string, string>> = { hashserv: 'Hash equivalence', prserv: 'PR values' };
const TONES: Readonly<Record<Mirror['state'], Tone>> = { level: 'good', waiting: 'plain', away: 'bad', refused: 'bad' };

/** Servers that this one asks, and servers that it keeps level with. */
export function Upstreams({ status }: { readonly status: Status }) {
  const upstreams = Object.entries(status.upstreams);
  const mirrors = status.mirrors ?? [];
  if (upstreams.length === 0 && mirrors.length === 0) return null;
  return (
    <Panel title="Upstream and mirrors">
      {upstreams.length > 0 && (
        <ul class="lines">
          {upstreams.map(([kind, state]) => (
            <li key={kind}>
              <Badge tone={state === 'reachable' ? 'good' : 'bad'}>{state}</Badge> {NAMES[kind] ?? kind}{' '}
              {status.upstream_addresses && (
                <code>
                  <Maybe value={status.upstream_addresses[kind]} />
                </code>
              )}
            </li>
          ))}
        </ul>
      )}
      {mirrors.length > 0 && <Mirrors mirrors={mirrors} />}
    </Panel>
  );
}

function Mirrors({ mirrors }: { readonly mirrors: readonly Mirror[] }) {
  return (
    <Table
      caption="Servers that this one is a mirror of"
      rows={mirrors}
      keyOf={({ source }) => source}
      columns={[
        {
          title: 'Mirror of',
          isName: true,
          cell: ({ source }) => (
            <code>
              <Text value={source} />
            </code>
          ),
        },
        {
          title: 'State',
          cell: ({ state, running, error }) => (
            <>
              <Badge tone={TONES[state]}>{state}</Badge> {running && <Badge>running</Badge>}{' '}
              {error && <Text value={error} most={200} />}
            </>
          ),
        },
        { title: 'Level', width: 'date', cell: ({ level_at: at }) => (at ? <Time at={at} relative /> : 'not yet') },
        { title: 'Behind', isFigure: true, cell: ({ lag_seconds: lag }) => duration(lag) },
        {
          title: 'Taken',
          width: 'word',
          cell: ({ rows }) =>
            `${counted(rows.unihashes + rows.outhashes, 'hash row')}, ${counted(rows.values, 'value')}`,
        },
        { title: 'Conflicts', isFigure: true, cell: ({ conflicts }) => count(conflicts) },
      ]}
    />
  );
}
