import { Page } from "../ui/page";

export function VerifyPage(props: { log: string }) {
  return <Page title={props.log}>{null}</Page>;
}
