//go:build unix

package postgres

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ulikunitz/xz"
)

// mavenCentral is the Maven repository that PostgreSQL's programs come from: the artifacts embedded-postgres-binaries-PLATFORM of the group
// io.zonky.test.postgres, each a jar that holds one .txz file.
const mavenCentral = "https://repo1.maven.org/maven2"

// Limits of a download. A jar has up to 35 MB, or 150 MB unpacked; anything far larger is something else.
const (
	maxJarBytes      = 128 << 20
	maxUnpackedBytes = 1 << 30
	maxChecksumBytes = 1 << 10
	fetchTimeout     = 15 * time.Minute
)

// platforms are the names of the published platforms, by GOOS/GOARCH.
var platforms = map[string]string{
	"linux/amd64":   "linux-amd64",
	"linux/arm64":   "linux-arm64v8",
	"linux/ppc64le": "linux-ppc64le",
	"darwin/amd64":  "darwin-amd64",
	"darwin/arm64":  "darwin-arm64v8",
}

// platformName returns the name of the platform. Alpine's C library differs from that of other Linux systems.
func platformName(system, processor string, alpine bool) (string, error) {
	name, ok := platforms[system+"/"+processor]
	if !ok {
		return "", fmt.Errorf("there are no programs to download for %s/%s", system, processor)
	}
	if alpine && system == "linux" {
		name += "-alpine"
	}
	return name, nil
}

func jarURL(repository, release string) (string, error) {
	_, err := os.Stat("/etc/alpine-release")
	platform, err := platformName(runtime.GOOS, runtime.GOARCH, err == nil)
	if err != nil {
		return "", err
	}
	artifact := "embedded-postgres-binaries-" + platform
	return fmt.Sprintf("%s/io/zonky/test/postgres/%s/%s/%[2]s-%[3]s.jar", repository, artifact, release), nil
}

// fetchJar downloads a release's jar to a new file and checks it against the SHA-256 that the repository publishes.
func fetchJar(ctx context.Context, repository, release, file string) error {
	url, err := jarURL(repository, release)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: http.DefaultTransport, Timeout: fetchTimeout}
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		client.Transport = transport.Clone() // its connections end with the download
		defer client.CloseIdleConnections()
	}
	var checksum bytes.Buffer
	if err := fetch(ctx, client, url+".sha256", maxChecksumBytes, &checksum); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	hash := sha256.New()
	err = fetch(ctx, client, url, maxJarBytes, io.MultiWriter(f, hash))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	got := hex.EncodeToString(hash.Sum(nil))
	if want, _, _ := strings.Cut(strings.TrimSpace(checksum.String()), " "); !strings.EqualFold(got, want) {
		return fmt.Errorf("%s has the SHA-256 %s, but %q is published for it", url, got, want)
	}
	return nil
}

// fetch writes the body at url to w. A body of more than limit bytes is an error.
func fetch(ctx context.Context, client *http.Client, url string, limit int64, w io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	n, err := io.Copy(w, io.LimitReader(response.Body, limit+1))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if n > limit {
		return fmt.Errorf("%s has more than %d bytes", url, limit)
	}
	return nil
}

// unpackJar unpacks the jar's one .txz into a new folder that everyone may read.
func unpackJar(ctx context.Context, jar, dir string) error {
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // it was only read
	for _, entry := range archive.File {
		if !strings.HasSuffix(entry.Name, ".txz") {
			continue
		}
		packed, err := entry.Open()
		if err != nil {
			return err
		}
		defer func() { _ = packed.Close() }() // it was only read
		unpacked, err := xz.NewReader(bufio.NewReader(packed))
		if err != nil {
			return err
		}
		return unpackTar(ctx, tar.NewReader(unpacked), dir)
	}
	return errors.New("the jar holds no .txz")
}

// unpackTar unpacks files, folders and symbolic links into a new folder, and nowhere else. Any other entry is an error.
func unpackTar(ctx context.Context, archive *tar.Reader, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // read by the user the server runs as
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // every file is closed already
	const entryBytes = 512              // size of a header, so that empty entries count too
	for total := int64(0); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return openFolders(root)
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if total += header.Size + entryBytes; header.Size < 0 || total > maxUnpackedBytes {
			return fmt.Errorf("unpacked, it has more than %d bytes", int64(maxUnpackedBytes))
		}
		if err := unpackEntry(root, header, archive); err != nil {
			return fmt.Errorf("%q: %w", header.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, header *tar.Header, content io.Reader) error {
	name := path.Clean(header.Name)
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		// Root follows no links that lead outside, and the programs must not either.
		target := path.Join(path.Dir(name), header.Linkname) //nolint:gosec // checked below
		if path.IsAbs(header.Linkname) || !filepath.IsLocal(target) {
			return fmt.Errorf("is a link to %q, outside of the archive", header.Linkname)
		}
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		mode := header.FileInfo().Mode().Perm()&0o755 | 0o444 // whatever the umask; writable by the owner only
		return errors.Join(err, f.Chmod(mode), f.Close())
	default:
		return fmt.Errorf("is of the type %q: files, folders and symbolic links can be unpacked", header.Typeflag)
	}
}

// openFolders lets everyone enter the folders, whatever the umask.
func openFolders(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return root.Chmod(name, 0o755)
	})
}
