# Generated from openapi/openapi.yaml by generate.sh; do not edit.

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import NotRequired, TypedDict


class AcceptedDelivery(TypedDict):
    """
    A delivery that will be tried.
    """

    delivery_id: str
    """
    The message's id, by which the delivery is to be found.
    """


class ActivityInterval(TypedDict):
    """
    What happened in an interval.
    """

    append_p50_ms: NotRequired[float]
    """
    Half of the appends took no longer, in milliseconds; absent without appends.
    """
    append_p99_ms: NotRequired[float]
    """
    99 of 100 took no longer.
    """
    appends: int
    """
    Appends: one for each request that appended, and of a delivery one for each log and portion.
    """
    at: str
    """
    When it began.
    """
    events: int
    """
    Events stored.
    """
    open: NotRequired[bool]
    """
    True while it may still grow: it is under way, or other servers may not have written what they counted.
    """
    refusals: int
    """
    Requests that ended with a problem.
    """


class Alert(TypedDict):
    """
    What an alert watches.
    """

    created_at: str
    """
    When it was put first.
    """
    definition: Any
    """
    As it was put, an AlertDefinition whose figures are texts.
    """
    name: str
    """
    The alert's name.
    """
    spreading: bool
    """
    Not every log that it covers has been evaluated since it was put.
    """
    updated_at: str
    """
    When this version was put.
    """
    updated_by: NotRequired[str]
    """
    Who put this version: the key's name, and what Tally-Actor said.
    """
    version: int
    """
    Grows with each change.
    """


class AlertCrossing(TypedDict):
    """
    What has fired or was resolved.
    """

    at: str
    """
    When it was recorded.
    """
    kind: str
    """
    What happened.
    """
    log: str
    """
    The log's name.
    """
    of: NotRequired[str]
    """
    What percentages were of.
    """
    reason: str
    """
    window: it was resolved since its window is over.
    """
    round: int
    """
    How often it has fired in the window, this time included.
    """
    sequence: int
    """
    The value reflects the events up to this one.
    """
    threshold: str
    """
    The threshold.
    """
    value: str
    """
    The value.
    """
    window: NotRequired[str]
    """
    In which window.
    """


class AlertCrossingPage(TypedDict):
    """
    A page of crossings.
    """

    crossings: list[AlertCrossing]
    """
    Newest first.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


class AlertDefinition(TypedDict, closed=True):
    """
    Which value an alert watches, and for which thresholds.
    """

    absent: NotRequired[str]
    """
    What the value is where the answer has none, a number as a text; an error when absent.
    """
    direction: NotRequired[Literal['at_least', 'at_most']]
    """
    On which side it fires; at_least when absent.
    """
    logs: str
    """
    A log's name, or a pattern of names: * stands for any run of characters.
    """
    of: NotRequired[str]
    """
    What percentages are of: a number as a text, such as 1000, or a JSON Pointer into the answer, such as /limit.
    """
    question: NotRequired[dict[str, Any]]
    """
    The parameters of the query; a list for one that is repeated. {now}, {window_start} and {window_end} stand for times.
    """
    resolve: NotRequired[bool]
    """
    Announce it, too, when a threshold is resolved.
    """
    thresholds: list[str]
    """
    At which values it fires: amounts, or percentages where of is given.
    """
    timezone: NotRequired[str]
    """
    The IANA zone of the calendar; UTC when absent.
    """
    value: str
    """
    The JSON Pointer to the value in the view's answer.
    """
    view: str
    """
    The name of a view of these logs.
    """
    window: NotRequired[str]
    """
    minute, hour, day, week or month; or a JSON Pointer into the answer; all of time when absent.
    """


class AlertThreshold(TypedDict):
    """
    How a threshold stands on a log.
    """

    fired_at: NotRequired[str]
    """
    When it fired last.
    """
    firing: bool
    """
    Whether the value is past it.
    """
    round: int
    """
    How often it has fired in the window.
    """
    sequence: NotRequired[int]
    """
    The value that it fired for last reflects the events up to this one.
    """
    threshold: str
    """
    The threshold.
    """


class AnswerProblem(TypedDict):
    """
    Why a view does not answer.
    """

    code: str
    """
    query_refused where the view refuses the question, query_failed where it fails over it.
    """
    detail: str
    """
    Why, in words.
    """


class Appended(TypedDict):
    """
    Where an event is.
    """

    ahead: NotRequired[bool]
    """
    True when the event's time is more than a day ahead of when it was recorded.
    """
    dry_run: NotRequired[bool]
    """
    True when nothing was stored, as asked for.
    """
    duplicate: NotRequired[bool]
    """
    True when the event was there before.
    """
    guards: NotRequired[dict[str, Any]]
    """
    What guards of views said of the event when they admitted it, by the views' names. A duplicate has none.
    """
    sequence: int
    """
    The event's place in its log.
    """


class AuditDifference(TypedDict):
    """
    Where two ways of folding differ.
    """

    expected: str | None
    """
    The value one event at a time, its first 200 bytes; null: no such key.
    """
    found: str | None
    """
    The value that the other way gives; null: no such key.
    """
    key: str
    """
    The first key that differs, in byte order; empty when the ways differ over what they say of the event.
    """
    sequence: int
    """
    After which event.
    """
    way: str
    """
    Which way differs from folding one event at a time.
    """


class AuditEntry(TypedDict):
    """
    Something that was done with tenants, keys, tokens, sources or analysts.
    """

    action: str
    """
    What was done.
    """
    actor: str
    """
    The name of the key by which it was done, and what Tally-Actor said; or the login of a command that asks the database itself.
    """
    at: str
    """
    When.
    """
    detail: Any
    """
    What else there is to know; never a secret.
    """
    entry_id: int
    """
    Grows with each entry.
    """
    key_id: NotRequired[str]
    """
    That key's id.
    """
    target: str
    """
    The name of what it was done to.
    """


class AuditPage(TypedDict):
    """
    A page of the audit log.
    """

    entries: list[AuditEntry]
    """
    Newest first.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


class BuildProgress(TypedDict):
    """
    How far a version of a view is built.
    """

    done: int
    """
    Events folded.
    """
    events_per_second: float
    """
    Of the last ten seconds or so; 0 until something is known.
    """
    seconds_left: NotRequired[int]
    """
    At that rate; absent while it is 0.
    """
    total: int
    """
    Events in the log.
    """


class CoverageProgress(TypedDict):
    """
    How far all logs of a pattern together are.
    """

    done: int
    """
    Events folded.
    """
    total: int
    """
    Events in the logs that the pattern covers.
    """


class CreateLog(TypedDict, closed=True):
    """
    A log that is to be created.
    """

    labels: NotRequired[dict[str, str]]
    """
    At most 32, for your own use.
    """
    name: str
    """
    Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them.
    """


class CreateToken(TypedDict, closed=True):
    """
    A token that is to be made.
    """

    logs: list[str]
    """
    Names or ids of the logs that the token is for.
    """
    scopes: list[str]
    """
    read, query or both: the key must have them.
    """
    seconds: NotRequired[int]
    """
    How long it is good.
    """
    subject: NotRequired[str]
    """
    Who it is for, for the record and in the token: at most 200 bytes.
    """
    views: NotRequired[list[str] | None]
    """
    Names of the views that it is for, with query alone; all of those logs when absent.
    """


class CreateWebhook(TypedDict, closed=True):
    """
    A webhook that is to be made.
    """

    description: NotRequired[str]
    """
    For people; at most 1,000 bytes.
    """
    enabled: NotRequired[bool]
    """
    Whether it is told at all; true when absent.
    """
    logs: NotRequired[str]
    """
    The pattern of the logs that it is told of; all when absent.
    """
    types: NotRequired[list[str]]
    """
    What it is told of: alert.fired, alert.resolved, view.halted, view.live, key.expiring, partition.default_not_empty. Everything when absent or empty, also what a later version has.
    """
    url: str
    """
    Where requests are to go: https, to an address of the public internet, at most 2,048 bytes. The server's operator may allow others.
    """


class CreatedLog(TypedDict):
    """
    A log that was created.
    """

    log_id: str
    """
    The log's id, by which it can be named instead of by its name.
    """


class CreatedWebhook(TypedDict):
    """
    A webhook with the secret that its messages are signed with.
    """

    created_at: str
    """
    When it was made.
    """
    created_by: str
    """
    The key's name, and what Tally-Actor said.
    """
    description: NotRequired[str]
    """
    For people.
    """
    disabled_at: NotRequired[str]
    """
    Since when it is not enabled.
    """
    disabled_why: NotRequired[str]
    """
    Why it is not enabled: by request, or since it answered 410, or failed for five days.
    """
    enabled: bool
    """
    Whether it is told at all.
    """
    failing_since: NotRequired[str]
    """
    Since when its tries fail; absent when the last one succeeded.
    """
    former_until: NotRequired[str]
    """
    Until when messages are also signed with the secret from before the last rotation.
    """
    logs: NotRequired[str]
    """
    The pattern of the logs that it is told of; all when absent. What concerns no log it is told in any case.
    """
    secret: str
    """
    The secret, in the form of the Standard Webhooks specification. It is shown this once.
    """
    types: list[str]
    """
    What it is told of; everything when empty.
    """
    updated_at: str
    """
    When it was last changed by request.
    """
    url: str
    """
    Where requests go.
    """
    webhook_id: str
    """
    The webhook's id.
    """


class FirstRejected(TypedDict):
    """
    The first line that was rejected.
    """

    code: str
    """
    Why, for programs.
    """
    detail: str
    """
    Why, for people.
    """
    line: int
    """
    Which line, from 1.
    """


class Delivery(TypedDict):
    """
    What became of the lines of a delivery.
    """

    duplicates: int
    """
    Lines whose events were there before.
    """
    first_rejected: NotRequired[FirstRejected]
    """
    The first line that was rejected.
    """
    rejected: int
    """
    Lines that are kept in the source's log of rejects.
    """
    skipped: int
    """
    Lines that the mapping does not select.
    """
    stored: int
    """
    Lines that are new events.
    """


class DeliveryAttempt(TypedDict):
    """
    One try of a delivery.
    """

    answer: NotRequired[str]
    """
    The first 1,024 bytes of the answer's body.
    """
    at: str
    """
    When it began.
    """
    attempt: int
    """
    1 for the first.
    """
    duration_ms: int
    """
    How long it took, in milliseconds.
    """
    error: NotRequired[str]
    """
    Why it failed; absent when it did not.
    """
    status: NotRequired[int]
    """
    The HTTP status of the answer; absent when there was none.
    """


class DeployModule(TypedDict, closed=True):
    """
    What is to be deployed: a ready view, or a module that the tenant has. Exactly one of ready and module is there.
    """

    config: NotRequired[Any]
    """
    The view's configuration: any JSON; {} when absent.
    """
    gas: NotRequired[int]
    """
    The budget of one event's fold; the server's own when absent or 0.
    """
    module: NotRequired[str]
    """
    The SHA-256, in hexadecimal, of a module that was put to /modules/{sha256}, or deployed before.
    """
    on_halt: NotRequired[Literal['admit', 'refuse']]
    """
    What becomes of appends while the view is halted, if it has a guard: they are admitted without it, or refused. As before when absent, and admit at first.
    """
    ready: NotRequired[str]
    """
    The name of a ready view, as GET /ready-views lists them: the newest version of this server. After an @ comes another version, by its number or the first 8 or more digits of its SHA-256.
    """


class DuplicateEvent(TypedDict):
    """
    An event of a batch that was there before.
    """

    line: int
    """
    Its line in the batch, or its element in the array, from 1.
    """
    sequence: int
    """
    Its place in the log.
    """


class EnsureLog(TypedDict, closed=True):
    """
    A log that is to be there.
    """

    labels: NotRequired[dict[str, str]]
    """
    At most 32, for your own use. A log that is there must have just these; any when absent.
    """


class Event(TypedDict):
    """
    An event as it is in its log.
    """

    data: dict[str, Any]
    """
    The object as it was sent.
    """
    hash: str
    """
    The hash of everything up to it, in hexadecimal.
    """
    key: NotRequired[str]
    """
    Its idempotency key; absent when it has none.
    """
    raw: NotRequired[str]
    """
    The bytes as they were sent, where data does not show them: in lines, those with line breaks; white space around an object, which earlier versions kept.
    """
    recorded_at: str
    """
    When it was recorded.
    """
    sequence: int
    """
    Its place in the log.
    """
    time: str
    """
    When it happened.
    """
    type: NotRequired[str]
    """
    Absent when it has none.
    """


class EventInput(TypedDict):
    """
    An event: any JSON object of at most 1 MiB. Four members mean something to the server, after CloudEvents, and all are optional: type, what kind of event it is, a text of at most 255 bytes; time, when it happened, RFC 3339, the time of recording when absent; id and source, texts, together the event's identity, its idempotency key. Its bytes are kept as they are sent.
    """


class EventPage(TypedDict):
    """
    A page of events.
    """

    events: list[Event]
    """
    In the order of their sequences.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor for the next page; absent at the end of the range.
    """


class FirstRejected1(TypedDict):
    """
    A reject that still cannot be stored.
    """

    code: str
    """
    Why, for programs.
    """
    detail: str
    """
    Why, for people.
    """
    sequence: int
    """
    Of the reject.
    """


class Health(TypedDict):
    """
    The server's process is alive.
    """

    status: str
    """
    ok.
    """


class InvalidField(TypedDict):
    """
    A parameter or a member that is wrong.
    """

    location: NotRequired[str]
    """
    Where it is, as in body.name or query.limit.
    """
    message: str
    """
    What is wrong with it.
    """


class Limits(TypedDict):
    """
    Limits of a tenant or a key.
    """

    bytes_per_second: NotRequired[int]
    """
    Of request bodies.
    """
    events_per_second: NotRequired[int]
    """
    Appended, duplicates included.
    """
    logs: NotRequired[int]
    """
    Of tenants only, as those that follow.
    """
    patterns: NotRequired[int]
    """
    Views on patterns of logs, without those that are retired.
    """
    requests_per_second: NotRequired[int]
    """
    Of all kinds. 0 is no limit, here and in the others.
    """
    state_bytes: NotRequired[int]
    """
    State of views that are not retired, as PostgreSQL stores it.
    """
    streams: NotRequired[int]
    """
    Tails, watched answers and streams of events at a time.
    """
    views: NotRequired[int]
    """
    On all logs, without those that are retired.
    """


class ListedAlert(TypedDict):
    """
    An alert in a list.
    """

    created_at: str
    """
    When it was put first.
    """
    definition: Any
    """
    As it was put, an AlertDefinition whose figures are texts.
    """
    failing: bool
    """
    The last evaluation had no value, on at least one log.
    """
    firing: bool
    """
    A threshold is firing, on at least one log.
    """
    name: str
    """
    The alert's name.
    """
    spreading: bool
    """
    Not every log that it covers has been evaluated since it was put.
    """
    updated_at: str
    """
    When this version was put.
    """
    updated_by: NotRequired[str]
    """
    Who put this version: the key's name, and what Tally-Actor said.
    """
    version: int
    """
    Grows with each change.
    """


class ListedSource(TypedDict):
    """
    A source in a list.
    """

    created_at: str
    """
    When this version was put.
    """
    created_by: NotRequired[str]
    """
    The key's name, and what Tally-Actor said.
    """
    deleted: NotRequired[bool]
    """
    The source was deleted by this version.
    """
    name: str
    """
    The source's name.
    """
    version: int
    """
    Grows with each change.
    """


class Log(TypedDict):
    """
    A log and its head.
    """

    created_at: str
    """
    When it was created.
    """
    hash: str
    """
    The hash of everything up to that event, in hexadecimal.
    """
    labels: dict[str, str]
    """
    What it was given at its creation.
    """
    log_id: str
    """
    The log's id.
    """
    name: str
    """
    The log's name.
    """
    recorded_at: str
    """
    When the last event was recorded; when the log was created, for an empty one.
    """
    sequence: int
    """
    The last event's sequence; 0 for an empty log.
    """


class LogFault(TypedDict):
    """
    Something wrong in a log.
    """

    detail: str
    """
    What is wrong, in words.
    """
    kind: str
    """
    Which check it failed.
    """
    sequence: int
    """
    Where it shows.
    """


class LogHead(TypedDict):
    """
    A head that somebody noted earlier.
    """

    hash: str
    """
    Of everything up to it, in hexadecimal.
    """
    sequence: int
    """
    The last event's place.
    """


class LogPage(TypedDict):
    """
    A page of logs.
    """

    logs: list[Log]
    """
    By name, or by activity.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last. A page may have fewer than limit logs before that.
    """


class Module(TypedDict):
    """
    A module that the tenant has.
    """

    bytes: int
    """
    How many bytes it has.
    """
    created_at: str
    """
    When the tenant deployed it first; before that, when it uploaded it last.
    """
    deployed: bool
    """
    Whether a view of the tenant uses it, or did: it is kept for ever. Of the others, the last 32 are.
    """
    module: str
    """
    Its SHA-256, in hexadecimal.
    """
    ready: NotRequired[str]
    """
    The ready view that it is, with its version; absent for other modules.
    """


class ModulePage(TypedDict):
    """
    A page of modules.
    """

    modules: list[Module]
    """
    By SHA-256.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


class OTLPAnswer(TypedDict):
    """
    The answer of OTLP, with partial_success where not all was stored.
    """


class OTLPStatus(TypedDict):
    """
    A google.rpc.Status, whose message has a problem's code and detail.
    """


class OwnLimits(TypedDict, closed=True):
    """
    Limits that a tenant or a key is to have.
    """

    bytes_per_second: NotRequired[int]
    """
    Of request bodies.
    """
    events_per_second: NotRequired[int]
    """
    Appended, duplicates included.
    """
    logs: NotRequired[int]
    """
    Of tenants only, as those that follow.
    """
    patterns: NotRequired[int]
    """
    Views on patterns of logs, without those that are retired.
    """
    requests_per_second: NotRequired[int]
    """
    Of all kinds. 0 is no limit, here and in the others.
    """
    state_bytes: NotRequired[int]
    """
    State of views that are not retired, as PostgreSQL stores it.
    """
    streams: NotRequired[int]
    """
    Tails, watched answers and streams of events at a time.
    """
    views: NotRequired[int]
    """
    On all logs, without those that are retired.
    """


class PatternCoverage(TypedDict):
    """
    How the logs of a pattern stand, each counted by the version of the view that was asked for there last.
    """

    building: int
    """
    Being built.
    """
    full: int
    """
    Have no room for another view.
    """
    halted: int
    """
    Halted at an event.
    """
    live: int
    """
    Answering queries.
    """
    matching: int
    """
    Logs whose name matches: the sum of the next seven.
    """
    own: int
    """
    Had a view of this name deployed by itself, and keep it.
    """
    progress: CoverageProgress
    """
    How far all of them together are.
    """
    retired: int
    """
    Retired on the log itself; the next version brings it back.
    """
    waiting: int
    """
    To get the newest version.
    """


class PreviewHalt(TypedDict):
    """
    The event that a view would halt over.
    """

    error: str
    """
    Why it cannot be folded.
    """
    sequence: int
    """
    The event.
    """


class PreviewView(TypedDict, closed=True):
    """
    A deployment that is to be tried: as DeployModule, with what to try it on.
    """

    config: NotRequired[Any]
    """
    The view's configuration: any JSON; {} when absent.
    """
    events: NotRequired[int]
    """
    How many of the log's last events to fold at most; 10000 when absent.
    """
    gas: NotRequired[int]
    """
    The budget of one event's fold; the server's own when absent or 0.
    """
    module: NotRequired[str]
    """
    The SHA-256, in hexadecimal, of a module that was put to /modules/{sha256}, or deployed before.
    """
    on_halt: NotRequired[Literal['admit', 'refuse']]
    """
    What becomes of appends while the view is halted, if it has a guard: they are admitted without it, or refused. As before when absent, and admit at first.
    """
    question: NotRequired[dict[str, Any]]
    """
    The parameters of the query that it is asked; a list for one that is repeated. None when absent.
    """
    ready: NotRequired[str]
    """
    The name of a ready view, as GET /ready-views lists them: the newest version of this server. After an @ comes another version, by its number or the first 8 or more digits of its SHA-256.
    """


class Problem(TypedDict):
    """
    An error, after RFC 9457. The members from fields on are there where they help.
    """

    answer: NotRequired[Any]
    """
    What the guard says about its refusal: a JSON object of the view's own.
    """
    applied: NotRequired[int]
    """
    How many events a building view has folded.
    """
    code: str
    """
    What went wrong, for programs. Never changes its meaning.
    """
    detail: str
    """
    What went wrong and what to do, for people.
    """
    events: NotRequired[int]
    """
    How many of the request's events one request may have, for what its log's views need.
    """
    fields: NotRequired[list[InvalidField] | None]
    """
    Which parameters or members are wrong, and why.
    """
    head: NotRequired[int]
    """
    The log's last sequence.
    """
    limit: NotRequired[str]
    """
    The limit that was exceeded or reached.
    """
    line: NotRequired[int]
    """
    The line of a batch, from 1; in a JSON array the element, from 1.
    """
    log_id: NotRequired[str]
    """
    The log that has the name already.
    """
    request_id: NotRequired[str]
    """
    The request's id, as the header Tally-Request-Id and the server's log have it; where the status is 500 or above.
    """
    sequence: NotRequired[int]
    """
    The event in question.
    """
    status: int
    """
    The HTTP status.
    """
    title: str
    """
    The HTTP status in words.
    """
    type: str
    """
    urn:tallystick:problem: and the code.
    """
    view: NotRequired[str]
    """
    The view whose guard refuses the event, or cannot be asked.
    """


class Readiness(TypedDict):
    """
    The server can store events.
    """

    status: str
    """
    ok.
    """
    warnings: NotRequired[list[str] | None]
    """
    What an operator should see to; the server serves all the same. For keys with the scope operator.
    """


class ReadySource(TypedDict):
    """
    A mapping that comes with the server.
    """

    mapping: Any
    """
    What the name stands for.
    """
    name: str
    """
    What a mapping has as ready.
    """


class ReadySourceList(TypedDict):
    """
    The mappings that come with the server.
    """

    sources: list[ReadySource]
    """
    By name.
    """


class ReadyViewVersion(TypedDict):
    """
    One module of a ready view.
    """

    module: str
    """
    The module's SHA-256, in hexadecimal.
    """
    release: NotRequired[str]
    """
    The first release that has it; absent while there is none.
    """
    version: int
    """
    Its number, the same on every server that has it: meter@1 is the first version of meter.
    """


class RefusalCount(TypedDict):
    """
    How many requests ended with a problem of a code.
    """

    code: str
    """
    The problem's code.
    """
    count: int
    """
    How many.
    """


ReplaySource = TypedDict(
    'ReplaySource',
    {
        'from': NotRequired[int],
        'limit': NotRequired[int],
    },
    closed=True,
)


class ReplayedDeliveries(TypedDict):
    """
    How many deliveries will be tried again.
    """

    more: bool
    """
    Whether there may be others: ask again.
    """
    replayed: int
    """
    How many there are.
    """


class ResumeView(TypedDict, closed=True):
    """
    How a halted view goes on.
    """

    gas: NotRequired[int]
    """
    The budget of one event's fold from here on; as before when absent.
    """
    reason: NotRequired[str]
    """
    Why, for the record: at most 1,024 bytes.
    """
    skip: NotRequired[bool]
    """
    Leave out the event that it halted at, for ever. Else that event is tried again.
    """
    version: NotRequired[int]
    """
    Which halted version; the one that was asked for last when absent.
    """


class RollbackView(TypedDict, closed=True):
    """
    Which version is to be live again.
    """

    version: int
    """
    The version to make live again.
    """


class RotateKey(TypedDict, closed=True):
    """
    How a key gets another secret.
    """

    former_valid_seconds: NotRequired[int]
    """
    How long the present secret stays good; 3600 when absent.
    """


class Source(TypedDict):
    """
    What a source is told to do.
    """

    created_at: NotRequired[str]
    """
    When this version was put; absent in version 0.
    """
    created_by: NotRequired[str]
    """
    The key's name, and what Tally-Actor said.
    """
    mapping: NotRequired[Any]
    """
    As it was sent, without white space; absent in the version by which the source was deleted.
    """
    name: str
    """
    The source's name.
    """
    resolved: NotRequired[Any]
    """
    The mapping that holds: with the ready one that it names written out, as that was when this version was put.
    """
    version: int
    """
    Grows with each change. 0: the source default, as it is before anybody has put it.
    """


class SourceMapping(TypedDict):
    """
    By what a source makes events of what is sent to it.
    """


class SourcePage(TypedDict):
    """
    A page of sources.
    """

    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    sources: list[ListedSource]
    """
    By name.
    """


class SourceReplay(TypedDict):
    """
    What became of rejects that were mapped again.
    """

    duplicates: int
    """
    Events that were there before.
    """
    first_rejected: NotRequired[FirstRejected1]
    """
    The first that still cannot be stored.
    """
    next: NotRequired[int]
    """
    Pass it as from to go on; absent at the end of the log of rejects.
    """
    read: int
    """
    Rejects that were looked at.
    """
    rejected: int
    """
    Records that still cannot be stored; they stay in the log of rejects as they are.
    """
    skipped: int
    """
    Records that the mapping does not select.
    """
    stored: int
    """
    Events that are new.
    """
    unavailable: int
    """
    Rejects of which too little was kept, or that were never a record.
    """


class SourceVersion(TypedDict):
    """
    A version of a source.
    """

    created_at: str
    """
    When this version was put.
    """
    created_by: NotRequired[str]
    """
    The key's name, and what Tally-Actor said.
    """
    deleted: NotRequired[bool]
    """
    The source was deleted by this version.
    """
    version: int
    """
    Grows with each change.
    """


class StateChange(TypedDict):
    """
    What an event made of a key of a view's state.
    """

    after: NotRequired[Any]
    """
    Its value after the event, any JSON; absent where there is none, or it is long.
    """
    after_cut: NotRequired[str]
    """
    In place of after where that is longer than 4,096 bytes: the text of its first 4,096.
    """
    before: NotRequired[Any]
    """
    Its value before the event, any JSON; absent where there was none, or it is long.
    """
    before_cut: NotRequired[str]
    """
    In place of before where that is longer than 4,096 bytes: the text of its first 4,096.
    """
    key: str
    """
    The key.
    """


class Tenant(TypedDict):
    """
    A tenant: it owns logs, views, patterns and keys, which no other tenant can tell from what does not exist.
    """

    created_at: str
    """
    When it was made.
    """
    limits: Limits
    """
    Its own: of those that are absent, the server's defaults hold.
    """
    name: str
    """
    The tenant's name.
    """
    suspended: bool
    """
    It appends nothing, and creates no logs; everything else goes on.
    """
    suspended_at: NotRequired[str]
    """
    Since when it is suspended; absent when it is not.
    """
    tenant_id: str
    """
    The tenant's id.
    """


class TenantPage(TypedDict):
    """
    A page of tenants.
    """

    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    tenants: list[Tenant]
    """
    By name.
    """


class TestAlert(TypedDict, closed=True):
    """
    On which log an alert is to be evaluated.
    """

    log: str
    """
    The log's name or id.
    """


class TestedLine(TypedDict):
    """
    What a source would make of a record.
    """

    code: NotRequired[str]
    """
    Why it would be rejected.
    """
    detail: NotRequired[str]
    """
    Likewise, for people.
    """
    event: NotRequired[Any]
    """
    The event, of a record that is mapped.
    """
    key: NotRequired[str]
    """
    What the event would be known by; absent where nothing identifies it.
    """
    line: int
    """
    Which record of the payload, from 1; those of one envelope share it.
    """
    log: NotRequired[str]
    """
    Where it would go. Whether there is such a log is not looked at.
    """
    outcome: str
    """
    What would become of it.
    """


class TestedThreshold(TypedDict):
    """
    A threshold, and whether the value is past it.
    """

    reached: bool
    """
    Whether the value is past it.
    """
    threshold: str
    """
    The threshold.
    """


class Token(TypedDict):
    """
    A token that was made.
    """

    expires_at: str
    """
    When it ends.
    """
    token: str
    """
    A JSON Web Token, for Authorization: Bearer.
    """


class TokenGrant(TypedDict):
    """
    What a token is for.
    """

    logs: list[str]
    """
    Names of the logs that it is for.
    """
    subject: NotRequired[str]
    """
    Who it was made for.
    """
    views: list[str]
    """
    Names of the views that it is for; empty for all of those logs.
    """


class UpdateTenant(TypedDict, closed=True):
    """
    What becomes of a tenant. What is absent stays.
    """

    limits: NotRequired[OwnLimits]
    """
    All that it is to have of its own: of those that are absent in here, the server's defaults hold.
    """
    name: NotRequired[str]
    """
    Another name.
    """
    suspended: NotRequired[bool]
    """
    True suspends the tenant: its appends are refused with 403. False resumes it.
    """


class UpdateWebhook(TypedDict, closed=True):
    """
    What becomes of a webhook. What is absent stays.
    """

    description: NotRequired[str]
    """
    For people; at most 1,000 bytes.
    """
    enabled: NotRequired[bool]
    """
    Whether it is told at all. What happens meanwhile it is not told later.
    """
    logs: NotRequired[str]
    """
    The pattern of the logs that it is told of; all when empty.
    """
    types: NotRequired[list[str]]
    """
    What it is told of; everything when empty.
    """
    url: NotRequired[str]
    """
    Where requests are to go.
    """


class View(TypedDict):
    """
    A version of a view on a log.
    """

    actor: NotRequired[str]
    """
    Who deployed it: the key's name, and what Tally-Actor said.
    """
    applied: int
    """
    The last sequence it has folded.
    """
    config: Any
    """
    The view's configuration.
    """
    created_at: str
    """
    When this version was deployed.
    """
    error: NotRequired[str]
    """
    Why it could not.
    """
    gas: int
    """
    The budget of one event's fold, in units of gas.
    """
    guard: bool
    """
    Whether it has a guard, which decides on events before they are appended.
    """
    halted_at: NotRequired[str]
    """
    When it halted.
    """
    halted_event: NotRequired[str]
    """
    That event's JSON, or its first 4,096 characters; for who may read events or deploy views.
    """
    halted_sequence: NotRequired[int]
    """
    The event that it could not fold.
    """
    head: int
    """
    The log's last sequence.
    """
    live_at: NotRequired[str]
    """
    When it last went live.
    """
    module: str
    """
    The module's SHA-256, in hexadecimal.
    """
    name: str
    """
    The view's name.
    """
    on_halt: NotRequired[str]
    """
    What becomes of appends while a view with a guard is halted; absent without a guard.
    """
    progress: NotRequired[BuildProgress]
    """
    How far it is built, while it is building.
    """
    ready: NotRequired[str]
    """
    The ready view that the module is, with its version; absent for other modules.
    """
    retired_at: NotRequired[str]
    """
    When it was retired.
    """
    state_kept: bool
    """
    Whether its state is still there. A rollback to a version without builds from the first event.
    """
    status: str
    """
    building: it folds the history; live: it answers queries; halted: at an event that it could not fold; retired: it folds and answers no more.
    """
    successor: NotRequired[View]
    """
    The version that was asked for last, while it is not the one that answers queries: it is being built in its place, or halted on the way. Absent in the list of versions.
    """
    version: int
    """
    Grows with each deploy that changes something.
    """
    view_id: str
    """
    The id of this version.
    """


class ViewAction(TypedDict):
    """
    Something that was done to a view.
    """

    action: str
    """
    What was done.
    """
    actor: NotRequired[str]
    """
    Who asked for it. Absent when nobody said, or the server did it by itself.
    """
    at: str
    """
    When.
    """
    detail: NotRequired[str]
    """
    Why: an error, a reason.
    """
    sequence: NotRequired[int]
    """
    The event that a halt, a resume or a skip is about, or the head at which it went live.
    """
    version: NotRequired[int]
    """
    Absent when it concerns the whole view.
    """


class ViewAudit(TypedDict):
    """
    The result of folding a view's events again.
    """

    difference: NotRequired[AuditDifference]
    """
    Where it differs; absent where nothing does.
    """
    events: int
    """
    Events folded, each in every way.
    """
    keys: int
    """
    Keys of the stored state that were compared.
    """
    ok: bool
    """
    Every way of folding, and the stored state, agree byte for byte.
    """
    seconds: float
    """
    How long it took.
    """
    sequence: int
    """
    The state was compared as of this event; where something differs, the first event that shows it.
    """
    skipped: int
    """
    Events that the version leaves out, since somebody resumed it past them.
    """
    version: int
    """
    Which version was audited.
    """
    view: str
    """
    The view's name.
    """
    ways: list[str]
    """
    What was compared.
    """


class ViewExplanation(TypedDict):
    """
    How a version of a view counted an event.
    """

    changes: list[StateChange]
    """
    What it changed of the view's state, in byte order of keys: at most 100 keys, and 64 KiB of them and their values.
    """
    changes_left_out: int
    """
    Keys that it changed besides.
    """
    outcome: str
    """
    applied: it changed the state; ignored: it changed nothing; not_counted: the state says that it could not be counted, in whole or in part; left_out: the version was resumed past it; halted: the version halted over it; not_yet: the version has not come to it; unknown: it could not be found out.
    """
    reason: NotRequired[str]
    """
    Why: of not_counted the reasons by which the view counts such events, with commas between them; else in words.
    """
    status: str
    """
    The version's.
    """
    version: int
    """
    Which version: a view may have one that answers, and one that is being built in its place.
    """
    view: str
    """
    The view's name.
    """


class ViewHistory(TypedDict):
    """
    A page of a view's versions, and what was done to it.
    """

    actions: list[ViewAction]
    """
    What was done to the view, newest first: the last 500 at most.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    versions: list[View]
    """
    Newest first.
    """


class ViewList(TypedDict):
    """
    The views of a log.
    """

    views: list[View]
    """
    By name.
    """


class ViewPattern(TypedDict):
    """
    A view that is deployed on every log whose name matches a pattern.
    """

    actor: NotRequired[str]
    """
    Who deployed or retired it last, the key's name, and what Tally-Actor said.
    """
    config: Any
    """
    The view's configuration.
    """
    covers: NotRequired[PatternCoverage]
    """
    How the matching logs stand; absent in lists.
    """
    created_at: str
    """
    When it was deployed first.
    """
    deployed_at: str
    """
    When it was deployed last.
    """
    gas: int
    """
    The budget of one event's fold, in units of gas.
    """
    guard: bool
    """
    Whether it has a guard, which decides on events before they are appended.
    """
    logs: str
    """
    The pattern of logs' names: * stands for any run of characters.
    """
    module: str
    """
    The module's SHA-256, in hexadecimal.
    """
    name: str
    """
    The view's name.
    """
    on_halt: NotRequired[str]
    """
    What becomes of appends to a log while the view is halted there; absent without a guard.
    """
    ready: NotRequired[str]
    """
    The ready view that the module is, with its version; absent for other modules.
    """
    spreading: bool
    """
    Not every matching log has been looked at since the last deploy, or since it was retired.
    """
    status: str
    """
    retiring: later logs no longer get it, and it is being retired on those that have it.
    """
    version: int
    """
    Grows with each deploy on the pattern that changes something. Versions on each log are numbered by themselves.
    """


class ViewPatternList(TypedDict):
    """
    The views that are deployed on patterns of logs.
    """

    views: list[ViewPattern]
    """
    By name.
    """


class ViewPreview(TypedDict):
    """
    What a view would make of a log's last events.
    """

    answer: NotRequired[Any]
    """
    What it answers to the question: any JSON, or a text where it answers in CSV or plain text.
    """
    answer_problem: NotRequired[AnswerProblem]
    """
    Why there is no answer; absent where there is one.
    """
    answer_type: NotRequired[str]
    """
    application/json, text/csv or text/plain; absent where there is no answer.
    """
    complete: bool
    """
    All events that were to be folded are: the view did not halt, and it did not take more than 45 seconds.
    """
    events: int
    """
    Events that were folded.
    """
    from_sequence: int
    """
    The first event that was folded, onto an empty state; 0 where none was.
    """
    gas_per_event: int
    """
    The gas that folding took, by the event.
    """
    halt: NotRequired[PreviewHalt]
    """
    Where it would halt; absent where it would not. The rest is of the events before that.
    """
    ignored: int
    """
    Of these, those that the view had no use for.
    """
    left_out: int
    """
    Events of the log before these, which were not folded.
    """
    state_bytes: int
    """
    Bytes of these keys and their values.
    """
    state_keys: int
    """
    Keys of its state.
    """
    to_sequence: int
    """
    The last one.
    """


class ViewState(TypedDict):
    """
    How a version of a view stands on a log.
    """

    applied: int
    """
    The last sequence it has folded.
    """
    changed_at: str
    """
    When it came to have this status; when it was asked for, while it is building.
    """
    error: NotRequired[str]
    """
    Why it could not.
    """
    halted_sequence: NotRequired[int]
    """
    The event that it could not fold.
    """
    head: int
    """
    The log's last sequence.
    """
    log: str
    """
    The log's name.
    """
    log_id: str
    """
    The log's id.
    """
    module: str
    """
    The module's SHA-256, in hexadecimal.
    """
    progress: NotRequired[BuildProgress]
    """
    How far it is built, while it is building.
    """
    ready: NotRequired[str]
    """
    The ready view that the module is, with its version; absent for other modules.
    """
    status: str
    """
    building: it folds the history; live: it answers queries; halted: at an event that it could not fold; retired: it folds and answers no more.
    """
    version: int
    """
    The version's number.
    """
    view: str
    """
    The view's name.
    """
    view_id: str
    """
    The id of this version.
    """


class ViewStatePage(TypedDict):
    """
    A page of versions of views.
    """

    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last. A page may have fewer than limit before that.
    """
    views: list[ViewState]
    """
    By log, view and version.
    """


class ViewVerification(TypedDict):
    """
    The result of folding a view's events again, or why it could not be done.
    """

    audit: NotRequired[ViewAudit]
    """
    What was read and compared.
    """
    code: NotRequired[str]
    """
    Why it could not be done, as a problem's code.
    """
    detail: NotRequired[str]
    """
    Likewise, in words.
    """
    ok: bool
    """
    Nothing differs.
    """
    view: str
    """
    The view's name.
    """


class Webhook(TypedDict):
    """
    A webhook, without its secret: a receiver that is told what happens.
    """

    created_at: str
    """
    When it was made.
    """
    created_by: str
    """
    The key's name, and what Tally-Actor said.
    """
    description: NotRequired[str]
    """
    For people.
    """
    disabled_at: NotRequired[str]
    """
    Since when it is not enabled.
    """
    disabled_why: NotRequired[str]
    """
    Why it is not enabled: by request, or since it answered 410, or failed for five days.
    """
    enabled: bool
    """
    Whether it is told at all.
    """
    failing_since: NotRequired[str]
    """
    Since when its tries fail; absent when the last one succeeded.
    """
    former_until: NotRequired[str]
    """
    Until when messages are also signed with the secret from before the last rotation.
    """
    logs: NotRequired[str]
    """
    The pattern of the logs that it is told of; all when absent. What concerns no log it is told in any case.
    """
    types: list[str]
    """
    What it is told of; everything when empty.
    """
    updated_at: str
    """
    When it was last changed by request.
    """
    url: str
    """
    Where requests go.
    """
    webhook_id: str
    """
    The webhook's id.
    """


class WebhookDelivery(TypedDict):
    """
    A message to a webhook, and what became of it.
    """

    attempts: int
    """
    How often it was tried.
    """
    created_at: str
    """
    When it was announced.
    """
    delivery_id: str
    """
    The message's id, which goes with each try as webhook-id.
    """
    error: NotRequired[str]
    """
    Why the last try failed; absent when it did not.
    """
    finished_at: NotRequired[str]
    """
    When it was delivered or given up; absent while it is pending.
    """
    log: NotRequired[str]
    """
    The log that it is about; absent when it is about none.
    """
    next_at: NotRequired[str]
    """
    When it is tried next, at the earliest; absent when it has ended.
    """
    status: str
    """
    pending: it has not been taken yet; delivered; dead: it was given up.
    """
    type: str
    """
    What the message tells.
    """


class WebhookDeliveryDetail(TypedDict):
    """
    A delivery with its message and the answers that it got.
    """

    attempts: int
    """
    How often it was tried.
    """
    created_at: str
    """
    When it was announced.
    """
    delivery_id: str
    """
    The message's id, which goes with each try as webhook-id.
    """
    error: NotRequired[str]
    """
    Why the last try failed; absent when it did not.
    """
    finished_at: NotRequired[str]
    """
    When it was delivered or given up; absent while it is pending.
    """
    log: NotRequired[str]
    """
    The log that it is about; absent when it is about none.
    """
    message: Any
    """
    What is sent, byte for byte but for white space.
    """
    next_at: NotRequired[str]
    """
    When it is tried next, at the earliest; absent when it has ended.
    """
    status: str
    """
    pending: it has not been taken yet; delivered; dead: it was given up.
    """
    tries: list[DeliveryAttempt]
    """
    The latest 100, newest first.
    """
    type: str
    """
    What the message tells.
    """


class WebhookDeliveryPage(TypedDict):
    """
    A page of a webhook's deliveries.
    """

    deliveries: list[WebhookDelivery]
    """
    Newest first.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


class WebhookPage(TypedDict):
    """
    A page of webhooks.
    """

    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    webhooks: list[Webhook]
    """
    In the order in which they were made.
    """


class Activity(TypedDict):
    """
    What happened in a tenant lately.
    """

    append_p50_ms: NotRequired[float]
    """
    Half of all appends took no longer, in milliseconds; absent without appends.
    """
    append_p99_ms: NotRequired[float]
    """
    99 of 100 took no longer.
    """
    appends: int
    """
    Appends in all of them.
    """
    at: str
    """
    When this was read, by the server's clock, as all times here.
    """
    building_views: NotRequired[int]
    """
    Versions of views that are being built; for who may list them.
    """
    dead_deliveries: NotRequired[int]
    """
    Deliveries to webhooks that are given up, up to 10,000; for who may list them.
    """
    events: int
    """
    Events stored in all of them, without duplicates and without what was rejected.
    """
    events_per_second: float
    """
    Of the last five seconds up to now by the server that answers, and by others of the last interval that all have written.
    """
    firing_alerts: NotRequired[int]
    """
    Alerts that are firing on a log at least; for who may list them.
    """
    halted_views: NotRequired[int]
    """
    Versions of views that are halted; for who may list them.
    """
    interval_seconds: int
    """
    How long an interval is.
    """
    intervals: list[ActivityInterval]
    """
    The oldest first, without gaps; the last is under way.
    """
    logs: NotRequired[int]
    """
    How many logs there are, up to 1,000,000; for who may list them.
    """
    refusals: list[RefusalCount]
    """
    Requests in all intervals that ended with a problem, by its code, the most frequent first.
    """


class AlertLog(TypedDict):
    """
    How an alert stands on a log.
    """

    error: NotRequired[str]
    """
    Why the last evaluation had no value; absent when it had.
    """
    evaluated_at: str
    """
    When it was evaluated last.
    """
    log: str
    """
    The log's name.
    """
    next_at: NotRequired[str]
    """
    When it is evaluated without an event; absent: not before the next one.
    """
    of: NotRequired[str]
    """
    What percentages were of then.
    """
    sequence: int
    """
    The value reflects the events up to this one.
    """
    thresholds: list[AlertThreshold]
    """
    Those that are firing, or have fired in the window.
    """
    value: NotRequired[str]
    """
    The value that was read last; absent before the first.
    """
    window: NotRequired[str]
    """
    The window that it was read for: when it begins, or what the answer has as window.
    """
    window_end: NotRequired[str]
    """
    When the window is over, where that is known.
    """


class AlertPage(TypedDict):
    """
    A page of alerts.
    """

    alerts: list[ListedAlert]
    """
    By name.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


class AlertStatus(TypedDict):
    """
    An alert with how it stands.
    """

    created_at: str
    """
    When it was put first.
    """
    definition: Any
    """
    As it was put, an AlertDefinition whose figures are texts.
    """
    failing_logs: int
    """
    On how many logs the last evaluation had no value, up to 10,000.
    """
    firing_logs: int
    """
    On how many logs a threshold is firing, up to 10,000.
    """
    logs: list[AlertLog]
    """
    How it stands on a page of the logs where it was evaluated, in the order in which they were made.
    """
    name: str
    """
    The alert's name.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    spreading: bool
    """
    Not every log that it covers has been evaluated since it was put.
    """
    updated_at: str
    """
    When this version was put.
    """
    updated_by: NotRequired[str]
    """
    Who put this version: the key's name, and what Tally-Actor said.
    """
    version: int
    """
    Grows with each change.
    """


class AlertTest(TypedDict):
    """
    What an evaluation of an alert would read.
    """

    error: NotRequired[str]
    """
    Why there is no value.
    """
    of: NotRequired[str]
    """
    What percentages are of.
    """
    query: str
    """
    The question, as a query string.
    """
    sequence: NotRequired[int]
    """
    The value reflects the events up to this one.
    """
    thresholds: list[TestedThreshold]
    """
    In the order of the alert; none where there is an error.
    """
    value: NotRequired[str]
    """
    The value; absent where there is an error.
    """
    window: NotRequired[str]
    """
    The window.
    """


class AppendedBatch(TypedDict):
    """
    Where the events of a batch are.
    """

    ahead: NotRequired[int]
    """
    How many new events have a time more than a day ahead of when they were recorded.
    """
    appended: int
    """
    How many events are new.
    """
    dry_run: NotRequired[bool]
    """
    True when nothing was stored, as asked for.
    """
    duplicates: list[DuplicateEvent]
    """
    Events that were there before.
    """
    first_sequence: int
    """
    The least sequence of the batch's events.
    """
    last_sequence: int
    """
    The greatest sequence of the batch's events.
    """


class Caller(TypedDict):
    """
    Who asks, and what it may do.
    """

    expires_at: NotRequired[str]
    """
    When the key or token ends; never when absent.
    """
    key_id: NotRequired[str]
    """
    The key's id, or that of the key with which the token was made.
    """
    key_name: NotRequired[str]
    """
    That key's name.
    """
    keys: bool
    """
    Whether this server asks for keys; without, everybody may do everything.
    """
    logs: str
    """
    The pattern of the logs that there are for it.
    """
    scopes: list[str]
    """
    What the key or token may do.
    """
    suspended: NotRequired[bool]
    """
    True while the tenant appends nothing.
    """
    tenant: str
    """
    The tenant that requests act in.
    """
    token: NotRequired[TokenGrant]
    """
    What the token is for, where it is one.
    """


class CreateKey(TypedDict, closed=True):
    """
    A key that is to be made.
    """

    expires_at: NotRequired[str]
    """
    Never when absent.
    """
    limits: NotRequired[OwnLimits]
    """
    Of its own, beside those of its tenant: requests, events and bytes a second, and streams.
    """
    logs: NotRequired[str]
    """
    The pattern of the names of logs that there are for the key; all when absent.
    """
    name: str
    """
    Unique among the tenant's keys that are not revoked; letters, digits and . _ : @ + = ~ -.
    """
    scopes: list[str]
    """
    What the key may do: append, read, query, deploy, admin, operator.
    """


class CreateTenant(TypedDict, closed=True):
    """
    A tenant that is to be made.
    """

    limits: NotRequired[OwnLimits]
    """
    Of its own, instead of the server's defaults.
    """
    name: str
    """
    Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them.
    """


class CreatedKey(TypedDict):
    """
    A key with its secret.
    """

    created_at: str
    """
    When it was made.
    """
    created_by: str
    """
    The name of the key that made it.
    """
    expires_at: NotRequired[str]
    """
    Absent when it never expires.
    """
    former_until: NotRequired[str]
    """
    Until when the secret from before that is good.
    """
    key: str
    """
    The key. It is shown this once: the server keeps its SHA-256 only.
    """
    key_id: str
    """
    It is part of the key, and no secret.
    """
    last_used_at: NotRequired[str]
    """
    To the minute; absent when it never was.
    """
    limits: Limits
    """
    Its own, beside those of its tenant: of those that are absent, it has none.
    """
    logs: str
    """
    The pattern of the names of logs that there are for the key.
    """
    name: str
    """
    It is recorded with what is done by the key.
    """
    revoked_at: NotRequired[str]
    """
    When it was revoked; absent when it was not.
    """
    rotated_at: NotRequired[str]
    """
    When it got its present secret; absent when that is its first.
    """
    scopes: list[str]
    """
    What the key may do: append, read, query, deploy, admin, operator.
    """


class EventExplanation(TypedDict):
    """
    How an event was counted.
    """

    sequence: int
    """
    The event's place in its log.
    """
    type: NotRequired[str]
    """
    The event's type; absent where it has none.
    """
    views: list[ViewExplanation]
    """
    One for each version of the log's views that is not retired, by name.
    """


class Key(TypedDict):
    """
    A key, without its secret.
    """

    created_at: str
    """
    When it was made.
    """
    created_by: str
    """
    The name of the key that made it.
    """
    expires_at: NotRequired[str]
    """
    Absent when it never expires.
    """
    former_until: NotRequired[str]
    """
    Until when the secret from before that is good.
    """
    key_id: str
    """
    It is part of the key, and no secret.
    """
    last_used_at: NotRequired[str]
    """
    To the minute; absent when it never was.
    """
    limits: Limits
    """
    Its own, beside those of its tenant: of those that are absent, it has none.
    """
    logs: str
    """
    The pattern of the names of logs that there are for the key.
    """
    name: str
    """
    It is recorded with what is done by the key.
    """
    revoked_at: NotRequired[str]
    """
    When it was revoked; absent when it was not.
    """
    rotated_at: NotRequired[str]
    """
    When it got its present secret; absent when that is its first.
    """
    scopes: list[str]
    """
    What the key may do: append, read, query, deploy, admin, operator.
    """


class KeyPage(TypedDict):
    """
    A page of keys.
    """

    keys: list[Key]
    """
    By id.
    """
    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """


LogVerification = TypedDict(
    'LogVerification',
    {
        'bytes': int,
        'events': int,
        'faults': list[LogFault],
        'finished_at': str,
        'from': int,
        'hash': str,
        'log_id': str,
        'name': str,
        'noted': NotRequired[LogHead],
        'ok': bool,
        'seconds': float,
        'to': int,
        'views': list[ViewVerification],
        'wrong': int,
    },
)


class ReadyView(TypedDict):
    """
    A view that every server has, to be deployed by its name.
    """

    config: Any
    """
    The JSON Schema (2020-12) of the newest version's configuration.
    """
    description: str
    """
    What it counts, in a sentence.
    """
    gas: int
    """
    The budget of one event's fold that a deployment gets which names none: this server's.
    """
    name: str
    """
    By which it is deployed.
    """
    title: str
    """
    What people call it.
    """
    versions: list[ReadyViewVersion]
    """
    Oldest first. A deployment by the name alone gets the last.
    """


class ReadyViewList(TypedDict):
    """
    The views that every server has.
    """

    views: list[ReadyView]
    """
    By name.
    """


class SourceHistory(TypedDict):
    """
    A page of a source's versions.
    """

    next_cursor: NotRequired[str]
    """
    Give it as cursor to get the next page; absent on the last.
    """
    versions: list[SourceVersion]
    """
    Newest first.
    """


class SourceTest(TypedDict):
    """
    What a source would make of a payload.
    """

    lines: list[TestedLine]
    """
    What would become of each record.
    """
    mapped: int
    """
    How many records would become events.
    """
    more: NotRequired[bool]
    """
    The payload has more than is shown: 1,000 lines, or 4 MiB of events.
    """
    rejected: int
    """
    How many would be rejected.
    """
    skipped: int
    """
    How many the mapping does not select.
    """
    version: int
    """
    Of the source.
    """
