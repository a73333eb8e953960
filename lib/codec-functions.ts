// Codecs that are functions of the user: registered by name, run on this event loop when chunks wait for them.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { sendBytes } from './bytes-transfer.js';
import { keepThrown, unwrap } from './errors.js';
import { parseStoredJson, type JsonValue } from './json.js';
import { native } from './native-module.js';

/**
 * Undoes a codec: gets the encoded bytes and the configuration in the array's metadata (in Zarr v2 with the member `id`;
 * integers beyond 2^53 are bigint), returns the decoded bytes. The bytes that it gets are its own; those that it returns
 * are copied, and must stay as they are until the next turns of the event loop have done so.
 */
export type DecodeFunction = (
  encoded: Uint8Array<ArrayBuffer>,
  configuration: { readonly [member: string]: JsonValue },
) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;

const functions = new Map<string, DecodeFunction>();
let listens = false;

/**
 * Registers a codec that makes bytes of bytes under the name that metadata calls it by: the `name` in Zarr v3, the `id` in
 * v2. It counts for arrays that are opened from now on, in every worker thread of the process; the function runs on the
 * event loop that registered it, for a name that several have registered on that of the last. A name that is registered
 * already gets the new function, also for arrays that are open.
 *
 * Chunks wait for the function without taking a thread, with their memory reserved, and many at a time. Each chunk goes to
 * the event loop and back, and its decoded bytes are copied: a codec in Rust is faster, and one that computes for long on
 * the event loop holds up everything else there; such work belongs into worker threads. The function must not wait for
 * reads of this package: those may wait for the memory that the chunks hold.
 *
 * An error of the function is the `cause` of the {@link LsioError} of the call (`ERR_LSIO_CODEC`), where the call was made
 * in the thread that registered it. When that thread ends, the chunks that wait for it fail; later ones go to whoever has
 * registered the name before, or fail too. A registered codec does not keep a process or a worker thread alive.
 *
 * @throws {LsioError} `ERR_LSIO_CONFLICT` for the name of a built-in codec.
 * @throws {TypeError} for a name that is no text or empty, and for a codec that is no function.
 */
export function registerCodec(name: string, decode: DecodeFunction): void {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('the name of a codec must be a string that is not empty');
  }
  if (typeof decode !== 'function') throw new TypeError(`the codec '${name}' must be a function`);
  unwrap(native().registerCodecFunction(name));
  functions.set(name, decode);
  if (!listens) {
    listens = true;
    void listen();
  }
}

/** Runs what waits, for as long as this environment lives. */
async function listen(): Promise<never> {
  for (;;) {
    for (const number of unwrap(await native().nextCodecJobs())) {
      void run(number);
      // Functions that compute at once take a turn each.
      await nextTurn();
    }
  }
}

async function run(number: number): Promise<void> {
  const { answerCodecJob, beginCodecJob, failCodecJob } = native();
  try {
    const job = beginCodecJob(number);
    // Its call was cancelled.
    if (job === null) return;
    const { name, configuration, encoded, limit } = job;
    const decode = functions.get(name);
    if (decode === undefined) throw new Error(`no function is registered for the codec '${name}'`);
    const members = parseStoredJson(configuration) as { [member: string]: JsonValue };
    const decoded = bytesOf(await decode(new Uint8Array(encoded), members));
    if (decoded.byteLength > limit) {
      throw new RangeError(
        `it returned ${decoded.byteLength} bytes, at most ${limit} are possible`,
      );
    }
    answerCodecJob(number, await sendBytes(decoded, 'the bytes that it returned'));
  } catch (error) {
    if (failCodecJob(number, textOf(error))) keepThrown(number, error);
  }
}

function bytesOf(decoded: unknown): Uint8Array {
  if (decoded instanceof Uint8Array) return decoded;
  if (decoded instanceof ArrayBuffer) return new Uint8Array(decoded);
  throw new TypeError('it must return a Uint8Array or an ArrayBuffer, or a promise of one');
}

/** What was thrown, which may be anything. */
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'it threw something without a text';
  }
}
