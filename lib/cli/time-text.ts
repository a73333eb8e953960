// Times as numpy prints them: ISO 8601 up to the unit, without a time zone.

/** The number that stands for no time. */
const NO_TIME = -(2n ** 63n);

const DAY = 86_400n;

/** Units below a day: how many make one, and the digits behind the second. */
const PER_DAY: { readonly [unit: string]: { readonly units: bigint; readonly digits: number } } = {
  h: { units: 24n, digits: 0 },
  m: { units: 1440n, digits: 0 },
  s: { units: DAY, digits: 0 },
  ms: { units: DAY * 10n ** 3n, digits: 3 },
  us: { units: DAY * 10n ** 6n, digits: 6 },
  ns: { units: DAY * 10n ** 9n, digits: 9 },
  ps: { units: DAY * 10n ** 12n, digits: 12 },
  fs: { units: DAY * 10n ** 15n, digits: 15 },
  as: { units: DAY * 10n ** 18n, digits: 18 },
};

/** The point in time that is `steps` of `scaleFactor` units after 1970; `NaT` for none. */
export function timeText(steps: bigint, unit: string, scaleFactor: number): string {
  if (steps === NO_TIME) return 'NaT';
  const count = steps * BigInt(scaleFactor);
  switch (unit) {
    case 'Y':
      return yearText(1970n + count);
    case 'M':
      return `${yearText(1970n + floorDivide(count, 12n))}-${padded(modulo(count, 12n) + 1n)}`;
    case 'W':
      return dateText(count * 7n);
    case 'D':
      return dateText(count);
    default: {
      const perDay = PER_DAY[unit];
      if (perDay === undefined) return String(count);
      const day = floorDivide(count, perDay.units);
      return `${dateText(day)}T${clockText(modulo(count, perDay.units), unit, perDay)}`;
    }
  }
}

/** A duration: its number of steps; `'NaT'` for none. */
export function durationText(steps: bigint): string {
  return steps === NO_TIME ? "'NaT'" : String(steps);
}

function clockText(
  count: bigint,
  unit: string,
  { units, digits }: { readonly units: bigint; readonly digits: number },
): string {
  const hour = padded((count * 24n) / units);
  if (unit === 'h') return hour;
  const minute = padded(((count * 1440n) / units) % 60n);
  if (unit === 'm') return `${hour}:${minute}`;
  const perSecond = units / DAY;
  const second = padded((count / perSecond) % 60n);
  const fraction = digits === 0 ? '' : `.${String(count % perSecond).padStart(digits, '0')}`;
  return `${hour}:${minute}:${second}${fraction}`;
}

/** The date of a day since 1970 in the Gregorian calendar, extended to all years. */
function dateText(day: bigint): string {
  // Years that start in March, so that a leap day is the last: 719,468 days from 0000-03-01 to 1970,
  // 146,097 days in 400 years.
  const shifted = day + 719_468n;
  const era = floorDivide(shifted, 146_097n);
  const ofEra = shifted - era * 146_097n;
  const year = (ofEra - ofEra / 1460n + ofEra / 36_524n - ofEra / 146_096n) / 365n;
  const ofYear = ofEra - (365n * year + year / 4n - year / 100n);
  const month = (5n * ofYear + 2n) / 153n;
  const date = ofYear - (153n * month + 2n) / 5n + 1n;
  const inNextYear = month >= 10n;
  const civilYear = era * 400n + year + (inNextYear ? 1n : 0n);
  return `${yearText(civilYear)}-${padded(inNextYear ? month - 9n : month + 3n)}-${padded(date)}`;
}

/** As `%04d`: the sign counts as a digit. */
function yearText(year: bigint): string {
  return year < 0n ? `-${String(-year).padStart(3, '0')}` : String(year).padStart(4, '0');
}

function padded(number: bigint): string {
  return String(number).padStart(2, '0');
}

function floorDivide(number: bigint, divisor: bigint): bigint {
  return (number - modulo(number, divisor)) / divisor;
}

function modulo(number: bigint, divisor: bigint): bigint {
  return ((number % divisor) + divisor) % divisor;
}
