import { getPackage, type PkgarchValues } from '../../api/packages.ts';
import { counted, short } from '../../format/numbers.ts';
import { cut, visible } from '../../format/text.ts';
import { Badge, Panel } from '../../parts/panel.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { View } from '../../parts/view.tsx';
import { Plot } from '../../plot/plot.tsx';
import type { Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { valuesPlot } from './values.ts';

/** Everything about a package: its values by architecture and checksum, and what the chain above has. */
export function Package({ route }: { readonly route: Route }) {
  const version = route.rest[0] ?? '';
  const values = useResource(`package ${version}`, (api, signal) => getPackage(api, version, signal));
  return (
    <View title={visible(cut(version, 160).text)} lead={<a href="#/packages">All packages</a>}>
      <Loaded resource={values} what="Reading its values">
        {({ pkgarchs }) => (
          <>
            {pkgarchs.map((each) => (
              <Pkgarch key={each.pkgarch} values={each} />
            ))}
          </>
        )}
      </Loaded>
    </View>
  );
}

function Pkgarch({ values }: { readonly values: PkgarchValues }) {
  const { pkgarch, max, values: rows, cut: isCut } = values;
  const plot = valuesPlot(rows);
  const older = rows.length - plot.x.length;
  return (
    <Panel
      title={visible(cut(pkgarch, 160).text)}
      aside={<span class="muted small">{counted(rows.length, 'value')}</span>}
    >
      <p>
        Largest value: <strong>{max ?? 'none'}</strong>. <Above upstream={values.upstream} />
      </p>
      {rows.length > 1 && (
        <Plot
          title={plot.isTime ? 'Values over time' : 'Values in the order they were given'}
          data={plot}
          format={short}
          height={120}
          isStepped
          placeTitle={plot.isTime ? 'Not before' : 'Place'}
        />
      )}
      {older > 0 && <p class="muted small">Not in the plot: {counted(older, 'value')} from before times were noted.</p>}
      <Scroll label={`Values of ${visible(cut(pkgarch, 160).text)}`}>
        <Table
          caption={`Values of ${visible(cut(pkgarch, 160).text)}`}
          rows={[...rows].reverse()}
          keyOf={({ checksum, value }) => `${checksum} ${value}`}
          columns={[
            { title: 'Value', isName: true, isFigure: true, cell: ({ value }) => <Text value={value} /> },
            {
              title: 'Checksum',
              cell: ({ checksum }) => (
                <code>
                  <Text value={checksum} />
                </code>
              ),
            },
            { title: 'Given after', cell: ({ not_before }) => <Time at={not_before} /> },
          ]}
        />
      </Scroll>
      {isCut && <p class="muted small">Not all values are shown: there are too many for a page.</p>}
    </Panel>
  );
}

function Above({ upstream }: { readonly upstream: PkgarchValues['upstream'] }) {
  if (upstream === null) return <span class="muted">There is no server above: values are given here.</span>;
  if (upstream.state === 'away') return <Badge tone="bad">the upstream does not answer</Badge>;
  if (upstream.max === null) return <>The upstream has no value of it.</>;
  return (
    <>
      Of the upstream: <strong>{upstream.max}</strong>.
    </>
  );
}
