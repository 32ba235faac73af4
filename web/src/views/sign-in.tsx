import { useContext, useState } from 'preact/hooks';
import { Failure } from '../api/failure.ts';
import { signIn } from '../api/session.ts';
import { Field } from '../parts/field.tsx';
import { Empty } from '../parts/states.tsx';
import { View } from '../parts/view.tsx';
import { Server } from '../state/server.ts';
import { SessionState } from '../state/session.ts';
import { goTo } from '../state/use-route.ts';

/** User and token, for a session of some hours. */
export function SignIn() {
  const { api } = useContext(Server);
  const { session, changed } = useContext(SessionState);
  const [username, setUsername] = useState('');
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  if (session && session.user === null && !session.sign_in)
    return (
      <View title="Sign in">
        <Empty title="Nobody can sign in here">
          <p>A token is taken over TLS, or from the machine the server runs on: open the page by https, or there.</p>
        </Empty>
      </View>
    );

  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn(api, username.trim(), token.trim());
      goTo('#/overview');
      changed();
    } catch (error) {
      setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <View title="Sign in" lead="What you see and may do then is what your user may. A session lasts eight hours.">
      <form
        class="panel form narrow"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field label="User">
          {(ids) => (
            <input
              {...ids}
              name="username"
              autocomplete="username"
              required
              maxLength={256}
              value={username}
              onInput={(event) => setUsername(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field
          label="Token"
          hint="As it was shown when your user was made, or when its token was replaced."
          error={problem}
        >
          {(ids) => (
            <input
              {...ids}
              type="password"
              name="token"
              autocomplete="current-password"
              required
              maxLength={1024}
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="actions">
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? 'Signing in…' : 'Sign in'}
          </button>
        </div>
      </form>
    </View>
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Failure)) return String(error);
  if (error.kind === 'sign-in') return 'User and token do not match.';
  return error.message;
}
