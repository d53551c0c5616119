import type { TallyError } from "@tallystick/client";

/** The part of a deployment that a problem is about. */
export type Part = "what" | "name" | "config" | "options" | "rest";

const parts: Readonly<Record<string, Part>> = {
  module_not_found: "what",
  module_refused: "what",
  invalid_module: "what",
  invalid_module_hash: "what",
  ready_view_not_found: "what",
  invalid_fields: "what",
  not_reproducible: "what",
  missing_export: "what",
  invalid_name: "name",
  view_not_found: "name",
  pattern_not_found: "name",
  pattern_differs: "name",
  invalid_pattern: "name",
  not_covered: "name",
  invalid_config: "config",
  view_refused_config: "config",
  bad_config: "config",
  config_too_large: "config",
  init_failed: "config",
  invalid_gas: "options",
  too_much_gas: "options",
  invalid_on_halt: "options",
  no_guard: "options",
};

/** By the code of a problem, or by the members that it names. */
export function partOf(error: TallyError): Part {
  const known = parts[error.code];
  if (known) return known;
  for (const { location = "" } of error.fields) {
    if (/^body\.config\b/.test(location)) return "config";
    if (/^body\.(ready|module)\b/.test(location)) return "what";
    if (/^body\.(gas|on_halt)\b/.test(location)) return "options";
    if (/^(path\.view|query\.logs)\b/.test(location)) return "name";
  }
  return "rest";
}
