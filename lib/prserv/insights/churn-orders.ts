/** In which order recipes are told: most new values first, most values, most skipped; or the fewest that are left. */
export const CHURN_ORDERS = ['new', 'values', 'skipped', 'left'] as const;
export type ChurnOrder = (typeof CHURN_ORDERS)[number];

/** What is asked: recipes shown, in which order, and since how many days values count as new. */
export interface ChurnArgs {
  readonly [key: string]: number | string;
  readonly limit: number;
  readonly days: number;
  readonly sort: ChurnOrder;
}
