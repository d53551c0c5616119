import { useEffect, useState } from "preact/hooks";
import { link, refine, route } from "../core/route";
import { caller, client } from "../core/session";
import { useResource } from "../core/resource";
import { Snippet } from "../ui/copy";
import { Form, TextField, useAction } from "../ui/form";
import { Page, Section } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Name } from "../ui/values";
import { Answer, type Answered } from "./query/answer";
import { history, remember } from "./query/history";
import { ParameterRows } from "./query/parameters";
import { parametersOf, programsOf, questionOf, type Asked } from "./query/question";
import "../styles/query.css";

/** Asks a view anything, and shows how programs ask the same. What is asked is in the address, so that it can be shared. */
export function QueryPage() {
  const { log = "", view = "", q = "" } = route.value.query;
  const asked: Asked = { log, view, question: q };
  const [answered, setAnswered] = useState<Answered | undefined>();
  const [live, setLive] = useState(false);
  const action = useAction(async () => {
    const began = performance.now();
    const answer = await client.value.queryView(log, view, Object.fromEntries(parametersOf(q)));
    setAnswered({ ...answer, ms: performance.now() - began });
    remember(asked);
  });
  useEffect(() => setLive(false), [log, view, q]);
  const ask = () => {
    setLive(false);
    action.start();
  };
  return (
    <Page title="Query">
      <Needs scopes={["query"]}>
        <div class="query">
          <Section title="Question">
            <Form submit="Ask" action={{ ...action, start: ask }}>
              <Where asked={asked} />
              <ParameterRows value={parametersOf(q)} onInput={(rows) => refine({ q: questionOf(rows) })} />
            </Form>
            <p>
              <button
                type="button"
                aria-pressed={live}
                disabled={log === "" || view === ""}
                onClick={() => setLive(!live)}
              >
                Live
              </button>{" "}
              <span class="note">follows the answer as it changes</span>
            </p>
          </Section>
          <Answer asked={asked} live={live} answered={answered} />
        </div>
        <Section title="The same from programs">
          {log !== "" && view !== "" ? <Programs asked={asked} /> : <Empty title="Choose a log and a view." />}
        </Section>
        <Section title="Asked before" note="in this tab">
          {history.value.length === 0 ? <Empty title="Nothing was asked yet." /> : <History />}
        </Section>
      </Needs>
    </Page>
  );
}

/** The log and the view; those that there are are offered. */
function Where(props: { asked: Asked }) {
  const { log, view } = props.asked;
  const logs = useResource(
    caller.value?.scopes.some((scope) => scope === "read" || scope === "deploy")
      ? (signal) => client.value.listLogs({ prefix: prefixOf(log), limit: 20, signal })
      : undefined,
    [prefixOf(log)],
  );
  const views = useResource(log === "" ? undefined : (signal) => client.value.listViews(log, { signal }), [log]);
  return (
    <div class="filters">
      <TextField
        name="Log"
        value={log}
        required
        onInput={(value) => refine({ log: value })}
        list={logs.data?.logs.map((one) => one.name) ?? []}
      />
      <TextField
        name="View"
        value={view}
        required
        onInput={(value) => refine({ view: value })}
        list={views.data?.views.map((one) => one.name) ?? []}
        hint={views.error?.code === "log_not_found" ? "There is no log of that name." : undefined}
      />
    </div>
  );
}

/** What names of logs may begin with; other text is no prefix, and offers nothing. */
function prefixOf(text: string): string | undefined {
  return /^[A-Za-z0-9._:@+=~-]{1,200}$/.test(text) ? text : undefined;
}

function Programs(props: { asked: Asked }) {
  const [name, setName] = useState("curl");
  const programs = programsOf(props.asked, location.origin, caller.value?.keys ?? true);
  const text = programs.find(([one]) => one === name)?.[1] ?? "";
  return (
    <>
      <div class="row" role="group" aria-label="Form">
        {programs.map(([one]) => (
          <button key={one} type="button" class="small" aria-pressed={one === name} onClick={() => setName(one)}>
            {one}
          </button>
        ))}
      </div>
      <Snippet name={name} text={text} />
    </>
  );
}

function History() {
  return (
    <ol class="history">
      {history.value.map((asked) => (
        <li key={JSON.stringify(asked)}>
          <a href={link(["query"], { log: asked.log, view: asked.view, q: asked.question })}>
            <Name of={`${asked.log} · ${asked.view}`} /> <Name of={asked.question && `?${asked.question}`} mono />
          </a>
        </li>
      ))}
    </ol>
  );
}
