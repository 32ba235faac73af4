import { useContext } from 'preact/hooks';
import { deleteUser } from '../../api/users.ts';
import { visible } from '../../format/text.ts';
import { Server } from '../../state/server.ts';
import { Confirm } from './confirm.tsx';
import type { UserDialogProps } from './edit-rights.tsx';
import { useAttempt } from './use-attempt.ts';

export function DeleteUser({ user: { username }, onClose, onDone }: UserDialogProps) {
  const { api } = useContext(Server);
  const { isBusy, failure, attempt } = useAttempt();
  const confirm = () =>
    attempt(async () => {
      await deleteUser(api, username);
      onDone();
    });
  return (
    <Confirm
      title={`Delete ${visible(username)}?`}
      action="Delete the user"
      isBusy={isBusy}
      failure={failure}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>The token stops working at once, also in builds that run now. What the user reported stays.</p>
    </Confirm>
  );
}
