/** The file beside a database whose time says when it was backed up last. It holds the name of the backup. */
export const backupStampOf = (database: string): string => `${database}.backed-up`;
