// Elements that are bytes as numpy prints them: as Python writes bytes.

/** The text of each element of `size` bytes; bytes without a meaning (`r<N>`) as numbers only. */
export function bytesTexts(data: readonly number[], size: number, isRaw: boolean): string[] {
  const texts: string[] = [];
  for (let start = 0; start < data.length; start += size) {
    const element = data.slice(start, start + size);
    texts.push(isRaw ? `b'${element.map(hexadecimal).join('')}'` : nullTerminated(element));
  }
  return texts;
}

/** Without the zeros at the end. */
function nullTerminated(element: readonly number[]): string {
  const end = element.findLastIndex((byte) => byte !== 0) + 1;
  return bytesText(element.slice(0, end));
}

/** Bytes as Python writes them. */
export function bytesText(bytes: readonly number[]): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  return `b${quote}${bytes.map((byte) => character(byte, quote)).join('')}${quote}`;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

function character(byte: number, quote: string): string {
  const text = String.fromCharCode(byte);
  if (text === quote) return `\\${quote}`;
  return ESCAPES.get(byte) ?? (byte < 0x20 || byte > 0x7e ? hexadecimal(byte) : text);
}

function hexadecimal(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
