package api_test

// operation is what is known of an operation of the description, apart from it: who may do it, and how it is tried.
type operation struct {
	scopes string // of which a key needs one, in the description's order; "" for anybody
	token  string // scopes of which a token needs one; "" where none will do
	body   string
	path   string // where that of the description does not do, as it is filled in
	status int    // for whoever may do it
	some   int    // for a key that is for some logs only, where that has another status
	stream bool   // it does not end by itself
}

// operations are all of them. Braces are filled in by frontDoor.fill: {log} with a log that there is, {fresh-…} with something new that may
// be ended.
var operations = map[string]operation{
	"GET /healthz":        {status: 200},
	"GET /readyz":         {status: 200},
	"GET /checkpoint-key": {status: 200},

	"PUT /logs/{log}":                               {scopes: "append", path: "/logs/in-{fresh}", status: 201},
	"POST /logs":                                    {scopes: "append", body: `{"name":"in-{fresh}"}`, status: 201},
	"GET /logs":                                     {scopes: "read deploy", status: 200},
	"GET /activity":                                 {scopes: "read query deploy admin", status: 200, some: 403},
	"GET /view-states":                              {scopes: "read query deploy", status: 200},
	"GET /logs/{log}":                               {scopes: "append read query deploy", token: "read query", status: 200},
	"POST /logs/{log}/append":                       {scopes: "append", body: `{"model":"m","tokens_in":1}`, status: 201},
	"POST /logs/{log}/append_batch":                 {scopes: "append", body: `[{"model":"m","tokens_in":1}]`, status: 201},
	"GET /logs/{log}/events":                        {scopes: "read", token: "read", status: 200},
	"GET /logs/{log}/events/{sequence}":             {scopes: "read", token: "read", status: 200},
	"GET /logs/{log}/verify":                        {scopes: "read", token: "read", path: "/logs/{log}/verify?views=none", status: 200},
	"GET /logs/{log}/checkpoint":                    {scopes: "read", token: "read", status: 200},
	"GET /logs/{log}/tail":                          {scopes: "read", token: "read", status: 200, stream: true},
	"GET /logs/{log}/events/{sequence}/explanation": {scopes: "read", status: 200},

	"GET /logs/{log}/views":                  {scopes: "read query deploy", status: 200},
	"GET /logs/{log}/views/{view}":           {scopes: "read query deploy", status: 200},
	"GET /logs/{log}/views/{view}/versions":  {scopes: "read query deploy", status: 200},
	"GET /logs/{log}/views/{view}/query":     {scopes: "query", token: "query", status: 200},
	"POST /logs/{log}/views/{view}/query":    {scopes: "query", token: "query", status: 200},
	"GET /logs/{log}/views/{view}/live":      {scopes: "query", token: "query", status: 200, stream: true},
	"POST /logs/{log}/views/{view}/preview":  {scopes: "deploy", body: `{"module":"{module}"}`, status: 200},
	"POST /logs/{log}/views/{view}/audit":    {scopes: "read deploy", status: 200},
	"POST /logs/{log}/views/{view}":          {scopes: "deploy", body: `{"module":"{module}"}`, status: 200},
	"PUT /logs/{log}/views/{view}":           {scopes: "deploy", body: `{"module":"{module}"}`, status: 200},
	"POST /logs/{log}/views/{view}/rollback": {scopes: "deploy", body: `{"version":1}`, status: 200},
	"POST /logs/{log}/views/{view}/resume":   {scopes: "deploy", body: `{}`, status: 409}, // it is not halted
	"DELETE /logs/{log}/views/{view}":        {scopes: "deploy", path: "/logs/{log}/views/{fresh-view}", status: 204},

	"GET /modules":          {scopes: "deploy", path: "/modules", status: 200},
	"PUT /modules/{sha256}": {scopes: "deploy", path: "/modules/{module}", body: "{module-bytes}", status: 200},
	"GET /modules/{sha256}": {scopes: "read deploy", path: "/modules/{module}", status: 200},
	"GET /ready-views":      {scopes: "read query deploy", status: 200},

	"POST /events":                            {scopes: "append", body: `{"log":"in-1","id":"{fresh}"}`, status: 200},
	"GET /events":                             {status: 200},
	"OPTIONS /events":                         {status: 200},
	"POST /api/v1/events":                     {scopes: "append", body: `{"subject":"in-1","id":"{fresh}"}`, status: 204},
	"GET /api/v1/events":                      {status: 200},
	"OPTIONS /api/v1/events":                  {status: 200},
	"POST /v1/logs":                           {scopes: "append", status: 200},
	"GET /v1/logs":                            {status: 200},
	"OPTIONS /v1/logs":                        {status: 200},
	"POST /v1/traces":                         {scopes: "append", status: 200},
	"GET /v1/traces":                          {status: 200},
	"OPTIONS /v1/traces":                      {status: 200},
	"POST /sources/{source}/events":           {scopes: "append", body: `{"log":"in-1","id":"{fresh}"}`, status: 200},
	"GET /sources/{source}/events":            {status: 200},
	"OPTIONS /sources/{source}/events":        {status: 200},
	"POST /sources/{source}/api/v1/events":    {scopes: "append", body: `{"subject":"in-1","id":"{fresh}"}`, status: 204},
	"GET /sources/{source}/api/v1/events":     {status: 200},
	"OPTIONS /sources/{source}/api/v1/events": {status: 200},
	"POST /sources/{source}/v1/logs":          {scopes: "append", status: 200},
	"GET /sources/{source}/v1/logs":           {status: 200},
	"OPTIONS /sources/{source}/v1/logs":       {status: 200},
	"POST /sources/{source}/v1/traces":        {scopes: "append", status: 200},
	"GET /sources/{source}/v1/traces":         {status: 200},
	"OPTIONS /sources/{source}/v1/traces":     {status: 200},

	"GET /views":           {scopes: "deploy", status: 200},
	"GET /views/{view}":    {scopes: "deploy", path: "/views/on-none", status: 200},
	"POST /views/{view}":   {scopes: "deploy", path: "/views/on-none?logs=in-none", body: `{"module":"{module}"}`, status: 200},
	"PUT /views/{view}":    {scopes: "deploy", path: "/views/on-none?logs=in-none", body: `{"module":"{module}"}`, status: 200},
	"DELETE /views/{view}": {scopes: "deploy", path: "/views/{fresh-pattern}", status: 200},

	"PUT /sources/{source}":          {scopes: "deploy", body: `{"log":"in-{fresh}","id":"{/id}","keep":true}`, status: 201, some: 403},
	"DELETE /sources/{source}":       {scopes: "deploy", path: "/sources/{fresh-source}", status: 204, some: 403},
	"GET /sources/{source}":          {scopes: "read deploy", status: 200},
	"GET /sources/{source}/versions": {scopes: "read deploy", status: 200},
	"POST /sources/{source}/test":    {scopes: "read deploy", body: `{"id":"1"}`, status: 200},
	"POST /sources/{source}/replay":  {scopes: "append", body: `{}`, status: 200, some: 403},
	"GET /sources":                   {scopes: "read deploy", status: 200},
	"GET /ready-sources":             {scopes: "read deploy", status: 200},

	"PUT /alerts/{alert}":           {scopes: "admin", path: "/alerts/in-{fresh}", body: `{alert-definition}`, status: 201},
	"DELETE /alerts/{alert}":        {scopes: "admin", path: "/alerts/{fresh-alert}", status: 204},
	"GET /alerts/{alert}":           {scopes: "query admin", status: 200},
	"GET /alerts/{alert}/crossings": {scopes: "query admin", status: 200},
	"POST /alerts/{alert}/test":     {scopes: "query admin", body: `{"log":"in-1"}`, status: 200},
	"GET /alerts":                   {scopes: "query admin", status: 200},

	"GET /caller":             {scopes: "append read query deploy admin operator", token: "read query", status: 200},
	"POST /tokens":            {scopes: "read query", body: `{"scopes":["{may}"],"logs":["in-1"]}`, status: 201},
	"GET /keys":               {scopes: "admin", status: 200},
	"POST /keys":              {scopes: "admin", body: `{"name":"key-{fresh}","scopes":["read"],"logs":"in-*"}`, status: 201},
	"GET /keys/{key}":         {scopes: "admin", status: 200},
	"POST /keys/{key}/rotate": {scopes: "admin", body: `{}`, status: 200},
	"DELETE /keys/{key}":      {scopes: "admin", path: "/keys/{fresh-key}", status: 200},
	"GET /audit-log":          {scopes: "admin", status: 200},

	"GET /webhooks":                                 {scopes: "admin", status: 200, some: 403},
	"POST /webhooks":                                {scopes: "admin", body: `{"url":"https://a.example.com/"}`, status: 201, some: 403},
	"GET /webhooks/{webhook}":                       {scopes: "admin", status: 200, some: 403},
	"PATCH /webhooks/{webhook}":                     {scopes: "admin", body: `{"description":"changed"}`, status: 200, some: 403},
	"DELETE /webhooks/{webhook}":                    {scopes: "admin", path: "/webhooks/{fresh-webhook}", status: 204, some: 403},
	"POST /webhooks/{webhook}/test":                 {scopes: "admin", status: 202, some: 403},
	"POST /webhooks/{webhook}/rotate-secret":        {scopes: "admin", status: 200, some: 403},
	"POST /webhooks/{webhook}/replay":               {scopes: "admin", status: 202, some: 403},
	"GET /webhooks/{webhook}/deliveries":            {scopes: "admin", status: 200, some: 403},
	"GET /webhooks/{webhook}/deliveries/{delivery}": {scopes: "admin", status: 200, some: 403},
	"POST /webhooks/{webhook}/deliveries/{delivery}/replay": {
		scopes: "admin", status: 409, some: 403, // it is tried again by itself
	},

	"GET /tenants":            {scopes: "operator", status: 200},
	"POST /tenants":           {scopes: "operator", body: `{"name":"tenant-{fresh}"}`, status: 201},
	"GET /tenants/{tenant}":   {scopes: "operator", status: 200},
	"PATCH /tenants/{tenant}": {scopes: "operator", body: `{"suspended":false}`, status: 200},
}

// forSome is the operation as it is for a key that is for some logs only.
func (o operation) forSome() operation {
	if o.some != 0 {
		o.status = o.some
	}
	return o
}
