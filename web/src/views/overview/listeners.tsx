import type { ListenerStatus } from '../../api/status.ts';
import { Badge, Panel } from '../../parts/panel.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';

/** The doors of the server, and what is open behind each. */
export function Listeners({ listeners }: { readonly listeners: readonly ListenerStatus[] }) {
  return (
    <Panel title="Listeners">
      <Table
        caption="Listeners and what their clients may do"
        rows={listeners}
        keyOf={(_, i) => i}
        columns={[
          {
            title: 'Address',
            isName: true,
            cell: ({ address }) => (
              <code>
                <Text value={address} />
              </code>
            ),
          },
          { title: 'Hash equivalence', cell: ({ hashserv }) => <Access access={hashserv} /> },
          {
            title: 'PR values',
            cell: ({ prserv, prLogin }) => (
              <>
                <Access access={prserv} /> {prLogin && <Badge>login</Badge>}
              </>
            ),
          },
          { title: 'Without a login', cell: ({ anonymous }) => <Permissions names={anonymous} /> },
          { title: 'Certificates', cell: ({ clientCertificates }) => (clientCertificates ? 'asked of clients' : '–') },
        ]}
      />
    </Panel>
  );
}

function Access({ access }: { readonly access: ListenerStatus['hashserv'] }) {
  if (access === 'read-write') return <>read and write</>;
  if (access === 'read-only') return <>read only</>;
  return <span class="muted">{access === 'none' ? 'refused' : 'not served'}</span>;
}

/** Rights by the names they are given by. */
export function Permissions({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span class="muted">nothing</span>;
  return (
    <span class="badges">
      {names.map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
    </span>
  );
}
