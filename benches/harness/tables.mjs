// Tables in Markdown.

/** A table of texts; a cell's bars would end it. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A figure as text, empty where there is none. */
export const number = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '');

/** `median (min to max)`. */
export function spread(summary, digits) {
  if (summary === undefined) return '';
  const { median, min, max } = summary;
  return `${number(median, digits)} (${number(min, digits)} to ${number(max, digits)})`;
}
