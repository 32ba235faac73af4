import { Panel } from '../../parts/panel.tsx';
import { Scroll } from '../../parts/scroll.tsx';

const FOLDER = 'bakeserv-hashclient insights shared-state --sstate-dir /srv/sstate';
const MIRROR = 'bakeserv-hashclient insights shared-state --sstate-mirror URL';

/** The server sees no shared state: what compares the two runs where the folder is. */
export function SharedState() {
  return (
    <Panel title="In step with the shared state">
      <p>
        The server does not read the shared state; a command does, where the folder is, and asks this server for its
        unihashes. It tells by recipe which of them have no object there and since when, and which objects no unihash
        names.
      </p>
      <Scroll label="Commands">
        <pre class="commands">
          {FOLDER}
          {'\n'}
          {MIRROR}
        </pre>
      </Scroll>
      <p class="muted">
        With <code>--fix</code> it proposes a collection of garbage, or what may be removed, and does neither. It needs{' '}
        <code>@db-admin</code>.
      </p>
    </Panel>
  );
}
