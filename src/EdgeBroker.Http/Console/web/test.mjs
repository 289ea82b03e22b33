// Bundles each test file for node and runs them with node's own runner, so that an old node, which reads no TypeScript, does as well.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'console-test-'));
try {
  const tests = readdirSync(join(root, 'test')).filter(name => name.endsWith('.test.ts'));
  await build({
    absWorkingDir: root,
    entryPoints: tests.map(name => `test/${name}`),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const built = readdirSync(folder).filter(name => name.endsWith('.mjs')).map(name => join(folder, name));
  process.exitCode = spawnSync(process.execPath, ['--test', ...process.argv.slice(2), ...built], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
