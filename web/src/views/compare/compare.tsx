import { type DiffInsight, getDiff, type Output } from '../../api/diff.ts';
import { Loaded } from '../../parts/states.tsx';
import { Hash, Maybe } from '../../parts/text.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';
import { MadeAt } from '../insights/made.tsx';
import { Differences } from './differences.tsx';
import { Outputs } from './outputs.tsx';

/** Two outputs of one task, file by file: where whoever wants a build to be reproducible starts. */
export function Compare({ route }: { readonly route: Route }) {
  const { method = null, taskhash = '', a = null, b = null } = route.query;
  const diff = useResource(`diff ${method} ${taskhash} ${a} ${b}`, (api, signal) =>
    getDiff(api, taskhash, { method, outhash: a, other: b }, signal),
  );
  const go = (first: string, second: string) =>
    goTo(address(['compare'], { method: diff.data?.method, taskhash, a: first, b: second }), { replace: true });
  return (
    <View
      title="Compare outputs"
      lead="The same task with the same inputs, built twice: what came out differently, and what commonly makes that."
    >
      <Loaded resource={diff} what="Comparing the signature texts">
        {(found) => (
          <>
            <Task diff={found} />
            <Outputs outputs={oldestFirst(found.outputs)} first={found.here} second={found.there} onChoose={go} />
            <Differences diff={found} />
            <MadeAt made={found.made} again={diff.reload} />
          </>
        )}
      </Loaded>
    </View>
  );
}

function Task({ diff: { here, taskhash } }: { readonly diff: DiffInsight }) {
  return (
    <p>
      <strong>
        <Maybe value={here.PN} /> <Maybe value={here.task} />
      </strong>
      , taskhash <Hash value={taskhash} />
    </p>
  );
}

/** The server tells the newest first. */
const oldestFirst = (outputs: readonly Output[]) => [...outputs].reverse();
