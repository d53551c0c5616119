// Fails where src/schema.gen.ts is not what openapi/openapi.yaml says.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "tally-schema-"));
try {
  const made = join(folder, "schema.gen.ts");
  execFileSync("openapi-typescript", ["../../openapi.yaml", "--default-non-nullable=false", "--output", made], {
    stdio: "ignore",
  });
  if (readFileSync(made, "utf8") !== readFileSync("src/schema.gen.ts", "utf8")) {
    console.error(
      "openapi/clients/typescript/src/schema.gen.ts is not what openapi.yaml says: run `npm run generate` there and commit it",
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
