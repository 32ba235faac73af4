/**
 * How `npm run build` makes the programs in dist/bin: a few large files of the hundreds that they are written in, and of
 * those of packages that every start loads. Node takes about half a millisecond to find, read and link each, which was
 * more than half of the start of a server. Other packages stay where they are installed; dist/lib is for those who
 * import bakeserv.
 */
import fs from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vite';
import { licences } from '../web/vite-plugins.ts';
import { PARTS, programParts } from './program-parts.ts';

const ROOT = path.join(import.meta.dirname, '..');
const PROGRAMS = ['bakeserv', 'bakeserv-hashclient', 'bakeserv-prclient'];
/** Packages that are built in, with all that they need. Their licences are in dist/bin/licences.txt. */
const BUILT_IN = ['p-queue', 'winston', 'yargs'];
const { dependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const INSTALLED = Object.keys(dependencies).filter((name) => !BUILT_IN.includes(name));

const partOf = programParts(ROOT);

export default defineConfig({
  root: ROOT,
  logLevel: 'warn',
  publicDir: false,
  // The files that Node would load, also of packages that have others for bundlers.
  ssr: { noExternal: true, external: INSTALLED, resolve: { mainFields: ['main'] } },
  // Otherwise winston loads what colours its own diagnostics, for those who develop it.
  define: { 'process.env.NODE_ENV': JSON.stringify('production') },
  build: {
    ssr: true,
    outDir: path.join(ROOT, 'dist/bin'),
    emptyOutDir: false,
    target: 'node20',
    // A stack in a log must say which function it was.
    minify: false,
    rolldownOptions: {
      input: Object.fromEntries(PROGRAMS.map((name) => [name, path.join(ROOT, `bin/${name}.ts`)])),
      // Of yargs only its parser is used; the rest, which draws help and reads translations, would come along.
      treeshake: { moduleSideEffects: [{ test: /\/node_modules\/yargs\//, sideEffects: false }] },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'parts/[name]-[hash].js',
        // A part takes along what it imports, unless an earlier one has it.
        codeSplitting: {
          groups: PARTS.map((name) => ({ name, test: (id: string) => partOf(path.relative(ROOT, id)) === name })),
        },
      },
    },
  },
  plugins: [licences()],
});
