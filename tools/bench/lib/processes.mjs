// Child processes of a benchmark: started, awaited with a limit, ended by their process id.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const running = new Set();

export class Child {
  /** Standard output is collected as `lines`; standard error goes to ours, or nowhere if `quiet`. */
  constructor(command, words, { cwd, env, quiet = false } = {}) {
    this.command = command;
    this.lines = [];
    this.child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'] });
    running.add(this.child);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ code: null, error }));
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    }).finally(() => running.delete(this.child));
    this.waiters = [];
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#take(line);
    });
  }

  get pid() {
    return this.child.pid;
  }

  #take(line) {
    this.lines.push(line);
    this.waiters = this.waiters.filter(({ pattern, resolve }) => {
      const match = line.match(pattern);
      if (match) resolve(match);
      return !match;
    });
  }

  /** The match of the first line, past or to come, that fits. */
  async line(pattern, limit_s = 20) {
    const past = this.lines.map((line) => line.match(pattern)).find(Boolean);
    if (past) return past;
    const coming = new Promise((resolve) => this.waiters.push({ pattern, resolve }));
    const failed = this.ended.then(({ code, error }) => {
      throw new Error(`${this.command} ended (${error ?? code}) before it printed ${pattern}`);
    });
    return within(limit_s, `${this.command} did not print ${pattern}`, Promise.race([coming, failed]));
  }

  /** Waits for its end; an exit code other than 0 is an error. */
  async done(limit_s) {
    const { code, signal, error } = await within(limit_s, `${this.command} did not end`, this.ended);
    if (code !== 0) throw new Error(`${this.command} failed: ${error ?? signal ?? code}`);
    return this.lines;
  }

  /** True while it runs. */
  get alive() {
    return running.has(this.child);
  }

  async stop() {
    if (this.alive) this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(late);
  }
}

export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function within(limit_s, what, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${limit_s} s`)), limit_s * 1000);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** Runs a command to its end and returns its standard output's lines. */
export async function run(command, words, { limit_s = 600, cwd } = {}) {
  return new Child(command, words, { cwd }).done(limit_s);
}

/** Ends what still runs: the last act, whatever happened. */
export function kill_all() {
  for (const child of running) child.kill('SIGKILL');
}

/** Of all its threads. */
export function children_of(pid) {
  const of_thread = (thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
  return readdirSync(`/proc/${pid}/task`).map(of_thread).filter(Boolean).flatMap((text) => text.split(' ').map(Number));
}

/** CPU time of all threads of these processes, in seconds: the scheduler's own count, in nanoseconds. */
export function cpu_s(pids) {
  let total_ns = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      total_ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
  }
  return total_ns / 1e9;
}

/** Resident memory of these processes, in bytes. */
export function resident_bytes(pids) {
  const kib = pids.map((pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]));
  return kib.reduce((sum, each) => sum + each, 0) * 1024;
}
