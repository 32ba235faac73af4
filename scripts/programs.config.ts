/**
 * How `npm run build` makes the programs in dist/bin: a few large files of the hundreds that they are written in. Node takes
 * about half a millisecond to find, read and link each module, which was a third of the start of a server. Packages stay
 * where they are installed; dist/lib is for those who import bakeserv.
 */
import path from 'node:path';
import { defineConfig } from 'vite';

const ROOT = path.join(import.meta.dirname, '..');
const PROGRAMS = ['bakeserv', 'bakeserv-hashclient', 'bakeserv-prclient'];

export default defineConfig({
  root: ROOT,
  logLevel: 'warn',
  publicDir: false,
  ssr: { external: true },
  build: {
    ssr: true,
    outDir: path.join(ROOT, 'dist/bin'),
    emptyOutDir: false,
    target: 'node20',
    // A stack in a log must say which function it was.
    minify: false,
    rolldownOptions: {
      input: Object.fromEntries(PROGRAMS.map((name) => [name, path.join(ROOT, `bin/${name}.ts`)])),
      output: { entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' },
    },
  },
});
