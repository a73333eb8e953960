// The rounds of one contest: its programs one after the other, again and again (A B C A B C ...), each
// in a fresh process.

import { bytesToHold, HeldMemory, setCache } from './conditions.mjs';
import { ProgramFailed, runProgram } from './run-program.mjs';

/**
 * @param {object} contest see contests.mjs
 * @param {{ rounds: number, conditions: string, decodedBytes: number, folder: string,
 *   commandOf: (entry: object) => { command: string[], env?: Record<string, string> },
 *   say: (text: string) => void }} setting
 * @returns the contest's entries, each with its lines by process, or with why it failed
 */
export async function runContest(contest, setting) {
  const { rounds, conditions, decodedBytes, folder, commandOf, say } = setting;
  const rows = contest.entries.map((entry) => ({ ...entry, processes: [] }));
  const held = new HeldMemory(conditions, bytesToHold(decodedBytes));
  try {
    if (contest.cache === 'hot') await setCache(conditions, 'hot', folder);
    for (let round = 1; round <= rounds; round += 1) {
      for (const row of rows) {
        if (row.failure !== undefined) continue;
        say(`${contest.id}: round ${round} of ${rounds}: ${row.name}`);
        if (contest.cache === 'cold') await setCache(conditions, 'cold', folder);
        try {
          row.processes.push(await linesOf(row, commandOf(row), held));
        } catch (error) {
          if (!(error instanceof ProgramFailed)) throw error;
          row.failure = error.message;
          say(`${contest.id}: ${row.name} FAILED: ${error.message}`);
        }
      }
    }
  } finally {
    await held.close();
  }
  return rows;
}

/** One process of a row: what it printed, parsed. */
async function linesOf({ inner }, { command, env, parse }, held) {
  const printed = await held.around((onStart) => runProgram(command, { env, onStart }));
  const lines = parse?.(printed) ?? printed.map((line) => JSON.parse(line));
  if (lines.length !== inner) {
    throw new ProgramFailed(`printed ${lines.length} lines instead of ${inner}`);
  }
  return lines;
}
