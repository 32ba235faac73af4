/** Somebody is signed in. */
export interface SignedIn {
  readonly username: string;
  readonly expires: Date;
}

/** The sessions of the page, which the service keeps that has the users. A value tells one from all others, and is its cookie's. */
export interface Sessions {
  /** None can begin: the database is not written. */
  readonly readOnly: boolean;
  /** Resolves to null where the token is not the user's (any more). */
  begin(username: string, token: string): Promise<(SignedIn & { readonly value: string }) | null>;
  /** Resolves to null for one that is over, or is none. */
  find(value: string): Promise<SignedIn | null>;
  end(value: string): Promise<void>;
}
