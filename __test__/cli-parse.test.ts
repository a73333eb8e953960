// The tables of the command line, and how words become an invocation.

import test from 'ava';
import { COMMANDS } from '../lib/cli/command-table.js';
import {
  FLAGS,
  defaultOptions,
  isFlagOf,
  takesValue,
  type CommandName,
  type Options,
} from '../lib/cli/flags.js';
import { helpDocument, helpText, usageLine } from '../lib/cli/help.js';
import { parse, type Invocation } from '../lib/cli/parse.js';
import { UsageError } from '../lib/cli/usage-error.js';

const commandNames: (CommandName | null)[] = [null, ...COMMANDS.map(({ name }) => name)];

function parsedOptions(words: string): Options {
  return parse(words.split(' ')).options;
}

function usageMessage(...words: string[]): string {
  try {
    parse(words);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'no usage error';
}

test('the names of flags are unique and well formed', (t) => {
  const names = FLAGS.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
  t.is(new Set(names).size, names.length);
  for (const { long, short } of FLAGS) {
    // One name is that of the public conformance tests.
    if (long !== '--array_path') t.regex(long, /^--[a-z]+(-[a-z]+)*$/);
    if (short !== undefined) t.regex(short, /^-[a-zA-Z]$/);
  }
});

test('every flag belongs to a command, explains itself and names its value in capitals', (t) => {
  for (const flag of FLAGS) {
    t.true(flag.commands === 'all' || flag.commands.length > 0, flag.long);
    t.regex(flag.help, /^[A-Z`].*\.$/, flag.long);
    if (takesValue(flag)) t.regex(flag.value, /^[A-Z]+$/, flag.long);
  }
});

test('every flag changes exactly one option', (t) => {
  for (const flag of FLAGS) {
    const options = defaultOptions();
    if (takesValue(flag)) flag.set(options, flag.example);
    else flag.turnOn(options);
    const before = defaultOptions();
    const changed = Object.entries(options).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof Options]),
    );
    t.is(changed.length, 1, `${flag.long} changes ${changed.map(([name]) => name).join()}`);
  }
});

test('every flag with a value refuses an empty or a senseless one, naming itself', (t) => {
  for (const flag of FLAGS) {
    const [command] = flag.commands === 'all' ? (['info'] as const) : flag.commands;
    if (!takesValue(flag) || command === undefined) continue;
    if (flag.long === '--selection') {
      t.true(usageMessage(command, `${flag.long}=1:x`).includes(flag.long));
    } else {
      const message = usageMessage(command, `${flag.long}=`);
      t.true(message.startsWith(`option '${flag.long}'`), `${flag.long}: ${message}`);
    }
  }
});

test('every example in the help parses', (t) => {
  for (const { name, examples } of COMMANDS) {
    for (const { line } of examples) {
      const [program, ...words] = line.split(' ');
      t.is(program, 'lsio');
      const invocation = parse(words);
      t.is(invocation.kind, 'run');
      t.is((invocation as Invocation & { kind: 'run' }).command, name);
    }
  }
});

test('the help of a command shows its flags, only these, and its examples', (t) => {
  for (const { name, examples, summary } of COMMANDS) {
    const help = helpText(name);
    t.true(help.startsWith(summary));
    t.true(help.includes(usageLine(name)));
    for (const flag of FLAGS) {
      t.is(
        new RegExp(`^ .*${flag.long}\\b`, 'm').test(help.split('Example')[0] ?? ''),
        isFlagOf(flag, name),
        `${name} ${flag.long}`,
      );
    }
    for (const { line } of examples) t.true(help.includes(line), line);
  }
});

test('the help of the program names every command', (t) => {
  const help = helpText(null);
  for (const { name, summary } of COMMANDS)
    t.true(help.includes(`  ${name}`) && help.includes(summary));
});

test('the help names what locations there are, and the units of sizes', (t) => {
  const help = helpText(null);
  for (const text of ['a path', 'file://', 's3://', 'gs://', 'az://', 'https://', '.zip/']) {
    t.true(help.includes(text), text);
  }
  const sizes = FLAGS.filter((flag) => takesValue(flag) && flag.value === 'SIZE');
  t.true(sizes.length > 0);
  for (const flag of sizes) t.regex(flag.help, /bytes, or with a unit/, flag.long);
});

test('help fits a terminal of 100 columns and is also there for programs', (t) => {
  for (const name of commandNames) {
    for (const line of helpText(name).split('\n')) t.true(line.length <= 100, line);
    t.notThrows(() => JSON.stringify(helpDocument(name)));
  }
});

test('values are taken from the next word, after =, and after a short name', (t) => {
  const expected = [{ kind: 'index', index: -1 }];
  for (const words of [
    'get x -s -1',
    'get x -s-1',
    'get x -s=-1',
    'get x --selection -1',
    'get x --selection=-1',
  ]) {
    t.deepEqual(parsedOptions(words).selection, expected, words);
  }
  t.is(parsedOptions('demo -k -q').keep, true);
  t.like(parsedOptions('demo -kq'), { keep: true, quiet: true });
  t.is(parsedOptions('bench x -qn3').repeats, 3);
});

test('options may stand before, between and after the operands', (t) => {
  t.like(parse(['--json', 'info', '--path', 'a', 'store']), {
    kind: 'run',
    command: 'info',
    location: 'store',
    options: { json: true, path: 'a' },
  });
});

test('after -- every word is an operand', (t) => {
  t.like(parse(['info', '--', '--json']), { location: '--json', options: { json: false } });
});

test('the last one of repeated options counts', (t) => {
  t.is(parsedOptions('bench x -n 3 --repeats 7').repeats, 7);
});

test('sizes are read in binary and decimal units', (t) => {
  t.is(parsedOptions('demo --size 256MiB').size, 256 * 1024 ** 2);
  t.is(parsedOptions('demo --size 1.5GB').size, 1.5e9);
  t.is(parsedOptions('get x --memory 4096').memory, 4096);
});

test('help and version win over what is missing', (t) => {
  t.like(parse(['--help']), { kind: 'help', command: null });
  t.like(parse(['get', '-h']), { kind: 'help', command: 'get' });
  t.like(parse(['--version']), { kind: 'version' });
  t.like(parse(['get', '--version']), { kind: 'version' });
});

test('unknown options are errors that name a near miss of this command', (t) => {
  t.is(
    usageMessage('get', 'x', '--selecton', '0'),
    "unknown option '--selecton'; did you mean --selection?",
  );
  t.is(usageMessage('demo', '--kep'), "unknown option '--kep'; did you mean --keep?");
  t.is(usageMessage('info', '--xyzzy'), "unknown option '--xyzzy'");
  t.is(usageMessage('info', '-z'), "unknown option '-z'");
});

test('unknown commands are errors that name a near miss', (t) => {
  t.is(usageMessage('inof', 'x'), "unknown command 'inof'; did you mean info?");
  t.true(usageMessage('frobnicate').includes('the commands are info, ls, get'));
  t.is(usageMessage(), 'no command given');
});

test('options of another command are errors that name it', (t) => {
  t.is(usageMessage('info', 'x', '--keep'), "info has no option '--keep'; it belongs to demo");
  t.is(usageMessage('--keep', 'demo'), "option '--keep' comes after its command (demo)");
});

test('bad, missing and unwanted values are errors that name the option', (t) => {
  t.is(
    usageMessage('get', 'x', '--io', 'driect'),
    "option '--io': expected auto, direct, buffered, not 'driect'; did you mean direct?",
  );
  t.is(usageMessage('get', 'x', '-s'), "option '-s' needs a value, SELECTION");
  t.is(
    usageMessage('get', 'x', '-o', '--json'),
    "option '-o' needs a value, FILE, and found the option --json",
  );
  t.is(
    usageMessage('get', 'x', '--json=yes'),
    "option '--json' takes no value, but was given 'yes'",
  );
  t.regex(
    usageMessage('bench', 'x', '-n', '0'),
    /^option '-n': expected an integer from 1 to 1000, not '0'$/,
  );
  t.regex(usageMessage('demo', '--size', '12XB'), /^option '--size': .*12XB/);
  t.regex(usageMessage('demo', '--size', '1KiB'), /^option '--size': expected at least/);
});

test('missing and surplus operands are errors', (t) => {
  t.is(usageMessage('info'), 'info needs a LOCATION');
  t.is(usageMessage('info', 'a', 'b'), "info takes one LOCATION; 'b' is one too many");
  t.is(usageMessage('doctor', 'a'), "doctor takes no operand; 'a' is one too many");
});
