import { Page } from "../ui/page";

export function EventPage(props: { log: string; sequence: number }) {
  return <Page title={String(props.sequence)}>{null}</Page>;
}
