import { Page } from "../ui/page";

export function WebhookPage(props: { webhook: string }) {
  return <Page title={props.webhook}>{null}</Page>;
}
