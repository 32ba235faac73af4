import type { Logger } from '../../../log.ts';

/** A certificate that is in use. */
export interface Expiring {
  readonly file: string;
  readonly expires: Date;
}

const DAY_MS = 86_400_000;
/** A renewal that failed leaves this long to find out why: those who renew by themselves do it 30 days ahead. */
const WARN_DAYS = 14;

/** What to say of a certificate that expires soon, or has; null if it is good for longer. */
export function expiryWarning({ file, expires }: Expiring, now = Date.now()): string | null {
  const days = Math.floor((expires.getTime() - now) / DAY_MS);
  if (days >= WARN_DAYS) return null;
  const date = expires.toISOString().slice(0, 10);
  if (expires.getTime() <= now) return `the certificate ${file} expired on ${date}: clients refuse it`;
  return `the certificate ${file} expires on ${date}, in ${days === 1 ? '1 day' : `${days} days`}: renew it, then send SIGHUP`;
}

/** Warns of certificates that expire soon. */
export interface ExpiryWatch {
  /** Looks at all of them now. */
  look(): void;
  close(): void;
}

/** Looks at once, and then once a day. Keeps no program running. */
export function watchExpiry(certificates: readonly Expiring[], log: Logger, now = () => Date.now()): ExpiryWatch {
  const look = () => {
    // Several listeners may have one certificate.
    const warnings = new Set(certificates.map((each) => expiryWarning(each, now())));
    for (const warning of warnings) if (warning !== null) log.warn(warning);
  };
  look();
  const timer = certificates.length > 0 ? setInterval(look, DAY_MS).unref() : undefined;
  return { look, close: () => clearInterval(timer) };
}
