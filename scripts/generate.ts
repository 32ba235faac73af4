import fs from 'node:fs';
import path from 'node:path';
import { packageVersion } from '../lib/package-version.ts';
import { generatedFiles } from './generated.ts';

const ROOT = path.join(import.meta.dirname, '..');

for (const [file, text] of await generatedFiles(packageVersion())) {
  fs.mkdirSync(path.join(ROOT, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(ROOT, file), text);
}
