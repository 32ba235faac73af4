/** How `npm run build` makes dist/web of the page: a few files with names that change with what is in them. */
import path from 'node:path';
import { defineConfig } from 'vite';
import { compressed, licences } from './vite-plugins.ts';

const OUT = path.join(import.meta.dirname, '../dist/web');

export default defineConfig({
  root: import.meta.dirname,
  // The page may be below a folder of a reverse proxy: it names everything from where it is.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    // Nothing within the page: the Content-Security-Policy takes scripts and styles from this server alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    reportCompressedSize: false,
  },
  plugins: [licences(), compressed(OUT)],
});
