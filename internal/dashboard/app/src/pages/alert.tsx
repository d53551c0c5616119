import { Page } from "../ui/page";

export function AlertPage(props: { alert: string }) {
  return <Page title={props.alert}>{null}</Page>;
}
