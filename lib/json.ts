// JSON from the core, in which numbers that JSON.parse would round or cannot read are tagged.

/** A value of an attribute; integers beyond 2^53 are bigint. */
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
// { "$lsio": "bytes", "value": [0, 255] }
// { "$lsio": "object", "value": {...} }   an object of the user that has a member "$lsio" itself
const TAG = '$lsio';

type PlainJson = null | boolean | number | string | PlainJson[] | { [name: string]: PlainJson };

/** Parses JSON of the core. */
export function parseTaggedJson(text: string): JsonValue {
  return revive(JSON.parse(text) as PlainJson);
}

function revive(value: PlainJson): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(revive);
  if (!Object.hasOwn(value, TAG)) return reviveMembers(value);
  const { [TAG]: tag, value: tagged = null } = value;
  if (tag === 'bigint') return BigInt(tagged as string);
  if (tag === 'number') return Number(tagged);
  // Only a fill value is bytes; whoever asks for one knows it.
  if (tag === 'bytes') return Uint8Array.from(tagged as number[]) as unknown as JsonValue;
  return reviveMembers(tagged as { [name: string]: PlainJson });
}

function reviveMembers(members: { [name: string]: PlainJson }): JsonValue {
  // fromEntries defines own properties, also one named __proto__.
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, revive(value)]));
}
