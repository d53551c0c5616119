import { Page } from "../ui/page";

export function TenantsPage() {
  return <Page title="TenantsPage">{null}</Page>;
}
