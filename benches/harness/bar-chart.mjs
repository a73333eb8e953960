// Bars in panels, one below the other: each panel has a scale of its own.

import { drawing, element, label, straight } from './svg.mjs';

const WIDTH = 760;
const NAMES = 230;
const VALUES = 60;
const BAR = 16;
const STEP = 21;
const TITLE = 28;
const GAP = 14;

/**
 * @param {string} title
 * @param {{ title: string, unit: string, bound?: number,
 *   bars: { name: string, kind: string, value: { median: number, min: number, max: number } }[] }[]} panels
 *   `bound` is drawn as a line across the panel.
 */
export function barChart(title, panels) {
  const parts = [];
  let top = 4;
  for (const { title: heading, unit, bound, bars } of panels) {
    const most = Math.max(bound ?? 0, ...bars.map(({ value }) => value.max));
    const x = (value) => NAMES + (value / most) * (WIDTH - NAMES - VALUES);
    parts.push(label(0, top + 16, heading, { name: 'title' }));
    parts.push(label(WIDTH, top + 16, unit, { anchor: 'end', name: 'small' }));
    const first = top + TITLE;
    bars.forEach(({ name, kind, value }, index) => {
      const y = first + index * STEP;
      const middle = y + BAR / 2;
      parts.push(
        label(NAMES - 8, middle + 4, name, { anchor: 'end' }),
        element('rect', { x: NAMES, y, width: x(value.median) - NAMES, height: BAR, class: kind }),
        straight(x(value.min), middle, x(value.max), middle, 'spread'),
        label(x(value.max) + 6, middle + 4, value.median.toFixed(2), { name: 'small' }),
      );
    });
    const bottom = first + bars.length * STEP;
    parts.push(straight(NAMES, first - 3, NAMES, bottom, 'axis'));
    if (bound !== undefined) parts.push(straight(x(bound), first - 3, x(bound), bottom, 'bound'));
    top = bottom + GAP;
  }
  return drawing(WIDTH, top, title, parts);
}
