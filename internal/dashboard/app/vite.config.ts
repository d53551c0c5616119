import process from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The names of built files have no hash: the server sends each with an ETag, and a change shows as a change in the repository.
export default defineConfig({
  resolve: { alias: { "@tallystick/client": here("../../../openapi/clients/typescript/src/index.ts") } },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: process.env["OUT"] ?? "../dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { index: here("index.html") },
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  server: { proxy: { "^/(?!@|src/|node_modules/|index.html|\\?|$|\\.\\.)": "http://127.0.0.1:8080" } },
});
