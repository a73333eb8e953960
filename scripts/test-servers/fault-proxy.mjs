// The fault proxy (crates/lsio_fault_proxy) for tests and benchmarks in JavaScript.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CommandFailed, exitCodeOf } from '../child-process.mjs';

/** Builds it; resolves with the path of the program. `release`: as fast as it gets, for benchmarks. */
export async function buildFaultProxy({ release = false } = {}) {
  let program;
  const args = [
    ...['build', '--locked', '--quiet', '--package', 'lsio_fault_proxy'],
    ...['--message-format', 'json', ...(release ? ['--release'] : [])],
  ];
  const exitCode = await exitCodeOf('cargo', args, {
    onLine(line) {
      program = JSON.parse(line).executable ?? program;
    },
  });
  if (exitCode !== 0) throw new CommandFailed('cargo', args, exitCode);
  return program;
}

/** Starts it before a server, `http://HOST:PORT`. It ends with this process at the latest. */
export async function startFaultProxy(program, upstream) {
  const child = spawn(program, [new URL(upstream).host], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(([code]) => Promise.reject(new Error(`the fault proxy ended with ${code}`))),
  ]);
  const { address, control } = JSON.parse(line);

  async function ask(method, path, body) {
    const response = await fetch(`http://${control}${path}`, { method, body });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response;
  }
  return {
    url: `http://${address}`,
    async setPlan(plan) {
      await ask('PUT', '/plan', JSON.stringify(plan));
    },
    async log() {
      return (await ask('GET', '/log')).json();
    },
    async clearLog() {
      await ask('DELETE', '/log');
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
