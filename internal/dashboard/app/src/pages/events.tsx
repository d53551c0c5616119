import { Page } from "../ui/page";

export function EventsPage(props: { log: string }) {
  return <Page title={props.log}>{null}</Page>;
}
