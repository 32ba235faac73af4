import type { Api } from './client.ts';

/** `GET /packages` */
export interface PackagesFound {
  readonly text: string;
  readonly packages: readonly PackageRow[];
  readonly cut: boolean;
  readonly complete: boolean;
}

export interface PackageRow {
  readonly version: string;
  readonly pkgarch: string;
  readonly values: number;
  readonly max: string | null;
}

/** `GET /versions/VERSION` */
export interface PackageValues {
  readonly version: string;
  readonly pkgarchs: readonly PkgarchValues[];
}

export interface PkgarchValues {
  readonly pkgarch: string;
  readonly max: string | null;
  /** In the order of the values. */
  readonly values: readonly PackageValue[];
  readonly cut: boolean;
  readonly upstream: null | { readonly state: 'answered'; readonly max: string | null } | { readonly state: 'away' };
}

export interface PackageValue {
  readonly checksum: string;
  readonly value: string;
  /** The last time that is known to have been before it was given. */
  readonly not_before: string | null;
}

export const findPackages = (api: Api, text: string, limit: number, signal: AbortSignal) =>
  api.ask<PackagesFound>('GET', ['packages'], { query: { text, limit }, signal });

export const getPackage = (api: Api, version: string, signal: AbortSignal) =>
  api.ask<PackageValues>('GET', ['versions', version], { signal });
