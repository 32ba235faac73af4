import { StorageError } from '../../../errors.ts';
import type { Binding } from './binding.ts';
import { patiently } from './connections.ts';
import type { Doubt } from './doubt.ts';
import { isReadFailure } from './errors.ts';

/** All rows of a query: waits for locks, and tries again if reading the file failed. */
export async function patientRead<Row>(
  connection: Binding,
  sql: string,
  params: readonly (string | number | null)[] | undefined,
  doubt: Doubt,
): Promise<Row[]> {
  try {
    return await connection.all<Row>(sql, params);
  } catch (error) {
    const read = () => connection.all<Row>(sql, params);
    if (error instanceof StorageError && error.code === 'storage-busy') return patiently(() => doubt.again(read));
    if (isReadFailure(error)) return doubt.retry(error, read);
    throw error;
  }
}
