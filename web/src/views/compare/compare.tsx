import { Failure } from '../../api/failure.ts';
import { findTask, getOutput } from '../../api/hashes.ts';
import { compareSignatures } from '../../diff/compare.ts';
import { readSignature } from '../../diff/signature.ts';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Hash, Maybe } from '../../parts/text.tsx';
import { View } from '../../parts/view.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';
import { groupByTask, recipeOf, type TaskGroup } from '../lookup/groups.ts';
import { Differences } from './differences.tsx';
import { Outputs } from './outputs.tsx';

const MOST_OUTPUTS = 1000;

/** Two outputs of one task, file by file: where whoever wants a build to be reproducible starts. */
export function Compare({ route }: { readonly route: Route }) {
  const { method = '', taskhash = '', a = '', b = '' } = route.query;
  const task = useResource(`outputs ${taskhash}`, async (api, signal) => {
    const found = await findTask(api, taskhash, MOST_OUTPUTS, signal);
    return groupByTask(found.rows).find((each) => each.taskhash === taskhash && each.method === method) ?? null;
  });
  const go = (first: string, second: string) =>
    goTo(address(['compare'], { method, taskhash, a: first, b: second }), { replace: true });
  return (
    <View
      title="Compare outputs"
      lead="The same task with the same inputs, built twice: what came out differently, and what commonly makes that."
    >
      <Loaded resource={task} what="Looking the task up">
        {(group) =>
          group ? (
            <>
              <Task group={group} />
              <Outputs outputs={group.outputs} first={a} second={b} onChoose={go} />
            </>
          ) : (
            <Empty title="This task is not known any more">
              <p>It may have been removed since the link was made.</p>
            </Empty>
          )
        }
      </Loaded>
      {a !== '' && b !== '' && a !== b && <Compared key={`${a} ${b}`} {...{ method, taskhash, a, b }} />}
    </View>
  );
}

function Task({ group: { name, taskhash } }: { readonly group: TaskGroup }) {
  return (
    <p>
      <strong>
        <Maybe value={recipeOf(name)} /> <Maybe value={name.task} />
      </strong>
      , taskhash <Hash value={taskhash} />
    </p>
  );
}

interface ComparedProps {
  readonly method: string;
  readonly taskhash: string;
  readonly a: string;
  readonly b: string;
}

function Compared({ method, taskhash, a, b }: ComparedProps) {
  const comparison = useResource(`compare ${method} ${a} ${b}`, async (api, signal) => {
    const rows = await Promise.all([a, b].map((outhash) => getOutput(api, method, outhash, taskhash, signal)));
    const [first, second] = rows.map(({ outhash_siginfo: text }) => {
      if (!text) throw new Failure('not-found', 'One of the outputs was reported without a signature text.');
      return readSignature(text);
    });
    return compareSignatures(first!, second!);
  });
  return (
    <Loaded resource={comparison} what="Reading and comparing the signature texts">
      {(found) => <Differences comparison={found} />}
    </Loaded>
  );
}
