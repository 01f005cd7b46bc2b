/** The table of the stream index, as the infrastructure makes it and the index uses it. */

export const TABLE_SCHEMA = {
  /** String. */
  partitionKey: 'pk',
  /** String. */
  sortKey: 'sk',
  /** Seconds since 1970; DynamoDB removes the item some time after. */
  timeToLive: 'expiresAt',
} as const;
