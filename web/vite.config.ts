import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The server sends the page with a policy that allows nothing inline and nothing from elsewhere: everything is a file of ours. */
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
