package tally

import (
	"encoding/json"
	"time"
)

// Statuses of a version.
const (
	Building = "building"
	Live     = "live"
	Halted   = "halted"
	Retired  = "retired"
)

// What becomes of appends while a view with a guard is halted: they are admitted without it, or refused.
const (
	Admit  = "admit"
	Refuse = "refuse"
)

// View is one version of a view on a log.
type View struct {
	ViewID         string          `json:"view_id"`
	Name           string          `json:"name"`
	Version        int32           `json:"version"`
	Status         string          `json:"status"`
	Progress       *BuildProgress  `json:"progress,omitempty"` // nil unless building
	Module         string          `json:"module"`             // SHA-256, hexadecimal
	Ready          string          `json:"ready,omitempty"`    // which ready view the module is, such as meter@1; "" for other modules
	Config         json.RawMessage `json:"config"`
	Applied        int64           `json:"applied"` // last folded sequence
	Head           int64           `json:"head"`    // last sequence of the log
	HaltedSequence int64           `json:"halted_sequence,omitempty"`
	HaltedEvent    string          `json:"halted_event,omitempty"`
	Error          string          `json:"error,omitempty"`
	Gas            int64           `json:"gas"`               // budget of one event
	Guard          bool            `json:"guard"`             // it decides on events before they are appended
	OnHalt         string          `json:"on_halt,omitempty"` // Admit or Refuse; "" without a guard
	StateKept      bool            `json:"state_kept"`
	Actor          string          `json:"actor,omitempty"`
	CreatedAt      time.Time       `json:"created_at"`
	LiveAt         *time.Time      `json:"live_at,omitempty"`
	HaltedAt       *time.Time      `json:"halted_at,omitempty"`
	RetiredAt      *time.Time      `json:"retired_at,omitempty"`
	Successor      *View           `json:"successor,omitempty"` // the version that was asked for last, where that does not answer
}

// BuildProgress is the progress of a version that is being built.
type BuildProgress struct {
	Done            int64   `json:"done"`
	Total           int64   `json:"total"`
	EventsPerSecond float64 `json:"events_per_second"`      // 0 while unknown
	SecondsLeft     *int64  `json:"seconds_left,omitempty"` // nil while unknown
}

// ViewAction is something that was done to a view.
type ViewAction struct {
	Action   string    `json:"action"`
	Version  int32     `json:"version,omitempty"` // 0: the view as a whole
	Actor    string    `json:"actor,omitempty"`   // "" for the server itself
	Sequence int64     `json:"sequence,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	At       time.Time `json:"at"`
}

// ViewAudit is the result of auditing a view.
type ViewAudit struct {
	OK         bool             `json:"ok"`
	View       string           `json:"view"`
	Version    int32            `json:"version"`
	Sequence   int64            `json:"sequence"`
	Events     int64            `json:"events"`
	Skipped    int64            `json:"skipped"`
	Keys       int64            `json:"keys"`
	Ways       []string         `json:"ways"`
	Seconds    float64          `json:"seconds"`
	Difference *AuditDifference `json:"difference,omitempty"` // nil when OK
}

// AuditDifference is the first difference between two ways of folding the same events, or between one of them and the stored state.
type AuditDifference struct {
	Way      string  `json:"way"`
	Key      string  `json:"key"`
	Expected *string `json:"expected"` // nil: no value
	Found    *string `json:"found"`    // nil: no value
	Sequence int64   `json:"sequence"`
}

// ViewPattern is a view that is deployed on every log whose name matches a pattern.
type ViewPattern struct {
	Name       string           `json:"name"`
	Logs       string           `json:"logs"` // the pattern
	Version    int32            `json:"version"`
	Status     string           `json:"status"`          // active, retiring, retired
	Spreading  bool             `json:"spreading"`       // not every log has been considered yet
	Module     string           `json:"module"`          // SHA-256, hexadecimal
	Ready      string           `json:"ready,omitempty"` // which ready view the module is, such as meter@1; "" for other modules
	Config     json.RawMessage  `json:"config"`
	Gas        int64            `json:"gas"`               // budget of one event
	Guard      bool             `json:"guard"`             // it decides on events before they are appended
	OnHalt     string           `json:"on_halt,omitempty"` // Admit or Refuse; "" without a guard
	Actor      string           `json:"actor,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	DeployedAt time.Time        `json:"deployed_at"`
	Covers     *PatternCoverage `json:"covers,omitempty"` // nil in lists
}

// PatternCoverage counts logs by the view's state on them; Matching is the sum of the others.
type PatternCoverage struct {
	Matching int64 `json:"matching"`
	Live     int64 `json:"live"`
	Building int64 `json:"building"`
	Halted   int64 `json:"halted"`
	Retired  int64 `json:"retired"` // on the log itself
	Waiting  int64 `json:"waiting"` // for the newest version
	Full     int64 `json:"full"`    // without room for another view
	Own      int64 `json:"own"`     // with a view of that name of their own
	Progress struct {
		Done  int64 `json:"done"`
		Total int64 `json:"total"`
	} `json:"progress"` // events, of all logs together
}

// Key describes a key, without its secret.
type Key struct {
	KeyID       string     `json:"key_id"`
	Name        string     `json:"name"`
	Scopes      []string   `json:"scopes"`
	Logs        string     `json:"logs"` // the pattern of the logs that it is for
	CreatedAt   time.Time  `json:"created_at"`
	CreatedBy   string     `json:"created_by"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`   // nil: never
	RotatedAt   *time.Time `json:"rotated_at,omitempty"`   // nil: never
	FormerUntil *time.Time `json:"former_until,omitempty"` // until when the secret from before the rotation is good
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`   // nil: it is not revoked
	LastUsedAt  *time.Time `json:"last_used_at,omitempty"` // nil: never

	Limits map[string]int64 `json:"limits,omitempty"` // its own
}

// CreatedKey is a key with its secret, which the server tells this once.
type CreatedKey struct {
	Key

	Secret string `json:"key"`
}

// NewKey says what a key is to be.
type NewKey struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Logs      string     `json:"logs,omitempty"`       // "" for all
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: never

	Limits map[string]int64 `json:"limits,omitempty"` // of its own
}

// NewToken says what a token is to be for.
type NewToken struct {
	Scopes  []string `json:"scopes"`
	Logs    []string `json:"logs"`
	Views   []string `json:"views,omitempty"` // empty for all
	Seconds int64    `json:"seconds,omitempty"`
	Subject string   `json:"subject,omitempty"`
}

// Token is a token for a product's customer.
type Token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Tenant owns logs, views, patterns and keys.
type Tenant struct {
	TenantID    string     `json:"tenant_id"`
	Name        string     `json:"name"`
	CreatedAt   time.Time  `json:"created_at"`
	Suspended   bool       `json:"suspended"`
	SuspendedAt *time.Time `json:"suspended_at,omitempty"`

	Limits map[string]int64 `json:"limits,omitempty"` // its own
}

// TenantUpdate says what is to be changed of a tenant; nil leaves it.
type TenantUpdate struct {
	Name      *string `json:"name,omitempty"`
	Suspended *bool   `json:"suspended,omitempty"`

	Limits *map[string]int64 `json:"limits,omitempty"` // all that it is to have of its own
}

// AuditLogEntry is something that was done with the tenant, its keys, tokens or analysts.
type AuditLogEntry struct {
	EntryID int64           `json:"entry_id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	KeyID   string          `json:"key_id,omitempty"`
	Action  string          `json:"action"`
	Target  string          `json:"target"`
	Detail  json.RawMessage `json:"detail"`
}

// Source is what a source is told to do.
type Source struct {
	Name      string          `json:"name"`
	Version   int64           `json:"version"` // 0: the source default, which nobody has put
	Mapping   json.RawMessage `json:"mapping,omitempty"`
	Resolved  json.RawMessage `json:"resolved,omitempty"` // with the ready mapping that it names written out
	Deleted   bool            `json:"deleted,omitempty"`  // in lists: by this version
	CreatedAt *time.Time      `json:"created_at,omitempty"`
	CreatedBy string          `json:"created_by,omitempty"`
}

// ReadySource is a mapping that comes with the server.
type ReadySource struct {
	Name    string          `json:"name"`
	Mapping json.RawMessage `json:"mapping"`
}

// SourceTest is what a source would make of a payload.
type SourceTest struct {
	Version  int64        `json:"version,omitempty"` // of the source
	Lines    []TestedLine `json:"lines"`
	Mapped   int          `json:"mapped"`
	Skipped  int          `json:"skipped"`
	Rejected int          `json:"rejected"`
	More     bool         `json:"more,omitempty"` // the payload has more than is shown
}

// TestedLine is what a source would make of a record.
type TestedLine struct {
	Line    int             `json:"line"`
	Outcome string          `json:"outcome"` // mapped, skipped, rejected
	Log     string          `json:"log,omitempty"`
	Key     string          `json:"key,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"`
	Code    string          `json:"code,omitempty"`
	Detail  string          `json:"detail,omitempty"`
}

// ReplayedSource is what became of rejects.
type ReplayedSource struct {
	Read        int `json:"read"`
	Stored      int `json:"stored"`
	Duplicates  int `json:"duplicates"`
	Skipped     int `json:"skipped"`
	Rejected    int `json:"rejected"`
	Unavailable int `json:"unavailable"` // of which too little was kept

	FirstRejected *FirstRejected `json:"first_rejected,omitempty"`

	Next int64 `json:"next,omitempty"` // the sequence to go on from; 0 at the end
}

// FirstRejected is a reject that still cannot be stored.
type FirstRejected struct {
	Sequence int64  `json:"sequence"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
}

// LogVerification is the result of verifying a log.
type LogVerification struct {
	OK      bool               `json:"ok"`
	LogID   string             `json:"log_id"`
	Name    string             `json:"name"`
	From    int64              `json:"from"`
	To      int64              `json:"to"`
	Hash    string             `json:"hash"`
	Events  int64              `json:"events"`
	Bytes   int64              `json:"bytes"`
	Wrong   int64              `json:"wrong"`
	Faults  []LogFault         `json:"faults"`
	Views   []ViewVerification `json:"views"`
	Seconds float64            `json:"seconds"`
	// Noted is the head noted earlier that the log was held to; nil for none.
	Noted *LogHead `json:"noted,omitempty"`
	// Finished is the time at which the verification ended.
	Finished time.Time `json:"finished_at"`
}

// LogHead is where a log was at some time.
type LogHead struct {
	Sequence int64  `json:"sequence"`
	Hash     string `json:"hash"` // of everything up to it, hexadecimal
}

// LogFault is one thing that is wrong with a log.
type LogFault struct {
	Kind     string `json:"kind"`
	Sequence int64  `json:"sequence"`
	Detail   string `json:"detail"`
}

// ViewVerification is the result of folding a view's events again, or the reason why that was not possible.
type ViewVerification struct {
	View   string     `json:"view"`
	OK     bool       `json:"ok"`
	Audit  *ViewAudit `json:"audit,omitempty"`
	Code   string     `json:"code,omitempty"`
	Detail string     `json:"detail,omitempty"`
}

// Module is a module that the tenant has.
type Module struct {
	Module    string    `json:"module"`          // its SHA-256, hexadecimal
	Ready     string    `json:"ready,omitempty"` // the ready view that it is, with its version, such as meter@1
	Bytes     int64     `json:"bytes"`
	Deployed  bool      `json:"deployed"`   // a view of the tenant uses it, or did: it is kept for ever
	CreatedAt time.Time `json:"created_at"` // when the tenant deployed it first; before that, when it uploaded it last
}

// ModulePage is a page of modules.
type ModulePage struct {
	Modules    []Module `json:"modules"`
	NextCursor string   `json:"next_cursor,omitempty"` // "" on the last page
}

// ReadyView is a view that each server has built in.
type ReadyView struct {
	Name        string             `json:"name"` // by which it is deployed
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Gas         int64              `json:"gas"`      // the budget of one event that a deployment gets which names none
	Versions    []ReadyViewVersion `json:"versions"` // oldest first; the name alone stands for the last
	Config      json.RawMessage    `json:"config"`   // the JSON Schema of the newest version's configuration
}

// ReadyViewVersion is a version of a ready view.
type ReadyViewVersion struct {
	Version int64  `json:"version"`           // deployed as name@version
	Module  string `json:"module"`            // SHA-256, hexadecimal
	Release string `json:"release,omitempty"` // the first release that has it; "" while there is none
}
