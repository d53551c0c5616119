import { Hash } from "../../ui/values";

/** What a version is: a ready view by its name, or a module by its hash. */
export function What(props: { of: { ready?: string; module: string } }) {
  const { ready, module } = props.of;
  return ready === undefined ? <Hash of={module} /> : <code title={module}>{ready}</code>;
}
