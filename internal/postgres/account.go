//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// DefaultDataDir returns the default data folder: among the user's other data, but /var/lib/tallystick for root, whose own folder the
// server's user could not enter.
func DefaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/tallystick"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tallystick")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "tallystick-data"
	}
	return filepath.Join(home, ".local", "share", "tallystick")
}

// nobody is the user and group ID that own nothing, for systems without a user database.
const nobody = 65534

// account is the user that the server's programs run as.
type account struct {
	uid, gid int
	dropped  bool // this process is root and must change to uid and gid
}

// serverAccount returns the user of this process, unless that is root: then the owner of the folder, else postgres, else nobody.
func serverAccount(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	var st syscall.Stat_t
	if dir != "" && syscall.Stat(dir, &st) == nil && st.Uid != 0 {
		return account{uid: int(st.Uid), gid: int(st.Gid), dropped: true}, nil
	}
	u, err := user.Lookup(Superuser)
	if err != nil {
		return account{uid: nobody, gid: nobody, dropped: true}, nil //nolint:nilerr // no such user, hence nobody
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, fmt.Errorf("user %s: %w", Superuser, err)
	}
	return account{uid: uid, gid: gid, dropped: true}, nil
}

func (a account) String() string {
	if u, err := user.LookupId(strconv.Itoa(a.uid)); err == nil {
		return fmt.Sprintf("the user %s (uid %d)", u.Username, a.uid)
	}
	return fmt.Sprintf("uid %d", a.uid)
}

// attr makes a program run as this account, in a process group of its own: Ctrl-C in the terminal reaches only this process, which then
// shuts the server down.
func (a account) attr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.dropped {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // ids fit
	}
	return attr
}

// own creates a folder that only this account can enter.
func (a account) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if a.dropped {
		if err := os.Chown(dir, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder: its owner must enter it
}

// canReach returns an error unless this account may enter every folder on the way to dir. It ignores access control lists.
func (a account) canReach(dir string) error {
	if !a.dropped {
		return nil
	}
	for p := dir; ; p = filepath.Dir(p) {
		var st syscall.Stat_t
		if err := syscall.Stat(p, &st); err != nil {
			return &os.PathError{Op: "stat", Path: p, Err: err}
		}
		enter := uint32(0o001)
		switch {
		case int(st.Uid) == a.uid:
			enter = 0o100
		case int(st.Gid) == a.gid:
			enter = 0o010
		}
		if uint32(st.Mode)&enter == 0 {
			return fmt.Errorf("PostgreSQL refuses to run as root, and %s, who runs it instead, cannot enter %s (mode %04o): "+
				"choose a data folder outside of it, or do not run as root", a, p, st.Mode&0o7777)
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}
