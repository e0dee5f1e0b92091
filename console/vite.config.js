import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/// PDF.js fetches character maps, standard fonts and decoders by name at run time: they keep their names under pdf/.
function pdfResources() {
  const root = fileURLToPath(new URL('./node_modules/pdfjs-dist', import.meta.url));
  return {
    name: 'pdf-resources',
    apply: 'build',
    generateBundle() {
      for (const folder of ['cmaps', 'standard_fonts', 'wasm', 'iccs']) {
        for (const name of readdirSync(`${root}/${folder}`)) {
          this.emitFile({
            type: 'asset',
            fileName: `pdf/${folder}/${name}`,
            source: readFileSync(`${root}/${folder}/${name}`),
          });
        }
      }
    },
  };
}

/// The policy stands in the page too, for whoever serves it without the header. A page cannot say who may frame it.
function policy() {
  const text = readFileSync(new URL('./content-security-policy.txt', import.meta.url), 'utf8');
  return {
    name: 'policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: text.trim().replace(/; frame-ancestors [^;]*/, '') },
        injectTo: 'head-prepend',
      },
    ],
  };
}

export default defineConfig({
  plugins: [svelte(), pdfResources(), policy()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2500, // PDF.js, loaded with the first PDF page only
  },
  server: {
    proxy: Object.fromEntries(['/v1', '/metrics', '/openapi.json'].map((path) => [path, process.env.HENG_URL ?? 'http://127.0.0.1:8610'])),
  },
  test: { include: ['tests/**/*.test.ts'] },
});
