/** Which object keys are allowed. */

const PART = /^[A-Za-z0-9._-]{1,200}$/;
const MAX_KEY_LENGTH = 1024;

/** Keys become paths, so nothing but plain parts may pass: no `.`, no `..`, no empty part. */
export const isObjectKey = (key: string): boolean =>
  key.length <= MAX_KEY_LENGTH &&
  key.split('/').every((part) => PART.test(part) && part !== '.' && part !== '..');

export function checkObjectKey(key: string): string {
  if (!isObjectKey(key)) throw new RangeError(`Not an object key: ${JSON.stringify(key)}`);
  return key;
}
