import { Page } from "../ui/page";

export function AuditLogPage() {
  return <Page title="AuditLogPage">{null}</Page>;
}
