import { Page } from "../ui/page";

export function DeployPage(props: { log: string }) {
  return <Page title={props.log}>{null}</Page>;
}
