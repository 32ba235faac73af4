import { useContext, useState } from 'preact/hooks';
import { type NewToken, newUser } from '../../api/users.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { FailureBox } from '../../parts/states.tsx';
import { Server } from '../../state/server.ts';
import { RightsField } from './rights-field.tsx';
import { useAttempt } from './use-attempt.ts';

interface NewUserProps {
  onClose(): void;
  onDone(token: NewToken): void;
}

export function NewUser({ onClose, onDone }: NewUserProps) {
  const { api } = useContext(Server);
  const { isBusy, failure, attempt } = useAttempt();
  const [username, setUsername] = useState('');
  const [rights, setRights] = useState<string[]>(['@read', '@report']);
  return (
    <Dialog title="New user" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(async () => onDone(await newUser(api, username.trim(), rights)));
        }}
      >
        <Field label="Name">
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={256}
              autocomplete="off"
              value={username}
              onInput={(event) => setUsername(event.currentTarget.value)}
            />
          )}
        </Field>
        <RightsField rights={rights} onChange={setRights} />
        {failure && <FailureBox failure={failure} />}
        <div class="actions">
          <button type="submit" class="main" disabled={isBusy}>
            Make the user
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
