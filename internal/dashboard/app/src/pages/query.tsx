import { Page } from "../ui/page";

export function QueryPage() {
  return <Page title="QueryPage">{null}</Page>;
}
