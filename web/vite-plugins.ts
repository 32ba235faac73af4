import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** What is sent compressed; everything else is compressed already. */
const TEXT = /\.(html|js|css|svg|txt|json)$/;

/** Ships the licences of whatever ended up in the page beside it. */
export function licences(): Plugin {
  return {
    name: 'bakeserv:licences',
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const item of Object.values(bundle)) {
        for (const id of item.type === 'chunk' ? item.moduleIds : []) {
          const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
          if (folder) folders.add(folder);
        }
      }
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: [...folders].sort().map(licence).join('\n') });
    },
  };
}

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(folder).find((each) => /^licen[cs]e(-\w+)?(\.\w+)?$/i.test(each));
  if (!file) throw new Error(`${name} has no file with its licence`);
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
}

/** Puts a gzip of each file beside it, so that the server compresses nothing. */
export function compressed(folder: string): Plugin {
  return {
    name: 'bakeserv:compressed',
    closeBundle() {
      for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!TEXT.test(name)) continue;
        const file = path.join(folder, name);
        fs.writeFileSync(`${file}.gz`, gzipSync(fs.readFileSync(file), { level: 9 }));
      }
    },
  };
}
