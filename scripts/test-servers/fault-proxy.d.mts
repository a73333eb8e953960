/** What happens to a request: see `Fault` in crates/lsio_fault_proxy/src/plan.rs. */
export type Fault =
  | { readonly latency: { readonly milliseconds: number } }
  | { readonly together: { readonly requests: number } }
  | { readonly reset: { readonly afterBytes: number } }
  | { readonly status: { readonly status: number } }
  | { readonly cut: { readonly afterBytes: number } }
  | { readonly slow: { readonly bytesPerSecond: number } }
  | { readonly contentLength: { readonly difference: number } }
  | { readonly changedEtag: { readonly always: boolean } };

/** A fault, and the requests that suffer it. */
export interface Rule {
  readonly method?: string;
  readonly path?: string;
  readonly aboveInFlight?: number;
  readonly after?: number;
  readonly first?: number;
  readonly fraction?: number;
  readonly fault: Fault;
}

export interface Plan {
  readonly seed?: number;
  readonly rules?: readonly Rule[];
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly status: number | null;
  readonly bytes: number;
  readonly inFlight: number;
}

export interface Log {
  readonly requests: readonly LoggedRequest[];
  readonly inFlight: number;
  readonly connections: { readonly accepted: number; readonly open: number };
}

export interface FaultProxy {
  readonly url: string;
  setPlan(plan: Plan): Promise<void>;
  log(): Promise<Log>;
  clearLog(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the proxy; resolves with the path of the program. */
export function buildFaultProxy(options?: { readonly release?: boolean }): Promise<string>;

/** Starts the proxy before a server. */
export function startFaultProxy(program: string, upstream: string): Promise<FaultProxy>;
