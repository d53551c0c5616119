import { exact } from "../../core/format";
import { link } from "../../core/route";
import { useResource } from "../../core/resource";
import { client, may } from "../../core/session";
import { Section } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { Hash } from "../../ui/values";

/** The views that every server has. */
export function ReadyViews() {
  const ready = useResource((signal) => client.value.listReadyViews({ signal }), []);
  return (
    <Loaded of={ready} lines={10}>
      {({ views }) => (
        <div class="halves">
          {views.map((view) => (
            <Section
              key={view.name}
              title={view.title}
              note={<code>{view.name}</code>}
              actions={
                may("deploy") && (
                  <a class="button small" href={link(["deploy"], { ready: view.name })}>
                    Deploy on a pattern
                  </a>
                )
              }
            >
              <p>
                <bdi>{view.description}</bdi>
              </p>
              <ul class="versions">
                {[...view.versions].reverse().map((one) => (
                  <li key={one.version}>
                    <code>{`${view.name}@${one.version}`}</code> <Hash of={one.module} />{" "}
                    <span class="dim">{one.release ?? "not in a release yet"}</span>
                  </li>
                ))}
              </ul>
              <p class="note">{exact(view.gas)} gas for an event, unless a deployment says otherwise.</p>
            </Section>
          ))}
        </div>
      )}
    </Loaded>
  );
}
