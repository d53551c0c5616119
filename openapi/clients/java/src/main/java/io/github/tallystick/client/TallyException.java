package io.github.tallystick.client;

import io.github.tallystick.client.model.InvalidField;
import io.github.tallystick.client.model.Problem;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Why a call failed: what the server refused, or why there was no answer. {@link #getCode} says which, and never changes its meaning; the
 * server's codes are explained in the documentation of the HTTP API.
 */
public final class TallyException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * The server's code where the guard of a view refuses an event, with the status 402, 403, 409 or 429. It is a decision on this event as
   * things are: the client does not send it again, even where {@link #getRetryAfter} says when there may be room.
   */
  public static final String REFUSED_BY_GUARD = "refused_by_guard";

  /** The code of a failure without an answer: no connection, a lost one, or silence for too long. */
  public static final String CONNECTION = "connection";

  /** The code of an answer that is not Tallystick's: the URL may be another program's. */
  public static final String UNEXPECTED_ANSWER = "unexpected_answer";

  /** The code of a call whose thread was interrupted while it waited; the thread's interrupted status is set again. */
  public static final String INTERRUPTED = "interrupted";

  /** The code of events that a batcher could not send before it was closed. */
  public static final String CLOSED = "closed";

  /** The HTTP status; 0 without an answer. */
  private final int status;

  /** The problem's code, or one of this class. */
  private final String code;

  /** The problem's text. */
  private final String detail;

  private final transient Problem problem;

  /** Whether an earlier try of the same call may have been done. */
  private transient boolean afterLostAnswer;

  /** What names the request in the server's log; may be null. */
  private final String requestId;

  /** The pause that the server asks for; may be null. */
  private final Duration retryAfter;

  TallyException(String code, String detail, Throwable cause) {
    super(detail + " (" + code + ")", cause);
    this.status = 0;
    this.code = code;
    this.detail = detail;
    this.problem = null;
    this.requestId = null;
    this.retryAfter = null;
  }

  TallyException(int status, Problem problem, String requestId, Duration retryAfter) {
    super(message(status, problem));
    this.status = status;
    this.code = problem.getCode() == null ? "" : problem.getCode();
    this.detail = problem.getDetail() == null ? "" : problem.getDetail();
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }

  private static String message(int status, Problem problem) {
    String detail = problem.getDetail() == null ? "" : printable(problem.getDetail());
    return problem.getCode() == null
        ? "the server answered " + status + ": " + detail
        : detail + " (" + printable(problem.getCode()) + ")";
  }

  /** A detail may quote a view or a stranger: in a message, which may go to a terminal, it has no control characters. */
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}+", " ");
  }

  /**
   * The HTTP status.
   *
   * @return the status; 0 where there was no answer
   */
  public int getStatus() {
    return status;
  }

  /**
   * What went wrong, for programs: a code of the server's, or one of this class.
   *
   * @return the code; empty where an answer without one came, such as a proxy's
   */
  public String getCode() {
    return code;
  }

  /**
   * What went wrong and what to do, for people.
   *
   * @return the text
   */
  public String getDetail() {
    return detail;
  }

  /**
   * The log's last sequence, where the problem is about it.
   *
   * @return the sequence
   */
  public OptionalLong getHead() {
    return problem == null ? OptionalLong.empty() : optional(problem.getHead());
  }

  /**
   * The event in question.
   *
   * @return its sequence
   */
  public OptionalLong getSequence() {
    return problem == null ? OptionalLong.empty() : optional(problem.getSequence());
  }

  /**
   * The line of the batch that was refused, from 1.
   *
   * @return the line
   */
  public OptionalLong getLine() {
    return problem == null ? OptionalLong.empty() : optional(problem.getLine());
  }

  /**
   * The log that has the name already.
   *
   * @return its id
   */
  public Optional<String> getLogId() {
    return Optional.ofNullable(problem).map(Problem::getLogId);
  }

  /**
   * Which parameters or members are wrong, and why.
   *
   * @return them, if any
   */
  public List<InvalidField> getFields() {
    return problem == null || problem.getFields() == null ? List.of() : List.copyOf(problem.getFields());
  }

  /**
   * The view whose guard refused the event, or cannot be asked ({@code guard_halted}).
   *
   * @return its name
   */
  public Optional<String> getView() {
    return Optional.ofNullable(problem).map(Problem::getView);
  }

  /**
   * What the guard says of its refusal.
   *
   * @return a JSON object with members of the view's own
   */
  public Optional<Json> getAnswer() {
    return Optional.ofNullable(problem).map(Problem::getAnswer);
  }

  /**
   * How long the server, or a guard, asks to wait before the next try.
   *
   * @return the time, where the answer says so
   */
  public Optional<Duration> getRetryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /**
   * What names the request in the server's log.
   *
   * @return the answer's {@code Tally-Request-Id}
   */
  public Optional<String> getRequestId() {
    return Optional.ofNullable(requestId);
  }

  /**
   * All of what the server said.
   *
   * @return the problem, where there was an answer
   */
  public Optional<Problem> getProblem() {
    return Optional.ofNullable(problem);
  }

  /** Says whether an earlier try of the same call lost its answer, and may have been done. */
  TallyException afterLostAnswer(boolean lost) {
    afterLostAnswer = lost;
    return this;
  }

  boolean isAfterLostAnswer() {
    return afterLostAnswer;
  }

  /** Whether the same request may succeed later: the connection failed, or the server, and no guard, says when to come again. */
  boolean isTransient() {
    return code.equals(CONNECTION) || retryAfter != null && !code.equals(REFUSED_BY_GUARD);
  }

  private static OptionalLong optional(Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }
}
