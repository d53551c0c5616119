import { Page } from "../ui/page";

export function ViewsPage() {
  return <Page title="ViewsPage">{null}</Page>;
}
