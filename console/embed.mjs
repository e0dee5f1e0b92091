// Turns the built console into an assembler file that includes the bytes and a C++ table of them.
// usage: node embed.mjs DIST POLICY OUT
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

const mediaTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.ttf': 'font/ttf',
  '.pfb': 'application/octet-stream',
  '.bcmap': 'application/octet-stream',
  '.icc': 'application/vnd.iccprofile',
  '': 'text/plain; charset=utf-8', // licences
};

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

const [dist, policyFile, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node embed.mjs DIST POLICY OUT');
  process.exit(2);
}
mkdirSync(out, { recursive: true });

const assets = filesUnder(dist).map((file) => {
  const name = `/${relative(dist, file).split(sep).join('/')}`;
  const type = mediaTypes[/\/LICENSE/.test(name) ? '' : extname(name)];
  if (!type) throw new Error(`embed: no media type for ${name}`);
  return { file, path: name === '/index.html' ? '/' : name, type, body: readFileSync(file) };
});
assets.sort((a, b) => (Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))));

const quote = (text) => JSON.stringify(text);
const assembly = ['  .section .rodata', ''];
const rows = [];
const declarations = [];
assets.forEach((asset, at) => {
  const include = (symbol, file) => assembly.push(`  .globl ${symbol}`, `${symbol}:`, `  .incbin ${quote(file)}`, '  .byte 0');
  include(`heng_console_${at}`, asset.file);
  declarations.push(`extern const char heng_console_${at}[];`);
  const packed = gzipSync(asset.body, { level: 9 });
  let gzip = '{}';
  if (packed.length < asset.body.length * 0.95) {
    const file = join(out, `${at}.gz`);
    writeFileSync(file, packed);
    include(`heng_console_${at}_gzip`, file);
    declarations.push(`extern const char heng_console_${at}_gzip[];`);
    gzip = `{heng_console_${at}_gzip, ${packed.length}}`;
  }
  const etag = `"${createHash('sha256').update(asset.body).digest('hex').slice(0, 32)}"`;
  rows.push(
    `    {${quote(asset.path)}, ${quote(asset.type)}, ${quote(etag)}, {heng_console_${at}, ${asset.body.length}}, ${gzip}, ${asset.path.startsWith('/assets/')}},`,
  );
});
assembly.push('  .section .note.GNU-stack,"",@progbits', '');

writeFileSync(join(out, 'assets.S'), assembly.join('\n'));
writeFileSync(
  join(out, 'table.cc'),
  `#include "table.h"

extern "C" {
${declarations.join('\n')}
}

namespace heng::console {
namespace {
const Asset kAssets[] = {
${rows.join('\n')}
};
}  // namespace

std::span<const Asset> table() { return kAssets; }
const std::string_view kPolicy = ${quote(readFileSync(policyFile, 'utf8').trim())};

}  // namespace heng::console
`,
);
