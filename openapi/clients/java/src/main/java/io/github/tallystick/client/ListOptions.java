package io.github.tallystick.client;

/** Which page of a list. */
public final class ListOptions extends Options<ListOptions> {
  /** The first page, of the server's usual size. */
  public ListOptions() {}

  /**
   * Only what has a name that begins so, where the list has names.
   *
   * @param prefix the beginning
   * @return this
   */
  public ListOptions prefix(String prefix) {
    return query("prefix", prefix);
  }

  /**
   * The most items of a page.
   *
   * @param items from 1; the API says how many there may be
   * @return this
   */
  public ListOptions limit(int items) {
    return query("limit", items);
  }

  /**
   * The page that follows another one.
   *
   * @param cursor the {@code next_cursor} of the page before
   * @return this
   */
  public ListOptions cursor(String cursor) {
    return query("cursor", cursor);
  }
}
