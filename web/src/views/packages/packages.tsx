import { findPackages, type PackagesFound } from '../../api/packages.ts';
import { count } from '../../format/numbers.ts';
import { Panel } from '../../parts/panel.tsx';
import { SearchForm } from '../../parts/search-form.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';

const STEP = 100;
/** As many as the server tells at most. */
const MOST = 500;

/** Packages by a part of their version key. */
export function Packages({ route }: { readonly route: Route }) {
  const { q = '', limit } = route.query;
  const most = Math.min(MOST, Math.max(STEP, Math.trunc(Number(limit)) || STEP));
  const found = useResource(q === '' ? null : `packages ${most} ${q}`, (api, signal) =>
    findPackages(api, q, most, signal),
  );
  return (
    <View title="Packages" lead="PR values by package: a part of its name and version, as busybox or 1.36, finds it.">
      <SearchForm
        label="Package"
        placeholder="busybox, or 1.36"
        value={q}
        onSearch={(text) => goTo(address(['packages'], { q: text }))}
      />
      {q === '' ? (
        <Empty title="Nothing to look for yet">
          <p>
            <a href="#/insights/churn">PR churn</a> lists the packages whose values never stand still.
          </p>
        </Empty>
      ) : (
        <Loaded resource={found} what="Looking for packages">
          {(data) => (
            <Found data={data} more={data.cut && most < MOST ? address(['packages'], { q, limit: most * 3 }) : null} />
          )}
        </Loaded>
      )}
    </View>
  );
}

function Found({
  data: { packages, cut, complete, text },
  more,
}: {
  readonly data: PackagesFound;
  readonly more: string | null;
}) {
  if (packages.length === 0)
    return (
      <Empty title="No package has that in its name">
        <p>
          Nobody asked for a value of <Text value={text} most={80} />. Upper and lower case count.
        </p>
      </Empty>
    );
  return (
    <Panel title="Packages found">
      <Table
        caption="Packages found"
        rows={packages}
        keyOf={({ version, pkgarch }) => `${version}\n${pkgarch}`}
        columns={[
          {
            title: 'Package',
            isName: true,
            cell: ({ version }) => (
              <a href={address(['package', version])}>
                <Text value={version} />
              </a>
            ),
          },
          { title: 'Architecture', cell: ({ pkgarch }) => <Text value={pkgarch} /> },
          { title: 'Values', isFigure: true, cell: ({ values }) => count(values) },
          { title: 'Largest', isFigure: true, cell: ({ max }) => max ?? '–' },
        ]}
      />
      {(cut || !complete) && <p class="muted small">Not all are shown. {more && <a href={more}>Show more</a>}</p>}
    </Panel>
  );
}
