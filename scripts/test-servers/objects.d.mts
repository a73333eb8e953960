export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  /** What is copied there is an object of the bucket. */
  readonly folder: string;
}

export interface GcsServer {
  readonly endpoint: string;
  readonly bucket: string;
}

export interface AzureServer {
  /** Ends with the account. */
  readonly endpoint: string;
  readonly account: string;
  readonly accountKey: string;
  readonly container: string;
}

export interface HttpServer {
  readonly url: string;
  /** What is copied there is served. */
  readonly folder: string;
}

/** The servers of a test run, as LSIO_TEST_SERVERS has them. */
export interface TestServers {
  readonly s3?: S3Server;
  readonly gcs?: GcsServer;
  readonly azure?: AzureServer;
  readonly http?: HttpServer;
  /** The program of the fault proxy. */
  readonly faultProxy?: string;
  /** Why a server is not there. */
  readonly skipped?: Partial<Record<ServerKind | 'faultProxy', string>>;
}

export type ServerKind = 's3' | 'gcs' | 'azure' | 'http';

/** Puts an object there, replacing one of the same key. */
export function putObject(
  servers: TestServers,
  kind: ServerKind,
  key: string,
  bytes: Uint8Array,
): Promise<void>;

/** The answer to a request for an object, or for the bytes of it from the first to the last of `range`. */
export function getObject(
  servers: TestServers,
  kind: ServerKind,
  key: string,
  range?: readonly [first: number, last: number],
): Promise<Response>;
