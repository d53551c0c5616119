package api_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

type moduleInfo struct {
	Module    string
	Ready     string
	Bytes     int
	Deployed  bool
	CreatedAt string `json:"created_at"`
}

func hashOf(code []byte) string { return fmt.Sprintf("%x", sha256.Sum256(code)) }

// variant is a module that does what monthly_totals does, under a hash of its own: it has one more custom section. Tests share the same few
// variants, so that each is compiled once.
func variant(n int) []byte {
	name := fmt.Sprintf("variant-%03d", n)
	return append([]byte(views.MonthlyTotals()), append([]byte{0, byte(len(name) + 1), byte(len(name))}, name...)...)
}

func (s *service) putModule(code []byte) reply {
	s.t.Helper()
	return s.call("PUT", "/modules/"+hashOf(code), string(code))
}

// TestPutModule: a module is uploaded once, and deployed by its hash from then on, on logs and patterns, after a restart and a retirement.
func TestPutModule(t *testing.T) {
	database := testdb.New(t)
	s := startOn(t, database)
	code := variant(1)
	hash := hashOf(code)
	s.wantProblem(http.StatusNotFound, "module_not_found", s.call("GET", "/modules/"+hash, ""), hash)
	first := decode[moduleInfo](t, s.want(http.StatusCreated, s.putModule(code)))
	if first.Module != hash || first.Bytes != len(code) || first.CreatedAt == "" {
		t.Errorf("uploaded: %+v", first)
	}
	again := decode[moduleInfo](t, s.want(http.StatusOK, s.call("PUT", "/modules/"+strings.ToUpper(hash), string(code))))
	if again.Module != hash || again.Bytes != len(code) {
		t.Errorf("uploaded again: %+v", again)
	}
	if got := decode[moduleInfo](t, s.want(http.StatusOK, s.call("GET", "/modules/"+hash, ""))); got != again {
		t.Errorf("it is shown as %+v, and was uploaded as %+v", got, again)
	}

	s = startOn(t, database) // another server
	s.createLog("acme")
	s.append("acme", `{"model":"m","time":"2025-03-01T00:00:00Z","tokens_in":1}`)
	body := `{"module":"` + hash + `"}`
	deployed := decode[viewInfo](t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/totals", body)))
	if deployed.Status != "live" || deployed.Module != hash {
		t.Errorf("deployed: %+v", deployed)
	}
	s.want(http.StatusOK, s.putModule(code))
	if n := s.count("SELECT count(*) FROM uploaded_modules"); n != 0 {
		t.Errorf("%d modules that are deployed are kept as uploads, too", n)
	}
	s.want(http.StatusNoContent, s.call("DELETE", "/logs/acme/views/totals", ""))
	for n := range view.MaxUploads + 1 { // none of these takes the place of one that was deployed
		s.want(http.StatusCreated, s.putModule(variant(10+n)))
	}
	s.want(http.StatusOK, s.call("GET", "/modules/"+hash, ""))
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/totals", body))

	byPattern := variant(2)
	s.want(http.StatusCreated, s.putModule(byPattern))
	s.want(http.StatusCreated, s.call("POST", "/views/all?logs=ac*", `{"module":"`+hashOf(byPattern)+`"}`))
	if n := s.count("SELECT count(*) FROM uploaded_modules WHERE sha256 = $1", digestOf(byPattern)); n != 0 {
		t.Errorf("a module that is deployed on a pattern is kept as an upload, too")
	}
	s.listsModules(hash, hashOf(byPattern))
}

// listsModules: the pages of GET /modules have each module once, whether it was deployed, and which ready view it is.
func (s *service) listsModules(deployed ...string) {
	s.t.Helper()
	ready := decode[viewInfo](s.t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/ready", `{"ready":"monthly_totals"}`)))
	var last string
	listed := map[string]moduleInfo{}
	for cursor := ""; ; {
		page := decode[struct {
			Modules    []moduleInfo
			NextCursor string `json:"next_cursor"`
		}](s.t, s.want(http.StatusOK, s.call("GET", "/modules?limit=7"+cursor, "")))
		for _, m := range page.Modules {
			if m.Module <= last || m.Bytes == 0 || m.CreatedAt == "" {
				s.t.Errorf("after %s comes %+v", last, m)
			}
			if got := decode[moduleInfo](s.t, s.want(http.StatusOK, s.call("GET", "/modules/"+m.Module, ""))); got != m {
				s.t.Errorf("listed is %+v, and shown %+v", m, got)
			}
			last, listed[m.Module] = m.Module, m
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if want := view.MaxUploads - 1 + len(deployed) + 1; len(listed) != want { // one of the last uploads was deployed since
		s.t.Errorf("%d modules are listed, not %d", len(listed), want)
	}
	for _, hash := range deployed {
		if m := listed[hash]; !m.Deployed || m.Ready != "" {
			s.t.Errorf("a module that is deployed is listed as %+v", m)
		}
	}
	if m := listed[ready.Module]; !m.Deployed || m.Ready != "monthly_totals@1" {
		s.t.Errorf("a ready view is listed as %+v", m)
	}
	s.wantProblem(http.StatusBadRequest, "invalid_cursor", s.call("GET", "/modules?cursor=zz", ""))
}

func digestOf(code []byte) []byte {
	sum := sha256.Sum256(code)
	return sum[:]
}

func (s *service) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.db.QueryRow(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestPutModuleRefused: nothing is kept of a body that is not what its path says, or is no module.
func TestPutModuleRefused(t *testing.T) {
	s := start(t)
	code := views.MonthlyTotals()
	hash, other := hashOf(code), strings.Repeat("5a", 32)
	put := func(path string, body []byte) reply { return s.call("PUT", "/modules/"+path, string(body)) }
	s.wantProblem(http.StatusUnprocessableEntity, "module_hash_mismatch", put(other, code), hash, fmt.Sprint(len(code)))
	s.wantProblem(http.StatusUnprocessableEntity, "module_hash_mismatch", put(hash, code[:len(code)-1]))
	s.wantProblem(http.StatusUnprocessableEntity, "module_hash_mismatch", put(hash, append([]byte(code), 0)))
	for _, path := range []string{"abc", other[1:], other + "5a", strings.Repeat("zz", 32), "%00" + other[2:]} {
		s.wantProblem(http.StatusBadRequest, "invalid_module_hash", put(path, code), "64 hexadecimal")
		s.wantProblem(http.StatusBadRequest, "invalid_module_hash", s.call("GET", "/modules/"+path, ""))
	}
	s.wantProblem(http.StatusBadRequest, "body_missing", put(hash, nil))
	s.wantProblem(http.StatusUnprocessableEntity, "not_wasm", s.putModule([]byte("no wasm")))
	s.wantProblem(http.StatusUnprocessableEntity, "invalid_module", s.putModule(code[:5000]))
	s.wantProblem(http.StatusUnprocessableEntity, "not_wasm", s.putModule(make([]byte, 4<<20)))
	s.wantProblem(http.StatusRequestEntityTooLarge, "body_too_large", s.putModule(make([]byte, 4<<20+1)), "4194304")
	s.wantProblem(http.StatusBadRequest, "invalid_parameter", put(hash+"?gas=1", code))
	s.wantProblem(http.StatusUnsupportedMediaType, "content_encoding",
		s.call("PUT", "/modules/"+hash, string(code), "Content-Encoding: gzip"))

	// A body that breaks off: what arrived is no module under another name.
	part := io.LimitReader(strings.NewReader(string(code)), 100)
	request, err := http.NewRequestWithContext(t.Context(), "PUT", s.url+"/modules/"+hash, part)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(code))
	if r, err := s.do(request); err == nil && r.status < 400 {
		t.Errorf("a body that broke off was answered with %d: %s", r.status, r.body)
	}
	if n := s.count("SELECT (SELECT count(*) FROM uploaded_modules) + (SELECT count(*) FROM modules)"); n != 0 {
		t.Errorf("%d modules were kept", n)
	}
}

// TestPutModuleTogether: many uploads at once, of the same and of different modules, on two servers. Each is new once, and as many are kept
// as may be.
func TestPutModuleTogether(t *testing.T) {
	database := testdb.New(t)
	s := startOn(t, database)
	servers := []string{s.url, s.serve(database.DSN())}
	const callers, different = 8, view.MaxUploads + 8
	var mu sync.Mutex
	created := map[string]int{}
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for n := range different {
				code := variant(n)
				if c%2 == 0 {
					code = variant(different - 1) // the same one, by half of them
				}
				url := servers[c/2%2] + "/modules/" + hashOf(code)
				request, err := http.NewRequestWithContext(t.Context(), "PUT", url, strings.NewReader(string(code)))
				if err != nil {
					t.Error(err)
					return
				}
				r, err := s.do(request)
				if err != nil || r.status != http.StatusOK && r.status != http.StatusCreated {
					t.Errorf("uploading: %d, %v, %s", r.status, err, r.body)
					return
				}
				if r.status == http.StatusCreated {
					mu.Lock()
					created[hashOf(code)]++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if last := hashOf(variant(different - 1)); created[last] != 1 {
		t.Errorf("the module that all uploaded all the while was new %d times", created[last])
	}
	if len(created) != different {
		t.Errorf("%d modules were new, of %d", len(created), different)
	}
	if n := s.count("SELECT count(*) FROM uploaded_modules"); n != view.MaxUploads {
		t.Errorf("%d uploads are kept, not %d", n, view.MaxUploads)
	}
}

// TestUploadsAreDropped: the latest are kept, and one that is uploaded again is among them.
func TestUploadsAreDropped(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	for n := range view.MaxUploads {
		s.want(http.StatusCreated, s.putModule(variant(n)))
	}
	s.want(http.StatusOK, s.putModule(variant(0)))
	s.want(http.StatusCreated, s.putModule(variant(view.MaxUploads)))
	s.want(http.StatusOK, s.call("GET", "/modules/"+hashOf(variant(0)), ""))
	gone := hashOf(variant(1))
	s.wantProblem(http.StatusNotFound, "module_not_found", s.call("GET", "/modules/"+gone, ""))
	s.wantProblem(http.StatusNotFound, "module_not_found", s.call("POST", "/logs/acme/views/v", `{"module":"`+gone+`"}`), "PUT /modules")
	s.want(http.StatusCreated, s.putModule(variant(1)))
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/v", `{"module":"`+gone+`"}`))
}

// TestModulesOfOthers: a tenant cannot tell whether another has a module, neither by asking for it nor by uploading it; and uploads of one
// tenant do not take the place of another's.
func TestModulesOfOthers(t *testing.T) {
	d := openDoor(t)
	uploaded, unknown := variant(1), variant(2)
	acme := func(code []byte) reply { return d.as(d.owner, "PUT", "/modules/"+hashOf(code), string(code)) }
	rival := func(method string, code []byte) reply {
		r := d.as(d.rival, method, "/modules/"+hashOf(code), map[string]string{"PUT": string(code)}[method])
		r.body = []byte(strings.ReplaceAll(string(r.body), hashOf(code), "HASH"))
		return r
	}
	d.want(http.StatusCreated, acme(uploaded))
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/views/unique", string(uploaded)))
	kept := variant(3)
	d.want(http.StatusCreated, acme(kept))
	for _, code := range [][]byte{uploaded, kept} {
		d.wantProblem(http.StatusNotFound, "module_not_found", rival("GET", code))
		d.alike("a module of acme's", rival("GET", code), rival("GET", unknown))
		d.want(http.StatusCreated, rival("PUT", code))
	}
	d.want(http.StatusCreated, rival("PUT", unknown))
	for n := range view.MaxUploads {
		d.want(http.StatusCreated, rival("PUT", variant(10+n)))
	}
	d.wantProblem(http.StatusNotFound, "module_not_found", rival("GET", kept))
	d.want(http.StatusOK, d.as(d.owner, "GET", "/modules/"+hashOf(kept), ""))
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/views/kept", `{"module":"`+hashOf(kept)+`"}`))
}

// TestDeployWhileUploadsAreDropped: a deployment by a hash finds the module or does not, whatever is uploaded and dropped meanwhile, and a
// view that was deployed keeps its module.
func TestDeployWhileUploadsAreDropped(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	var group sync.WaitGroup
	const wanted, rounds = 4, view.MaxUploads + 4
	done := make(chan struct{})
	for n := range wanted {
		group.Go(func() {
			code := variant(n)
			for deployed := false; !deployed; {
				r, err := s.try("PUT", "/modules/"+hashOf(code), strings.NewReader(string(code)))
				if err != nil || r.status >= 400 {
					t.Errorf("uploading: %d, %v, %s", r.status, err, r.body)
					return
				}
				r, err = s.try("POST", fmt.Sprintf("/logs/acme/views/v-%d", n), strings.NewReader(`{"module":"`+hashOf(code)+`"}`))
				if err != nil || r.status != http.StatusCreated && s.problem(r).Code != "module_not_found" {
					t.Errorf("deploying: %d, %v, %s", r.status, err, r.body)
					return
				}
				deployed = r.status == http.StatusCreated
			}
		})
	}
	go func() { group.Wait(); close(done) }()
	for n := range rounds {
		s.want(http.StatusCreated, s.putModule(variant(wanted+n)))
	}
	<-done
	for n := range wanted {
		s.want(http.StatusOK, s.call("GET", "/modules/"+hashOf(variant(n)), ""))
		s.want(http.StatusCreated, s.call("POST", "/views/"+fmt.Sprint("p-", n)+"?logs=ac*", `{"module":"`+hashOf(variant(n))+`"}`))
	}
}
