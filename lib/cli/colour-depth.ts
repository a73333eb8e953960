// How many colours an output can show, by what the user and the terminal say. Pure: environment in,
// depth out.

export type ColourDepth = 'none' | '256' | 'true';

/** The environment variables that decide: NO_COLOR (no-color.org), FORCE_COLOR (as Node reads it), TERM, COLORTERM. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The colours of an output. FORCE_COLOR (0: none, 1 and 2: 256, 3: all; empty or `true`: what the terminal has, at
 * least 256) wins over NO_COLOR, as in Node; without either an output that is no terminal gets none.
 */
export function colourDepth(environment: Environment, isTerminal: boolean): ColourDepth {
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) {
    if (forced === '0' || forced === 'false') return 'none';
    if (forced === '3') return 'true';
    if (forced === '1' || forced === '2') return '256';
    return terminalDepth(environment) === 'true' ? 'true' : '256';
  }
  const refused = environment['NO_COLOR'];
  if ((refused !== undefined && refused !== '') || !isTerminal) return 'none';
  return terminalDepth(environment);
}

function terminalDepth(environment: Environment): ColourDepth {
  const term = environment['TERM'] ?? '';
  if (term === 'dumb' || term === '') return 'none';
  if (/^(truecolor|24bit)$/i.test(environment['COLORTERM'] ?? '')) return 'true';
  if (/(direct|truecolor|kitty|ghostty|wezterm|alacritty)/i.test(term)) return 'true';
  return /256/.test(term) ? '256' : 'none';
}
