// JSON that never rounds: what JSON numbers cannot carry exactly becomes a string.

/** A typed array or a plain array, whose elements are written on one line. */
type Elements = ArrayLike<unknown>;

/** How many elements one piece of text holds, so that a huge array never becomes one string. */
const PIECE = 4096;

/**
 * The JSON text of `value`, in pieces, indented by two. Integers beyond 2^53 (bigint), NaN and infinities become
 * strings; `undefined` members are left out; innermost arrays stay on one line.
 */
export function* jsonPieces(value: unknown, indent = ''): Generator<string, void, undefined> {
  const inner = `${indent}  `;
  if (isElements(value)) {
    yield* arrayPieces(value, indent);
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    let separator = '{\n';
    for (const [name, member] of members) {
      yield `${separator}${inner}${JSON.stringify(name)}: `;
      yield* jsonPieces(member, inner);
      separator = ',\n';
    }
    yield members.length === 0 ? '{}' : `\n${indent}}`;
  } else {
    yield scalarText(value);
  }
}

/** The JSON text of `value`, as {@link jsonPieces} writes it. */
export function jsonText(value: unknown): string {
  return [...jsonPieces(value)].join('');
}

function* arrayPieces(elements: Elements, indent: string): Generator<string, void, undefined> {
  const inner = `${indent}  `;
  if (elements.length > 0 && typeof elements[0] === 'object' && elements[0] !== null) {
    for (let index = 0; index < elements.length; index++) {
      yield `${index === 0 ? '[' : ','}\n${inner}`;
      yield* jsonPieces(elements[index], inner);
    }
    yield `\n${indent}]`;
    return;
  }
  yield '[';
  for (let from = 0; from < elements.length; from += PIECE) {
    const piece: string[] = [];
    const to = Math.min(from + PIECE, elements.length);
    for (let index = from; index < to; index++) piece.push(jsonOfElement(elements[index]));
    yield `${from === 0 ? '' : ', '}${piece.join(', ')}`;
  }
  yield ']';
}

function jsonOfElement(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? [...jsonPieces(value)].join('')
    : scalarText(value);
}

function isElements(value: unknown): value is Elements {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function scalarText(value: unknown): string {
  if (typeof value === 'bigint') {
    const exact =
      value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
    return exact ? String(value) : `"${value}"`;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `"${value}"`;
    return Object.is(value, -0) ? '-0.0' : JSON.stringify(value);
  }
  return JSON.stringify(value ?? null);
}
