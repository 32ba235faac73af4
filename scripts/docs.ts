import fs from 'node:fs';
import path from 'node:path';
import { withOptionsTable } from './options-table.ts';

const README = path.join(import.meta.dirname, '../README.md');

fs.writeFileSync(README, withOptionsTable(fs.readFileSync(README, 'utf8')));
