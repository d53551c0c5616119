import { useEffect, useRef, useState } from "preact/hooks";
import { refine, route } from "../../core/route";
import { SelectField, TextField } from "../../ui/form";
import { filterOf, fromLocalTime, localTime, sequenceOf } from "./filter";

const typing = 350; // ms without a key after which what was typed counts

/** What is shown, and from where: all of it is in the address. */
export function Filters(props: { types: readonly string[] }) {
  const { query } = route.value;
  const filter = filterOf(query);
  const ranged = ["from", "to", "since", "until", "clock"].some((name) => query[name] !== undefined);
  const change = (name: string) => (value: string) => refine({ [name]: value, at: undefined });
  return (
    <form class="events-filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <div class="filters">
        <Typed name="Type" value={query["type"] ?? ""} onValue={change("type")} list={props.types} />
        <Typed name="Text" type="search" value={query["text"] ?? ""} onValue={change("text")} />
        <SelectField
          name="Order"
          value={filter.newestFirst ? "newest" : "oldest"}
          options={[
            ["newest", "Newest first"],
            ["oldest", "Oldest first"],
          ]}
          onInput={(value) => refine({ order: value === "oldest" ? value : undefined, at: undefined })}
        />
        <Typed
          name="Go to sequence"
          value={query["at"] ?? ""}
          onValue={(value) => refine({ at: sequenceOf(value) })}
          late
        />
      </div>
      <details open={ranged}>
        <summary>Range of sequences and times</summary>
        <div class="filters">
          <Typed name="From sequence" value={query["from"] ?? ""} onValue={change("from")} />
          <Typed name="To sequence" value={query["to"] ?? ""} onValue={change("to")} />
          <TextField
            name="Since"
            type="datetime-local"
            value={localTime(filter.since)}
            onInput={(value) => change("since")(fromLocalTime(value))}
          />
          <TextField
            name="Before"
            type="datetime-local"
            value={localTime(filter.until)}
            onInput={(value) => change("until")(fromLocalTime(value))}
          />
          <SelectField
            name="By the time when it"
            value={filter.clock}
            options={[
              ["recorded", "was recorded"],
              ["happened", "happened"],
            ]}
            onInput={(value) => change("clock")(value === "happened" ? value : "")}
          />
        </div>
      </details>
    </form>
  );
}

/** A field whose value counts when typing pauses, or with Enter; `late`: with Enter, or when it is left, alone. */
function Typed(props: {
  name: string;
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "search";
  list?: readonly string[];
  late?: boolean;
}) {
  const [typed, setTyped] = useState(props.value);
  const timer = useRef(0);
  useEffect(() => setTyped(props.value), [props.value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const commit = (value: string) => {
    window.clearTimeout(timer.current);
    if (value !== props.value) props.onValue(value.trim());
  };
  return (
    <div
      onKeyDown={(event) => {
        if (event.key === "Enter") commit(typed);
      }}
      onFocusOut={() => commit(typed)}
    >
      <TextField
        name={props.name}
        type={props.type ?? "text"}
        value={typed}
        {...(props.list ? { list: props.list } : {})}
        onInput={(value) => {
          setTyped(value);
          window.clearTimeout(timer.current);
          if (!props.late) timer.current = window.setTimeout(() => commit(value), typing);
        }}
      />
    </div>
  );
}
