/** The items of all pages of a list, one after the other. An empty page with a cursor is not the end. */
export async function* items<Page extends { next_cursor?: string }, Item>(
  page: (cursor: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    yield* itemsOf(next);
    cursor = next.next_cursor;
  } while (cursor !== undefined && cursor !== "");
}
