import { useContext } from 'preact/hooks';
import { type NewToken, newToken, type User } from '../../api/users.ts';
import { visible } from '../../format/text.ts';
import { Server } from '../../state/server.ts';
import { Confirm } from './confirm.tsx';
import { useAttempt } from './use-attempt.ts';

interface ReplaceTokenProps {
  readonly user: User;
  onClose(): void;
  onDone(token: NewToken): void;
}

export function ReplaceToken({ user: { username }, onClose, onDone }: ReplaceTokenProps) {
  const { api } = useContext(Server);
  const { isBusy, failure, attempt } = useAttempt();
  return (
    <Confirm
      title={`New token for ${visible(username)}?`}
      action="Replace the token"
      isBusy={isBusy}
      failure={failure}
      onConfirm={() => attempt(async () => onDone(await newToken(api, username)))}
      onClose={onClose}
    >
      <p>The old token stops working at once, and the user is signed out everywhere.</p>
    </Confirm>
  );
}
