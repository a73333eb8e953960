// JSON whose numbers JSON.parse would round or cannot read: tagged by the core, or as it is stored.

/** A value of JSON, as attributes and elements of `json` arrays have it; integers beyond 2^53 are bigint. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Attributes of an array or a group. */
export type Attributes = { readonly [name: string]: JsonValue };

// { "$lsio": "bigint", "value": "9007199254740993" }
// { "$lsio": "number", "value": "NaN" | "Infinity" | "-Infinity" }
// { "$lsio": "bytes", "value": "00ff", "length": 4 }   as hexadecimal digits, without the zeros at their end
// { "$lsio": "object", "value": {...} }   an object of the user that has a member "$lsio" itself
const TAG = '$lsio';

type PlainJson = null | boolean | number | string | PlainJson[] | { [name: string]: PlainJson };

/** Parses JSON of the core. */
export function parseTaggedJson(text: string): JsonValue {
  const value = JSON.parse(text) as PlainJson;
  // Most has no tags, and a document may have a hundred thousand members. The core writes no letter as an escape.
  return text.includes(TAG) ? revive(value) : value;
}

// Words that JSON does not have, and digits of integers that a number may not hold.
const UNUSUAL = /NaN|Infinity|\d{16}/;

/** Parses stored JSON, which the core has checked; it may have the words that Python writes. */
export function parseStoredJson(text: string): JsonValue {
  if (!UNUSUAL.test(text)) return JSON.parse(text) as JsonValue;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const items = <T>(end: string, item: () => T): T[] => {
    const found: T[] = [];
    while (tokens[at] !== end && at < tokens.length) {
      found.push(item());
      if (tokens[at] === ',') at += 1;
    }
    at += 1;
    return found;
  };
  const member = (): [string, JsonValue] => {
    const name = JSON.parse(next()) as string;
    at += 1; // The colon.
    return [name, value()];
  };
  const value = (): JsonValue => {
    const token = next();
    if (token === '[') return items(']', value);
    // fromEntries defines own properties, also one named __proto__.
    if (token === '{') return Object.fromEntries(items('}', member));
    if (/^(?:NaN|-?Infinity)$/.test(token)) return Number(token);
    const isLong = /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
    return isLong ? BigInt(token) : (JSON.parse(token) as JsonValue);
  };
  return value();
}

function revive(value: PlainJson): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(revive);
  if (!Object.hasOwn(value, TAG)) return reviveMembers(value);
  const { [TAG]: tag, value: tagged = null, length = 0 } = value;
  if (tag === 'bigint') return BigInt(tagged as string);
  if (tag === 'number') return Number(tagged);
  // Only a fill value is bytes; whoever asks for one knows it.
  if (tag === 'bytes') {
    const bytes = new Uint8Array(length as number);
    bytes.set(Buffer.from(tagged as string, 'hex'));
    return bytes as unknown as JsonValue;
  }
  return reviveMembers(tagged as { [name: string]: PlainJson });
}

function reviveMembers(members: { [name: string]: PlainJson }): JsonValue {
  // fromEntries defines own properties, also one named __proto__.
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, revive(value)]));
}
