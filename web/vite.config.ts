import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Run with `vite build web`: everything ends in web/dist, which the relay serves. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  // The relay puts a fresh nonce here into each answer.
  html: { cspNonce: '__POSTERN_NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // No data: URLs for what can be a file: the content security policy stays short.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
  },
});
