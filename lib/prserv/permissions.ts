/** Permissions of users that PR clients may have where they log in, in the words of hash equivalence. */
export const READ = '@read';
export const REPORT = '@report';
export const DB_ADMIN = '@db-admin';
