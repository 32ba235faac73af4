import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkParameters } from '../../lib/pull/parameters.ts';
import { withoutPassword } from '../../lib/settings/database-address.ts';
import { parsePostgresAddress } from '../../lib/storage/postgres/engine/address.ts';

/** Parts of a secret, with what somebody forgets to encode in between. */
const secret = fc
  .array(fc.constantFrom('@', '/', '?', '#', '%', '&', ':'), { minLength: 1, maxLength: 3 })
  .map((between) => `SECRET${between.map((each) => `${each}SECRET`).join('')}`);

describe('the password in the address of a database', () => {
  test('is shown nowhere, however it is written', () => {
    fc.assert(
      fc.property(secret, (password) => {
        const address = `postgres://u:${password}@h/d`;
        assert.doesNotMatch(withoutPassword(address), /SECRET/);
        try {
          parsePostgresAddress(address, {});
        } catch (error) {
          assert.doesNotMatch((error as Error).message, /SECRET/);
        }
      }),
    );
  });

  test('is not shown as a parameter, whatever its name is written like', () => {
    for (const name of ['password', 'PASSWORD', '%70assword', 'sslpassword'])
      assert.equal(withoutPassword(`postgres://u@h/d?a=b&${name}=SECRET&c=d`), `postgres://u@h/d?a=b&${name}=…&c=d`);
  });

  test('is all that is left out', () => {
    for (const address of [
      'postgres://u@h:5432/d?application_name=a@b',
      'postgres://h1:5432,h2:5433/d?application_name=a@b',
      'postgres://[::1]:5432/d?application_name=a@b',
      'postgres:///d?host=/run/postgresql',
      'ws://h:8080/a@b',
      '/srv/a:b@c.db',
      'unix:///run/a:b@c',
    ])
      assert.equal(withoutPassword(address), address);
    assert.equal(withoutPassword('postgres://u:p@h:1,i:2/d?x=a@b'), 'postgres://u:…@h:1,i:2/d?x=a@b');
  });

  test('is refused in a job, which is kept and shown, of whatever kind the address is', () => {
    for (const source of ['postgres://u:p@h/d', 'POSTGRES://u:p@h/d', 'postgres://u:p/q@h/d', 'tls://u:p@h:1'])
      assert.throws(() => checkParameters({ source }), /password does not belong/);
  });
});
