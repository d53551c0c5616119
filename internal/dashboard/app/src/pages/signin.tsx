import { useState } from "preact/hooks";
import { signIn } from "../core/session";
import { Form, TextField, useAction } from "../ui/form";

/** Where a key is asked for. It stands in a field for passwords, and is kept for the tab alone. */
export function SignIn(props: { reason: string | undefined }) {
  const [key, setKey] = useState("");
  const action = useAction(() => signIn(key));
  return (
    <main class="signin">
      <img src="/icon.svg" alt="" width={48} height={48} />
      <h1>Tallystick</h1>
      {props.reason && <p role="alert">{props.reason}</p>}
      <Form submit="Sign in" action={action}>
        <TextField
          name="Key"
          type="password"
          value={key}
          onInput={setKey}
          required
          placeholder="tally_…"
          hint="It stays in this tab, and is forgotten with it. You see what the key may do: read, query and deploy show most."
        />
      </Form>
      <p class="note">
        <code>tally key create --name me --scopes read,query,deploy</code> makes one.
      </p>
    </main>
  );
}
