import { Page } from "../ui/page";

export function AlertsPage() {
  return <Page title="AlertsPage">{null}</Page>;
}
