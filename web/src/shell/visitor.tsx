import { useContext, useState } from 'preact/hooks';
import { Failure } from '../api/failure.ts';
import { signOut } from '../api/session.ts';
import { Text } from '../parts/text.tsx';
import { Server } from '../state/server.ts';
import { SessionState } from '../state/session.ts';
import { goTo } from '../state/use-route.ts';

const MEANS: Readonly<Record<string, string>> = {
  proxy: 'named by the proxy',
  certificate: 'by certificate',
  token: 'by login',
};

/** Who is here, and the way in or out. */
export function Visitor() {
  const { api } = useContext(Server);
  const { session, changed } = useContext(SessionState);
  const [problem, setProblem] = useState('');
  if (!session) return null;
  if (session.user === null)
    return session.sign_in ? (
      <a class="button" href="#/sign-in">
        Sign in
      </a>
    ) : null;
  const leave = async () => {
    try {
      await signOut(api);
      goTo('#/overview');
      changed();
    } catch (error) {
      setProblem(error instanceof Failure ? error.message : String(error));
    }
  };
  return (
    <div class="visitor">
      <p>
        <span class="small muted">Signed in{session.by && MEANS[session.by] ? ` ${MEANS[session.by]}` : ' as'}</span>
        <br />
        <strong>
          <Text value={session.user} most={40} />
        </strong>
      </p>
      {session.by === 'session' && (
        <button type="button" onClick={leave}>
          Sign out
        </button>
      )}
      {problem && (
        <p class="error small" role="alert">
          <Text value={problem} />
        </p>
      )}
    </div>
  );
}
