// A web server over the fixtures, which remembers what it is asked.

import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../fixtures/data/', import.meta.url));

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FileServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  close(): void;
}

/**
 * Serves the fixtures; `refuse` may answer a request with a status instead. Nothing is answered before `together`
 * requests have arrived.
 */
export async function serveFixtures(
  refuse: (request: IncomingMessage) => number | undefined = () => undefined,
  together = 1,
): Promise<FileServer> {
  const requests: SeenRequest[] = [];
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers });
    held.push(() => {
      const status = refuse(request);
      if (status === undefined) sendFile(request, response);
      else response.writeHead(status).end();
    });
    if (requests.length >= together) for (const answer of held.splice(0)) answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function sendFile({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const path = folder + decodeURIComponent(new URL(url, 'http://x').pathname).slice(1);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) {
    response.writeHead(404).end();
    return;
  }
  const { size, mtimeMs } = stats;
  const range = /^bytes=(?<first>\d*)-(?<last>\d*)$/.exec(headers.range ?? '')?.groups;
  let start = 0;
  let end = size;
  if (range !== undefined) {
    const { first = '', last = '' } = range;
    start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
    end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  }
  if (range !== undefined && start >= end) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  response.writeHead(range === undefined ? 200 : 206, {
    etag: `"${mtimeMs.toString(16)}-${size.toString(16)}"`,
    'content-length': end - start,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
  });
  if (method === 'HEAD' || start === end) response.end();
  else createReadStream(path, { start, end: end - 1 }).pipe(response);
}
