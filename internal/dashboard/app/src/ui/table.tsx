import type { ComponentChildren } from "preact";

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
}) {
  return (
    <div class="table" role="region" aria-label={props.name} tabIndex={0}>
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
          {props.rows.map((row) => (
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

function classes<Row>(column: Column<Row>): string {
  return `${column.number ? "right" : ""} ${column.wide ? "wide" : ""}`;
}
