import { Snippet } from "./copy";
import { Dialog } from "./dialog";

/** A secret that the server shows this once. */
export function Once(props: { title: string; secret: string; onClose: () => void }) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p>Copy it now: it is shown this once, and the server keeps no copy that could be shown again.</p>
      <Snippet name="secret" text={props.secret} />
    </Dialog>
  );
}
