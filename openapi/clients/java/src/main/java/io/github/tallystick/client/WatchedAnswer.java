package io.github.tallystick.client;

import java.util.OptionalLong;

/**
 * What a view answers while it is watched: its answer, or why there is none for now. There may be one again.
 *
 * @param sequence the sequence of the last event that it reflects, where the server said it
 * @param answer the answer, whose {@link Answer#contentType} is empty; null with a problem
 * @param problem why the view cannot answer, such as {@code view_halted}; null with an answer
 */
public record WatchedAnswer(OptionalLong sequence, Answer answer, TallyException problem) {}
