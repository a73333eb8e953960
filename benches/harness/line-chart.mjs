// A curve over a quantity that grows by factors: each step of the x axis is as wide as the other.

import { drawing, element, label, straight } from './svg.mjs';

const WIDTH = 560;
const HEIGHT = 280;
const LEFT = 60;
const RIGHT = 40;
const TOP = 40;
const BOTTOM = 50;
const TICKS = 4;

/**
 * @param {string} title
 * @param {{ xTitle: string, yTitle: string, steps: string[],
 *   lines: { name: string, kind: string, values: (number | undefined)[] }[] }} curves one value a step
 */
export function lineChart(title, { xTitle, yTitle, steps, lines }) {
  const all = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const most = Math.max(...all) * 1.1;
  const x = (step) => LEFT + (step / Math.max(1, steps.length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    label(0, 16, title, { name: 'title' }),
    label(0, TOP - 8, yTitle, { name: 'small' }),
    label(WIDTH - RIGHT, HEIGHT - 8, xTitle, { anchor: 'end', name: 'small' }),
    straight(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'axis'),
    straight(LEFT, TOP, LEFT, HEIGHT - BOTTOM, 'axis'),
  ];
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const value = (most / TICKS) * tick;
    parts.push(
      label(LEFT - 8, y(value) + 4, String(Number(value.toPrecision(3))), {
        anchor: 'end',
        name: 'small',
      }),
    );
  }
  steps.forEach((step, index) => {
    parts.push(label(x(index), HEIGHT - BOTTOM + 18, step, { anchor: 'middle', name: 'small' }));
  });
  for (const { name, kind, values } of lines) {
    const points = values.flatMap((value, step) => (value === undefined ? [] : [{ step, value }]));
    const path = points.map(({ step, value }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`);
    parts.push(
      element('polyline', {
        points: path.join(' '),
        class: kind,
        style: 'fill: none; stroke-width: 2',
      }),
    );
    for (const { step, value } of points) {
      parts.push(element('circle', { cx: x(step), cy: y(value), r: 3, class: kind }));
    }
    const last = points.at(-1);
    parts.push(label(x(last.step), y(last.value) - 8, name, { anchor: 'end', name: 'small' }));
  }
  return drawing(WIDTH, HEIGHT, title, parts);
}
