import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import dashboard from "./vite.config.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// What products' pages load. embed.js is one file: each further one of another origin would be a round trip.
export default defineConfig({
  ...dashboard,
  publicDir: false,
  build: {
    ...dashboard.build,
    emptyOutDir: false, // the dashboard is there
    rollupOptions: {
      input: { embed: here("src/embed/element.tsx"), frame: here("src/embed/frame.ts") },
      output: { entryFileNames: (chunk) => (chunk.name === "embed" ? "embed.js" : "assets/[name].js") },
    },
  },
});
