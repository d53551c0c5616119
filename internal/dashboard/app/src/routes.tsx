import type { ComponentChildren } from "preact";
import { AlertPage, NewAlertPage } from "./pages/alert";
import { AlertsPage } from "./pages/alerts";
import { AuditLogPage } from "./pages/auditlog";
import { DeployPage } from "./pages/deploy";
import { EventPage } from "./pages/event";
import { EventsPage } from "./pages/events";
import { KeysPage } from "./pages/keys";
import { LogPage } from "./pages/log";
import { LogsPage } from "./pages/logs";
import { NotFoundPage } from "./pages/notfound";
import { OverviewPage } from "./pages/overview";
import { PatternPage } from "./pages/pattern";
import { QueryPage } from "./pages/query";
import { TenantPage } from "./pages/tenant";
import { TenantsPage } from "./pages/tenants";
import { UsagePage } from "./pages/usage";
import { VerifyPage } from "./pages/verify";
import { ViewPage } from "./pages/view";
import { ViewsPage } from "./pages/views";
import { WebhookPage } from "./pages/webhook";
import { WebhooksPage } from "./pages/webhooks";

/** The page of a path; every link of the dashboard leads to one of these. */
export function pageAt(path: readonly string[]): ComponentChildren {
  const [place = "", name = "", part = "", item = ""] = path;
  switch (place + (name && "/*") + (part && `/${part}`) + (item && "/*")) {
    case "":
      return <OverviewPage />;
    case "logs":
      return <LogsPage />;
    case "logs/*":
      return <LogPage log={name} />;
    case "logs/*/events":
      return <EventsPage log={name} />;
    case "logs/*/events/*":
      return <EventPage log={name} sequence={Number(item)} />;
    case "logs/*/views/*":
      return <ViewPage log={name} view={item} />;
    case "logs/*/usage/*":
      return <UsagePage log={name} view={item} />;
    case "logs/*/deploy":
      return <DeployPage log={name} />;
    case "logs/*/verify":
      return <VerifyPage log={name} />;
    case "views":
      return <ViewsPage />;
    case "views/*":
      return <PatternPage view={name} />;
    case "deploy":
      return <DeployPage />;
    case "query":
      return <QueryPage />;
    case "alerts":
      return <AlertsPage />;
    case "alerts/*":
      return <AlertPage alert={name} />;
    case "new-alert":
      return <NewAlertPage />;
    case "webhooks":
      return <WebhooksPage />;
    case "webhooks/*":
      return <WebhookPage webhook={name} />;
    case "keys":
      return <KeysPage />;
    case "tenants":
      return <TenantsPage />;
    case "tenants/*":
      return <TenantPage tenant={name} />;
    case "audit-log":
      return <AuditLogPage />;
    default:
      return <NotFoundPage />;
  }
}
