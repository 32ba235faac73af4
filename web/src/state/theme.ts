import { createContext } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { useMedia } from './viewport.ts';

/** As the reader's system has it, or as the reader chose here. */
export type ThemeChoice = 'system' | 'light' | 'dark';

/** What plots are drawn for. */
export const Theme = createContext<'light' | 'dark'>('light');

const KEY = 'bakeserv.theme';

/** @returns what was chosen, what that is at the moment, and how to choose */
export function useTheme(): readonly [ThemeChoice, 'light' | 'dark', (choice: ThemeChoice) => void] {
  const [choice, setChoice] = useState(stored);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  // Before anything is drawn, or the page would flash in the other colours.
  useLayoutEffect(() => {
    if (choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }, [choice]);
  const choose = (next: ThemeChoice) => {
    setChoice(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // A browser that keeps nothing: it holds until the page is closed.
    }
  };
  return [choice, choice === 'system' ? (isDark ? 'dark' : 'light') : choice, choose];
}

function stored(): ThemeChoice {
  try {
    const found = localStorage.getItem(KEY);
    return found === 'light' || found === 'dark' ? found : 'system';
  } catch {
    return 'system';
  }
}
