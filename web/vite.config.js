import { defineConfig } from 'vite';

// The pages are served from the binary's own root; names below /assets/ carry a hash of the content, so that they
// can be cached for ever. Nothing is inlined: the pages work under a content security policy without inline scripts.
export default defineConfig({
  base: '/',
  appType: 'mpa',
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: 'index.html', watch: 'watch.html' },
    },
  },
});
