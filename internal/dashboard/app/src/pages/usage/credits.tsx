import { client } from "../../core/session";
import { refine, route } from "../../core/route";
import { Figure, Section } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { Table } from "../../ui/table";
import { Num, Status, Time } from "../../ui/values";
import { share } from "./decimals";
import { useFollowing } from "./live";
import { valueText, type GroupValue } from "./meter";
import { asOfNow } from "./quota";
import { parametersOf, type Balance, type BalanceAnswer, type Grant, type Reservation } from "./quotaanswers";

interface Asked {
  log: string;
  view: string;
  sequence: number | undefined;
}

const mostAccounts = 100;
const often = { every: 15_000 };

/** What accounts have, hold and owe. Of several one is chosen, whose grants and reservations are shown. */
export function Credits(props: Asked & { groups: readonly string[] }) {
  const { log, view, sequence, groups } = props;
  const balances = useFollowing(
    async (signal) => {
      const question = { show: "balance", ...asOfNow(), ...(groups.length > 0 ? { limit: mostAccounts } : {}) };
      return (await client.value.queryView<BalanceAnswer>(log, view, question, { signal })).answer;
    },
    [log, view],
    sequence,
    often,
  );
  return (
    <Loaded of={balances} lines={5}>
      {(answer) => {
        if (answer.accounts === undefined) return <Account {...props} of={answer} />;
        if (answer.accounts.length === 0) {
          return (
            <Section title="Credits">
              <Empty title="No account has credits yet.">
                <p>The first grant makes one.</p>
              </Empty>
            </Section>
          );
        }
        const wanted = route.value.query["account"];
        const chosen = answer.accounts.find((one) => nameOf(one) === wanted) ?? answer.accounts[0];
        return (
          <>
            <Accounts rows={answer.accounts} groups={groups} chosen={chosen} more={answer.next !== undefined} />
            {chosen && <Account {...props} of={chosen} />}
          </>
        );
      }}
    </Loaded>
  );
}

function nameOf(one: Balance): string {
  return JSON.stringify(one.account);
}

function Accounts(props: {
  rows: readonly Balance[];
  groups: readonly string[];
  chosen: Balance | undefined;
  more: boolean;
}) {
  return (
    <Section title="Accounts">
      <Table
        name="Accounts"
        rows={props.rows}
        id={nameOf}
        columns={[
          {
            name: props.groups.join(" · "),
            cell: (one) => (
              <button
                type="button"
                class="small"
                aria-pressed={one === props.chosen}
                onClick={() => refine({ account: nameOf(one) })}
              >
                <bdi class="name">{accountText(one)}</bdi>
              </button>
            ),
          },
          { name: "Balance", number: true, cell: (one) => <Num of={one.balance} /> },
          { name: "Reserved", number: true, wide: true, cell: (one) => <Num of={one.reserved} /> },
          { name: "Available", number: true, cell: (one) => <Num of={one.available} /> },
          { name: "Overdrawn", number: true, wide: true, cell: (one) => <Num of={one.overdrawn} /> },
        ]}
      />
      {props.more && <p class="note">These are the first {mostAccounts} accounts.</p>}
    </Section>
  );
}

function accountText(one: Balance): string {
  return Object.values(one.account ?? {})
    .map((value) => valueText(value))
    .join(" · ");
}

/** One account: its balance, grants and reservations. */
function Account(props: Asked & { of: Balance }) {
  const { log, view, sequence, of } = props;
  const account = parametersOf(of.account);
  const key = nameOf(of);
  const ask = async <T,>(show: string, signal: AbortSignal) => {
    const question = { ...account, show, limit: 200, ...asOfNow() };
    return (await client.value.queryView<T>(log, view, question, { signal })).answer;
  };
  const deps = [log, view, key];
  const grants = useFollowing((signal) => ask<{ grants: Grant[] }>("grants", signal), deps, sequence, often);
  const holds = useFollowing(
    (signal) => ask<{ reservations: Reservation[]; next?: string }>("reservations", signal),
    deps,
    sequence,
    often,
  );
  const isOwing = of.overdrawn !== "0";
  return (
    <>
      <Section title="Credits" note={of.account && <bdi>{accountText(of)}</bdi>}>
        <dl class="figures usage-figures">
          <Figure
            name="Balance"
            {...(of.balance.startsWith("-") ? { tone: "bad" as const } : {})}
            note="All grants, less what is overdrawn."
          >
            <Num of={of.balance} />
          </Figure>
          <Figure
            name="Reserved"
            note={`In ${of.reservations} open ${of.reservations === 1 ? "reservation" : "reservations"}.`}
          >
            <Num of={of.reserved} />
          </Figure>
          <Figure
            name="Available"
            note={of.overdraft === "0" ? "For usage without a scope." : `With an overdraft of ${of.overdraft}.`}
          >
            <Num of={of.available} />
          </Figure>
          <Figure
            name="Overdrawn"
            {...(isOwing ? { tone: "bad" as const } : {})}
            note={of.over > 0 ? `${of.over} events went beyond all credits.` : undefined}
          >
            <Num of={of.overdrawn} />
          </Figure>
        </dl>
        {of.scopes.length > 0 && (
          <p class="row">
            <span class="dim">Available for</span>
            {of.scopes.map((one) => (
              <span key={valueText(one.scope)} class="label">
                <bdi>{valueText(one.scope)}</bdi> <Num of={one.available} />
              </span>
            ))}
          </p>
        )}
      </Section>
      <Section title="Grants" note="In the order in which they are used.">
        <Loaded of={grants} lines={3}>
          {({ grants: rows }) => (rows.length === 0 ? <Empty title="No grant is open." /> : <Grants rows={rows} />)}
        </Loaded>
      </Section>
      <Section title="Reservations">
        <Loaded of={holds} lines={2}>
          {({ reservations: rows, next }) => (
            <>
              {rows.length === 0 ? <Empty title="No reservation is open." /> : <Reservations rows={rows} />}
              {next !== undefined && <p class="note">These are the first 200.</p>}
            </>
          )}
        </Loaded>
      </Section>
    </>
  );
}

function Grants(props: { rows: readonly Grant[] }) {
  const scopeText = (scope: GroupValue[] | undefined) =>
    scope ? scope.map((value) => valueText(value)).join(", ") : "everything";
  return (
    <Table
      name="Grants"
      rows={props.rows}
      id={(one) => `${one.sequence} ${valueText(one.grant)}`}
      columns={[
        { name: "Grant", cell: (one) => <bdi class="name">{valueText(one.grant)}</bdi> },
        { name: "Status", cell: (one) => <Status of={one.status} /> },
        { name: "Used, reserved, left", cell: (one) => <GrantBar of={one} /> },
        { name: "Left", number: true, cell: (one) => <Num of={one.left} /> },
        { name: "Of", number: true, cell: (one) => <Num of={one.amount} /> },
        { name: "Reserved", number: true, wide: true, cell: (one) => <Num of={one.reserved} /> },
        { name: "Expires", cell: (one) => (one.expires === null ? "never" : <Time at={one.expires} />) },
        {
          name: "Renews",
          wide: true,
          cell: (one) =>
            one.recurring ? one.renews ? <Time at={one.renews} /> : "no more" : <span class="dim">–</span>,
        },
        { name: "For", wide: true, cell: (one) => <bdi class="name">{scopeText(one.scope)}</bdi> },
        { name: "Priority", number: true, wide: true, cell: (one) => <Num of={one.priority} /> },
      ]}
    />
  );
}

function GrantBar(props: { of: Grant }) {
  const { of } = props;
  const width = (part: string) => ({ width: `${100 * Math.max(0, Math.min(1, share(part, of.amount) || 0))}%` });
  return (
    <span
      class="grant-bar"
      role="img"
      aria-label={`${of.used} used, ${of.reserved} reserved, ${of.left} left of ${of.amount}`}
    >
      <span class="used" style={width(of.used)} />
      <span class="held" style={width(of.reserved)} />
    </span>
  );
}

function Reservations(props: { rows: readonly Reservation[] }) {
  return (
    <Table
      name="Reservations"
      rows={props.rows}
      id={(one) => one.sequence}
      columns={[
        { name: "Reservation", cell: (one) => <bdi class="name">{valueText(one.reservation)}</bdi> },
        { name: "Amount", number: true, cell: (one) => <Num of={one.amount} /> },
        { name: "Since", wide: true, cell: (one) => <Time at={one.reserved_at} /> },
        { name: "Runs out", cell: (one) => <Time at={one.runs_out_at} relative /> },
      ]}
    />
  );
}
