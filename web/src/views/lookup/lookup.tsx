import { findTask } from '../../api/hashes.ts';
import { SearchForm } from '../../parts/search-form.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';
import { FoundTasks } from './found-tasks.tsx';

const STEP = 100;
/** As many as the server finds. */
const MOST = 500;

/** Whatever somebody pastes: a hash of any kind, or the name of a recipe. */
export function Lookup({ route }: { readonly route: Route }) {
  const { q = '', limit } = route.query;
  const most = Math.min(MOST, Math.max(STEP, Math.trunc(Number(limit)) || STEP));
  const found = useResource(q === '' ? null : `find ${most} ${q}`, (api, signal) => findTask(api, q, most, signal));
  return (
    <View title="Look up" lead="Paste a taskhash, outhash or unihash, or type a recipe’s name; * stands for any text.">
      <SearchForm
        label="Hash or recipe"
        placeholder="busybox, linux-*, or 64 hex digits"
        value={q}
        onSearch={(text) => goTo(address(['lookup'], { q: text }))}
      />
      {q === '' ? (
        <Empty title="Nothing to look for yet">
          <p>
            A log of BitBake names a task’s hash as <code>Task … unihash …</code>.{' '}
            <a href="#/insights/unstable">Unstable outputs</a> lists the tasks whose builds differ.
          </p>
        </Empty>
      ) : (
        <Loaded resource={found} what="Looking it up">
          {(data) => (
            <FoundTasks
              found={data}
              more={data.cut && most < MOST ? address(['lookup'], { q, limit: most * 3 }) : null}
            />
          )}
        </Loaded>
      )}
    </View>
  );
}
