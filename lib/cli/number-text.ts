// Numbers as numpy prints them: the shortest digits that read back as the same value, lined up in a
// column.

/** The significant digits that a shortest text of each width may need. */
const MOST_DIGITS = { 16: 5, 32: 9 } as const;

/** From this size on numpy (2.3 and later) writes exponents: 10 to the digits that a type always keeps, 8 at most. */
const LARGEST = { 16: 1e3, 32: 1e6, 64: 1e8 } as const;

/** Enough digits to see exactly where a double lies between two texts. */
const ALL_DIGITS = 100;

/** numpy prints at most this many digits after the point. */
const PRECISION = 8;

/** The width in bits of a floating-point value. */
export type FloatBits = 16 | 32 | 64;

/** The shortest decimal text, with an exponent or without, that reads back as `value` at its width. */
export function shortest(value: number, bits: FloatBits): string {
  if (bits === 64) return String(value);
  for (let digits = 1; digits < MOST_DIGITS[bits]; digits++) {
    const candidate = Number(exponential(value, digits - 1));
    if (roundTo(candidate, bits) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(MOST_DIGITS[bits])));
}

/** `value` with `fraction` digits behind the first; of two equally near texts the even one, as numpy, where toExponential takes the larger. */
function exponential(value: number, fraction: number): string {
  const text = value.toExponential(fraction);
  const [mantissa = '', exponent = ''] = value.toExponential(ALL_DIGITS).split('e');
  const digits = mantissa.replace(/\.?0*$/, '');
  const tie = digits.length === mantissa.indexOf('.') + fraction + 2 && digits.endsWith('5');
  const cut = digits.slice(0, -1);
  return tie && /[02468]\.?$/.test(cut) ? `${cut.replace(/\.$/, '')}e${exponent}` : text;
}

function roundTo(value: number, bits: 16 | 32): number {
  return bits === 32 ? Math.fround(value) : roundToHalf(value);
}

/** The nearest float16, ties to even (IEEE 754 binary16); `Math.f16round` is not in every supported Node. */
function roundToHalf(value: number): number {
  const size = Math.abs(value);
  // Below 2^-14 floats are 2^-24 apart; above, 11 significant bits count.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - 10);
  const scaled = size / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  const rounded = (up ? floor + 1 : floor) * unit;
  return Math.sign(value) * (rounded >= 65520 ? Number.POSITIVE_INFINITY : rounded);
}

/** Texts for floating-point `values`, lined up at the point as numpy does; `plus` is the sign of positive ones. */
export function floatTexts(
  values: readonly number[],
  bits: FloatBits,
  plus: '' | '+' = '',
): string[] {
  const finite = values.filter((value) => Number.isFinite(value));
  const format = needsExponent(finite, bits) ? scientificTexts : positionalTexts;
  const finiteTexts = format(finite, bits, plus);
  let next = 0;
  const texts = values.map((value) =>
    Number.isFinite(value) ? (finiteTexts[next++] ?? '') : specialText(value, plus),
  );
  const width = longest(texts);
  return texts.map((text) => text.padStart(width));
}

function needsExponent(finite: readonly number[], bits: FloatBits): boolean {
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const value of finite) {
    const size = Math.abs(value);
    if (size > largest) largest = size;
    if (size !== 0 && size < smallest) smallest = size;
  }
  if (largest === 0) return false;
  // numpy divides at the precision of the data.
  const ratio = bits === 64 ? largest / smallest : roundTo(largest / smallest, bits);
  return largest >= LARGEST[bits] || smallest < 1e-4 || ratio > 1000;
}

function specialText(value: number, plus: '' | '+'): string {
  if (Number.isNaN(value)) return `${plus}nan`;
  return value > 0 ? `${plus}inf` : '-inf';
}

/** `-`, or `plus`; zeros have signs too. */
function signOf(value: number, plus: '' | '+'): string {
  return value < 0 || Object.is(value, -0) ? '-' : plus;
}

/** `1.`, `-2.5 `: whole parts padded at the left, fractions at the right. */
function positionalTexts(values: readonly number[], bits: FloatBits, plus: '' | '+'): string[] {
  const parts = values.map((value): [whole: string, fraction: string] => {
    const [whole = '', fraction = ''] = withoutExponent(Math.abs(value), bits).split('.');
    return [signOf(value, plus) + whole, fraction];
  });
  const left = longest(parts.map(([whole]) => whole));
  const right = longest(parts.map(([, fraction]) => fraction));
  return parts.map(([whole, fraction]) => `${whole.padStart(left)}.${fraction.padEnd(right)}`);
}

function withoutExponent(size: number, bits: FloatBits): string {
  const text = shortest(size, bits);
  const fraction = text.includes('e') ? PRECISION + 1 : (text.split('.')[1] ?? '').length;
  // Here sizes are below 1e8, so toFixed has no exponent.
  return fraction <= PRECISION ? text : size.toFixed(PRECISION).replace(/\.?0+$/, '');
}

/** `1.000e+00`: one digit before the point, as many after it as the longest needs. */
function scientificTexts(values: readonly number[], bits: FloatBits, plus: '' | '+'): string[] {
  const digits = values.reduce((most, value) => Math.max(most, mantissaDigits(value, bits)), 0);
  const parts = values.map((value) => {
    const [mantissa = '', exponent = ''] = exponential(Math.abs(value), digits).split('e');
    const point = mantissa.includes('.') ? '' : '.';
    return {
      mantissa: signOf(value, plus) + mantissa + point,
      exponentSign: exponent.slice(0, 1),
      exponentDigits: exponent.slice(1),
    };
  });
  const left = longest(parts.map(({ mantissa }) => mantissa));
  const width = Math.max(2, longest(parts.map(({ exponentDigits }) => exponentDigits)));
  return parts.map(
    ({ mantissa, exponentSign, exponentDigits }) =>
      `${mantissa.padStart(left)}e${exponentSign}${exponentDigits.padStart(width, '0')}`,
  );
}

function mantissaDigits(value: number, bits: FloatBits): number {
  const [mantissa = ''] = Number(shortest(Math.abs(value), bits))
    .toExponential()
    .split('e');
  return Math.min(PRECISION, (mantissa.split('.')[1] ?? '').length);
}

/** Texts for complex values given as interleaved re, im: `1.+2.j`, each half lined up on its own. */
export function complexTexts(interleaved: readonly number[], bits: FloatBits): string[] {
  const half = (parity: 0 | 1): number[] => interleaved.filter((_, index) => index % 2 === parity);
  const imaginary = floatTexts(half(1), bits, '+');
  return floatTexts(half(0), bits).map((text, index) => {
    // The unit stands at the number, the padding behind it.
    const padded = imaginary[index] ?? '';
    const number = padded.trimEnd();
    return `${text}${number}j${' '.repeat(padded.length - number.length)}`;
  });
}

/** The length of the longest text. */
function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0);
}
