import type { TallyError } from "@tallystick/client";
import type { ComponentChildren } from "preact";
import type { Resource } from "../core/resource";
import { may, type Scope } from "../core/session";

/** What a page shows of a resource: the data, or why there is none yet. Data stays while it is loaded anew; an error then stands above. */
export function Loaded<T>(props: {
  of: Resource<T>;
  /** The height, in lines, that is kept free until there is data, so that nothing moves. */
  lines?: number;
  children: (data: T) => ComponentChildren;
}) {
  const { data, error, loading, reload } = props.of;
  return (
    <>
      {error && <Problem error={error} retry={reload} stale={data !== undefined} />}
      {data !== undefined ? props.children(data) : loading && <Loading lines={props.lines ?? 4} />}
    </>
  );
}

export function Loading(props: { lines: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: props.lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** What went wrong, in the server's own words, and what can be done about it. */
export function Problem(props: { error: TallyError; retry?: (() => void) | undefined; stale?: boolean }) {
  const { error } = props;
  if (error.code === "missing_scope" || error.code === "outside_pattern") return <NoPermission detail={error.detail} />;
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{titleOf(error)}</strong> <bdi>{error.detail}</bdi>
      </p>
      {error.fields.length > 0 && (
        <ul>
          {error.fields.map((field, i) => (
            <li key={i}>
              <code>{field.location}</code> {field.message}
            </li>
          ))}
        </ul>
      )}
      <p class="problem-foot">
        <code>{error.code}</code>
        {error.requestId && <span> request {error.requestId}</span>}
        {props.stale && <span> What is shown is from before.</span>}
        {props.retry && (
          <button type="button" class="small" onClick={props.retry}>
            Try again
          </button>
        )}
      </p>
    </div>
  );
}

function titleOf(error: TallyError): string {
  if (error.code === "connection") return "The server is not reached.";
  if (error.code === "dashboard") return "This cannot be sent.";
  if (error.status === 404) return "There is no such thing.";
  if (error.status === 429) return "Too much was asked for.";
  return (error.status ?? 500) >= 500 ? "The server cannot do this now." : "This cannot be done.";
}

export function NoPermission(props: { detail?: string; needs?: Scope[] }) {
  return (
    <div class="quiet" role="note">
      <p>
        <strong>Your key does not show this.</strong>
      </p>
      <p>{props.detail ?? `It takes a key with the scope ${(props.needs ?? []).join(" or ")}.`}</p>
    </div>
  );
}

/** Shows its children to keys with one of the scopes, and to others why they see nothing. */
export function Needs(props: { scopes: Scope[]; children: ComponentChildren }) {
  return may(...props.scopes) ? <>{props.children}</> : <NoPermission needs={props.scopes} />;
}

/** That there is nothing yet, and how there comes to be something. */
export function Empty(props: { title: string; children?: ComponentChildren }) {
  return (
    <div class="quiet">
      <p>
        <strong>{props.title}</strong>
      </p>
      {props.children}
    </div>
  );
}
