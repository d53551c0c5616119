import { Page } from "../ui/page";

/** What happens now. */
export function OverviewPage() {
  return <Page title="Overview">{null}</Page>;
}
