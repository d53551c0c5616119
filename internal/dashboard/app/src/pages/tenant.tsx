import { Page } from "../ui/page";

export function TenantPage(props: { tenant: string }) {
  return <Page title={props.tenant}>{null}</Page>;
}
