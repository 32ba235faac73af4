import { useContext, useState } from 'preact/hooks';
import { setPermissions, type User } from '../../api/users.ts';
import { visible } from '../../format/text.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { FailureBox } from '../../parts/states.tsx';
import { Server } from '../../state/server.ts';
import { RightsField } from './rights-field.tsx';
import { useAttempt } from './use-attempt.ts';

export interface UserDialogProps {
  readonly user: User;
  onClose(): void;
  onDone(): void;
}

export function EditRights({ user, onClose, onDone }: UserDialogProps) {
  const { api } = useContext(Server);
  const { isBusy, failure, attempt } = useAttempt();
  const [rights, setRights] = useState<string[]>([...user.permissions]);
  return (
    <Dialog title={`Rights of ${visible(user.username)}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(async () => {
            await setPermissions(api, user.username, rights);
            onDone();
          });
        }}
      >
        <RightsField rights={rights} onChange={setRights} />
        {failure && <FailureBox failure={failure} />}
        <div class="actions">
          <button type="submit" class="main" disabled={isBusy}>
            Give these rights
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
