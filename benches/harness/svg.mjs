// The little of SVG that the plots need, in colours that can be read on white and on black.

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.small { font-size: 11px; }
.axis { stroke: #8c959f; fill: none; }
.spread { stroke: #1f2328; stroke-width: 1.5; }
.bound { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 4 3; fill: none; }
.own { fill: #1f7a4d; stroke: #1f7a4d; }
.ceiling { fill: #8c959f; stroke: #8c959f; }
.peer { fill: #4a7fc1; stroke: #4a7fc1; }
.reference { fill: #b08800; stroke: #b08800; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .spread { stroke: #e6edf3; }
  .bound { stroke: #ff7b72; }
  .own { fill: #3fb27f; stroke: #3fb27f; }
  .peer { fill: #6ea8e6; stroke: #6ea8e6; }
}
`;

const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** An element; numbers in attributes get one decimal, which is finer than a pixel. */
export function element(name, attributes, ...children) {
  const texts = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value);
    return ` ${key}="${text}"`;
  });
  return `<${name}${texts.join('')}>${children.join('')}</${name}>`;
}

/** Text at a place; `anchor` is start, middle or end. */
export const label = (x, y, text, { anchor = 'start', name = '' } = {}) =>
  element('text', { x, y, 'text-anchor': anchor, class: name }, escaped(text));

export const straight = (x1, y1, x2, y2, name) => element('line', { x1, y1, x2, y2, class: name });

/** A whole file. */
export function drawing(width, height, title, children) {
  const root = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
  };
  const parts = [element('title', {}, escaped(title)), element('style', {}, STYLE), ...children];
  return `${element('svg', root, `\n${parts.join('\n')}\n`)}\n`;
}
