import { Panel } from '../../parts/panel.tsx';
import { Scroll } from '../../parts/scroll.tsx';

const FOLDER = 'bakeserv-hashclient insights shared-state --sstate-dir /srv/sstate --fix';
const MIRROR = 'bakeserv-hashclient insights shared-state --sstate-mirror URL --fix';

/** How it is compared from elsewhere, and what would put it right. */
export function SharedStateCommands() {
  return (
    <Panel title="What to do about it">
      <p>
        A command compares too, where the folder is. With <code>--fix</code> it proposes a collection of garbage, or
        what may be removed, and does neither.
      </p>
      <Scroll label="Commands">
        <pre class="commands">
          {FOLDER}
          {'\n'}
          {MIRROR}
        </pre>
      </Scroll>
    </Panel>
  );
}
