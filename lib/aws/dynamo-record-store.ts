/**
 * The stream index on one DynamoDB table. Values are JSON texts: exact for every value that JSON can
 * say, and smaller than maps, which name each attribute's type. An item holds up to 400 KB; the
 * records stay below 20 KB.
 */

import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { checkWrites } from '../ports/checks.ts';
import type { Item, RecordStore, SortRange, Write } from '../ports/ports.ts';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from './connection.ts';
import { errorName, retryCall } from './retry.ts';
import { TABLE_SCHEMA } from './table-schema.ts';

type Attributes = Record<string, AttributeValue>;
type Put = Extract<Write, { type: 'put' }>;
type Delete = Extract<Write, { type: 'delete' }>;

export class DynamoRecordStore implements RecordStore {
  readonly #table: string;
  readonly #client: DynamoDBClient;

  constructor(connection: AwsConnection, table: string) {
    this.#table = table;
    this.#client = new DynamoDBClient(clientOptions(connection, CALL_TIMEOUTS));
  }

  async get(partition: string, sort: string): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#table,
        Key: keyOf({ partition, sort }),
        ConsistentRead: true,
        ...PROJECTION,
      }),
    );
    return Item && toItem(Item);
  }

  async query(partition: string, range: SortRange = {}): Promise<Item[]> {
    const { from, to, limit = Number.POSITIVE_INFINITY, descending = false } = range;
    // DynamoDB refuses such a range instead of finding nothing.
    if (from !== undefined && to !== undefined && isAfter(from, to)) return [];
    const condition = sortCondition(from, to);
    const items: Item[] = [];
    let start: Attributes | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: `#pk = :pk${condition.expression}`,
          ...PROJECTION,
          ExpressionAttributeNames: { ...PROJECTION.ExpressionAttributeNames, '#pk': 'pk' },
          ExpressionAttributeValues: { ':pk': { S: partition }, ...condition.values },
          ConsistentRead: true,
          ScanIndexForward: !descending,
          ...(Number.isFinite(limit) && { Limit: limit - items.length }),
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      items.push(...(page.Items ?? []).map(toItem));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  }

  async write(writes: readonly Write[]): Promise<boolean> {
    checkWrites(writes);
    const [only, ...more] = writes;
    if (!only) return true;
    if (more.length > 0) return this.#transact(writes);
    if (only.type === 'put') return this.#put(only);
    // A deletion that was retried leaves nothing that shows which attempt deleted the item.
    return only.expect === undefined ? this.#delete(only) : this.#transact(writes);
  }

  close(): void {
    this.#client.destroy();
  }

  /**
   * The SDK tries again when an answer is lost, and may then meet the item that it wrote itself: each
   * write has a name, by which the second attempt knows the first.
   */
  async #put(put: Put): Promise<boolean> {
    const name = randomUUID();
    const { update, values } = putUpdate(put, name);
    const notYet = 'attribute_not_exists(#write) OR #write <> :write';
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: keyOf(put),
      ...update,
      ConditionExpression: expectation(put, values) ?? notYet,
      ExpressionAttributeValues: values,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await retryCall(() => this.#client.send(command), isConflict);
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return error.Item?.write?.S === name;
    }
  }

  async #delete(write: Delete): Promise<true> {
    const command = new DeleteItemCommand({ TableName: this.#table, Key: keyOf(write) });
    await retryCall(() => this.#client.send(command), isConflict);
    return true;
  }

  async #transact(writes: readonly Write[]): Promise<boolean> {
    const command = new TransactWriteItemsCommand({
      TransactItems: writes.map((write) => this.#transactItem(write)),
      // Makes attempts after a lost answer repeat it instead of the writes.
      ClientRequestToken: randomUUID(),
    });
    try {
      await retryCall(() => this.#client.send(command), isConflict);
      return true;
    } catch (error) {
      if (reasonsOf(error).includes('ConditionalCheckFailed')) return false;
      throw error;
    }
  }

  #transactItem(write: Write) {
    const at = { TableName: this.#table, Key: keyOf(write) };
    if (write.type === 'put') {
      const { update, values } = putUpdate(write, randomUUID());
      const condition = expectation(write, values);
      const when = condition && { ConditionExpression: condition };
      return { Update: { ...at, ...update, ...when, ExpressionAttributeValues: values } };
    }
    const values: Attributes = {};
    const condition = expectation(write, values);
    if (condition === undefined) return { Delete: at };
    const named = write.expect !== 0 && {
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: values,
    };
    return { Delete: { ...at, ConditionExpression: condition, ...named } };
  }
}

const PROJECTION = {
  ProjectionExpression: '#sk, #version, #value',
  ExpressionAttributeNames: {
    '#sk': TABLE_SCHEMA.sortKey,
    '#version': 'version',
    '#value': 'value',
  },
};

const keyOf = ({ partition, sort }: Readonly<{ partition: string; sort: string }>): Attributes => ({
  [TABLE_SCHEMA.partitionKey]: { S: partition },
  [TABLE_SCHEMA.sortKey]: { S: sort },
});

const toItem = ({ sk, version, value }: Attributes): Item => ({
  sort: sk?.S ?? '',
  version: Number(version?.N),
  value: JSON.parse(value?.S ?? 'null'),
});

function putUpdate({ value, expiresAtMs }: Put, name: string) {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError('An item needs a value that JSON can say');
  const values: Attributes = {
    ':none': { N: '0' },
    ':one': { N: '1' },
    ':value': { S: json },
    ':write': { S: name },
    ...(expiresAtMs !== undefined && { ':expires': { N: String(Math.ceil(expiresAtMs / 1000)) } }),
  };
  const version = '#version = if_not_exists(#version, :none) + :one';
  const expiry = expiresAtMs === undefined ? ' REMOVE #expires' : ', #expires = :expires';
  const update = {
    UpdateExpression: `SET ${version}, #value = :value, #write = :write${expiry}`,
    ExpressionAttributeNames: {
      '#version': 'version',
      '#value': 'value',
      '#write': 'write',
      '#expires': TABLE_SCHEMA.timeToLive,
    },
  };
  return { update, values };
}

/** The condition for an expected version, whose value it adds to the expression's values. */
function expectation({ expect }: Write, values: Attributes): string | undefined {
  if (expect === undefined) return undefined;
  if (expect === 0) return `attribute_not_exists(${TABLE_SCHEMA.partitionKey})`;
  values[':expect'] = { N: String(expect) };
  return '#version = :expect';
}

function sortCondition(from: string | undefined, to: string | undefined) {
  const values: Attributes = {
    // No key is empty, and no value for one may be.
    ...(from !== undefined && from !== '' && { ':from': { S: from } }),
    ...(to !== undefined && { ':to': { S: to } }),
  };
  const [lower, upper] = [':from' in values, ':to' in values];
  if (lower && upper) return { expression: ' AND #sk BETWEEN :from AND :to', values };
  if (lower) return { expression: ' AND #sk >= :from', values };
  return { expression: upper ? ' AND #sk <= :to' : '', values };
}

const isAfter = (one: string, other: string): boolean =>
  Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0;

const reasonsOf = (error: unknown): string[] =>
  error instanceof TransactionCanceledException
    ? (error.CancellationReasons ?? [])
        .map(({ Code = 'None' }) => Code)
        .filter((code) => code !== 'None')
    : [];

const PASSING_REASONS: ReadonlySet<string> = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** Another write was under way on one of the items. */
function isConflict(error: unknown): boolean {
  if (error instanceof TransactionCanceledException) {
    const reasons = reasonsOf(error);
    return reasons.length > 0 && reasons.every((reason) => PASSING_REASONS.has(reason));
  }
  const name = errorName(error);
  return name === 'TransactionConflictException' || name === 'TransactionInProgressException';
}
