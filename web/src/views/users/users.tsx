import { useContext, useState } from 'preact/hooks';
import { getUsers, type NewToken, type User } from '../../api/users.ts';
import { Panel } from '../../parts/panel.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { View } from '../../parts/view.tsx';
import { useResource } from '../../state/resource.ts';
import { SessionState } from '../../state/session.ts';
import { Permissions } from '../overview/listeners.tsx';
import { DeleteUser } from './delete-user.tsx';
import { EditRights } from './edit-rights.tsx';
import { NewUser } from './new-user.tsx';
import { ReplaceToken } from './replace-token.tsx';
import { TokenShown } from './token-shown.tsx';

type Opened = { readonly what: 'new' } | { readonly what: 'rights' | 'token' | 'delete'; readonly user: User } | null;

/** Who may do what. */
export function Users() {
  const { session, changed } = useContext(SessionState);
  const users = useResource('users', getUsers);
  const [opened, setOpened] = useState<Opened>(null);
  const [token, setToken] = useState<NewToken | null>(null);
  const close = () => setOpened(null);
  const done = (made: NewToken | null = null) => {
    const isOwn = opened !== null && opened.what !== 'new' && opened.user.username === session?.user;
    setOpened(null);
    setToken(made);
    if (!isOwn) users.reload();
    else if (made === null) changed();
  };
  const closeToken = () => {
    setToken(null);
    // With the old token the session ended. Who is here was not asked before, or the new one would have been gone from the page.
    if (token?.username === session?.user) changed();
  };
  return (
    <View
      title="Users"
      lead="Builders and people who log in. What everybody may do without that is written at each listener."
      aside={
        <button type="button" class="main" onClick={() => setOpened({ what: 'new' })}>
          New user…
        </button>
      }
    >
      <Loaded resource={users} what="Reading users">
        {(data) => <UserTable users={data.users} onOpen={(what, user) => setOpened({ what, user })} />}
      </Loaded>
      {opened?.what === 'new' && <NewUser onClose={close} onDone={done} />}
      {opened?.what === 'rights' && <EditRights user={opened.user} onClose={close} onDone={done} />}
      {opened?.what === 'token' && <ReplaceToken user={opened.user} onClose={close} onDone={done} />}
      {opened?.what === 'delete' && <DeleteUser user={opened.user} onClose={close} onDone={done} />}
      {token && <TokenShown token={token} onClose={closeToken} />}
    </View>
  );
}

interface UserTableProps {
  readonly users: readonly User[];
  onOpen(what: 'rights' | 'token' | 'delete', user: User): void;
}

function UserTable({ users, onOpen }: UserTableProps) {
  const { session } = useContext(SessionState);
  if (users.length === 0)
    return (
      <Empty title="There are no users yet">
        <p>Everybody has the rights that the listener gives without a login.</p>
      </Empty>
    );
  return (
    <Panel title="All users">
      <Table
        caption="Users and their rights"
        rows={users}
        keyOf={({ username }) => username}
        columns={[
          {
            title: 'User',
            isName: true,
            cell: ({ username }) => (
              <>
                <Text value={username} most={60} />{' '}
                {session?.user === username && <span class="muted small">(you)</span>}
              </>
            ),
          },
          { title: 'Rights', cell: ({ permissions }) => <Permissions names={permissions} /> },
          { title: 'Change', cell: (user) => <Buttons user={user} onOpen={onOpen} /> },
        ]}
      />
    </Panel>
  );
}

function Buttons({ user, onOpen }: Pick<UserTableProps, 'onOpen'> & { readonly user: User }) {
  const named = (text: string) => `${text} of ${user.username}`;
  return (
    <span class="row-actions">
      <button type="button" aria-label={named('Rights')} onClick={() => onOpen('rights', user)}>
        Rights…
      </button>
      <button type="button" aria-label={named('New token')} onClick={() => onOpen('token', user)}>
        New token…
      </button>
      <button
        type="button"
        class="danger"
        aria-label={`Delete ${user.username}`}
        onClick={() => onOpen('delete', user)}
      >
        Delete…
      </button>
    </span>
  );
}
