import { link, oneOf, route } from "../core/route";
import { may } from "../core/session";
import { Page, Tabs } from "../ui/page";
import { Needs } from "../ui/states";
import { Modules } from "./views/modules";
import { Patterns } from "./views/patterns";
import { ReadyViews } from "./views/ready";
import { States } from "./views/states";
import "../styles/views.css";

const parts = ["patterns", "ready", "modules"] as const;

/** The views of all logs, those on patterns, those that every server has, and the modules that were uploaded. */
export function ViewsPage() {
  const part = oneOf(route.value.query["part"], parts);
  const tab = (name: string, to: (typeof parts)[number] | undefined) => ({
    name,
    href: link(["views"], { part: to }),
    current: part === to,
  });
  const deploys = may("deploy");
  return (
    <Page
      title="Views"
      actions={
        deploys && (
          <a class="button" href={link(["deploy"])}>
            Deploy on a pattern
          </a>
        )
      }
    >
      <Needs scopes={["read", "query", "deploy"]}>
        <Tabs
          name="Kinds of views"
          tabs={[
            tab("On all logs", undefined),
            ...(deploys ? [tab("On patterns", "patterns")] : []),
            tab("Ready views", "ready"),
            ...(deploys ? [tab("Modules", "modules")] : []),
          ]}
        />
        {part === undefined && <States />}
        {part === "ready" && <ReadyViews />}
        {part === "patterns" && (
          <Needs scopes={["deploy"]}>
            <Patterns />
          </Needs>
        )}
        {part === "modules" && (
          <Needs scopes={["deploy"]}>
            <Modules />
          </Needs>
        )}
      </Needs>
    </Page>
  );
}
