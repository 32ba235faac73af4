/** Whoever waits for less wants to read nothing. */
const NOTICE_MS = 3000;

/**
 * Says on stderr what is waited for, where that takes long: a database that does not answer is given up only after 30 s.
 * @param noticeMs only a test has less
 */
export async function tellWaiting<T>(what: string, work: Promise<T>, noticeMs = NOTICE_MS): Promise<T> {
  const timer = setTimeout(() => process.stderr.write(`bakeserv: waiting for ${what} to answer\n`), noticeMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
