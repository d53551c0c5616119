//go:build unix

package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ulikunitz/xz"
)

const testRelease = "18.3.0"

// entry is an entry of an archive: a file unless its type says otherwise.
type entry struct {
	name, content, link string
	kind                byte
	mode                int64
}

// programs returns an archive like those that are published, but small.
func programs() []entry {
	said := func(program string) string { return "#!/bin/sh\necho '" + program + " (PostgreSQL) 18.3'\n" }
	return []entry{
		{name: "share/postgresql/", kind: tar.TypeDir, mode: 0o755},
		{name: "share/postgresql/postgres.bki", content: "text", mode: 0o644},
		{name: "bin/postgres", content: said("postgres"), mode: 0o755},
		{name: "bin/initdb", content: said("initdb"), mode: 0o4777},
		{name: "lib/libpq.so.5.18", content: "code", mode: 0o600},
		{name: "lib/libpq.so", link: "libpq.so.5.18", kind: tar.TypeSymlink, mode: 0o777},
		{name: "lib/postgresql/libpq.so", link: "../libpq.so", kind: tar.TypeSymlink, mode: 0o777},
	}
}

// jarOf packs entries as they are published: a zip that holds a .txz.
func jarOf(t *testing.T, entries []entry) []byte {
	t.Helper()
	var jar bytes.Buffer
	archive := zip.NewWriter(&jar)
	_, manifestErr := archive.Create("META-INF/MANIFEST.MF")
	packed, err := archive.Create("postgres-test.txz")
	if err := errors.Join(manifestErr, err); err != nil {
		t.Fatal(err)
	}
	compressed, err := xz.NewWriter(packed)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(compressed)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode, Size: int64(len(e.content))}
		if e.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), compressed.Close(), archive.Close()); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}

func sum(jar []byte) string {
	hash := sha256.Sum256(jar)
	return hex.EncodeToString(hash[:])
}

// repositoryOf serves a jar and its checksum at the URLs of a release.
func repositoryOf(t *testing.T, jar []byte, checksum string) string {
	t.Helper()
	at, err := jarURL("", testRelease)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == at:
			_, _ = w.Write(jar)
		case r.URL.Path == at+".sha256" && checksum != "":
			_, _ = w.Write([]byte(checksum))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestDownload(t *testing.T) {
	old := syscall.Umask(0o077) // with which the server's user could not read the files
	t.Cleanup(func() { syscall.Umask(old) })
	tree := filepath.Join(t.TempDir(), "postgres", testRelease)
	jar := jarOf(t, programs())
	if err := download(t.Context(), repositoryOf(t, jar, sum(jar)), testRelease, tree); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		".": fs.ModeDir | 0o755, "bin": fs.ModeDir | 0o755, "share": fs.ModeDir | 0o755, "share/postgresql": fs.ModeDir | 0o755,
		"bin/postgres": 0o755, "bin/initdb": 0o755, "share/postgresql/postgres.bki": 0o644, "lib/libpq.so.5.18": 0o644,
	} {
		if info, err := os.Lstat(filepath.Join(tree, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want the mode %v", name, info, err, want)
		}
	}
	for _, link := range []string{"lib/libpq.so", "lib/postgresql/libpq.so"} {
		if text, err := os.ReadFile(filepath.Join(tree, link)); err != nil || string(text) != "code" {
			t.Errorf("%s leads to %q, %v", link, text, err)
		}
	}
	b, err := inspect(t.Context(), account{}, filepath.Join(tree, "bin"), "download", 18)
	if err != nil || b.Version != "18.3" {
		t.Errorf("the unpacked programs are %+v, %v", b, err)
	}
	onlyTree(t, tree)
}

// onlyTree checks that a download has left nothing but its result.
func onlyTree(t *testing.T, tree string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(tree))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(tree) {
			t.Errorf("the download left %s behind", e.Name())
		}
	}
}

func TestDownloadRefusesWhatIsNotWhole(t *testing.T) {
	good := jarOf(t, programs())
	noArchive := jarOf(t, nil)
	noArchive = bytes.ReplaceAll(noArchive, []byte(".txz"), []byte(".tgz"))
	with := func(e entry) []byte { return jarOf(t, append(programs(), e)) }
	for _, c := range []struct {
		name     string
		jar      []byte
		checksum string // the jar's, if empty
		want     string
	}{
		{"another checksum", good, sum([]byte("another")), "is published for it"},
		{"no checksum", good, "-", "404 Not Found"},
		{"no archive in it", noArchive, "", "the jar holds no .txz"},
		{"no jar", []byte("<html>sign in</html>"), "", "not a valid zip file"},
		{"a path upwards", with(entry{name: "../stray", content: "x"}), "", `"../stray"`},
		{"a path upwards from within", with(entry{name: "bin/../../stray", content: "x"}), "", `"bin/../../stray"`},
		{"an absolute path", with(entry{name: "/stray", content: "x"}), "", `"/stray"`},
		{"a link upwards", with(entry{name: "lib/up", link: "../../stray", kind: tar.TypeSymlink}), "", "outside of the archive"},
		{"an absolute link", with(entry{name: "lib/etc", link: "/etc", kind: tar.TypeSymlink}), "", "outside of the archive"},
		{"a file twice", with(entry{name: "bin/initdb", content: "x"}), "", "file exists"},
		{"a file through a link", with(entry{name: "lib/libpq.so", content: "x"}), "", "file exists"},
		{"a hard link", with(entry{name: "lib/hard", link: "bin/initdb", kind: tar.TypeLink}), "", "is of the type '1'"},
		{"a device", with(entry{name: "dev", kind: tar.TypeChar}), "", "is of the type '3'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checksum := c.checksum
			switch checksum {
			case "":
				checksum = sum(c.jar)
			case "-":
				checksum = ""
			}
			outside := t.TempDir()
			tree := filepath.Join(outside, "postgres", testRelease)
			err := download(t.Context(), repositoryOf(t, c.jar, checksum), testRelease, tree)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
			if left, err := os.ReadDir(filepath.Dir(tree)); err != nil || len(left) != 0 {
				t.Errorf("the download left %v, %v", left, err)
			}
			if _, err := os.Lstat(filepath.Join(outside, "stray")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file was written outside: %v", err)
			}
		})
	}
}

// TestDownloadIsBounded: an archive whose header announces more than any programs need is refused before it is written.
func TestDownloadIsBounded(t *testing.T) {
	var archive bytes.Buffer
	if err := tar.NewWriter(&archive).WriteHeader(&tar.Header{Name: "bin/postgres", Mode: 0o755, Size: maxUnpackedBytes}); err != nil {
		t.Fatal(err)
	}
	err := unpackTar(t.Context(), tar.NewReader(&archive), filepath.Join(t.TempDir(), "tree"))
	if err == nil || !strings.Contains(err.Error(), "more than 1073741824 bytes") {
		t.Errorf("error %v, want one about the size", err)
	}
	var got bytes.Buffer
	repository := repositoryOf(t, []byte("0123456789"), "")
	at, err := jarURL(repository, testRelease)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if err := fetch(t.Context(), client, at, 9, &got); err == nil || !strings.Contains(err.Error(), "more than 9 bytes") {
		t.Errorf("error %v, want one about the size", err)
	}
	if err := fetch(t.Context(), client, at, 10, &got); err != nil {
		t.Errorf("exactly as many bytes as are allowed: %v", err)
	}
}

func TestDownloadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	go func() {
		<-asked
		cancel()
	}()
	tree := filepath.Join(t.TempDir(), "postgres", testRelease)
	if err := download(ctx, server.URL, testRelease, tree); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if left, err := os.ReadDir(filepath.Dir(tree)); err != nil || len(left) != 0 {
		t.Errorf("the download left %v, %v", left, err)
	}
}

// TestDownloadsAtOnce: all succeed, and each finds a complete tree when it does.
func TestDownloadsAtOnce(t *testing.T) {
	jar := jarOf(t, programs())
	repository := repositoryOf(t, jar, sum(jar))
	tree := filepath.Join(t.TempDir(), "postgres", testRelease)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := download(t.Context(), repository, testRelease, tree); err != nil {
				t.Error(err)
			}
			for _, e := range programs() {
				if _, err := os.Stat(filepath.Join(tree, e.name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	onlyTree(t, tree)
}

func TestPlatformNames(t *testing.T) {
	for _, c := range []struct {
		system, processor string
		alpine            bool
		want              string
	}{
		{"linux", "amd64", false, "linux-amd64"},
		{"linux", "arm64", false, "linux-arm64v8"},
		{"linux", "arm64", true, "linux-arm64v8-alpine"},
		{"darwin", "arm64", false, "darwin-arm64v8"},
		{"linux", "riscv64", false, ""},
	} {
		got, err := platformName(c.system, c.processor, c.alpine)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s/%s, Alpine %t: %q, %v; want %q", c.system, c.processor, c.alpine, got, err, c.want)
		}
	}
}
