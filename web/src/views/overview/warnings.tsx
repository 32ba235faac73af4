import type { Warning } from '../../api/status.ts';
import { Badge } from '../../parts/panel.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';

/** What wants somebody; nothing at all where nothing does. */
export function Warnings({ warnings }: { readonly warnings: readonly Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <section class="warnings" aria-label="Wants attention">
      <ul>
        {warnings.map(({ code, severity, text, subject, since }, i) => (
          <li key={`${code} ${i}`} class={`notice ${severity === 'critical' ? 'bad' : 'warn'}`}>
            <Badge tone={severity === 'critical' ? 'bad' : 'warn'}>{severity}</Badge>
            <span>
              <Text value={text} most={400} />
              {subject && (
                <>
                  {' '}
                  <code>
                    <Text value={subject} most={200} />
                  </code>
                </>
              )}
              {since && (
                <span class="muted small">
                  {' '}
                  since <Time at={since} />
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
