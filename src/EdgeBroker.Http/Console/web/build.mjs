// Builds the console into one folder: the page, its script and style under names that hold their hash, and the licences of what is in them.
//   node build.mjs [folder]      default: ../../obj/console
// Each file is compressed once, here; names of no folder of this machine get into any of them.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 80 * 1024;

const root = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, '../../obj/console'));

const result = await build({
  absWorkingDir: root,
  entryPoints: { console: 'src/main.tsx', style: 'src/style.css' },
  outdir: 'out',
  bundle: true,
  write: false,
  minify: true,
  metafile: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
});
if (result.warnings.length > 0) process.exit(1);

/** The text of a built file. */
const built = extension => result.outputFiles.find(file => file.path.endsWith(extension)).contents;

/** What is in the bundle that others wrote, with the licence each of them asks to be shown. */
function licences() {
  const packages = new Set();
  for (const input of Object.keys(result.metafile.inputs)) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(match[1]);
  }
  const parts = [...packages].sort().map(name => {
    const home = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const file = readdirSync(home).find(entry => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} ships no licence text`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
  });
  return 'The console of EdgeBroker contains these works of others.\n\n' + parts.join('\n' + '-'.repeat(72) + '\n\n');
}

const files = new Map();
const hashed = (stem, extension, contents) => {
  const hash = createHash('sha256').update(contents).digest('base64url').replace(/[^A-Za-z0-9]/g, '').slice(0, 12);
  const name = `${stem}-${hash}.${extension}`;
  files.set(name, contents);
  return name;
};
const script = hashed('console', 'js', built('.js'));
const style = hashed('console', 'css', built('.css'));
const icon = hashed('icon', 'svg', readFileSync(join(root, 'src/icon.svg')));
const page = readFileSync(join(root, 'src/index.html'), 'utf8')
  .replace('SCRIPT', script).replace('STYLE', style).replace('ICON', icon);
files.set('index.html', Buffer.from(page));
files.set('licences.txt', Buffer.from(licences()));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let total = 0;
for (const [name, contents] of files) {
  const compressed = gzipSync(contents, { level: 9 });
  total += compressed.length;
  writeFileSync(join(folder, `${name}.gz`), compressed);
}
if (total > LIMIT_BYTES) throw new Error(`the console is ${total} bytes compressed; its limit is ${LIMIT_BYTES}`);
console.log(`console: ${total} bytes compressed, of ${LIMIT_BYTES}`);
