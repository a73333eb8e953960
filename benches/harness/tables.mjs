// Tables in Markdown.

/** A table of texts. Rows may be shorter than the head. */
export function table(head, rows) {
  // A bar or the end of a line would end the cell.
  const text = (cell = '') => cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const line = (cells) => `| ${head.map((_, column) => text(cells[column])).join(' | ')} |`;
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
