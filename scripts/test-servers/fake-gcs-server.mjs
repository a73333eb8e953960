// Google Cloud Storage for the tests: fake-gcs-server, which keeps its objects in memory.

import { goProgram } from './install.mjs';

const VERSION = 'v1.56.1';

export default {
  kind: 'gcs',
  name: `fake-gcs-server ${VERSION}`,

  async install() {
    const module = 'github.com/fsouza/fake-gcs-server';
    return { program: await goProgram('fake-gcs-server', module, VERSION) };
  },

  prepare({ program }, { port }) {
    const address = `127.0.0.1:${port}`;
    const description = { endpoint: `http://${address}`, bucket: 'lsio' };
    return {
      program,
      args: [
        ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
        // Requests for another host are refused.
        ...['-backend', 'memory', '-public-host', address, '-log-level', 'warn'],
      ],
      env: {},
      description,
      async isReady() {
        const response = await fetch(`${description.endpoint}/storage/v1/b?project=lsio`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: description.bucket }),
        });
        // 409: made by an answer that was lost.
        return response.ok || response.status === 409;
      },
    };
  },
};
