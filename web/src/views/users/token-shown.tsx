import type { NewToken } from '../../api/users.ts';
import { visible } from '../../format/text.ts';
import { Copy } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';

/** The one time that a token is shown. */
export function TokenShown({
  token: { username, token },
  onClose,
}: {
  readonly token: NewToken;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title={`Token of ${visible(username)}`} onClose={onClose}>
      <div class="form">
        <p class="notice warn">Take it along now: it is shown this once, and kept nowhere in this form.</p>
        <Copy label={`Token of ${visible(username)}`} value={token} />
        <div class="actions">
          <button type="button" class="main" onClick={onClose}>
            I have it
          </button>
        </div>
      </div>
    </Dialog>
  );
}
