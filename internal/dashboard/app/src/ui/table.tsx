import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

/** A column: its head, and what it shows of a row. */
export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand to the right. */
  number?: boolean;
  /** Left out on narrow screens. */
  wide?: boolean;
}

/** A table that scrolls sideways on narrow screens, by keys too. */
export function Table<Row>(props: {
  name: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string | number;
  /** The order of the rows changes all the time: each stays where it is as long as it is there, and so do the columns. */
  still?: boolean;
}) {
  const places = useRef<readonly (string | number)[]>([]);
  const rows = props.still ? inPlaces(props.rows, places.current, props.id) : props.rows;
  places.current = rows.map(props.id);
  return (
    <div class={props.still ? "table still" : "table"} role="region" aria-label={props.name} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.name} scope="col" class={classes(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.id(row)}>
              {props.columns.map((column) => (
                <td key={column.name} class={classes(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The rows, those that were there before at their places, and the others at the places of those that have gone. */
function inPlaces<Row, ID>(rows: readonly Row[], places: readonly ID[], id: (row: Row) => ID): Row[] {
  const before = new Set(places);
  const fresh = rows.filter((row) => !before.has(id(row)));
  const there = new Map(rows.map((row) => [id(row), row]));
  const placed = places.map((place) => there.get(place) ?? fresh.shift());
  return [...placed.filter((row) => row !== undefined), ...fresh];
}

function classes<Row>(column: Column<Row>): string {
  return `${column.number ? "right" : ""} ${column.wide ? "wide" : ""}`;
}
