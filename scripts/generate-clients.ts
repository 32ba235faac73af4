import fs from 'node:fs';
import path from 'node:path';
import { clientFiles } from './client-files.ts';

const ROOT = path.join(import.meta.dirname, '..');

for (const [file, text] of clientFiles()) {
  fs.mkdirSync(path.join(ROOT, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(ROOT, file), text);
}
