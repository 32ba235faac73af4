import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { packageVersion } from '../../lib/package-version.ts';
import { SERVE_OPTIONS } from '../../lib/settings/serve-options.ts';
import { generatedFiles } from '../../scripts/generated.ts';

const FILES = await generatedFiles(packageVersion());
const ROOT = path.join(import.meta.dirname, '../..');

describe('generated files are up to date (npm run generate)', () => {
  for (const [file, text] of FILES) {
    test(file, () => assert.equal(fs.readFileSync(path.join(ROOT, file), 'utf8'), text));
  }
});

test('docs/options.md, to which README points, names every option of serve as flag and as environment variable', () => {
  const text = fs.readFileSync(path.join(ROOT, 'docs/options.md'), 'utf8');
  assert.match(fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8'), /\]\(docs\/options\.md\)/);
  for (const { name } of SERVE_OPTIONS) {
    assert.match(
      text,
      new RegExp(`^\\| \`--${name}\` \\| \`BAKESERV_${name.toUpperCase().replaceAll('-', '_')}\``, 'm'),
    );
  }
});
