import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The server that `pnpm dev` passes requests on to; the built page is served by the server itself. */
const server = process.env['FAULTLINE_SERVER'] ?? 'http://127.0.0.1:7766';

export default defineConfig({
  root: 'src',
  plugins: [react()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2023',
    // The policy of the server allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': server, '/socket.io': { target: server, ws: true } } },
});
