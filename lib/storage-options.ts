// How to get at an object store: the options, and their checks. Secrets are never repeated in a message.

import {
  count,
  parseOptions,
  positiveInteger,
  show,
  text,
  truth,
  type Check,
  type Parsed,
  type Schema,
} from './option-checks.js';

/**
 * How to get at an object store. What is not given is taken from the environment: variables that begin with `AWS_`,
 * `GOOGLE_` and `AZURE_`, web identity, and the metadata of the machine. An option that a store has no use for is an
 * error.
 */
export interface StorageOptions {
  /**
   * URL of the service, if it is not the provider's own: `'http://127.0.0.1:9000'`. For Azure, with the account in its
   * path where the service has it there.
   */
  readonly endpoint?: string | undefined;
  /** S3: region of the bucket. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, else `'us-east-1'`. */
  readonly region?: string | undefined;
  /** S3: access key; `secretAccessKey` belongs to it. */
  readonly accessKeyId?: string | undefined;
  /** S3: the secret of the access key. */
  readonly secretAccessKey?: string | undefined;
  /** S3: the token of temporary keys. */
  readonly sessionToken?: string | undefined;
  /** Azure: name of the account, if the location does not name it. */
  readonly account?: string | undefined;
  /** Azure: key of the account. */
  readonly accountKey?: string | undefined;
  /** Azure: shared access signature; it may stand behind the `?` of the location as well. */
  readonly sasToken?: string | undefined;
  /** Google Cloud Storage: the key of a service account, as JSON text. */
  readonly serviceAccountKey?: string | undefined;
  /** Google Cloud Storage, Azure: a token of somebody who has logged in. */
  readonly bearerToken?: string | undefined;
  /** S3, Google Cloud Storage, Azure: requests are not signed, for data that is public. */
  readonly anonymous?: boolean | undefined;
  /**
   * Data may go unencrypted (`http://`) to other machines than this one, and credentials come so from them. Default:
   * `AWS_ALLOW_HTTP`, `GOOGLE_ALLOW_HTTP`, `AZURE_ALLOW_HTTP`, else `false`.
   */
  readonly allowHttp?: boolean | undefined;
  /** S3: the bucket is part of the host's name. */
  readonly virtualHosted?: boolean | undefined;
  /**
   * Sent with each request to the store, and to no other host. Those that would have to be signed are refused: `x-amz-`
   * of S3, `x-ms-` of Azure with the key of an account. That the requester pays is said with `AWS_REQUEST_PAYER=requester`
   * in the environment.
   */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /**
   * URL of a proxy, which is asked for this machine as well. Default: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, which
   * are for other machines only.
   */
  readonly proxy?: string | undefined;
  /** A file with certificates in PEM that are trusted beside the system's. */
  readonly caBundle?: string | undefined;
  /** Milliseconds to connect in. Default: 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds in which an attempt must bring `minBytesPerSecond`, or begin to answer; one that has not is given up
   * and made again. Default: 15,000.
   */
  readonly progressTimeoutMs?: number | undefined;
  /** Bytes a second that an attempt must bring. Default: 1,024. */
  readonly minBytesPerSecond?: number | undefined;
  /** Milliseconds from its first attempt after which a request is not made again. Default: 180,000. */
  readonly deadlineMs?: number | undefined;
  /** Times that a request which failed is made again. Default: 10. */
  readonly maxRetries?: number | undefined;
  /** Most requests under way at once at the host of the store. Default: 128. */
  readonly maxConcurrency?: number | undefined;
  /**
   * Whether the same is asked for a second time where an answer takes much longer to begin than the host's others; the
   * answer that begins first is taken. At most one request in twenty, none while the host says that there are too many.
   * `false` where each request is to be made, and paid for, once. Default: `true`.
   */
  readonly hedge?: boolean | undefined;
}

const secret: Check<string> = (value, name) => {
  if (typeof value !== 'string') throw new TypeError(`${name} is no string`);
  return value;
};

/** The core keeps such numbers in 32 bits. */
const inWord = (check: Check<number>): Check<number> => {
  return (value, name) => {
    const checked = check(value, name);
    if (checked > 0xffff_ffff) throw new RangeError(`${name} is ${checked}; expected fewer`);
    return checked;
  };
};

const headers: Check<{ readonly [name: string]: string }> = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} is ${show(value)}; expected an object of names and texts`);
  }
  for (const [header, content] of Object.entries(value)) secret(content, `'${header}' in ${name}`);
  return value as { readonly [name: string]: string };
};

const STORAGE_OPTIONS: Schema<StorageOptions> = {
  endpoint: text,
  region: text,
  accessKeyId: secret,
  secretAccessKey: secret,
  sessionToken: secret,
  account: text,
  accountKey: secret,
  sasToken: secret,
  serviceAccountKey: secret,
  bearerToken: secret,
  anonymous: truth,
  allowHttp: truth,
  virtualHosted: truth,
  headers,
  proxy: secret,
  caBundle: text,
  connectTimeoutMs: positiveInteger,
  progressTimeoutMs: positiveInteger,
  minBytesPerSecond: positiveInteger,
  deadlineMs: positiveInteger,
  maxRetries: inWord(count),
  maxConcurrency: inWord(positiveInteger),
  hedge: truth,
};

/** Options of a store, each checked. */
export const storageOptions: Check<Parsed<StorageOptions>> = (value, name) =>
  parseOptions(name, value, STORAGE_OPTIONS);
