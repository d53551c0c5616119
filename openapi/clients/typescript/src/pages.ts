/** The items of all pages of a list, one after the other. An empty page with a cursor is not the end. */
export async function* items<Page extends object, Item>(
  page: (from: { cursor?: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): AsyncGenerator<Item, void, undefined> {
  let next: Page & { next_cursor?: string } = await page({});
  yield* itemsOf(next);
  while (next.next_cursor) {
    next = await page({ cursor: next.next_cursor });
    yield* itemsOf(next);
  }
}
