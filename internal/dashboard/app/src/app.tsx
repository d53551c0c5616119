import type { ComponentChildren } from "preact";
import { Component } from "preact";
import { lostSince } from "./core/connection";
import { link, route } from "./core/route";
import { asTallyError } from "./core/resource";
import { open, session } from "./core/session";
import { ago } from "./core/format";
import { now } from "./core/clock";
import { pageAt } from "./routes";
import { SignIn } from "./pages/signin";
import { Page } from "./ui/page";
import { Problem } from "./ui/states";
import { Shell } from "./shell";

export function App() {
  const current = session.value;
  switch (current.state) {
    case "opening":
      return <Shell>{null}</Shell>;
    case "signed-out":
      return <SignIn reason={current.reason} />;
    case "unreachable":
      return (
        <Shell>
          <Page title="Tallystick">
            <Problem error={current.error} retry={() => void open()} />
          </Page>
        </Shell>
      );
    case "open":
      return (
        <Shell>
          <Lost />
          <Caught key={link(route.value.path)}>{pageAt(route.value.path)}</Caught>
        </Shell>
      );
  }
}

/** Says that the server is away, over everything; it goes by itself. */
function Lost() {
  const since = lostSince.value;
  return (
    <div class="lost" role="status">
      {since !== undefined &&
        `The server has not been reached (${ago(new Date(since), now.value)}). What is shown is from before; this page goes on by itself.`}
    </div>
  );
}

/** Keeps a fault of one page from taking the others with it. */
class Caught extends Component<{ children: ComponentChildren }, { fault?: unknown }> {
  static override getDerivedStateFromError(fault: unknown) {
    return { fault };
  }

  override render() {
    const { fault } = this.state;
    if (fault === undefined) return this.props.children;
    return (
      <Page title="This page failed">
        <p>It is a fault of the dashboard, and changed nothing. The others work; reloading may help.</p>
        <pre>{asTallyError(fault).detail}</pre>
      </Page>
    );
  }
}
