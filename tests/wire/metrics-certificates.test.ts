import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { scrape } from '../metrics-helpers.ts';
import { secureServer } from './tls-helpers.ts';

test('the day on which a certificate expires is shown, by listener', async (t) => {
  const { server } = await secureServer(t);
  const listener = server.listeners.find(({ certificate }) => certificate)!;
  const shown = await scrape(server);
  const name = { listener: formatAddress(listener.address) };
  const expires = shown.value('bakeserv_certificate_expiry_timestamp_seconds', name);
  assert.equal(expires, listener.certificate!.expires.getTime() / 1000);
  assert.ok(expires > Date.now() / 1000);
});
