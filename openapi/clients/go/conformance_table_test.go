package tally_test

import (
	"context"
	"encoding/json"
	"net/url"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// urlValues is a question as cases have it.
type urlValues map[string]string

func (v urlValues) encode() string {
	values := url.Values{}
	for name, value := range v {
		values.Set(name, value)
	}
	return values.Encode()
}

// body decodes the argument body.
func body[T any](a arguments) (value T) {
	a.into("body", &value)
	return value
}

// named is the body of operations that have a name and labels, or limits.
type named struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Limits map[string]int64  `json:"limits"`
}

// conformanceCalls are the client's methods, by the names that cases call them.
var conformanceCalls = map[string]func(context.Context, *tally.Client, arguments) (any, error){
	"append-event": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.AppendEvent(ctx, a.text("log"), a.members["event"], a.append())
	},
	"append-events": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.AppendEvents(ctx, a.text("log"), a.events("events"), a.append())
	},
	"list-events": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		page, err := c.ListEvents(ctx, a.text("log"), &tally.ListEventsOptions{EventFilter: a.filter(), ListOptions: *a.list()})
		text := append([]byte(`{"events":`), exact(eventTexts(page.Events))...)
		if page.NextCursor != "" {
			text = append(append(text, `,"next_cursor":`...), encoded(page.NextCursor)...)
		}
		return json.RawMessage(append(text, '}')), err
	},
	"get-event": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return oneEvent(c.GetEvent(ctx, a.text("log"), a.int("sequence")))
	},
	"explain-event": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ExplainEvent(ctx, a.text("log"), a.int("sequence"), &tally.ExplainEventOptions{View: a.text("view")})
	},
	"events": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		events, err := take(a, c.Events(ctx, a.text("log"), a.filter()))
		return exact(eventTexts(events)), err
	},
	"tail": tail, "tail-events": tail, "watch": watch, "watch-view": watch, "batcher": batch,
	"send-events": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.SendEvents(ctx, a.text("source"), a.events("body"), a.sending())
	},
	"send-openmeter-events": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return none(c.SendOpenMeterEvents(ctx, a.text("source"), a.events("body"), a.sending()))
	},
	"send-otlp-logs": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		text, err := c.SendOTLPLogs(ctx, a.text("source"), a.body(), a.jsonSending())
		return json.RawMessage(text), err
	},
	"send-otlp-traces": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		text, err := c.SendOTLPTraces(ctx, a.text("source"), a.body(), a.jsonSending())
		return json.RawMessage(text), err
	},
	"create-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		b := body[named](a)
		return c.CreateLog(ctx, b.Name, b.Labels)
	},
	"ensure-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.EnsureLog(ctx, a.text("log"), body[named](a).Labels)
	},
	"get-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetLog(ctx, a.text("log"))
	},
	"list-logs": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListLogs(ctx, a.logs())
	},
	"logs": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		if a.text("sort") == "" {
			return take(a, c.Logs(ctx, a.text("prefix")))
		}
		return take(a, c.FindLogs(ctx, a.logs()))
	},
	"get-caller": func(ctx context.Context, c *tally.Client, _ arguments) (any, error) { return c.GetCaller(ctx) },
	"get-activity": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetActivity(ctx, int(a.int("minutes")))
	},
	"list-view-states": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListViewStates(ctx, a.viewStates())
	},
	"view-states": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return take(a, c.ViewStates(ctx, a.viewStates()))
	},
	"deploy-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.DeployView(ctx, a.text("log"), a.text("view"), a.deployment())
	},
	"get-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetView(ctx, a.text("log"), a.text("view"))
	},
	"list-views": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		views, err := c.ListViews(ctx, a.text("log"))
		return listed("views", views, err)
	},
	"list-view-versions": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListViewVersions(ctx, a.text("log"), a.text("view"), a.list())
	},
	"view-versions": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return take(a, c.ViewVersions(ctx, a.text("log"), a.text("view")))
	},
	"query-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return answered(c.QueryView(ctx, a.text("log"), a.text("view"), a.question()))
	},
	"resume-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		o := body[tally.ResumeViewOptions](a)
		return c.ResumeView(ctx, a.text("log"), a.text("view"), &o)
	},
	"rollback-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		version := body[struct{ Version int32 }](a).Version
		return c.RollbackView(ctx, a.text("log"), a.text("view"), version)
	},
	"retire-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return none(c.RetireView(ctx, a.text("log"), a.text("view")))
	},
	"audit-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.AuditView(ctx, a.text("log"), a.text("view"), &tally.AuditViewOptions{Version: int32(version(a))})
	},
	"preview-view": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.PreviewView(ctx, a.text("log"), a.text("view"), a.deployment(), a.preview())
	},
	"deploy-view-pattern": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.DeployViewPattern(ctx, a.text("view"), a.deployment(), &tally.DeployViewPatternOptions{Logs: a.text("logs")})
	},
	"get-view-pattern": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetViewPattern(ctx, a.text("view"))
	},
	"list-view-patterns": func(ctx context.Context, c *tally.Client, _ arguments) (any, error) {
		views, err := c.ListViewPatterns(ctx)
		return listed("views", views, err)
	},
	"retire-view-pattern": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		keep, _ := a.members["keep"].(bool)
		return c.RetireViewPattern(ctx, a.text("view"), &tally.RetireViewPatternOptions{Keep: keep})
	},
	"put-module": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.PutModule(ctx, a.text("sha256"), a.body())
	},
	"list-modules": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListModules(ctx, a.list())
	},
	"modules": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Modules(ctx)) },
	"get-module": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetModule(ctx, a.text("sha256"))
	},
	"list-ready-views": func(ctx context.Context, c *tally.Client, _ arguments) (any, error) {
		views, err := c.ListReadyViews(ctx)
		return listed("views", views, err)
	},
	"verify-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		o := &tally.VerifyLogOptions{Views: a.text("views"), Sequence: a.int("sequence"), Hash: a.text("hash")}
		return c.VerifyLog(ctx, a.text("log"), o)
	},
	"get-checkpoint": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		text, err := c.GetCheckpoint(ctx, a.text("log"))
		return string(text), err
	},
	"get-checkpoint-key": func(ctx context.Context, c *tally.Client, _ arguments) (any, error) {
		text, err := c.GetCheckpointKey(ctx)
		return string(text), err
	},
	"list-sources": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListSources(ctx, a.list())
	},
	"sources": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Sources(ctx)) },
	"put-source": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.PutSource(ctx, a.text("source"), a.members["body"])
	},
	"get-source": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetSource(ctx, a.text("source"), &tally.GetSourceOptions{Version: version(a)})
	},
	"delete-source": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return none(c.DeleteSource(ctx, a.text("source")))
	},
	"list-source-versions": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListSourceVersions(ctx, a.text("source"), a.list())
	},
	"source-versions": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return take(a, c.SourceVersions(ctx, a.text("source")))
	},
	"list-ready-sources": func(ctx context.Context, c *tally.Client, _ arguments) (any, error) {
		sources, err := c.ListReadySources(ctx)
		return listed("sources", sources, err)
	},
	"test-source": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.TestSource(ctx, a.text("source"), a.body(), &tally.TestSourceOptions{As: a.text("as"), Version: version(a)})
	},
	"replay-source": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		o := body[tally.ReplaySourceOptions](a)
		return c.ReplaySource(ctx, a.text("source"), &o)
	},
	"list-keys": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return c.ListKeys(ctx, a.list()) },
	"keys":      func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Keys(ctx)) },
	"create-key": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.CreateKey(ctx, body[tally.NewKey](a))
	},
	"get-key": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetKey(ctx, a.text("key"))
	},
	"revoke-key": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.RevokeKey(ctx, a.text("key"))
	},
	"rotate-key": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.RotateKey(ctx, a.text("key"), formerValid(a))
	},
	"create-token": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.CreateToken(ctx, body[tally.NewToken](a))
	},
	"list-tenants": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListTenants(ctx, a.list())
	},
	"tenants": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.Tenants(ctx)) },
	"create-tenant": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		b := body[named](a)
		return c.CreateTenant(ctx, b.Name, b.Limits)
	},
	"get-tenant": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.GetTenant(ctx, a.text("tenant"))
	},
	"update-tenant": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.UpdateTenant(ctx, a.text("tenant"), body[tally.TenantUpdate](a))
	},
	"list-audit-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) {
		return c.ListAuditLog(ctx, a.list())
	},
	"audit-log": func(ctx context.Context, c *tally.Client, a arguments) (any, error) { return take(a, c.AuditLog(ctx)) },
	"health":    func(ctx context.Context, c *tally.Client, _ arguments) (any, error) { return c.Health(ctx) },
	"ready":     func(ctx context.Context, c *tally.Client, _ arguments) (any, error) { return c.Ready(ctx) },
}
