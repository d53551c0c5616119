package io.github.tallystick.client;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * All items of a list, over all of its pages, each of which is asked for when the one before has been used up. Each iteration begins anew.
 * A call that fails ends it with a {@link TallyException}.
 *
 * @param <T> the items
 */
public final class Pages<T> implements Iterable<T> {
  private final Function<String, Page<T>> read;

  /** A page, and the cursor of the next; null on the last. */
  record Page<T>(List<T> items, String next) {
    Page {
      if (items == null) {
        throw Reply.unexpected("it has no items", null);
      }
    }
  }

  /** Read gets the cursor of a page; null for the first. */
  Pages(Function<String, Page<T>> read) {
    this.read = read;
  }

  /** All items, one after the other. */
  @Override
  public Iterator<T> iterator() {
    return new Iterator<>() {
      private Page<T> page = new Page<>(List.of(), "");
      private int index;
      private boolean begun;

      @Override
      public boolean hasNext() {
        while (index == page.items.size()) { // an empty page need not be the last
          if (page.next == null) {
            return false;
          }
          String cursor = page.next;
          page = read.apply(begun ? cursor : null);
          if (page.next != null && begun && page.next.equals(cursor) && page.items.isEmpty()) {
            throw Reply.unexpected("the same page follows itself", null);
          }
          begun = true;
          index = 0;
        }
        return true;
      }

      @Override
      public T next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return page.items.get(index++);
      }
    };
  }

  /**
   * The items as a stream, which reads pages as it goes.
   *
   * @return a sequential stream
   */
  public Stream<T> stream() {
    return StreamSupport.stream(spliterator(), false);
  }
}
