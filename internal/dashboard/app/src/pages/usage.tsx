import { Page } from "../ui/page";

export function UsagePage(props: { log: string; view: string }) {
  return <Page title={props.view}>{null}</Page>;
}
