import { StreamedReply } from '../../asyncrpc/service.ts';
import { encodeJson, type Json } from '../../asyncrpc/wire/messages.ts';
import { largest } from '../revision.ts';
import type { PrFilter, PrRow, PrStore } from '../store.ts';

/** The BitBake version whose table this is. */
const CORE_VERSION = '2.19.0';
const PAGE_ROWS = 1000;

/**
 * Answers an export: every matching row, or only the one with the largest value of each package. The rows come page by
 * page, so that an export of any size costs little memory and holds no read transaction open.
 */
export async function exportRows(
  store: PrStore,
  filter: PrFilter,
  { colinfo, history }: { readonly colinfo: boolean; readonly history: boolean },
): Promise<StreamedReply> {
  const metainfo = colinfo ? { tbl_name: 'PRMAIN', core_ver: CORE_VERSION, col_info: await columns(store) } : {};
  // The first page is read before a byte is sent: a failing store is answered as an error, not with half a reply.
  const first = await store.page(filter, null, PAGE_ROWS);
  const rows = pages(store, filter, first);
  return new StreamedReply(pieces(metainfo, history ? rows : newestOfPackages(rows)));
}

async function columns(store: PrStore): Promise<Json> {
  return (await store.columns()).map((column) => ({ ...column }));
}

async function* pages(store: PrStore, filter: PrFilter, first: readonly PrRow[]): AsyncGenerator<PrRow> {
  for (let page = first; page.length > 0; page = await store.page(filter, page.at(-1)!, PAGE_ROWS)) {
    yield* page;
    if (page.length < PAGE_ROWS) return;
  }
}

/** Rows come in the order of their package, so one is held at a time. */
async function* newestOfPackages(rows: AsyncIterable<PrRow>): AsyncGenerator<PrRow> {
  let newest: PrRow | null = null;
  for await (const row of rows) {
    if (newest && (newest.version !== row.version || newest.pkgarch !== row.pkgarch)) {
      yield newest;
      newest = null;
    }
    if (!newest || largest(newest.value, row.value) !== newest.value) newest = row;
  }
  if (newest) yield newest;
}

async function* pieces(metainfo: Json, rows: AsyncIterable<PrRow>): AsyncGenerator<string> {
  yield `{"metainfo": ${encodeJson(metainfo)}, "datainfo": [`;
  let separator = '';
  let text = '';
  for await (const { version, pkgarch, checksum, value } of rows) {
    text += separator + encodeJson({ version, pkgarch, checksum, value });
    separator = ', ';
    if (text.length < 32 * 1024) continue;
    yield text;
    text = '';
  }
  yield `${text}]}`;
}
