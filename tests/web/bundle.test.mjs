import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = fileURLToPath(new URL('../../web', import.meta.url));
const most_bytes = 240 * 1024;

function run(command, ...words) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: web, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${words.join(' ')}\n${stdout}${stderr}`);
}

/** Builds the pages into a new folder and returns them as { name: bytes }. */
function build() {
  if (!existsSync(join(web, 'node_modules'))) run('npm', 'ci');
  const folder = mkdtempSync(join(tmpdir(), 'lookback-dist-'));
  try {
    run('npm', 'run', 'build', '--', '--outDir', folder, '--emptyOutDir');
    const names = readdirSync(folder, { recursive: true, withFileTypes: true });
    return files_of(names, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function files_of(entries, folder) {
  const files = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files[path.slice(folder.length)] = readFileSync(path);
  }
  return files;
}

test('the pages are at most 240 KB when compressed, and building them again gives the same bytes', { timeout: 180_000 }, () => {
  const first = build();
  const second = build();
  assert.ok(first['/watch.html'] && first['/index.html']);
  assert.deepEqual(Object.keys(second).sort(), Object.keys(first).sort());
  for (const [name, bytes] of Object.entries(first)) assert.ok(bytes.equals(second[name]), `${name} differs`);

  const sizes = Object.entries(first).map(([name, bytes]) => [name, gzipSync(bytes, { level: 9 }).length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  assert.ok(total <= most_bytes, `${total} bytes: ${JSON.stringify(sizes)}`);
});

test('the lock files name no download addresses', () => {
  for (const folder of ['../../web', '.']) {
    const lock = readFileSync(new URL(`${folder}/package-lock.json`, import.meta.url), 'utf8');
    assert.ok(!lock.includes('"resolved"'), folder);
  }
});
