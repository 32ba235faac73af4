import { useEffect, useState } from 'preact/hooks';

/** Says which server this is. */
export function App() {
  const [text, setText] = useState('…');
  useEffect(() => {
    versionText().then(setText, (error: Error) => setText(error.message));
  }, []);
  return (
    <main>
      <h1>bakeserv</h1>
      <p>{text}</p>
    </main>
  );
}

async function versionText(): Promise<string> {
  const response = await fetch('api/v1/status');
  const answer: { version?: string; detail?: string } = await response.json();
  return answer.version ? `Version ${answer.version}` : (answer.detail ?? `Status ${response.status}`);
}
