// Judges a run by the table that must hold: each bound, on each of its data sets, held or fell short.

import { BOUNDS, VALIDITY } from './bounds.mjs';
import { PROGRAMS } from './programs.mjs';
import { figureOf, overlap } from './statistics.mjs';

const MIB = 2 ** 20;
/** Resident memory beyond budget and result that the design allows: stacks, code, small structures. */
const BESIDE_BUDGET = 64 * MIB;
/** What a mean may differ by, relative to its value: programs add in another order. */
const MEAN_TOLERANCE = 1e-6;

/** One contest of a run, asked by the names of its entries. */
class Contest {
  constructor(contest) {
    Object.assign(this, contest);
  }

  #row(name) {
    const row = this.rows.find((candidate) => candidate.name === name);
    return row?.failure === undefined && row?.processes.length > 0 ? row : undefined;
  }

  has(name) {
    return this.#row(name) !== undefined;
  }

  figure(name, phase, get) {
    const row = this.#row(name);
    return row && figureOf(row.processes, phase, get);
  }

  seconds(name, phase) {
    return this.figure(name, phase, (line) => line.seconds);
  }

  /** Sum over all rounds: what is counted in coarse ticks needs many of them. */
  total(name, get) {
    const lines = this.#row(name)?.processes.flat() ?? [];
    return lines.reduce((sum, line) => sum + get(line), 0);
  }

  /** Names of the peers here that took part: a list of them, or by what they are. */
  peers(which) {
    const isMeant = (row) => {
      const { kind, native, byDefault } = PROGRAMS[row.program];
      if (kind !== 'peer') return false;
      if (Array.isArray(which)) return which.includes(row.program);
      if (which === 'native') return native;
      if (which === 'default') return byDefault;
      return which === 'all' || row.program !== 'tensorstore';
    };
    return this.rows.filter((row) => isMeant(row) && this.has(row.name)).map((row) => row.name);
  }
}

const held = (value, bound, isHeld, text) => ({ value, bound, held: isHeld, text });
const atLeast = (value, bound, text) => held(value, bound, value >= bound, text);
const atMost = (value, bound, text) => held(value, bound, value <= bound, text);
/** A check that could not be made, with the reason. */
const missing = (text) => ({ held: undefined, text });

const fixed = (value, digits = 2) => value.toFixed(digits);

/** The peer with the smallest median of seconds. */
function fastest(contest, names, phase) {
  const timed = names.map((name) => ({ name, seconds: contest.seconds(name, phase) }));
  timed.sort((a, b) => a.seconds.median - b.seconds.median);
  return timed[0];
}

/** Our time is not above any peer's, or the ranges overlap: then it is `isBehind` too. */
function judgeNeverBelow(own, contest, peers, phase) {
  const names = contest.peers(peers);
  if (names.length === 0) return missing('no peer here');
  const { name, seconds } = fastest(contest, names, phase);
  const ratio = seconds.median / own.median;
  const both = overlap(own, seconds);
  const isBehind = ratio < 1;
  const text = `${fixed(ratio)}x ${name}${isBehind && both ? ', ranges overlap' : ''}`;
  return { ...held(ratio, 1, !isBehind || both, text), isBehind };
}

/** How each kind of check is judged: `(check, contest, run)`; `check` has `own` and `phase`. */
const JUDGES = {
  ceiling(check, contest, run) {
    const own = contest.seconds(check.own, check.phase);
    const found = check.ceilings.map(({ name, cache, phase }) => {
      const other = cache ? run.get(contest.id.replace(/\/cold$/, `/${cache}`)) : contest;
      return { name, seconds: other?.seconds(name, phase ?? check.phase) };
    });
    const absent = found.find(({ seconds }) => seconds === undefined);
    if (absent) return missing(`no figure of ${absent.name}`);
    found.sort((a, b) => b.seconds.median - a.seconds.median);
    const [{ name, seconds }] = found;
    const ratio = seconds.median / own.median;
    return atLeast(ratio, check.least, `${fixed(ratio)} of ${name}`);
  },

  cpu(check, contest) {
    const perByte = (name) =>
      contest.total(name, (line) => line.machineCpuSeconds) /
      contest.total(name, (line) => line.decodedBytes);
    if (!contest.has(check.ceiling)) return missing(`no figure of ${check.ceiling}`);
    const ratio = perByte(check.own) / perByte(check.ceiling);
    return atMost(ratio, check.most, `${fixed(ratio)}x the CPU seconds of ${check.ceiling}`);
  },

  times(check, contest) {
    const names = contest.peers(check.peers);
    if (names.length === 0) return missing('no peer here');
    const { name, seconds } = fastest(contest, names, check.phase);
    const ratio = seconds.median / contest.seconds(check.own, check.phase).median;
    return atLeast(ratio, check.least, `${fixed(ratio)}x ${name}`);
  },

  /** Another bound where decoding takes longer than the device. */
  coldTimes(check, contest, run) {
    const decode = run.get(contest.id.replace(/cold$/, 'hot'))?.seconds('codec', 'later');
    const device = contest.seconds('raw-ring', 'first');
    const codecBound = decode && device && decode.median > device.median;
    const least = codecBound ? check.codecBound : check.otherwise;
    return JUDGES.times({ ...check, least }, contest);
  },

  neverBelow(check, contest) {
    const own = contest.seconds(check.own, check.phase);
    return judgeNeverBelow(own, contest, check.peers, check.phase);
  },

  /** More than a peer where the ceiling leaves room for more: bound x ceiling >= least x peer. */
  whereRoom(check, contest) {
    const names = contest.peers(check.peers);
    const ceiling = contest.seconds(check.ceiling, check.phase);
    if (names.length === 0) return missing('no native peer here');
    if (ceiling === undefined) return missing(`no figure of ${check.ceiling}`);
    const own = contest.seconds(check.own, check.phase);
    const { name, seconds } = fastest(contest, names, check.phase);
    const ratio = seconds.median / own.median;
    const room = (check.bound * seconds.median) / ceiling.median;
    if (room < check.least) {
      const verdict = judgeNeverBelow(own, contest, check.peers, check.phase);
      return { ...verdict, text: `${verdict.text} (no room for ${check.least}x)` };
    }
    return atLeast(ratio, check.least, `${fixed(ratio)}x ${name}`);
  },

  perChunk(check, contest) {
    const own = contest.seconds(check.own, check.phase);
    const ceiling = contest.seconds(check.ceiling, check.phase);
    if (ceiling === undefined) return missing(`no figure of ${check.ceiling}`);
    const chunks = contest.chunks;
    const micros = ((own.median - ceiling.median) / chunks) * 1e6;
    const text = `${PROGRAMS[check.own].title}: ${fixed(micros)} us a chunk`;
    return atMost(micros, check.most, text);
  },

  decoded(check, contest) {
    const ratio = contest.figure(
      check.own,
      check.phase,
      (line) => line.engineDecodedBytes / line.touchedBytes,
    );
    return atMost(ratio.median, check.most, `decodes ${fixed(ratio.median)}x the chunks touched`);
  },

  delay(check, contest) {
    const figure = (name, get) => contest.figure(name, check.phase, get)?.median;
    const p99 = figure(check.own, (line) => line.p99Ms);
    const zarrita = figure('zarrita', (line) => line.maxMs);
    const longest = figure(check.own, (line) => line.maxMs);
    const beside = zarrita === undefined ? '' : `; zarrita blocks up to ${fixed(zarrita, 0)} ms`;
    const who = check.own === 'lsio' ? 'all cores busy' : 'one core left';
    return atMost(
      p99,
      check.most,
      `${who}: ${fixed(p99)} ms, longest ${fixed(longest)} ms${beside}`,
    );
  },

  growth(check, contest) {
    const result = contest.task === 'whole' ? contest.decodedBytes : 0;
    const peak = contest.figure(check.own, check.phase, (line) => line.peakMemoryBytes);
    const budget = contest.figure(check.own, check.phase, (line) => line.budgetBytes);
    const grown = (peak.median - result) / MIB;
    const most = (budget.median + BESIDE_BUDGET) / MIB;
    const text = `${check.memory}: ${fixed(grown, 0)} MiB of at most ${fixed(most, 0)}`;
    return atMost(grown, most, text);
  },

  speed(check, contest) {
    const [own, beside] = [check.own, check.beside].map((name) =>
      contest.seconds(name, check.phase),
    );
    if (beside === undefined) return missing(`no figure of ${check.beside}`);
    const ratio = beside.median / own.median;
    return atLeast(ratio, check.least, `${fixed(ratio)} of the speed of ${check.beside}`);
  },

  lessMemory(check, contest) {
    const peak = (name) =>
      contest.figure(name, check.phase, (line) => line.peakMemoryBytes)?.median;
    const own = peak(check.own);
    const peers = contest
      .peers(check.peers)
      .map((name) => ({ name, peak: peak(name) }))
      .filter((peer) => peer.peak !== undefined)
      .sort((a, b) => a.peak - b.peak);
    if (own === undefined || peers.length === 0) return missing('no peer here');
    const [least] = peers;
    const text = `${fixed(own / MIB, 0)} MiB, ${least.name} ${fixed(least.peak / MIB, 0)} MiB`;
    return atMost(own / MIB, least.peak / MIB, text);
  },

  /** The time of one chunk among the most chunks beside the least time among fewer. */
  flat(check, contest) {
    const per = check.counts.flatMap((count) => {
      const perChunk = (line) => line.seconds / line.chunks;
      const figure = contest.figure(`lsio count=${count}`, check.phase, perChunk);
      return figure === undefined ? [] : [{ count, micros: figure.median * 1e6 }];
    });
    if (per.length < 2) return missing('fewer than two counts');
    const most = per.at(-1);
    const least = Math.min(...per.slice(0, -1).map(({ micros }) => micros));
    const text = per.map(({ count, micros }) => `${count}: ${fixed(micros)} us`).join(', ');
    return atMost(most.micros / least, check.most, text);
  },

  /** What a read of the most chunks keeps is what is in flight. */
  inFlight(check, contest) {
    const count = check.counts.findLast((number) => contest.has(`lsio count=${number}`));
    if (count === undefined) return missing('no count');
    const get = (line) => line.peakMemoryBytes;
    const peak = contest.figure(`lsio count=${count}`, check.phase, get).median;
    const text = `${count} chunks: ${fixed(peak / MIB, 0)} MiB above the start`;
    return atMost(peak / MIB, BESIDE_BUDGET / MIB, text);
  },
};

/** All bounds of the table, each with its verdicts by data set; those of contests that did not run are left out. */
export function judge(contests) {
  const run = new Map(contests.map((contest) => [contest.id, new Contest(contest)]));
  return BOUNDS.flatMap((bound) => {
    const judged = bound.contests.filter((id) => run.has(id)).map((id) => run.get(id));
    if (judged.length === 0) return [];
    const verdicts = judged.flatMap((contest) =>
      bound.checks.flatMap((check) => {
        const full = { own: bound.own, phase: bound.phase, ...check };
        const names = { kind: check.kind, contest: contest.id, dataSet: contest.dataSet };
        if (!contest.has(full.own ?? firstOwn(contest))) {
          return [{ ...names, ...missing('light-speed-io has no figure') }];
        }
        return [{ ...names, ...JUDGES[check.kind](full, contest, run) }];
      }),
    );
    return [{ task: bound.task, verdicts }];
  });
}

/** A row of ours, for checks that are about several of them. */
const firstOwn = (contest) =>
  contest.rows.find((row) => PROGRAMS[row.program].kind === 'own')?.name;

/** What is asked of a figure, in words. */
export function boundText({ kind, bound }) {
  if (bound === undefined) return '';
  const digits = Number.isInteger(bound) || bound >= 100 ? 0 : 2;
  return `${MOST.has(kind) ? '<=' : '>='} ${bound.toFixed(digits)}`;
}

/** Kinds of checks that bound a figure from above. */
const MOST = new Set([
  ...['perChunk', 'decoded', 'delay', 'growth', 'lessMemory', 'flat', 'inFlight', 'cpu'],
]);

/** Whether a run counts: the direct program as fast as where the bounds were set, the ring as fast as fio. */
export function validity(contests) {
  const run = new Map(contests.map((contest) => [contest.id, new Contest(contest)]));
  const checks = Object.entries(VALIDITY.direct).flatMap(([id, reference]) => {
    const contest = run.get(id);
    const seconds = contest?.seconds('direct', 'later');
    if (seconds === undefined) return [];
    const rate = contest.decodedBytes / 1e9 / seconds.median;
    const ratio = rate / reference;
    const text = `direct on ${contest.dataSet}: ${fixed(rate)} GB/s, reference ${reference}`;
    return [atLeast(ratio, VALIDITY.directLeast, text)];
  });
  const { contest: id, own, reference, least } = VALIDITY.ring;
  const [ring, fio] = [own, reference].map((name) => run.get(id)?.seconds(name, 'later'));
  if (ring && fio) {
    const ratio = fio.median / ring.median;
    checks.push(atLeast(ratio, least, `raw ring: ${fixed(ratio)} of fio`));
  } else if (ring) {
    checks.push(missing('fio did not run'));
  }
  return checks;
}

/** Contests whose programs read different values: what each of them gave. */
export function disagreements(contests) {
  return [...byData(contests)].flatMap(([name, members]) => {
    // Parts of an array have sums of their own.
    const rows = members
      .filter(({ id }) => !id.endsWith('/counts'))
      .flatMap((contest) => contest.rows)
      .filter(({ program }) => !PROGRAMS[program].hasOtherValues);
    const sums = new Map();
    for (const row of rows) {
      for (const line of row.processes.flat()) {
        const sum = line.mean ?? line.checksum;
        if (sum === null || sum === undefined) continue;
        const same = [...sums.keys()].find((known) => agree(known, sum, line.mean !== undefined));
        sums.set(same ?? sum, (sums.get(same ?? sum) ?? new Set()).add(row.name));
      }
    }
    if (sums.size <= 1) return [];
    const found = [...sums].map(([sum, names]) => `${sum} (${[...names].join(', ')})`);
    return [{ name, text: found.join('; ') }];
  });
}

const agree = (one, other, isMean) =>
  isMean ? Math.abs(one - other) <= MEAN_TOLERANCE * Math.abs(one) : one === other;

/** Contests by task and data set. */
function byData(contests) {
  const groups = new Map();
  for (const contest of contests) {
    const name = `${contest.task}/${contest.dataSet}`;
    groups.set(name, [...(groups.get(name) ?? []), contest]);
  }
  return groups;
}
